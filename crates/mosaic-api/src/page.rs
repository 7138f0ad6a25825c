use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::{
    AnnouncementList, AnnouncementView, AssociationList, AssociationView, BroadcastList, BroadcastView, EvidenceReply,
    EvidenceView, GroupList, GroupView, IncomingWave, PeopleReply, Person, Problem, ProblemKind, ReceiptView,
    ReceiptsReply, ResultCap, WavesReply,
};

/// The header under which a program names a request that it may send twice.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Query string of lists: a page of so many. Without either, the whole list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// The most items to list; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// What the page before gave as `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^([0-9a-f]{2}){8}([2-7][0-9a-f]){0,56}$")]
    pub cursor: Option<String>,
}

/// A checked [`PageParams`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    limit: Option<usize>,
    after: Option<Place>,
}

/// Where an item stands in its list: by time or number, then by name. It keeps its place when others come or go.
type Place = (u64, String);

impl PageParams {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`ProblemKind::InvalidLimit`] outside `1..=200`, [`ProblemKind::InvalidCursor`].
    pub fn check(self) -> Result<PageRequest, Problem> {
        let after = self.cursor.map(|cursor| place_of(&cursor).ok_or(ProblemKind::InvalidCursor)).transpose()?;
        let limit = self.limit.map(|limit| ResultCap::new(limit).map(ResultCap::get)).transpose()?;
        Ok(PageRequest { limit, after })
    }
}

fn cursor_of((number, name): &Place) -> String {
    hex::encode([&number.to_be_bytes(), name.as_bytes()].concat())
}

fn place_of(cursor: &str) -> Option<Place> {
    let bytes = hex::decode(cursor).ok().filter(|bytes| bytes.len() <= 64)?;
    let (number, name) = bytes.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), String::from_utf8(name.to_vec()).ok()?))
}

/// A list that can be had in pages.
pub trait Listed {
    /// What it lists.
    type Item;

    /// Its items and the cursor of the next page.
    fn parts(&mut self) -> (&mut Vec<Self::Item>, &mut Option<String>);

    /// Where an item stands.
    fn place(item: &Self::Item) -> (u64, String);

    /// The page that was asked for: what stands behind the cursor, in order, `limit` items or as many more as stand where
    /// the last one does. What came in the meantime is listed if it stands behind the cursor; what left is not; nothing is
    /// listed twice.
    #[must_use]
    fn page(mut self, request: &PageRequest) -> Self
    where
        Self: Sized,
    {
        let (items, next) = self.parts();
        items.sort_by_cached_key(Self::place);
        if let Some(after) = &request.after {
            items.retain(|item| Self::place(item) > *after);
        }
        // what stands at one place stays on one page: a cursor could not tell it apart
        let is_border = |end: &usize| items.get(end - 1).map(Self::place) != items.get(*end).map(Self::place);
        let end = request.limit.and_then(|limit| (limit..items.len()).find(is_border));
        if let Some(end) = end {
            items.truncate(end);
            *next = items.last().map(|last| cursor_of(&Self::place(last)));
        }
        self
    }
}

impl Listed for BroadcastList {
    type Item = BroadcastView;

    fn parts(&mut self) -> (&mut Vec<BroadcastView>, &mut Option<String>) {
        (&mut self.broadcasts, &mut self.next)
    }

    /// They are numbered in the order in which they were made.
    fn place(item: &BroadcastView) -> (u64, String) {
        (
            item.id.trim_start_matches(|letter: char| !letter.is_ascii_digit()).parse().unwrap_or(u64::MAX),
            item.id.clone(),
        )
    }
}

impl Listed for WavesReply {
    type Item = IncomingWave;

    fn parts(&mut self) -> (&mut Vec<IncomingWave>, &mut Option<String>) {
        (&mut self.waves, &mut self.next)
    }

    fn place(item: &IncomingWave) -> (u64, String) {
        (item.received_at, item.id.clone())
    }
}

impl Listed for AssociationList {
    type Item = AssociationView;

    fn parts(&mut self) -> (&mut Vec<AssociationView>, &mut Option<String>) {
        (&mut self.associations, &mut self.next)
    }

    fn place(item: &AssociationView) -> (u64, String) {
        (item.since, item.id.clone())
    }
}

impl Listed for PeopleReply {
    type Item = Person;

    fn parts(&mut self) -> (&mut Vec<Person>, &mut Option<String>) {
        (&mut self.people, &mut self.next)
    }

    fn place(item: &Person) -> (u64, String) {
        (item.since, item.id.clone())
    }
}

impl Listed for GroupList {
    type Item = GroupView;

    fn parts(&mut self) -> (&mut Vec<GroupView>, &mut Option<String>) {
        (&mut self.groups, &mut self.next)
    }

    fn place(item: &GroupView) -> (u64, String) {
        (0, item.id.clone())
    }
}

impl Listed for AnnouncementList {
    type Item = AnnouncementView;

    fn parts(&mut self) -> (&mut Vec<AnnouncementView>, &mut Option<String>) {
        (&mut self.announcements, &mut self.next)
    }

    fn place(item: &AnnouncementView) -> (u64, String) {
        (item.at, item.id.clone())
    }
}

impl Listed for ReceiptsReply {
    type Item = ReceiptView;

    fn parts(&mut self) -> (&mut Vec<ReceiptView>, &mut Option<String>) {
        (&mut self.receipts, &mut self.next)
    }

    fn place(item: &ReceiptView) -> (u64, String) {
        (item.released_at, item.lane.clone())
    }
}

impl Listed for EvidenceReply {
    type Item = EvidenceView;

    fn parts(&mut self) -> (&mut Vec<EvidenceView>, &mut Option<String>) {
        (&mut self.evidence, &mut self.next)
    }

    /// They are numbered in the order in which they were kept.
    fn place(item: &EvidenceView) -> (u64, String) {
        (item.number.into(), String::new())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn list(times: &BTreeSet<(u64, u8)>) -> WavesReply {
        let wave = |(received_at, name): &(u64, u8)| IncomingWave {
            id: format!("{name:032x}"),
            received_at: *received_at,
            expires_at: 0,
        };
        WavesReply { waves: times.iter().rev().map(wave).collect(), next: None }
    }

    fn bad(limit: Option<u32>, cursor: Option<&str>) -> String {
        let checked = PageParams { limit, cursor: cursor.map(str::to_owned) }.check();
        checked.err().map_or_else(|| "accepted".to_owned(), |problem| problem.slug().to_owned())
    }

    #[test]
    fn limits_and_cursors_have_bounds() {
        assert_eq!([bad(Some(1), None), bad(Some(200), None), bad(None, None)], ["accepted"; 3]);
        assert_eq!([bad(Some(0), None), bad(Some(201), None)], ["invalid-limit"; 2]);
        assert_eq!(
            [bad(None, Some("")), bad(None, Some("zz")), bad(None, Some("00")), bad(None, Some(&"00".repeat(65)))],
            ["invalid-cursor"; 4]
        );
    }

    /// Two events of one lane in one second cannot be told apart by a cursor, so no page ends between them.
    #[test]
    fn what_stands_at_one_place_stays_together() {
        let receipt = |released_at| ReceiptView {
            released_at,
            lane: "rendezvous".to_owned(),
            real_slots: 0,
            one_provider: 0.0,
            opened: None,
            receipt: crate::ReceiptStatus::Waiting,
        };
        let list =
            || ReceiptsReply { statement: String::new(), receipts: [1, 2, 2, 2, 3].map(receipt).to_vec(), next: None };
        let first = list().page(&PageParams { limit: Some(2), cursor: None }.check().unwrap());
        let second = list().page(&PageParams { limit: Some(2), cursor: first.next.clone() }.check().unwrap());
        let times = |page: &ReceiptsReply| page.receipts.iter().map(|receipt| receipt.released_at).collect::<Vec<_>>();
        assert_eq!((times(&first), times(&second), second.next), (vec![1, 2, 2, 2], vec![3], None));
    }

    proptest! {
        /// Whatever comes and goes between two pages: what was there all the time is listed exactly once, in order.
        #[test]
        fn pages_are_stable(
            there in prop::collection::btree_set((0..50_u64, any::<u8>()), 0..40),
            comes in prop::collection::vec((0..50_u64, any::<u8>()), 0..20),
            goes in prop::collection::btree_set((0..50_u64, any::<u8>()), 0..20),
            limit in 1..10_u32,
        ) {
            let (mut now, mut cursor, mut listed) = (there.clone(), None, Vec::new());
            let mut comes = comes.into_iter();
            loop {
                let request = PageParams { limit: Some(limit), cursor }.check().unwrap();
                let page = list(&now).page(&request);
                prop_assert!(page.waves.len() <= usize::try_from(limit).unwrap());
                listed.extend(page.waves.iter().map(WavesReply::place));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
                now.extend(comes.next());
                now.retain(|item| !goes.contains(item) || !there.contains(item));
            }
            prop_assert!(listed.is_sorted() && listed.windows(2).all(|pair| pair[0] != pair[1]));
            for (time, name) in there.difference(&goes) {
                let place = (*time, format!("{name:032x}"));
                prop_assert!(listed.contains(&place));
            }
        }
    }
}
