use mosaic_types::{Code, ContactText, Token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Problem, ProblemKind, Warning};

fn check_contact(raw: &str) -> Result<ContactText, Problem> {
    ContactText::new(raw).map_err(|error| Problem::new(ProblemKind::InvalidContact).with_detail(error))
}

/// The word `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CardChoice {
    /// Every match of one's own broadcasts: cards at least as similar as `matching.threshold`.
    All,
}

/// Which cards to wave at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum CardSelection {
    /// The word `"all"`.
    Word(CardChoice),
    /// Ids of cards from a proximity answer, at most 200.
    Cards(Vec<String>),
}

/// Body of `POST /v1/wave`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaveBody {
    /// `"all"` or a list of card ids.
    pub cards: CardSelection,
    /// What people who accept may see: 1 to 300 bytes.
    #[schema(
        min_length = 1,
        max_length = 300,
        pattern = "^[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*$",
        example = "somebody@example.org"
    )]
    pub contact: String,
}

/// A checked [`WaveBody`].
#[derive(Clone, Debug)]
pub struct WaveRequest {
    /// Which cards.
    pub cards: CardSelection,
    /// One's own contact.
    pub contact: ContactText,
}

impl WaveBody {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`ProblemKind::InvalidContact`]; [`ProblemKind::InvalidId`] for more than 200 cards or none.
    pub fn check(self) -> Result<WaveRequest, Problem> {
        if let CardSelection::Cards(cards) = &self.cards
            && !(1..=200).contains(&cards.len())
        {
            return Err(Problem::new(ProblemKind::InvalidId).with_detail("name 1 to 200 cards, or \"all\""));
        }
        Ok(WaveRequest { contact: check_contact(&self.contact)?, cards: self.cards })
    }
}

/// Answer to `POST /v1/wave`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaveReply {
    /// New associations, one per card waved at.
    pub associations: Vec<String>,
    /// Cards that were waved at before, or are unknown or gone.
    pub skipped: u32,
    /// When the last of these waves will have left at the pace of the mode, unix seconds.
    pub leaves_by: u64,
}

/// Somebody waved at one's own card and waits for a person's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncomingWave {
    /// The association to accept or decline.
    pub id: String,
    /// When the wave was read, unix seconds.
    pub received_at: u64,
    /// When it is forgotten if nobody answers, unix seconds.
    pub expires_at: u64,
}

/// Answer to `GET /v1/waves`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WavesReply {
    /// Oldest first.
    pub waves: Vec<IncomingWave>,
    /// The cursor of the next page; absent where the list ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What to make for the other person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Handover {
    /// 32 characters, to be sent.
    #[default]
    Token,
    /// 16 digits, to be read out.
    Code,
}

/// Body of `POST /v1/associate`: with a token or a code it joins, without it makes one.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssociateBody {
    /// What to make; a token by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<Handover>,
    /// The token somebody handed over: exactly 32 letters and digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9A-Za-z]{32}$")]
    pub token: Option<String>,
    /// The code somebody read out: 16 digits, with or without spaces and hyphens between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9]([ -]*[0-9]){15}$")]
    pub code: Option<String>,
    /// What the other person gets to see: 1 to 300 bytes.
    #[schema(
        min_length = 1,
        max_length = 300,
        pattern = "^[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*$",
        example = "somebody@example.org"
    )]
    pub contact: String,
}

/// A checked [`AssociateBody`].
#[derive(Clone, Debug)]
pub struct AssociateRequest {
    /// What to make or join.
    pub means: Means,
    /// One's own contact.
    pub contact: ContactText,
}

/// By what two people associate.
#[derive(Clone, Debug)]
pub enum Means {
    /// A token is to be made.
    NewToken,
    /// This token is to be joined.
    Token(Token),
    /// A code is to be made.
    NewCode,
    /// This code is to be joined.
    Code(Code),
}

/// What the text of a QR code for two people begins with.
const MEET: &str = "mosaic:meet?";
/// What a token and a code follow in that text.
const BY_TOKEN: &str = "token=";
const BY_CODE: &str = "code=";

impl AssociateBody {
    /// To join by what somebody showed, sent or read out: a token, a code, or the text of their QR code.
    pub fn to_join(shown: &str, contact: String) -> Self {
        let shown = shown.trim();
        let query = shown.strip_prefix(MEET);
        let stated = |name| query.and_then(|query| query.strip_prefix(name));
        let (token, code) = match (stated(BY_TOKEN), stated(BY_CODE)) {
            (Some(token), _) => (Some(token), None),
            (None, Some(code)) => (None, Some(code)),
            // a code has no letters, and fewer digits than a token
            (None, None) if shown.len() == 32 || shown.contains(char::is_alphabetic) => (Some(shown), None),
            (None, None) => (None, Some(shown)),
        };
        Self { make: None, token: token.map(str::to_owned), code: code.map(str::to_owned), contact }
    }

    /// Checks the pattern of L5-14, the check digits of a code, and the contact.
    ///
    /// # Errors
    /// [`ProblemKind::InvalidToken`], [`ProblemKind::InvalidCode`] or [`ProblemKind::InvalidContact`];
    /// [`ProblemKind::MalformedBody`] for more than one of `make`, `token` and `code`.
    pub fn check(self) -> Result<AssociateRequest, Problem> {
        let means = match (self.make, self.token, self.code) {
            (None, Some(raw), None) => Means::Token(Token::parse(&raw).map_err(|_| ProblemKind::InvalidToken)?),
            (None, None, Some(raw)) => Means::Code(
                Code::parse(&raw).map_err(|error| Problem::new(ProblemKind::InvalidCode).with_detail(error))?,
            ),
            (None | Some(Handover::Token), None, None) => Means::NewToken,
            (Some(Handover::Code), None, None) => Means::NewCode,
            _ => {
                return Err(
                    Problem::new(ProblemKind::MalformedBody).with_detail("name a token, or a code, or what to make")
                );
            }
        };
        Ok(AssociateRequest { means, contact: check_contact(&self.contact)? })
    }
}

/// Answer to `POST /v1/associate`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssociateReply {
    /// The association.
    pub id: String,
    /// The token to hand over, where one was made. Works once, for 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The code to read out, where one was made. Works once, for 24 hours, and three may try it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Token or code as the text of a QR code, where one was made: `mosaic:meet?token=...` or `mosaic:meet?code=...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
    /// That QR code, an SVG picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svg: Option<String>,
    /// Where a code was joined: how many more times this device may join at its nameplate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u8>,
    /// When token, code or attempt expires, unix seconds.
    pub expires_at: u64,
    /// What the person should know: a restart of the agent forgets token and code.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

impl AssociateReply {
    /// The text of a QR code for what was made, as [`AssociateBody::to_join`] reads it: the token, else the code.
    pub fn shown(token: Option<&str>, code: Option<&str>) -> Option<String> {
        let token = token.map(|token| format!("{MEET}{BY_TOKEN}{token}"));
        token.or_else(|| code.map(|code| format!("{MEET}{BY_CODE}{code}")))
    }
}

/// Body of `POST /v1/association`: the twin of `GET /v1/association/{token}` that keeps the token out of the URL.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LookupBody {
    /// The token: exactly 32 letters and digits.
    #[schema(pattern = "^[0-9A-Za-z]{32}$")]
    pub token: String,
}

impl LookupBody {
    /// Checks the pattern of L5-14.
    ///
    /// # Errors
    /// [`ProblemKind::InvalidToken`].
    pub fn check(self) -> Result<Token, Problem> {
        Token::parse(&self.token).map_err(|_| ProblemKind::InvalidToken.into())
    }
}

/// How two people came together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AssociationKind {
    /// From a discovery card.
    Wave,
    /// From a 32-character token.
    Token,
    /// From a code of 16 digits.
    Code,
}

/// Where an association stands, seen from this side. What was declined or expired is not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AssociationState {
    /// The first message, the token or the code is out; nothing came back.
    Waiting,
    /// An automatic answer came. After a wave it says nothing about a person: personas answer too.
    Answered,
    /// Somebody waved at a card of this person, joined the token, or proved the code: accept or decline.
    Approached,
    /// Our contact is given; theirs has not come.
    Given,
    /// Theirs is here; ours is not given.
    Offered,
    /// Both contacts are exchanged.
    Connected,
    /// Who answered at the code's nameplate has another password: one side mistook it, or it was somebody else.
    Failed,
}

/// One association.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssociationView {
    /// Its id.
    pub id: String,
    /// How it began.
    pub kind: AssociationKind,
    /// Where it stands.
    pub state: AssociationState,
    /// When it began on this device, unix seconds.
    pub since: u64,
    /// When it ends as things stand, unix seconds: 24 h after it began while nothing came back, else 48 h (L5-06, L5-17).
    pub expires_at: u64,
    /// While a code made here waits: how many more may try it. Nobody at 0, and who tried before may still prove it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u8>,
}

/// Answer to `GET /v1/associations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssociationList {
    /// Oldest first.
    pub associations: Vec<AssociationView>,
    /// The cursor of the next page; absent where the list ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Body of `POST /v1/associations/{id}/accept`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptBody {
    /// What the other person gets to see: 1 to 300 bytes.
    #[schema(
        min_length = 1,
        max_length = 300,
        pattern = "^[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*$",
        example = "somebody@example.org"
    )]
    pub contact: String,
}

impl AcceptBody {
    /// Checks the contact.
    ///
    /// # Errors
    /// [`ProblemKind::InvalidContact`].
    pub fn check(self) -> Result<ContactText, Problem> {
        check_contact(&self.contact)
    }
}

/// Somebody who accepted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The association.
    #[schema(pattern = "^[0-9a-f]{32}$", example = "0123456789abcdef0123456789abcdef")]
    pub id: String,
    /// What they let you see.
    #[schema(
        min_length = 1,
        max_length = 300,
        pattern = "^[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*$",
        example = "somebody@example.org"
    )]
    pub contact: String,
    /// Since when, unix seconds.
    pub since: u64,
    /// Whether the vault keeps it; others are forgotten with their association (S-46, C-58).
    pub kept: bool,
}

/// Answer to `GET /v1/people`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeopleReply {
    /// Oldest first.
    pub people: Vec<Person>,
    /// The cursor of the next page; absent where the list ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
