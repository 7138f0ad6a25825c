use reqwest::{Client, Url, redirect};

use crate::{
    ClientError, FetchError, HttpReply, Patience,
    http::{classify, read_capped},
    install_crypto,
};

/// A keep-alive connection pool to one host of somebody else's that no pin names: the machine's own authorities
/// vouch for its certificate. In clear to this machine only. No proxy, no redirects.
///
/// For what an operator rents, never between agents and providers.
#[derive(Clone, Debug)]
pub struct OpenHttp {
    client: Client,
    url: Url,
}

impl OpenHttp {
    /// A pool for `url`: `https://`, or `http://` where it names a loopback address or `localhost`.
    ///
    /// # Errors
    /// [`ClientError::Url`] for any other URL; [`ClientError`] when the client cannot be set up.
    pub fn new(url: &str, patience: Patience) -> Result<Self, ClientError> {
        install_crypto();
        let url = Url::parse(url).ok().filter(is_safe).ok_or(ClientError::Url)?;
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(patience.connect)
            .timeout(patience.request)
            .build()?;
        Ok(Self { client, url })
    }

    /// The URL, ending in a path.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// `host` or `host:port`, as the header of that name says it.
    pub fn authority(&self) -> &str {
        self.url.authority()
    }

    /// Posts `body` with these headers, accepting at most `cap` bytes in return.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn post(&self, headers: &[(String, String)], body: Vec<u8>, cap: usize) -> Result<HttpReply, FetchError> {
        let request = self.client.post(self.url.clone()).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let reply = request.send().await.map_err(classify)?;
        Ok(HttpReply { status: reply.status().as_u16(), body: read_capped(reply, cap).await? })
    }
}

/// Nothing secret in it, and in clear to this machine only.
fn is_safe(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let here = host == "localhost" || bare.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    plain && !host.is_empty() && (url.scheme() == "https" || url.scheme() == "http" && here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_clear_to_this_machine_only() {
        let safe = |url: &str| OpenHttp::new(url, Patience::default()).is_ok();
        for url in ["https://table.example", "http://127.0.0.1:8000", "http://[::1]:8000/", "http://localhost:1"] {
            assert!(safe(url), "{url}");
        }
        for url in ["http://table.example", "http://10.0.0.1", "https://a:b@table.example", "ftp://127.0.0.1", "x", ""]
        {
            assert!(!safe(url), "{url}");
        }
    }
}
