//! The files of the web app. They hold nothing of the person, so whoever names this very host may load them; what they may
//! do in a browser is stated with each of them.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use mosaic_api::{APP_POLICY, AppFile, Operation, Problem, ProblemKind};

/// What every answer says, of a file or not: no guessing of types, nothing for other sites to embed, no trace of where somebody came from.
const ALWAYS: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// What a file of the app says besides. Of what a browser could ask for the app writes to the clipboard; where the device is,
/// it never asks, because a browser asks somebody else for that.
const OF_FILES: [(&str, &str); 3] = [
    ("content-security-policy", APP_POLICY),
    ("cross-origin-opener-policy", "same-origin"),
    (
        "permissions-policy",
        "geolocation=(), camera=(), microphone=(), clipboard-write=(self), payment=(), usb=(), serial=(), hid=(), bluetooth=(), \
         midi=(), display-capture=(), idle-detection=(), browsing-topics=()",
    ),
];

/// The files, and what tells one version of each from another.
pub(super) struct App {
    files: &'static [AppFile],
    tags: Vec<HeaderValue>,
}

impl App {
    pub(super) fn new(files: &'static [AppFile]) -> Self {
        let tag = |file: &AppFile| {
            let digest = hex::encode(mosaic_crypto::digest(&[file.path.as_bytes(), file.plain]));
            let tag = digest.get(..32).unwrap_or_default();
            HeaderValue::from_str(&format!("\"{tag}\"")).unwrap_or(HeaderValue::from_static("\"\""))
        };
        Self { files, tags: files.iter().map(tag).collect() }
    }

    /// Whether a request is for the app rather than for the API. What the API has not is a problem of its own.
    pub(super) fn is_asked_for(request: &Request) -> bool {
        let path = request.uri().path();
        path != Operation::Describe.route().1 && path != "/v1" && !path.starts_with("/v1/")
    }

    /// Browsers say what they load a file for: a page of another site may link here, and may not embed what lies here.
    pub(super) fn may_load(headers: &HeaderMap) -> bool {
        let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        match said("sec-fetch-site") {
            None | Some("same-origin" | "none") => true,
            Some(_) => said("sec-fetch-mode") == Some("navigate") && said("sec-fetch-dest") == Some("document"),
        }
    }

    /// The file of a path.
    pub(super) fn serve(&self, request: &Request) -> Result<Response, Problem> {
        let at = AppFile::at(self.files, request.uri().path()).ok_or(ProblemKind::UnknownRoute)?;
        let (Some(file), Some(tag)) = (self.files.get(at), self.tags.get(at)) else {
            return Err(ProblemKind::UnknownRoute.into());
        };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(ProblemKind::MethodNotAllowed.into());
        }
        let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known == tag);
        let packed = file.gzip.filter(|_| takes_gzip(request.headers()));
        let mut response = match packed {
            _ if known => StatusCode::NOT_MODIFIED.into_response(),
            Some(bytes) => ([(header::CONTENT_ENCODING, "gzip")], bytes).into_response(),
            None => file.plain.into_response(),
        };
        let headers = response.headers_mut();
        let kept = if file.is_hashed() { "public, max-age=31536000, immutable" } else { "no-cache" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.media));
        headers.insert(header::ETAG, tag.clone());
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        for (name, value) in OF_FILES {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if *request.method() == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        Ok(response)
    }
}

/// Adds what every answer says.
pub(super) fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// `q=0` refuses (RFC 9110 section 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let said = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|value| value.split(',')).any(|coding| {
        let (name, rest) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = rest.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()).unwrap_or(1.0);
        name.trim().eq_ignore_ascii_case("gzip") && weight > 0.0
    })
}
