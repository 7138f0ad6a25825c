use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{AssociationView, CardView, Operation, Problem, ProblemKind, ProximityBody, ProximityRequest, Warning};

/// The largest frame a program may send, in bytes: as much as the body of an ordinary request.
pub const LARGEST_FRAME: usize = 64 * 1_024;

/// What a socket tells without being asked again (X-23 to X-25).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum News {
    /// Cards that became readable, or of which more became readable.
    #[serde(rename = "proximity.update")]
    ProximityUpdate,
    /// An association waits for the person's answer: somebody waved at a card of theirs.
    #[serde(rename = "association.request")]
    AssociationRequest,
    /// Something got worse for the person's privacy.
    #[serde(rename = "privacy.alert")]
    PrivacyAlert,
}

impl News {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::ProximityUpdate, Self::AssociationRequest, Self::PrivacyAlert];
}

/// What a program says over `GET /v1/socket`, as one JSON text (X-26, X-27). Not printable: it may hold the token or a
/// true place.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum ClientFrame {
    /// Shows the token, from a program that could not put it into the header of its request. Only as the first frame.
    Hello {
        /// What `api.token` holds.
        token: String,
    },
    /// Asks for news from now on; what stands already is told first. Naming a kind again starts it anew.
    Subscribe {
        /// Comes back with the answer.
        #[schema(min_length = 1, max_length = 64)]
        id: String,
        /// Which kinds.
        news: Vec<News>,
        /// For `proximity.update`: where to look and what for; the person's own broadcasts when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proximity: Option<ProximityBody>,
    },
    /// Ends news. Once it is answered, nothing of these kinds comes any more.
    Unsubscribe {
        /// Comes back with the answer.
        #[schema(min_length = 1, max_length = 64)]
        id: String,
        /// Which kinds.
        news: Vec<News>,
    },
    /// Tells the agent something; only a refusal is answered.
    Emit {
        /// Comes back with a refusal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(min_length = 1, max_length = 64)]
        id: Option<String>,
        /// What is told.
        name: EmitName,
        /// The data that belong to it.
        data: AttentionData,
    },
    /// Calls an operation of this API.
    Request {
        /// Comes back with the answer.
        #[schema(min_length = 1, max_length = 64)]
        id: String,
        /// The operation, as `operationId` names it in the description.
        method: String,
        /// Parameters of its path and query.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        #[schema(value_type = Object)]
        params: Map<String, Value>,
        /// Its body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<Object>)]
        body: Option<Value>,
        /// How long to wait for the answer, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(minimum = 100, maximum = 60_000, default = 10_000)]
        timeout_ms: Option<u32>,
    },
}

/// What a program can tell the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EmitName {
    /// A person looks at the app: reading goes at the faster pace for a while.
    Attention,
}

/// What belongs to `attention`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttentionData {
    /// For how long, in seconds.
    #[schema(minimum = 1, maximum = 900)]
    pub seconds: u32,
}

/// What ties an answer to its question: 1 to 64 letters, digits, `-` and `_`, chosen by the program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CorrelationId(String);

impl CorrelationId {
    /// Checks length and letters.
    pub fn new(raw: &str) -> Option<Self> {
        let plain = raw.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        ((1..=64).contains(&raw.len()) && plain).then(|| Self(raw.to_owned()))
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A checked [`ClientFrame`].
#[derive(Clone)]
pub enum SocketAsk {
    /// The token is shown.
    Hello {
        /// Unchecked.
        token: String,
    },
    /// News is asked for.
    Subscribe {
        /// Which question this is.
        id: CorrelationId,
        /// Which kinds, each once.
        news: Vec<News>,
        /// Where to look.
        search: Option<ProximityRequest>,
    },
    /// News is not wanted any more.
    Unsubscribe {
        /// Which question this is.
        id: CorrelationId,
        /// Which kinds.
        news: Vec<News>,
    },
    /// Somebody looks at the app.
    Attention {
        /// For how long, in seconds: 1 to 900.
        seconds: u32,
    },
    /// An operation is called.
    Request(SocketRequest),
}

/// A checked call of an operation.
#[derive(Clone, PartialEq)]
pub struct SocketRequest {
    /// Which question this is.
    pub id: CorrelationId,
    /// The operation.
    pub operation: Operation,
    /// What its path names; empty where the path has no parameter.
    pub parameter: String,
    /// Names and values of its query.
    pub query: Vec<(String, String)>,
    /// Its body.
    pub body: Option<Value>,
    /// How long the answer may take, in milliseconds: 100 to 60,000.
    pub timeout_ms: u32,
}

/// Why a frame was not understood, and which question it was, where that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameError {
    /// The id the frame bore.
    pub id: Option<CorrelationId>,
    /// What was wrong; it repeats nothing of the frame.
    pub problem: Problem,
}

impl ClientFrame {
    /// How long an answer may take unless the program says otherwise, in milliseconds.
    pub const TIMEOUT_MS: u32 = 10_000;

    /// Reads and checks one frame.
    ///
    /// # Errors
    /// [`FrameError`] with the problem of the first thing that is wrong.
    pub fn parse(text: &str) -> Result<SocketAsk, FrameError> {
        let malformed = |id, detail: &str| FrameError { id, problem: malformed(detail) };
        if text.len() > LARGEST_FRAME {
            return Err(malformed(None, "a frame has at most 65536 bytes"));
        }
        let value: Value = serde_json::from_str(text).map_err(|_| malformed(None, "this is not JSON"))?;
        let id = value.get("id").and_then(Value::as_str).and_then(CorrelationId::new);
        // from the text, not from the value: what is named twice is refused
        let frame: Self = serde_json::from_str(text)
            .map_err(|_| malformed(id.clone(), "a field is missing, unknown, or of the wrong type"))?;
        frame.check().map_err(|problem| FrameError { id, problem })
    }

    fn check(self) -> Result<SocketAsk, Problem> {
        Ok(match self {
            Self::Hello { token } => SocketAsk::Hello { token },
            Self::Subscribe { id, news, proximity } => {
                let news = check_news(news)?;
                if proximity.is_some() && !news.contains(&News::ProximityUpdate) {
                    return Err(malformed("`proximity` belongs to proximity.update"));
                }
                SocketAsk::Subscribe {
                    id: check_id(&id)?,
                    news,
                    search: proximity.map(|body| body.check()).transpose()?,
                }
            }
            Self::Unsubscribe { id, news } => SocketAsk::Unsubscribe { id: check_id(&id)?, news: check_news(news)? },
            Self::Emit { id, name: EmitName::Attention, data: AttentionData { seconds } } => {
                id.as_deref().map(check_id).transpose()?;
                if !(1..=900).contains(&seconds) {
                    return Err(malformed("attention lasts 1 to 900 seconds"));
                }
                SocketAsk::Attention { seconds }
            }
            Self::Request { id, method, params, body, timeout_ms } => {
                let id = check_id(&id)?;
                SocketAsk::Request(check_request(id, &method, params, body, timeout_ms)?)
            }
        })
    }
}

fn malformed(detail: &str) -> Problem {
    Problem::new(ProblemKind::MalformedFrame).with_detail(detail)
}

fn check_id(raw: &str) -> Result<CorrelationId, Problem> {
    CorrelationId::new(raw).ok_or_else(|| malformed("an id has 1 to 64 letters, digits, - and _"))
}

fn check_news(mut news: Vec<News>) -> Result<Vec<News>, Problem> {
    news.sort_unstable();
    news.dedup();
    if news.is_empty() { Err(malformed("name at least one kind of news")) } else { Ok(news) }
}

fn check_request(
    id: CorrelationId,
    method: &str,
    params: Map<String, Value>,
    body: Option<Value>,
    timeout_ms: Option<u32>,
) -> Result<SocketRequest, Problem> {
    let operation = Operation::named(method).filter(|operation| *operation != Operation::Socket);
    let operation = operation.ok_or(ProblemKind::UnknownRoute)?;
    let timeout_ms = timeout_ms.unwrap_or(ClientFrame::TIMEOUT_MS);
    if !(100..=60_000).contains(&timeout_ms) {
        return Err(ProblemKind::InvalidTimeout.into());
    }
    let in_path = operation.parameter();
    let (mut parameter, mut query) = (String::new(), Vec::new());
    for (name, value) in params {
        let value = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            _ => return Err(malformed("a parameter is a text, a number, true or false")),
        };
        if in_path == Some(name.as_str()) { parameter = value } else { query.push((name, value)) }
    }
    Ok(SocketRequest { id, operation, parameter, query, body, timeout_ms })
}

/// What the agent says over `GET /v1/socket`, as one JSON text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type")]
pub enum AgentFrame {
    /// The socket is open.
    #[serde(rename = "welcome")]
    Welcome {
        /// A random name of this connection. Nothing of an earlier one is in it.
        session: String,
        /// When it is closed, unix seconds: 30 to 60 minutes after it was opened (X-28).
        rotates_at: u64,
    },
    /// The answer to a question.
    #[serde(rename = "reply")]
    Reply {
        /// Of which one.
        id: String,
        /// What HTTP would answer.
        status: u16,
        /// The body of the answer; absent where nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<Object>)]
        body: Option<Value>,
    },
    /// A refusal.
    #[serde(rename = "problem")]
    Problem {
        /// Of which question; absent where that could not be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Why.
        problem: Problem,
    },
    /// News (X-23).
    #[serde(rename = "proximity.update")]
    ProximityUpdate {
        /// What became readable, best first; at most 100.
        cards: Vec<CardView>,
    },
    /// News (X-24).
    #[serde(rename = "association.request")]
    AssociationRequest {
        /// The association that waits for the person's answer.
        request: AssociationView,
    },
    /// News (X-25).
    #[serde(rename = "privacy.alert")]
    PrivacyAlert {
        /// What got worse.
        alert: Warning,
    },
    /// The program read too slowly: news was thrown away. Ask again with a request.
    #[serde(rename = "missed")]
    Missed {
        /// Of which kind.
        news: News,
        /// How many cards, requests or alerts.
        count: u32,
    },
}

impl AgentFrame {
    /// Which kind of news this is, if it is news or says that some was missed.
    pub const fn news(&self) -> Option<News> {
        match self {
            Self::ProximityUpdate { .. } => Some(News::ProximityUpdate),
            Self::AssociationRequest { .. } => Some(News::AssociationRequest),
            Self::PrivacyAlert { .. } => Some(News::PrivacyAlert),
            Self::Missed { news, .. } => Some(*news),
            Self::Welcome { .. } | Self::Reply { .. } | Self::Problem { .. } => None,
        }
    }
}

/// Why the agent closes a socket: code and reason of its close frame (RFC 6455 section 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketEnd {
    /// The agent stops.
    Stopping,
    /// Its time is over: open another (X-28).
    Rotated,
    /// The first frame showed no valid token, or none came in ten seconds.
    Unauthorized,
}

impl SocketEnd {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Stopping, Self::Rotated, Self::Unauthorized];

    /// The code; 4000 to 4999 are free for programs to define.
    pub const fn code(self) -> u16 {
        match self {
            Self::Stopping => 1001,
            Self::Rotated => 4000,
            Self::Unauthorized => 4001,
        }
    }

    /// What the close frame says.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Stopping => "the agent is stopping",
            Self::Rotated => "the session has rotated: open a new socket",
            Self::Unauthorized => "show the token first",
        }
    }

    /// The reason behind a code, if it is one of ours.
    pub fn of_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn slug(frame: &Value) -> String {
        ClientFrame::parse(&frame.to_string())
            .err()
            .map_or_else(|| "accepted".to_owned(), |error| error.problem.slug().to_owned())
    }

    #[test]
    fn frames_have_bounds() {
        let request = |timeout: u32| json!({"type": "request", "id": "1", "method": "status", "timeout_ms": timeout});
        assert_eq!([100, 60_000].map(|good| slug(&request(good))), ["accepted", "accepted"]);
        assert_eq!([99, 60_001].map(|bad| slug(&request(bad))), ["invalid-timeout", "invalid-timeout"]);
        let attention = |seconds: u32| json!({"type": "emit", "name": "attention", "data": {"seconds": seconds}});
        assert_eq!([1, 900].map(|good| slug(&attention(good))), ["accepted", "accepted"]);
        assert_eq!([0, 901].map(|bad| slug(&attention(bad))), ["malformed-frame", "malformed-frame"]);
        let subscribe = |id: &str| slug(&json!({"type": "subscribe", "id": id, "news": ["privacy.alert"]}));
        assert_eq!([subscribe("a"), subscribe(&"a".repeat(64))], ["accepted", "accepted"]);
        assert_eq!([subscribe(""), subscribe(&"a".repeat(65)), subscribe("a b")], ["malformed-frame"; 3]);
        assert_eq!(slug(&json!({"type": "subscribe", "id": "1", "news": []})), "malformed-frame");
        assert_eq!(slug(&json!({"type": "subscribe", "id": "1", "news": ["weather"]})), "malformed-frame");
        let far = json!({"type": "subscribe", "id": "1", "news": ["proximity.update"],
            "proximity": {"location": {"lat": 91, "lon": 0}}});
        assert_eq!(slug(&far), "invalid-position");
    }

    /// Every operation has a name that finds it; the socket cannot be opened over the socket.
    #[test]
    fn every_operation_but_the_socket_can_be_called() {
        for operation in Operation::ALL {
            let frame = json!({"type": "request", "id": "1", "method": operation.name()});
            let expected = if operation == Operation::Socket { "unknown-route" } else { "accepted" };
            assert_eq!(slug(&frame), expected, "{operation:?}");
        }
    }

    #[test]
    fn parameters_find_their_place() {
        let frame = json!({"type": "request", "id": "1", "method": "withdraw", "params": {"id": "b1", "more": true}});
        let Ok(SocketAsk::Request(request)) = ClientFrame::parse(&frame.to_string()) else { panic!("refused") };
        assert_eq!(request.parameter, "b1");
        assert_eq!(request.query, [("more".to_owned(), "true".to_owned())]);
    }

    /// The id comes back although the rest made no sense, and nothing else does.
    #[test]
    fn a_refused_frame_is_not_repeated() {
        let frame = json!({"type": "request", "id": "q7", "method": "status", "meet": "at the old mill"});
        let error = ClientFrame::parse(&frame.to_string()).err().unwrap();
        assert_eq!(error.id, CorrelationId::new("q7"));
        assert!(!serde_json::to_string(&error.problem).unwrap().contains("mill"));
        let twice = r#"{"type":"hello","token":"a","token":"b"}"#;
        assert_eq!(ClientFrame::parse(twice).err().unwrap().problem.slug(), "malformed-frame");
    }
}
