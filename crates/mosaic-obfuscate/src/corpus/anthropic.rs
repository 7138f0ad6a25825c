use serde::Deserialize;
use serde_json::json;

use super::{
    CorpusModel, CorpusOrder, ModelName, ModelRequest, ReplyError,
    model::{TypedRefusal, Written, most_tokens, read, usual},
};

/// The Messages API, version 2023-06-01.
pub(super) struct Anthropic;

#[derive(Deserialize)]
struct Reply {
    role: String,
    content: Vec<Block>,
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: String,
    },
    /// Thinking, tools and what may come.
    #[serde(other)]
    Other,
}

impl CorpusModel for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn base_url(&self) -> &'static str {
        "https://api.anthropic.com"
    }

    fn key_variable(&self) -> &'static str {
        "ANTHROPIC_API_KEY"
    }

    fn usual_model(&self) -> ModelName {
        usual("claude-haiku-4-5")
    }

    fn request(&self, order: &CorpusOrder, model: &ModelName) -> ModelRequest {
        let body = json!({
            "model": model.as_str(),
            "max_tokens": most_tokens(order),
            "messages": [{ "role": "user", "content": order.prompt() }],
        });
        ModelRequest {
            path: "/v1/messages".to_owned(),
            headers: vec![("anthropic-version", "2023-06-01")],
            key_header: "x-api-key",
            key_prefix: "",
            body: body.to_string(),
        }
    }

    fn lines(&self, status: u16, body: &[u8]) -> Result<Vec<String>, ReplyError> {
        let written = |reply: Reply| {
            let cut = match reply.stop_reason.as_deref() {
                Some("end_turn" | "stop_sequence") => false,
                Some("max_tokens") => true,
                _ => return None,
            };
            let text = |block| if let Block::Text { text } = block { Some(text) } else { None };
            let texts: Vec<String> = reply.content.into_iter().filter_map(text).collect();
            (reply.role == "assistant").then(|| Written { text: texts.join("\n"), cut })
        };
        read((status, body), written, TypedRefusal::kind)
    }
}
