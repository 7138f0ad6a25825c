use serde::Deserialize;
use serde_json::json;

use super::{
    CorpusModel, CorpusOrder, ModelName, ModelRequest, ReplyError,
    model::{TypedRefusal, Written, most_tokens, read, usual},
};

/// Chat completions.
pub(super) struct DeepSeek;

#[derive(Deserialize)]
struct Reply {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: String,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: String,
}

impl CorpusModel for DeepSeek {
    fn name(&self) -> &'static str {
        "deepseek"
    }

    fn base_url(&self) -> &'static str {
        "https://api.deepseek.com"
    }

    fn key_variable(&self) -> &'static str {
        "DEEPSEEK_API_KEY"
    }

    fn usual_model(&self) -> ModelName {
        usual("deepseek-chat")
    }

    fn request(&self, order: &CorpusOrder, model: &ModelName) -> ModelRequest {
        let body = json!({
            "model": model.as_str(),
            "max_tokens": most_tokens(order),
            "stream": false,
            "messages": [{ "role": "user", "content": order.prompt() }],
        });
        ModelRequest {
            path: "/chat/completions".to_owned(),
            headers: Vec::new(),
            key_header: "authorization",
            key_prefix: "Bearer ",
            body: body.to_string(),
        }
    }

    fn lines(&self, status: u16, body: &[u8]) -> Result<Vec<String>, ReplyError> {
        let written = |reply: Reply| {
            let choice = reply.choices.into_iter().next().filter(|choice| choice.message.role == "assistant")?;
            let cut = match choice.finish_reason.as_str() {
                "stop" => false,
                "length" => true,
                _ => return None,
            };
            Some(Written { text: choice.message.content, cut })
        };
        read((status, body), written, TypedRefusal::kind)
    }
}
