//! Members around one table of rows, in the order and with the losses a test wants.

use std::{collections::BTreeSet, time::Duration};

use mosaic_crypto::record::{self, RecordNonce};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;

use super::*;

const ROWS: u32 = 1 << 17;
const FEDERATION: [u8; 32] = [0xFE; 32];
/// The first instant of an epoch.
const START: Timestamp = Timestamp::from_secs(979_824 * 1_800);

fn minutes(minutes: u64) -> Timestamp {
    START.after(Duration::from_secs(minutes * 60))
}

fn name() -> GroupName {
    GroupName::new("choir").unwrap()
}

/// What providers hold: records at rows.
#[derive(Default)]
struct Table(Vec<(u32, [u8; 192])>);

struct Member {
    groups: Groups,
    rng: ChaCha20Rng,
}

impl Member {
    fn new(seed: u64) -> Self {
        Self { groups: Groups::new(FEDERATION), rng: ChaCha20Rng::seed_from_u64(seed) }
    }

    fn creates(&mut self, now: Timestamp) -> GroupId {
        self.groups.create(now, name(), &mut self.rng).unwrap()
    }

    fn joins(&mut self, now: Timestamp, invitation: &Invitation) -> GroupId {
        self.groups.join(now, name(), invitation, &mut self.rng).unwrap()
    }

    fn says(&mut self, now: Timestamp, id: GroupId, text: &str) {
        self.groups.announce_bytes(now, id, text.as_bytes(), &mut self.rng).unwrap();
    }

    /// Sends all that may leave; a share of it is lost on the way and not reported.
    fn sends(&mut self, now: Timestamp, table: &mut Table, loss: f64) -> Vec<u32> {
        let frames = self.groups.outgoing(now, ROWS, 64);
        let mut rows = Vec::new();
        for frame in frames {
            rows.push(frame.rows[0]);
            if self.rng.random_bool(loss) {
                self.groups.requeue(&[frame.id]);
                continue;
            }
            let nonce = RecordNonce::draw(&mut self.rng);
            table.0.push((frame.rows[0], record::seal_record(&frame.key, nonce, &frame.plain)));
            self.groups.left(&[frame.id]);
        }
        rows
    }

    fn reads(&mut self, now: Timestamp, table: &Table) -> Vec<GroupEvent> {
        let wanted = self.groups.wanted(now, ROWS).rows();
        let ours: Vec<_> = table.0.iter().filter(|(row, _)| wanted.binary_search(row).is_ok()).collect();
        ours.into_iter().flat_map(|(row, sealed)| self.groups.receive(*row, sealed)).collect()
    }

    fn texts(&self, id: GroupId) -> Vec<String> {
        self.groups.announcements(id).unwrap().into_iter().map(|said| said.text.expose(str::to_owned)).collect()
    }
}

/// A creator and two whom it invited.
fn three() -> ([Member; 3], [GroupId; 3]) {
    let mut members = [1, 2, 3].map(Member::new);
    let id = members[0].creates(minutes(0));
    let invitations = [(); 2].map(|()| members[0].groups.invite(minutes(1), id, 1).unwrap());
    let joined = [members[1].joins(minutes(2), &invitations[0]), members[2].joins(minutes(3), &invitations[1])];
    (members, [id, joined[0], joined[1]])
}

#[test]
fn what_one_member_says_all_read() {
    let ((mut members, ids), mut table) = (three(), Table::default());
    let long = "m".repeat(496);
    members[1].says(minutes(4), ids[1], &long);
    members[2].says(minutes(5), ids[2], "at the fountain");
    for member in &mut members {
        member.sends(minutes(6), &mut table, 0.0);
    }
    for (member, id) in members.iter_mut().zip(ids) {
        member.reads(minutes(10), &table);
        assert_eq!(
            member.texts(id).into_iter().collect::<BTreeSet<_>>(),
            [long.clone(), "at the fountain".into()].into()
        );
        let view = member.groups.get(id).unwrap();
        assert_eq!((view.waiting, view.slot_shared), (0, false));
        assert!(member.reads(minutes(11), &table).is_empty(), "the same records change nothing");
    }
    assert_eq!(members[0].groups.get(ids[0]).unwrap().heard, 2);
    let sent =
        |member: &Member, id| member.groups.announcements(id).unwrap().iter().map(|said| said.sent).collect::<Vec<_>>();
    assert!(sent(&members[0], ids[0]).iter().all(|sent| *sent == Sent::ByAnother));
    assert!(sent(&members[1], ids[1]).contains(&Sent::Stored));
}

/// Seeds 7 to 39: 33 members write 24 times in two hours, and a third of it is lost and written again. A key belongs to
/// one state, member slot and counter, and so does a row; none comes twice.
#[test]
fn no_two_members_ever_write_one_record() {
    let mut creator = Member::new(7);
    let id = creator.creates(minutes(0));
    let mut members = vec![(creator, id)];
    for seed in 8..40 {
        let invitation = members[0].0.groups.invite(minutes(1), id, 1).unwrap();
        let mut member = Member::new(seed);
        let joined = member.joins(minutes(1), &invitation);
        members.push((member, joined));
    }
    let mut places = BTreeSet::new();
    let mut written = 0;
    for turn in 0..24 {
        let now = minutes(2 + turn * 5);
        for (member, id) in &mut members {
            if member.groups.get(*id).unwrap().waiting == 0 {
                member.says(now, *id, "a line");
            }
            let frames = member.groups.outgoing(now, u32::MAX, 64);
            for frame in frames {
                written += 1;
                assert!(places.insert(*frame.key), "a state, slot and counter twice");
                if member.rng.random_bool(0.33) {
                    member.groups.requeue(&[frame.id]);
                } else {
                    member.groups.left(&[frame.id]);
                }
            }
        }
    }
    assert!(written > 700, "{written} writes");
}

/// An epoch carries eight frames of a member; what is more leaves in the next. After a restart nothing leaves in the same epoch.
#[test]
fn a_restart_never_writes_a_row_twice() {
    let mut member = Member::new(1);
    let id = member.creates(minutes(0));
    let keys = |member: &mut Member, now| {
        let frames = member.groups.outgoing(now, ROWS, 64);
        member.groups.left(&frames.iter().map(|frame| frame.id).collect::<Vec<_>>());
        frames.iter().map(|frame| *frame.key).collect::<Vec<_>>()
    };
    (0..10).for_each(|_| member.says(minutes(0), id, "a line"));
    let stored = member.groups.stored();
    let before = keys(&mut member, minutes(1));
    assert_eq!((before.len(), keys(&mut member, minutes(29)).len()), (8, 0));
    member.groups = Groups::restored(FEDERATION, &stored, minutes(2));
    assert!(keys(&mut member, minutes(29)).is_empty(), "eight rows of this epoch may be written");
    let after = keys(&mut member, minutes(31));
    assert_eq!(after.len(), 8, "what was stored as waiting leaves again");
    assert!(after.iter().all(|key| !before.contains(key)));
    assert_eq!(member.texts(id).len(), 10);
}

/// Who copies an invitation, or a member who lies, is noticed by whose slot it is; the others read on.
#[test]
fn a_slot_that_two_use_is_given_up() {
    let (mut members, ids) = three();
    let invitation = members[0].groups.invite(minutes(4), ids[0], 1).unwrap();
    let (mut honest, mut copy) = (Member::new(8), Member::new(9));
    let joined = [honest.joins(minutes(5), &invitation), copy.joins(minutes(5), &invitation)];
    let mut table = Table::default();
    honest.sends(minutes(6), &mut table, 0.0);
    assert_eq!(copy.reads(minutes(8), &table), [GroupEvent::SlotShared(joined[1])]);
    let refused = copy.groups.announce_bytes(minutes(8), joined[1], b"a line", &mut copy.rng);
    assert_eq!((refused, copy.groups.queued()), (Err(AnnounceError::SlotShared), 0));
    assert!(copy.sends(minutes(9), &mut table, 0.0).is_empty(), "what waited is not written either");
    members[0].says(minutes(9), ids[0], "to all");
    members[0].sends(minutes(9), &mut table, 0.0);
    copy.reads(minutes(10), &table);
    assert_eq!(copy.texts(joined[1]), ["to all"]);
}

/// The past is erased: who joins, and who takes a device, reads nothing of before (L5-25; DESIGN section 4: 48 hours).
#[test]
fn nobody_reads_what_was_before() {
    let ((mut members, ids), mut table) = (three(), Table::default());
    members[0].says(minutes(4), ids[0], "before");
    members[0].sends(minutes(4), &mut table, 0.0);
    let invitation = members[0].groups.invite(minutes(40), ids[0], 1).unwrap();
    let mut late = Member::new(9);
    let joined = late.joins(minutes(41), &invitation);
    assert!(late.reads(minutes(42), &table).is_empty() && late.texts(joined).is_empty());
    members[1].reads(minutes(42), &table);
    assert_eq!(members[1].texts(ids[1]), ["before"]);

    let away = minutes(49 * 60);
    members[2].groups.expire(away);
    assert!(members[2].reads(away, &table).is_empty(), "49 hours later its keys are gone");
    let held = |member: &Member| member.groups.groups[&ids[1]].state(minutes(4).epoch()).is_some();
    assert!(held(&members[1]));
    members[1].groups.settled(minutes(90).epoch());
    assert!(members[1].groups.expire(minutes(121)) && !held(&members[1]), "what was read is erased before");
    let stored = members[1].groups.stored();
    members[1].groups = Groups::restored(FEDERATION, &stored, minutes(121));
    assert!(!held(&members[1]), "and is not in the vault");
    assert!(members[1].groups.expire(away) && members[1].texts(ids[1]).is_empty(), "and so are announcements");
}

#[test]
fn a_device_that_was_off_for_a_month_comes_back() {
    let ((mut members, ids), mut table) = (three(), Table::default());
    let month = minutes(30 * 24 * 60);
    members[0].says(month, ids[0], "after a month");
    members[0].sends(month, &mut table, 0.0);
    let stored = members[1].groups.stored();
    members[1].groups = Groups::restored(FEDERATION, &stored, month);
    members[1].reads(month.after(Duration::from_secs(60)), &table);
    assert_eq!(members[1].texts(ids[1]), ["after a month"]);
}

/// 64 member slots, in whatever way they are handed on, and no slot twice.
#[test]
fn slots_are_handed_on_and_never_twice() {
    let mut creator = Member::new(1);
    let id = creator.creates(minutes(0));
    let many = creator.groups.invite(minutes(1), id, 16).unwrap();
    let mut second = Member::new(2);
    let joined = second.joins(minutes(1), &many);
    let mut slots = BTreeSet::from([0, many.slots.first]);
    for (member, id, spare) in [(&mut creator, id, 47), (&mut second, joined, 15)] {
        assert_eq!(member.groups.get(id).unwrap().spare_slots, spare);
        for _ in 0..spare {
            assert!(slots.insert(member.groups.invite(minutes(2), id, 1).unwrap().slots.first));
        }
        assert_eq!(member.groups.invite(minutes(2), id, 1).err(), Some(InviteError::NoSlots { left: 0 }));
    }
    assert_eq!(slots.len(), 64);
    assert_eq!(creator.groups.invite(minutes(2), GroupId([0; 16]), 1).err(), Some(InviteError::Unknown));
}

#[test]
fn invitations_have_a_week_one_federation_and_one_use_a_device() {
    let mut creator = Member::new(1);
    let id = creator.creates(minutes(0));
    let invitation = creator.groups.invite(minutes(1), id, 1).unwrap();
    let week = 7 * 24 * 60;
    let join =
        |groups: &mut Groups, now| groups.join(now, name(), &invitation, &mut ChaCha20Rng::seed_from_u64(3)).err();
    assert_eq!(join(&mut Groups::new(FEDERATION), minutes(week + 31)), Some(GroupJoinError::TooOld));
    assert_eq!(
        join(&mut Groups::new(FEDERATION), START.before(Duration::from_secs(3_600))),
        Some(GroupJoinError::TooOld)
    );
    assert_eq!(join(&mut Groups::new(FEDERATION), minutes(week)), None);
    assert_eq!(join(&mut Groups::new([1; 32]), minutes(2)), Some(GroupJoinError::OtherFederation));
    assert_eq!(join(&mut creator.groups, minutes(2)), Some(GroupJoinError::Again(id)));
    let mut full = Member::new(2);
    for _ in 0..MOST_GROUPS {
        full.creates(minutes(0));
    }
    assert_eq!(join(&mut full.groups, minutes(2)), Some(GroupJoinError::Full));
    assert!(full.groups.create(minutes(0), name(), &mut full.rng).is_err());
}

#[test]
fn an_invitation_reads_back_and_slips_are_found() {
    let mut creator = Member::new(1);
    let id = creator.creates(minutes(0));
    let text = creator.groups.invite(minutes(1), id, 3).unwrap().to_text();
    assert_eq!(format!("{text:?}"), "InvitationText([hidden])");
    text.expose(|text| {
        let again = Invitation::parse(&format!(" {text}\n")).unwrap();
        assert_eq!(again.to_text().expose(str::to_owned), text);
        for at in 0..text.len() {
            let mut slip = text.to_owned().into_bytes();
            slip[at] ^= 1;
            let slip = String::from_utf8(slip).unwrap();
            assert!(Invitation::parse(&slip).is_err(), "{at}");
            assert!(Invitation::parse(&text[..at]).is_err(), "cut to {at}");
        }
    });
    let refused = |body: &str| {
        let check = hex::encode(&mosaic_crypto::digest(&[b"group invitation", body.as_bytes()])[..4]);
        Invitation::parse(&format!("{body}&check={check}")).err()
    };
    let key = "ab".repeat(32);
    for (slots, error) in
        [("0-63", None), ("0-64", Some(InvitationError::Slots)), ("5-4", Some(InvitationError::Slots))]
    {
        assert_eq!(refused(&format!("mosaic:group?at=1&slots={slots}&key={key}&doc={key}")), error, "{slots}");
    }
    assert_eq!(refused(&format!("mosaic:group?at=01&slots=0-1&key={key}&doc={key}")), Some(InvitationError::Form));
    assert_eq!(
        refused(&format!("mosaic:group?at=1&slots=0-1&key={}&doc={key}", "AB".repeat(32))),
        Some(InvitationError::Form)
    );
}

/// A member floods its slot: what others said stays, and what is kept is bounded.
#[test]
fn a_flood_costs_the_flooder() {
    let ((mut members, ids), mut table) = (three(), Table::default());
    members[1].says(minutes(4), ids[1], "once");
    members[1].sends(minutes(4), &mut table, 0.0);
    for hour in 0..12 {
        let now = minutes(5 + hour * 60);
        (0..8).for_each(|turn| members[2].says(now, ids[2], &format!("{hour} {turn}")));
        members[2].sends(now, &mut table, 0.0);
        members[2].sends(now.after(Duration::from_secs(1_800)), &mut table, 0.0);
    }
    members[0].reads(minutes(13 * 60), &table);
    let texts = members[0].texts(ids[0]);
    assert_eq!((texts.len(), texts.contains(&"once".to_owned())), (17, true));
    let waiting = (0..40)
        .map(|_| members[1].groups.announce_bytes(minutes(800), ids[1], b"x", &mut ChaCha20Rng::seed_from_u64(1)));
    assert_eq!(waiting.filter(Result::is_ok).count(), 32);
    members[1].groups.leave(ids[1]).unwrap();
    assert_eq!((members[1].groups.list().len(), members[1].groups.leave(ids[1])), (0, Err(UnknownGroup)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a member or a stranger puts into rows of a group: no panic, bounded, and honest announcements are read.
    #[test]
    fn junk_does_no_harm(seed: u64, frames in prop::collection::vec((0..64_u8, 0..8_u8, prop::collection::vec(any::<u8>(), 136), 0..3_u8), 0..24)) {
        let ((mut members, ids), mut table) = (three(), Table::default());
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let state = RendezvousStateOf(&members[0].groups).at(ids[0], minutes(4));
        for (slot, counter, mut plain, shape) in frames {
            // the creator's own slot is its own matter: see `a_slot_that_two_use_is_given_up`
            let slot = slot.max(1);
            if shape > 0 {
                plain[..4].copy_from_slice(&[1, 2, if shape == 1 { 0x01 } else { 0x12 }, 124]);
            }
            let rows = state.group_rows();
            let plain: [u8; 136] = plain.try_into().unwrap();
            let mut sealed = record::seal_record(&rows.key(slot, counter), RecordNonce::draw(&mut rng), &plain);
            if shape == 0 {
                rng.fill_bytes(&mut sealed);
            }
            table.0.push((rows.row(slot, counter, 0, ROWS), sealed));
        }
        members[1].says(minutes(4), ids[1], "honest");
        members[1].sends(minutes(4), &mut table, 0.0);
        members[0].reads(minutes(5), &table);
        prop_assert!(members[0].texts(ids[0]).contains(&"honest".to_owned()));
        prop_assert!(members[0].texts(ids[0]).len() <= 1 + 24);
    }
}

/// The state of a group, as every member knows it.
struct RendezvousStateOf<'a>(&'a Groups);

impl RendezvousStateOf<'_> {
    fn at(&self, id: GroupId, now: Timestamp) -> mosaic_wire::RendezvousState {
        mosaic_wire::RendezvousState::new(*self.0.groups[&id].state(now.epoch()).unwrap())
    }
}
