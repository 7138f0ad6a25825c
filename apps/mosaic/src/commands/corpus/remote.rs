//! Carries one request to a service and its answer back.

use std::time::Duration;

use mosaic_obfuscate::corpus::ModelRequest;
use reqwest::{
    Client, Url,
    header::{CONTENT_TYPE, HeaderValue},
    redirect,
};

use crate::exit::{Exit, Failure, OrExit, Outcome};

/// How long a model may write.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where a service answers: https, or http on this machine.
#[derive(Clone, Debug)]
pub(super) struct Base {
    url: String,
    here: bool,
}

impl Base {
    /// Reads an address without a path's end, query or user.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let wrong = "an address of a service is https://HOST, or http:// on this machine";
        let url = Url::parse(text).map_err(|_| wrong)?;
        let here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        let safe = url.scheme() == "https" || (url.scheme() == "http" && here);
        let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        let fits = safe && bare && url.password().is_none() && url.has_host();
        fits.then(|| Self { url: text.trim_end_matches('/').to_owned(), here }).ok_or(wrong)
    }

    /// A path behind it.
    pub(super) fn with(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// A service within reach.
pub(super) struct Remote {
    http: Client,
    base: Base,
    most: usize,
}

impl Remote {
    /// Prepares the connection; `most` bytes of an answer are read.
    pub(super) fn new(base: Base, most: usize) -> Outcome<Self> {
        // a redirection would carry the key elsewhere
        let http = Client::builder().redirect(redirect::Policy::none()).timeout(PATIENCE).https_only(!base.here);
        let http = if base.here { http.no_proxy() } else { http };
        Ok(Self { http: http.build().or_exit(Exit::Local, "cannot set up TLS")?, base, most })
    }

    /// Sends it, with the key; gives the status and at most one byte more than is allowed, so that the reader sees
    /// the excess.
    pub(super) async fn send(&self, request: ModelRequest, key: String) -> Outcome<(u16, Vec<u8>)> {
        let key = HeaderValue::try_from(format!("{}{key}", request.key_prefix));
        let mut key = key.map_err(|_| Failure::usage("the key holds characters that no key has"))?;
        key.set_sensitive(true);
        let mut call = self.http.post(self.base.with(&request.path)).header(CONTENT_TYPE, "application/json");
        for (name, value) in request.headers {
            call = call.header(name, value);
        }
        let away = "the service does not answer";
        let sent = call.header(request.key_header, key).body(request.body).send().await;
        let mut reply = sent.map_err(reqwest::Error::without_url).or_exit(Exit::Unreachable, away)?;
        let status = reply.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) =
            reply.chunk().await.map_err(reqwest::Error::without_url).or_exit(Exit::Unreachable, away)?
        {
            let room = (self.most + 1).saturating_sub(body.len());
            body.extend(chunk.iter().take(room));
            if body.len() > self.most {
                break;
            }
        }
        Ok((status, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_over_tls_or_stays_here() {
        for good in
            ["https://api.example.org", "https://example.org/gateway/", "http://127.0.0.1:8080", "http://[::1]:1"]
        {
            assert!(Base::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["http://api.example.org", "ftp://127.0.0.1", "https://u:p@example.org", "https://x.org/?a=b", "x", ""]
        {
            assert!(Base::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Base::parse("https://x.org/y/").map(|base| base.with("/z")), Ok("https://x.org/y/z".to_owned()));
    }
}
