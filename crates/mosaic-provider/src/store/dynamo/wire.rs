use std::{
    env, fs,
    future::Future,
    path::PathBuf,
    pin::Pin,
    time::{Duration, UNIX_EPOCH},
};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use mosaic_transport::{OpenHttp, Patience, SystemClock};
use mosaic_types::Clock as _;
use sha2::{Digest as _, Sha256};

use super::super::{StoreError, TableAddress};

/// What the service says at most in one answer: a page of a query, as base64 in JSON, with room to spare.
const MOST: usize = 8 << 20;

/// Carries requests to the service, one at a time and without trying again.
pub(super) trait Wire: Send + Sync {
    /// Sends the JSON of one operation.
    fn send(&self, operation: &'static str, body: Vec<u8>) -> Sending<'_>;
}

/// The answer to come.
pub(super) type Sending<'a> = Pin<Box<dyn Future<Output = Result<Answer, NoAnswer>> + Send + 'a>>;

/// What the service said.
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// JSON.
    pub(super) body: Vec<u8>,
}

/// Nothing was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// The request surely did not arrive.
    Unsent,
    /// It may have been carried out.
    Lost,
}

/// Signed requests over HTTP.
pub(super) struct SignedHttp {
    http: OpenHttp,
    region: String,
    credentials: Credentials,
}

impl SignedHttp {
    /// How long one request may take. A whole call takes a few of them.
    const PATIENCE: Patience = Patience { connect: Duration::from_secs(2), request: Duration::from_secs(5) };

    /// To the server of `address`, in the name of whom `credentials` are.
    ///
    /// # Errors
    /// [`StoreError::Table`] for an address that is not safe.
    pub(super) fn new(address: &TableAddress, credentials: TableCredentials) -> Result<Self, StoreError> {
        let http = OpenHttp::new(&address.url(), Self::PATIENCE).map_err(|error| StoreError::Table {
            table: address.to_string(),
            what: "the endpoint cannot be used",
            source: Some(Box::new(error)),
        })?;
        Ok(Self { http, region: address.region.clone(), credentials: credentials.0 })
    }

    /// The headers of a request, its signature among them (AWS Signature Version 4).
    fn headers(&self, operation: &str, body: &[u8]) -> Option<Vec<(String, String)>> {
        let mut headers = vec![
            ("host".to_owned(), self.http.authority().to_owned()),
            ("content-type".to_owned(), "application/x-amz-json-1.0".to_owned()),
            ("x-amz-target".to_owned(), format!("DynamoDB_20120810.{operation}")),
        ];
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("dynamodb")
            .time(UNIX_EPOCH + Duration::from_millis(SystemClock.now().as_millis()))
            .settings(SigningSettings::default())
            .build()
            .ok()?
            .into();
        let named = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // by its hash alone: what is signed can be traced, and what is stored is nobody's to see
        let hash = SignableBody::Precomputed(hex::encode(Sha256::digest(body)));
        let request = SignableRequest::new("POST", self.http.url(), named, hash).ok()?;
        let (signature, _) = sign(request, &params).ok()?.into_parts();
        let signed: Vec<_> = signature.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        headers.extend(signed);
        Some(headers)
    }
}

impl Wire for SignedHttp {
    fn send(&self, operation: &'static str, body: Vec<u8>) -> Sending<'_> {
        Box::pin(async move {
            let headers = self.headers(operation, &body).ok_or(NoAnswer::Unsent)?;
            let reply = self.http.post(&headers, body, MOST).await;
            let reply = reply.map_err(|error| if error.is_unsent() { NoAnswer::Unsent } else { NoAnswer::Lost })?;
            Ok(Answer { status: reply.status, body: reply.body })
        })
    }
}

/// In whose name requests are signed. No `Debug`, and erased when dropped.
pub struct TableCredentials(Credentials);

impl TableCredentials {
    /// An access key, its secret, and the token of a session if it is a temporary one.
    pub fn new(id: &str, secret: &str, session: Option<String>) -> Self {
        Self(Credentials::new(id, secret, session, None, "mosaic"))
    }

    /// From `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, or from the profile `AWS_PROFILE` of the
    /// file `AWS_SHARED_CREDENTIALS_FILE` (`~/.aws/credentials`). They are read once: temporary ones last as long as
    /// they last.
    pub fn from_environment() -> Option<Self> {
        let named = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(id) = named("AWS_ACCESS_KEY_ID") {
            return Some(Self::new(&id, &named("AWS_SECRET_ACCESS_KEY")?, named("AWS_SESSION_TOKEN")));
        }
        let file = env::var_os("AWS_SHARED_CREDENTIALS_FILE")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".aws/credentials")))?;
        let profile = named("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
        from_profile(&fs::read_to_string(file).ok()?, &profile)
    }
}

/// One `[profile]` of a file of credentials.
fn from_profile(text: &str, profile: &str) -> Option<TableCredentials> {
    let lines = text.lines().map(str::trim).skip_while(|line| *line != format!("[{profile}]")).skip(1);
    let (mut id, mut secret, mut session) = (None, None, None);
    for (name, value) in lines.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('=')) {
        let place = match name.trim() {
            "aws_access_key_id" => &mut id,
            "aws_secret_access_key" => &mut secret,
            "aws_session_token" => &mut session,
            _ => continue,
        };
        *place = Some(value.trim().to_owned());
    }
    Some(TableCredentials::new(&id?, &secret?, session))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_and_no_other() {
        let text =
            "[default]\naws_access_key_id = A\n[two]\n# note\naws_access_key_id=B\naws_secret_access_key = S\n\n";
        let two = from_profile(text, "two").unwrap().0;
        assert_eq!((two.access_key_id(), two.secret_access_key(), two.session_token()), ("B", "S", None));
        assert!(from_profile(text, "default").is_none() && from_profile(text, "three").is_none());
    }
}
