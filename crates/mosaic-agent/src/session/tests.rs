use std::collections::BTreeMap;

use mosaic_api::EffectiveNoise;
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_763_683_261);

fn open(seed: u64) -> Session {
    let mut session = Session::new(NOW, Proof::Shown, &mut ChaCha20Rng::seed_from_u64(seed));
    assert!(matches!(session.next_frame(), Some(AgentFrame::Welcome { .. })));
    session
}

fn say(session: &mut Session, now: Timestamp, frame: serde_json::Value) -> Option<Act> {
    session.take(now, &frame.to_string(), |_| false)
}

fn subscribe(session: &mut Session, news: &[News]) {
    let act = say(session, NOW, json!({"type": "subscribe", "id": "s", "news": news}));
    assert!(matches!(act, Some(Act::Look)));
    assert_eq!(session.next_frame(), Some(AgentFrame::Reply { id: "s".to_owned(), status: 204, body: None }));
}

fn card(number: u32, text: Option<&str>) -> CardView {
    CardView {
        id: format!("{number:032x}"),
        class: "food".to_owned(),
        topics: Vec::new(),
        text: text.map(str::to_owned),
        similarity: 0.0,
        matches: false,
        score: 0.5,
        decoy_chance: 0.9,
        distance_m: 100.0,
        uncertainty_m: 200.0,
        sent_at: 0,
        sent_uncertainty_s: 1_200,
        window_start: 0,
        first_seen: 0,
    }
}

fn with_cards(cards: impl IntoIterator<Item = CardView>) -> Standing {
    Standing { cards: cards.into_iter().collect(), ..Standing::default() }
}

fn warning(kind: WarningKind, text: &str) -> Warning {
    Warning { kind, text: text.to_owned() }
}

/// How many cards, requests or alerts a frame tells of, and of which kind.
fn told(frame: &AgentFrame) -> Option<(News, usize)> {
    let count = match frame {
        AgentFrame::ProximityUpdate { cards } => cards.len(),
        AgentFrame::Missed { count, .. } => usize::try_from(*count).unwrap(),
        _ => 1,
    };
    frame.news().map(|news| (news, count))
}

/// X-23: each card once, and again when more of it can be read.
#[test]
fn a_card_is_told_once_and_again_when_its_words_open() {
    let mut session = open(1);
    subscribe(&mut session, &[News::ProximityUpdate]);
    session.tell(with_cards([card(1, None), card(2, None)]));
    let Some(AgentFrame::ProximityUpdate { cards }) = session.next_frame() else { panic!("nothing told") };
    assert_eq!(cards.len(), 2);
    session.tell(with_cards([card(1, None), card(2, None)]));
    assert!(!session.has_frames());
    session.tell(with_cards([card(1, None), card(2, Some("chess"))]));
    assert_eq!(session.next_frame(), Some(AgentFrame::ProximityUpdate { cards: vec![card(2, Some("chess"))] }));
}

/// X-25: what got worse, once; a warning that is no alert is none.
#[test]
fn alerts_tell_of_new_warnings_and_of_less_noise() {
    let noise =
        |ratio: f64| NoiseView { requested: ratio, effective: EffectiveNoise { discovery: 0.6, rendezvous: ratio } };
    let standing = |warnings: &[Warning], ratio| Standing {
        warnings: warnings.to_vec(),
        noise: Some(noise(ratio)),
        ..Standing::default()
    };
    let lied = warning(WarningKind::ProviderLied, "provider 2 signed two contents");
    let mut session = open(1);
    subscribe(&mut session, &[News::PrivacyAlert]);
    session.tell(standing(&[lied.clone(), warning(WarningKind::NoTable, "no key yet")], 0.8));
    assert_eq!(session.next_frame(), Some(AgentFrame::PrivacyAlert { alert: lied.clone() }));
    assert!(!session.has_frames());
    session.tell(standing(std::slice::from_ref(&lied), 0.5));
    let Some(AgentFrame::PrivacyAlert { alert }) = session.next_frame() else { panic!("nothing told") };
    assert_eq!(alert.kind, WarningKind::NoiseLowered);
    assert!(alert.text.contains("from 0.80 to 0.50") && !alert.text.contains("strangers"), "{}", alert.text);
    // what its words count changes while it stands
    let low = |at: &str| warning(WarningKind::AnonymityFloor, at);
    session.tell(standing(&[lied.clone(), low("31 %")], 0.5));
    session.tell(standing(&[lied.clone(), low("33 %")], 0.8));
    assert_eq!(session.next_frame(), Some(AgentFrame::PrivacyAlert { alert: low("31 %") }));
    assert!(!session.has_frames());
    let another = warning(WarningKind::ProviderLied, "provider 3 signed two contents");
    session.tell(standing(&[lied, another.clone()], 0.8));
    assert_eq!(session.next_frame(), Some(AgentFrame::PrivacyAlert { alert: another }));
}

/// A program that does not read is told how much it missed; what waits for it stays bounded.
#[test]
fn who_reads_too_slowly_learns_what_was_missed() {
    let mut session = open(1);
    subscribe(&mut session, &[News::ProximityUpdate]);
    for number in 0..70 {
        session.tell(with_cards((0..=number).map(|number| card(number, None))));
    }
    session.tell(with_cards((0..270).map(|number| card(number, None))));
    let frames: Vec<_> = std::iter::from_fn(|| session.next_frame()).collect();
    assert_eq!(frames.len(), MOST_NEWS + 1);
    assert_eq!(frames.last(), Some(&AgentFrame::Missed { news: News::ProximityUpdate, count: 206 }));
}

/// X-27: an answer that comes too late is not told any more; the program was told that it was late.
#[test]
fn a_request_times_out_in_the_time_it_allowed() {
    let mut session = open(1);
    let ask = json!({"type": "request", "id": "r", "method": "status", "timeout_ms": 500});
    assert!(matches!(say(&mut session, NOW, ask.clone()), Some(Act::Call(_))));
    assert!(say(&mut session, NOW, ask).is_none(), "the id is in use");
    assert!(
        matches!(session.next_frame(), Some(AgentFrame::Problem { problem, .. }) if problem.slug() == "wrong-state")
    );
    let due = NOW.after(Duration::from_millis(500));
    assert_eq!(session.next_wake(), due);
    session.tick(due.before(Duration::from_millis(1)));
    assert!(!session.has_frames());
    session.tick(due);
    let Some(AgentFrame::Problem { id, problem }) = session.next_frame() else { panic!("nothing told") };
    assert_eq!((id.as_deref(), problem.slug(), problem.status), (Some("r"), "timed-out", 504));
    session.answered(due, &CorrelationId::new("r").unwrap(), Ok((200, None)));
    assert!(!session.has_frames());
}

/// Calls that timed out are still at work, so a program cannot pile them up.
#[test]
fn no_more_than_32_calls_are_at_work() {
    let mut session = open(1);
    let ask =
        |number: usize| json!({"type": "request", "id": number.to_string(), "method": "status", "timeout_ms": 100});
    for number in 0..MOST_ASKED {
        assert!(say(&mut session, NOW, ask(number)).is_some());
    }
    let later = NOW.after(Duration::from_secs(1));
    assert!(say(&mut session, later, ask(99)).is_none());
    let late = std::iter::from_fn(|| session.next_frame()).collect::<Vec<_>>();
    assert_eq!(late.len(), MOST_ASKED + 1);
    assert!(matches!(late.last(), Some(AgentFrame::Problem { problem, .. }) if problem.slug() == "quota"));
    session.answered(later, &CorrelationId::new("7").unwrap(), Ok((200, None)));
    assert!(say(&mut session, later, ask(99)).is_some());
}

/// X-28, X-33: the life of a connection is uniform over 30 to 60 minutes, and its name is its own. Chi-squared over ten
/// bins, 2,000 sessions (seeds 0 to 1,999), level 0.001: 27.88 at nine degrees of freedom.
#[test]
fn sessions_live_30_to_60_minutes_and_share_nothing() {
    let (mut bins, mut names) = ([0_u32; 10], BTreeSet::new());
    for seed in 0..2_000 {
        let session = Session::new(NOW, Proof::Shown, &mut ChaCha20Rng::seed_from_u64(seed));
        let life = session.rotates_at.since(NOW).as_millis();
        assert!((1_800_000..=3_600_000).contains(&life));
        bins[usize::try_from((life - 1_800_000) * 10 / 1_800_001).unwrap()] += 1;
        assert!(names.insert(session.name.clone()));
    }
    let chi: f64 = bins.iter().map(|seen| (f64::from(*seen) - 200.0).powi(2) / 200.0).sum();
    assert!(chi < 27.88, "{chi} {bins:?}");
}

/// At its end a session says why and forgets what it was asked.
#[test]
fn a_session_rotates_and_takes_nothing_along() {
    let mut session = open(3);
    subscribe(&mut session, &News::ALL);
    let end = session.rotates_at;
    session.tick(end.before(Duration::from_millis(1)));
    assert_eq!(session.end(), None);
    assert!(say(&mut session, end, json!({"type": "request", "id": "r", "method": "status"})).is_none());
    assert_eq!(session.end(), Some(SocketEnd::Rotated));
    session.tell(with_cards([card(1, None)]));
    assert!(session.wanted().is_empty() && !session.has_frames());
}

/// Who shows no token first is told nothing and served nothing.
#[test]
fn without_a_token_nothing_is_said() {
    let fresh = || Session::new(NOW, Proof::Awaited, &mut ChaCha20Rng::seed_from_u64(5));
    let hello = json!({"type": "hello", "token": "right"}).to_string();
    let mut session = fresh();
    assert!(!session.has_frames());
    assert!(session.take(NOW, &hello, |token| token == "right").is_none());
    assert!(matches!(session.next_frame(), Some(AgentFrame::Welcome { .. })));

    let mut session = fresh();
    assert!(session.take(NOW, &hello, |_| false).is_none());
    assert_eq!((session.end(), session.has_frames()), (Some(SocketEnd::Unauthorized), false));

    let mut session = fresh();
    let ask = json!({"type": "request", "id": "r", "method": "export"});
    assert!(session.take(NOW, &ask.to_string(), |_| true).is_none());
    assert_eq!(session.end(), Some(SocketEnd::Unauthorized));

    let mut session = fresh();
    session.tick(NOW.after(PATIENCE));
    assert_eq!(session.end(), Some(SocketEnd::Unauthorized));
}

#[derive(Clone, Debug)]
enum Op {
    Subscribe(Vec<News>),
    Unsubscribe(Vec<News>),
    /// So many cards, requests and alerts stand.
    Stand(u32, u32, bool),
    Ask(u8),
    Answer(u8),
    Write(u8),
    Wait(u32),
    Text(String),
    Binary,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let kinds = || prop::collection::vec(prop::sample::select(News::ALL.to_vec()), 1..3);
    let op = prop_oneof![
        kinds().prop_map(Op::Subscribe),
        kinds().prop_map(Op::Unsubscribe),
        (0..220_u32, 0..90_u32, any::<bool>()).prop_map(|(cards, requests, alert)| Op::Stand(cards, requests, alert)),
        (0..40_u8).prop_map(Op::Ask),
        (0..40_u8).prop_map(Op::Answer),
        (0..120_u8).prop_map(Op::Write),
        (0..20_000_u32).prop_map(Op::Wait),
        "\\PC{0,60}".prop_map(Op::Text),
        Just(Op::Binary),
    ];
    prop::collection::vec(op, 0..80)
}

/// What a program knows from the frames it took.
#[derive(Default)]
struct Program {
    asked: BTreeMap<String, Vec<News>>,
    subscribed: BTreeSet<News>,
    open: BTreeSet<String>,
}

impl Program {
    /// No news without a subscription, and one answer to each request.
    fn take(&mut self, frame: &AgentFrame) {
        if let Some((news, count)) = told(frame) {
            assert!(self.subscribed.contains(&news), "{news:?} without a subscription");
            assert!(count > 0);
        }
        let id = match frame {
            AgentFrame::Reply { id, .. } | AgentFrame::Problem { id: Some(id), .. } => id,
            _ => return,
        };
        match id.split_at(1) {
            ("s", _) => self.subscribed.extend(self.asked.remove(id).unwrap()),
            ("u", _) => {
                let ended = self.asked.remove(id).unwrap();
                self.subscribed.retain(|news| !ended.contains(news));
            }
            _ => assert!(self.open.remove(id) || matches!(frame, AgentFrame::Problem { .. }), "answered twice"),
        }
    }
}

proptest! {
    /// X-26, X-27: whatever comes in whatever order, nothing is delivered after an unsubscribe, every request is answered
    /// once, and what waits stays bounded.
    #[test]
    fn no_news_without_a_subscription(ops in ops(), seed in any::<u64>()) {
        let (mut session, mut program, mut now) = (open(seed), Program::default(), NOW);
        for (number, op) in ops.into_iter().enumerate() {
            match op {
                Op::Subscribe(news) => {
                    let id = format!("s{number}");
                    if say(&mut session, now, json!({"type": "subscribe", "id": id, "news": news})).is_some() {
                        program.asked.insert(id, news);
                    }
                }
                Op::Unsubscribe(news) => {
                    let id = format!("u{number}");
                    say(&mut session, now, json!({"type": "unsubscribe", "id": id, "news": news}));
                    program.asked.insert(id, news);
                }
                Op::Stand(cards, requests, alert) => session.tell(Standing {
                    cards: (0..cards).map(|number| card(number, None)).collect(),
                    requests: (0..requests).map(request).collect(),
                    warnings: if alert { vec![warning(WarningKind::LedgerSpent, "spent")] } else { Vec::new() },
                    noise: None,
                }),
                Op::Ask(which) if program.open.contains(&format!("r{which}")) => {}
                Op::Ask(which) => {
                    let id = format!("r{which}");
                    let ask = json!({"type": "request", "id": id, "method": "status", "timeout_ms": 5_000});
                    if say(&mut session, now, ask).is_some() {
                        prop_assert!(program.open.insert(id));
                    }
                }
                Op::Answer(which) => {
                    let id = CorrelationId::new(&format!("r{which}")).unwrap();
                    session.answered(now, &id, Ok((200, None)));
                }
                Op::Write(most) => (0..most).map_while(|_| session.next_frame()).for_each(|frame| program.take(&frame)),
                Op::Wait(milliseconds) => {
                    now = now.after(Duration::from_millis(milliseconds.into()));
                    session.tick(now);
                }
                Op::Text(text) => drop(session.take(now, &text, |_| false)),
                Op::Binary => session.take_binary(now),
            }
            prop_assert!(session.news.len() <= MOST_NEWS && session.missed.len() <= 3 && session.at_work <= MOST_ASKED);
            prop_assert!(session.end().is_none() || !session.has_frames());
            prop_assert!(session.next_wake() <= session.rotates_at);
        }
        if session.end().is_none() {
            std::iter::from_fn(|| session.next_frame()).for_each(|frame| program.take(&frame));
            now = now.after(Duration::from_secs(60));
            session.tick(now);
            std::iter::from_fn(|| session.next_frame()).for_each(|frame| program.take(&frame));
            prop_assert!(session.end().is_some() || program.open.is_empty(), "a request was never answered");
        }
    }
}

fn request(number: u32) -> AssociationView {
    AssociationView {
        id: format!("{number:032x}"),
        kind: mosaic_api::AssociationKind::Wave,
        state: mosaic_api::AssociationState::Approached,
        since: 0,
        expires_at: 0,
        tries_left: None,
    }
}
