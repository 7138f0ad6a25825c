//! One open socket of the local API as a value: frames, news, answers and an instant in; frames, calls
//! and an end out. The driver in `server::socket` owns the connection and decides nothing.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use mosaic_api::{
    AgentFrame, AssociationView, CardView, ClientFrame, CorrelationId, News, NoiseView, Problem, ProblemKind,
    ProximityRequest, SocketAsk, SocketEnd, SocketRequest, Warning, WarningKind,
};
use mosaic_types::Timestamp;
use rand::{CryptoRng, RngExt as _};
use serde_json::Value;

/// How long a connection may wait before it shows the token.
const PATIENCE: Duration = Duration::from_secs(10);
/// A connection lives this long at least, and twice this long at most.
const SHORTEST_LIFE_MS: u64 = 30 * 60 * 1_000;
/// Requests at work at a time.
const MOST_ASKED: usize = 32;
/// Frames of news that wait to be written.
const MOST_NEWS: usize = 64;
/// Cards in one frame.
const MOST_CARDS: usize = 100;

/// What stands at one moment, of the kinds of news that a session asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Standing {
    /// Cards that can be read, best first.
    pub(crate) cards: Vec<CardView>,
    /// Associations that wait for the person's answer.
    pub(crate) requests: Vec<AssociationView>,
    /// What the person should know.
    pub(crate) warnings: Vec<Warning>,
    /// The noise in force.
    pub(crate) noise: Option<NoiseView>,
}

/// What a session wants to be told of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    kinds: BTreeSet<News>,
    search: Option<ProximityRequest>,
}

impl Wanted {
    /// Whether a kind is wanted.
    pub(crate) fn has(&self, news: News) -> bool {
        self.kinds.contains(&news)
    }

    /// Whether nothing is.
    pub(crate) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Where to look for cards; around the person's own broadcasts when `None`.
    pub(crate) const fn search(&self) -> Option<&ProximityRequest> {
        self.search.as_ref()
    }
}

/// What became of a call: a status with a body, where there is one, or a refusal.
pub(crate) type Answer = Result<(u16, Option<Value>), Problem>;

/// What a session asks its driver to do.
#[derive(Clone)]
pub(crate) enum Act {
    /// Begin a search, then say how that went with [`Session::subscribed`].
    Search(CorrelationId, BTreeSet<News>, Box<ProximityRequest>),
    /// Call an operation, then hand its answer to [`Session::answered`].
    Call(Box<SocketRequest>),
    /// A person looks at the app.
    Attend(Duration),
    /// Ask the engine what stands, then hand it to [`Session::tell`].
    Look,
}

/// What was told already, so that it is told once.
#[derive(Debug, Default)]
struct Told {
    /// How much of each card could be read then.
    cards: BTreeMap<String, Readable>,
    requests: BTreeSet<String>,
    alerts: Vec<(WarningKind, Option<String>)>,
    noise: Option<NoiseView>,
}

/// How much of a card can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Readable {
    Class,
    Topics,
    Words,
}

impl Readable {
    const fn of(card: &CardView) -> Self {
        match (&card.text, card.topics.is_empty()) {
            (Some(_), _) => Self::Words,
            (None, false) => Self::Topics,
            (None, true) => Self::Class,
        }
    }
}

/// Whether whoever connected has shown the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// In the header of the request.
    Shown,
    /// It is to be the first frame.
    Awaited,
}

/// One open socket.
pub(crate) struct Session {
    name: String,
    proof: Proof,
    prove_by: Timestamp,
    rotates_at: Timestamp,
    wanted: Wanted,
    told: Told,
    asked: BTreeMap<CorrelationId, Timestamp>,
    /// Calls at work, those whose answer came too late included.
    at_work: usize,
    replies: VecDeque<AgentFrame>,
    news: VecDeque<AgentFrame>,
    missed: BTreeMap<News, u32>,
    end: Option<SocketEnd>,
}

impl Session {
    /// A connection that was opened at `now`. Its name and its life are drawn anew: nothing of another one is in them.
    pub(crate) fn new(now: Timestamp, proof: Proof, rng: &mut impl CryptoRng) -> Self {
        let mut name = [0_u8; 16];
        rng.fill_bytes(&mut name);
        let life = rng.random_range(SHORTEST_LIFE_MS..=2 * SHORTEST_LIFE_MS);
        let mut session = Self {
            name: hex::encode(name),
            proof,
            prove_by: now.after(PATIENCE),
            rotates_at: now.after(Duration::from_millis(life)),
            wanted: Wanted::default(),
            told: Told::default(),
            asked: BTreeMap::new(),
            at_work: 0,
            replies: VecDeque::new(),
            news: VecDeque::new(),
            missed: BTreeMap::new(),
            end: None,
        };
        if proof == Proof::Shown {
            session.welcome();
        }
        session
    }

    fn welcome(&mut self) {
        let (session, rotates_at) = (self.name.clone(), self.rotates_at.as_secs());
        self.replies.push_back(AgentFrame::Welcome { session, rotates_at });
    }

    /// Takes one text from the program; `is_token` says whether a token is this installation's.
    pub(crate) fn take(&mut self, now: Timestamp, text: &str, is_token: impl FnOnce(&str) -> bool) -> Option<Act> {
        self.tick(now);
        if self.end.is_some() {
            return None;
        }
        let asked = ClientFrame::parse(text);
        if self.proof == Proof::Awaited {
            self.prove(asked.ok(), is_token);
            return None;
        }
        match asked {
            Ok(SocketAsk::Hello { .. }) => {
                self.refuse(None, Problem::new(ProblemKind::WrongState).with_detail("the token was shown already"));
                None
            }
            Ok(SocketAsk::Subscribe { id, news, search }) => self.subscribe(id, news.into_iter().collect(), search),
            Ok(SocketAsk::Unsubscribe { id, news }) => {
                news.into_iter().for_each(|news| self.stop(news));
                self.reply(&id, 204, None);
                None
            }
            Ok(SocketAsk::Attention { seconds }) => Some(Act::Attend(Duration::from_secs(seconds.into()))),
            Ok(SocketAsk::Request(request)) => self.request(now, request),
            Err(error) => {
                self.refuse(error.id, error.problem);
                None
            }
        }
    }

    /// A frame that is no text.
    pub(crate) fn take_binary(&mut self, now: Timestamp) {
        self.tick(now);
        if self.proof == Proof::Awaited {
            return self.finish(SocketEnd::Unauthorized);
        }
        self.refuse(None, Problem::new(ProblemKind::MalformedFrame).with_detail("frames are texts"));
    }

    fn prove(&mut self, asked: Option<SocketAsk>, is_token: impl FnOnce(&str) -> bool) {
        match asked {
            Some(SocketAsk::Hello { token }) if is_token(&token) => {
                self.proof = Proof::Shown;
                self.welcome();
            }
            _ => self.finish(SocketEnd::Unauthorized),
        }
    }

    fn subscribe(&mut self, id: CorrelationId, kinds: BTreeSet<News>, search: Option<ProximityRequest>) -> Option<Act> {
        if let Some(search) = search {
            return Some(Act::Search(id, kinds, Box::new(search)));
        }
        self.subscribed(id, kinds, None, Ok(()));
        Some(Act::Look)
    }

    /// News of these kinds is told from now on, unless their search was refused.
    pub(crate) fn subscribed(
        &mut self,
        id: CorrelationId,
        kinds: BTreeSet<News>,
        search: Option<ProximityRequest>,
        begun: Result<(), Problem>,
    ) {
        if self.end.is_some() {
            return;
        }
        if let Err(problem) = begun {
            return self.refuse(Some(id), problem);
        }
        kinds.iter().for_each(|news| self.stop(*news));
        if kinds.contains(&News::ProximityUpdate) {
            self.wanted.search = search;
        }
        self.wanted.kinds.extend(kinds);
        self.reply(&id, 204, None);
    }

    /// Forgets that a kind was asked for, and what waits of it.
    fn stop(&mut self, news: News) {
        self.wanted.kinds.remove(&news);
        self.news.retain(|frame| frame.news() != Some(news));
        self.missed.remove(&news);
        match news {
            News::ProximityUpdate => {
                self.wanted.search = None;
                self.told.cards.clear();
            }
            News::AssociationRequest => self.told.requests.clear(),
            News::PrivacyAlert => {
                self.told.alerts.clear();
                self.told.noise = None;
            }
        }
    }

    fn request(&mut self, now: Timestamp, request: SocketRequest) -> Option<Act> {
        let problem = |kind, detail: &str| Problem::new(kind).with_detail(detail);
        if self.asked.contains_key(&request.id) {
            self.refuse(Some(request.id), problem(ProblemKind::WrongState, "a request with this id is on its way"));
            return None;
        }
        if self.at_work >= MOST_ASKED {
            self.refuse(Some(request.id), problem(ProblemKind::Quota, "32 requests are at work; wait for an answer"));
            return None;
        }
        let until = now.after(Duration::from_millis(request.timeout_ms.into()));
        self.asked.insert(request.id.clone(), until);
        self.at_work += 1;
        Some(Act::Call(Box::new(request)))
    }

    /// The answer to a request. One that comes too late is dropped: the program was told so.
    pub(crate) fn answered(&mut self, now: Timestamp, id: &CorrelationId, answer: Answer) {
        self.at_work = self.at_work.saturating_sub(1);
        self.tick(now);
        if self.end.is_some() || self.asked.remove(id).is_none() {
            return;
        }
        match answer {
            Ok((status, body)) => self.reply(id, status, body),
            Err(problem) => self.refuse(Some(id.clone()), problem),
        }
    }

    /// Tells what stands and was not told yet.
    pub(crate) fn tell(&mut self, standing: Standing) {
        if self.end.is_some() {
            return;
        }
        self.tell_cards(standing.cards);
        self.tell_requests(standing.requests);
        self.tell_alerts(standing.warnings, standing.noise);
    }

    fn tell_cards(&mut self, standing: Vec<CardView>) {
        if !self.wanted.has(News::ProximityUpdate) {
            return;
        }
        let now: BTreeMap<_, _> = standing.iter().map(|card| (card.id.clone(), Readable::of(card))).collect();
        let before = std::mem::replace(&mut self.told.cards, now);
        let is_news = |card: &CardView| before.get(&card.id).is_none_or(|known| *known < Readable::of(card));
        let mut cards: Vec<_> = standing.into_iter().filter(is_news).collect();
        let surplus = cards.len().saturating_sub(MOST_CARDS);
        cards.truncate(MOST_CARDS);
        if !cards.is_empty() {
            let count = cards.len();
            self.push(News::ProximityUpdate, count, AgentFrame::ProximityUpdate { cards });
        }
        self.miss(News::ProximityUpdate, surplus);
    }

    fn tell_requests(&mut self, standing: Vec<AssociationView>) {
        if !self.wanted.has(News::AssociationRequest) {
            return;
        }
        let now = standing.iter().map(|request| request.id.clone()).collect();
        let before = std::mem::replace(&mut self.told.requests, now);
        for request in standing.into_iter().filter(|request| !before.contains(&request.id)) {
            self.push(News::AssociationRequest, 1, AgentFrame::AssociationRequest { request });
        }
    }

    fn tell_alerts(&mut self, standing: Vec<Warning>, noise: Option<NoiseView>) {
        if !self.wanted.has(News::PrivacyAlert) {
            return;
        }
        let alerts: Vec<_> = standing.into_iter().filter(|warning| warning.kind.is_privacy_alert()).collect();
        let now = alerts.iter().map(sameness).collect();
        let before = std::mem::replace(&mut self.told.alerts, now);
        let lowered = self.told.noise.zip(noise).and_then(|(before, now)| lowered(before, now));
        self.told.noise = noise.or(self.told.noise);
        for alert in alerts.into_iter().filter(|alert| !before.contains(&sameness(alert))).chain(lowered) {
            self.push(News::PrivacyAlert, 1, AgentFrame::PrivacyAlert { alert });
        }
    }

    fn push(&mut self, news: News, count: usize, frame: AgentFrame) {
        if self.news.len() < MOST_NEWS { self.news.push_back(frame) } else { self.miss(news, count) }
    }

    fn miss(&mut self, news: News, count: usize) {
        if count > 0 {
            let missed = self.missed.entry(news).or_default();
            *missed = missed.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }

    fn reply(&mut self, id: &CorrelationId, status: u16, body: Option<Value>) {
        self.replies.push_back(AgentFrame::Reply { id: id.to_string(), status, body });
    }

    fn refuse(&mut self, id: Option<CorrelationId>, problem: Problem) {
        self.replies.push_back(AgentFrame::Problem { id: id.map(|id| id.to_string()), problem });
    }

    /// Does what the passing of time asks for.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        if self.proof == Proof::Awaited && now >= self.prove_by {
            self.finish(SocketEnd::Unauthorized);
        }
        if now >= self.rotates_at {
            self.finish(SocketEnd::Rotated);
        }
        let late: Vec<_> = self.asked.iter().filter(|(_, until)| **until <= now).map(|(id, _)| id.clone()).collect();
        for id in late {
            self.asked.remove(&id);
            let problem = Problem::new(ProblemKind::TimedOut);
            self.refuse(
                Some(id),
                problem.with_detail("it may have taken effect all the same: look before asking again"),
            );
        }
    }

    /// When [`Self::tick`] is to be called again.
    pub(crate) fn next_wake(&self) -> Timestamp {
        let prove_by = (self.proof == Proof::Awaited).then_some(self.prove_by);
        self.asked.values().copied().chain(prove_by).fold(self.rotates_at, Timestamp::min)
    }

    /// Whether the program is to take what was written before it asks for more.
    pub(crate) fn is_full(&self) -> bool {
        self.replies.len() >= 2 * MOST_ASKED
    }

    /// Whether a frame waits.
    pub(crate) fn has_frames(&self) -> bool {
        !(self.replies.is_empty() && self.news.is_empty() && self.missed.is_empty())
    }

    /// The next frame to write: answers first, then news in order, then how much of it was missed.
    pub(crate) fn next_frame(&mut self) -> Option<AgentFrame> {
        let missed = |(news, count)| AgentFrame::Missed { news, count };
        let next = self.replies.pop_front().or_else(|| self.news.pop_front());
        next.or_else(|| self.missed.pop_first().map(missed))
    }

    /// What is wanted, for the engine to look at.
    pub(crate) const fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Ends it: nothing more is taken, nothing that waits is written.
    pub(crate) fn finish(&mut self, end: SocketEnd) {
        if self.end.is_none() {
            self.end = Some(end);
            self.wanted = Wanted::default();
            self.asked.clear();
            self.replies.clear();
            self.news.clear();
            self.missed.clear();
        }
    }

    /// Why it is over, once it is.
    pub(crate) const fn end(&self) -> Option<SocketEnd> {
        self.end
    }
}

/// What makes two alerts the same one: of most kinds there is one at a time, and its words change while it stands.
fn sameness(alert: &Warning) -> (WarningKind, Option<String>) {
    let by_words = matches!(alert.kind, WarningKind::ProviderLied | WarningKind::ReceiptBroken);
    (alert.kind, by_words.then(|| alert.text.clone()))
}

/// That less noise is in force than before.
fn lowered(before: NoiseView, now: NoiseView) -> Option<Warning> {
    let (before, now) = (before.effective, now.effective);
    let lanes = [("strangers", before.discovery, now.discovery), ("contacts", before.rendezvous, now.rendezvous)];
    let lower: Vec<_> = lanes
        .into_iter()
        .filter(|(_, before, now)| now < before)
        .map(|(lane, before, now)| format!("towards {lane} from {before:.2} to {now:.2}"))
        .collect();
    let text = format!("the noise in force went down {}", lower.join(" and "));
    (!lower.is_empty()).then_some(Warning { kind: WarningKind::NoiseLowered, text })
}

#[cfg(test)]
mod tests;
