use serde::Deserialize;
use serde_json::json;

use super::{
    CorpusModel, CorpusOrder, ModelName, ModelRequest, ReplyError,
    model::{Written, most_tokens, read, usual},
};

/// `generateContent` of the Gemini API, v1beta.
pub(super) struct Gemini;

#[derive(Deserialize)]
struct Reply {
    candidates: Vec<Candidate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Content,
    finish_reason: String,
}

#[derive(Deserialize)]
struct Content {
    role: String,
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: Kind,
}

#[derive(Deserialize)]
struct Kind {
    status: String,
}

impl CorpusModel for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn base_url(&self) -> &'static str {
        "https://generativelanguage.googleapis.com"
    }

    fn key_variable(&self) -> &'static str {
        "GEMINI_API_KEY"
    }

    fn usual_model(&self) -> ModelName {
        usual("gemini-2.5-flash")
    }

    fn request(&self, order: &CorpusOrder, model: &ModelName) -> ModelRequest {
        let body = json!({
            "contents": [{ "role": "user", "parts": [{ "text": order.prompt() }] }],
            "generationConfig": { "maxOutputTokens": most_tokens(order) },
        });
        ModelRequest {
            path: format!("/v1beta/models/{}:generateContent", model.as_str()),
            headers: Vec::new(),
            key_header: "x-goog-api-key",
            key_prefix: "",
            body: body.to_string(),
        }
    }

    fn lines(&self, status: u16, body: &[u8]) -> Result<Vec<String>, ReplyError> {
        let written = |reply: Reply| {
            let candidate = reply.candidates.into_iter().next().filter(|one| one.content.role == "model")?;
            let cut = match candidate.finish_reason.as_str() {
                "STOP" => false,
                "MAX_TOKENS" => true,
                _ => return None,
            };
            let parts: Vec<String> = candidate.content.parts.into_iter().map(|part| part.text).collect();
            Some(Written { text: parts.concat(), cut })
        };
        read((status, body), written, |refusal: Refusal| refusal.error.status)
    }
}
