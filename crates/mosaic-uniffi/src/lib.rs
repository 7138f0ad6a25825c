//! The client of an agent's local API for Kotlin, Swift and Python.
//!
//! A thin layer over [`mosaic_client`]: the agent holds every secret and does the work, in a process of its own. What people
//! do most has types ([`types`]); [`Mosaic::call`] asks for any operation of `docs/openapi.json` by its name, in JSON, so nothing that
//! the API can do is missing here. `cargo run -p mosaic-bindgen -- LIBRARY FOLDER` writes the three languages
//! (`docs/book/bindings.md`).
//!
//! What holds: it talks to a loopback address only; places and words go into bodies, never into a URL or a log; an error carries
//! the sentence and the problem type of the agent and nothing of what was sent.
#![expect(unsafe_code, reason = "a binding to other languages hands pointers over; the generated code alone does so")]

mod error;
mod types;

use std::{path::Path, sync::Arc};

use mosaic_api::{
    AcceptBody, AssociateBody, BroadcastBody, CardChoice, CardSelection, News, Operation, PreviewBody, ProximityBody,
    WaveBody,
};
use mosaic_client::{Client, Watch};
use serde_json::Value;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

pub use error::MosaicError;
pub use types::{
    Association, Broadcast, Card, CardsFound, Contact, Invitation, Place, Preview, Provider, Status, Wish, WordsWarning,
};

uniffi::setup_scaffolding!("mosaic");

/// An agent of this person on this machine.
#[derive(uniffi::Object)]
pub struct Mosaic(Client);

#[uniffi::export]
impl Mosaic {
    /// The agent that runs for an installation's folder, the one that `mosaic --dir` names.
    ///
    /// # Errors
    /// [`MosaicError::NotRunning`].
    #[uniffi::constructor]
    pub fn of_folder(folder: String) -> Result<Arc<Self>, MosaicError> {
        Ok(Arc::new(Self(Client::of_agent(&Path::new(&folder).join("agent"))?)))
    }

    /// An agent at a known address, such as `http://127.0.0.1:4711`, with its token.
    ///
    /// # Errors
    /// [`MosaicError::NotRunning`] for a token that none can be.
    #[uniffi::constructor]
    pub fn at(url: String, token: String) -> Result<Arc<Self>, MosaicError> {
        Ok(Arc::new(Self(Client::at(url, Zeroizing::new(token))?)))
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Mosaic {
    /// Mode, providers and budget.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn status(&self) -> Result<Status, MosaicError> {
        Ok(self.0.status().await?.into())
    }

    /// What a broadcast of these words would be; nothing is kept or sent.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn preview(&self, context: String) -> Result<Preview, MosaicError> {
        Ok(self.0.preview(&PreviewBody { context, enrichment: None }).await?.into())
    }

    /// Publishes a wish.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn broadcast(&self, wish: Wish) -> Result<Broadcast, MosaicError> {
        let body = BroadcastBody {
            noise_ratio: wish.noise_ratio,
            ttl_hours: wish.ttl_hours,
            confirm_identifiers: wish.confirm_identifiers,
            ..BroadcastBody::new(wish.place.into(), wish.context)
        };
        Ok(self.0.broadcast(&body).await?.into())
    }

    /// What is out.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn broadcasts(&self) -> Result<Vec<Broadcast>, MosaicError> {
        Ok(self.0.broadcasts().await?.broadcasts.into_iter().map(Broadcast::from).collect())
    }

    /// Withdraws a broadcast.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn withdraw(&self, id: String) -> Result<(), MosaicError> {
        Ok(self.0.withdraw(&id).await?)
    }

    /// Who is near, as far as it is known now: the search goes on in the background. `context` is what to look for, the person's own
    /// broadcasts when absent; `radius` is in metres, 100 to 5,000.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn near(
        &self,
        place: Place,
        context: Option<String>,
        radius: Option<u32>,
    ) -> Result<CardsFound, MosaicError> {
        let body = ProximityBody { location: place.into(), radius, window: None, context, limit: None };
        Ok(self.0.proximity(&body).await?.into())
    }

    /// Waves at cards by their ids, or at all that match when there is none; how many were waved at.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn wave(&self, cards: Vec<String>, contact: String) -> Result<u32, MosaicError> {
        let cards = if cards.is_empty() { CardSelection::Word(CardChoice::All) } else { CardSelection::Cards(cards) };
        let waved = self.0.wave(&WaveBody { cards, contact }).await?;
        Ok(u32::try_from(waved.associations.len()).unwrap_or(u32::MAX))
    }

    /// Makes a token that another person joins with.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn invite(&self, contact: String) -> Result<Invitation, MosaicError> {
        Ok(self.0.associate(&AssociateBody { contact, ..AssociateBody::default() }).await?.into())
    }

    /// Joins with a token that another person made.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn join(&self, token: String, contact: String) -> Result<Invitation, MosaicError> {
        Ok(self.0.associate(&AssociateBody { token: Some(token), contact, ..AssociateBody::default() }).await?.into())
    }

    /// Associations and how far each is.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn associations(&self) -> Result<Vec<Association>, MosaicError> {
        Ok(self.0.associations().await?.associations.into_iter().map(Association::from).collect())
    }

    /// Accepts one and sends one's contact.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn accept(&self, id: String, contact: String) -> Result<(), MosaicError> {
        Ok(self.0.accept(&id, &AcceptBody { contact }).await?)
    }

    /// Declines one; the other side is told nothing.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn decline(&self, id: String) -> Result<(), MosaicError> {
        Ok(self.0.decline(&id).await?)
    }

    /// The contacts of those who accepted.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn people(&self) -> Result<Vec<Contact>, MosaicError> {
        Ok(self.0.people().await?.people.into_iter().map(Contact::from).collect())
    }

    /// Keeps a contact in the vault; others are forgotten.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn keep(&self, id: String) -> Result<(), MosaicError> {
        Ok(self.0.keep_person(&id).await?)
    }

    /// Forgets a contact.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn forget(&self, id: String) -> Result<(), MosaicError> {
        Ok(self.0.forget_person(&id).await?)
    }

    /// Any operation by its `operationId`; `rest` is the parameter of its path or, where that has none, a query string. Body and
    /// answer are JSON, empty where there is none.
    ///
    /// # Errors
    /// [`MosaicError`]; [`MosaicError::Invalid`] for a name or a body that is none.
    pub async fn call(&self, operation: String, rest: String, body: String) -> Result<String, MosaicError> {
        let invalid = |what: &str| MosaicError::Invalid { message: what.to_owned() };
        let named = Operation::named(&operation).filter(|operation| !operation.is_http_only());
        let operation = named.ok_or_else(|| invalid("there is no such operation"))?;
        let body: Option<Value> = match body.as_str() {
            "" => None,
            text => Some(serde_json::from_str(text).map_err(|_| invalid("the body is not JSON"))?),
        };
        if operation.success() == 204 {
            self.0.act(operation, &rest, body.as_ref()).await?;
            return Ok(String::new());
        }
        let answer: Value = self.0.call(operation, &rest, body.as_ref()).await?;
        Ok(answer.to_string())
    }

    /// News: `kinds` are some of `proximity.update`, `association.request` and `privacy.alert`, all where there is none. `near` says where
    /// to look for cards; the person's own broadcasts say so without it.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn watch(&self, kinds: Vec<String>, near: Option<Place>) -> Result<Arc<NewsFeed>, MosaicError> {
        let kind = |name: &String| serde_json::from_value(Value::String(name.clone()));
        let kinds: Result<Vec<News>, _> = kinds.iter().map(kind).collect();
        let kinds = kinds.map_err(|_| MosaicError::Invalid { message: "there is no such kind of news".to_owned() })?;
        let kinds = if kinds.is_empty() { News::ALL.to_vec() } else { kinds };
        let search = near.filter(|_| kinds.contains(&News::ProximityUpdate)).map(|place| ProximityBody {
            location: place.into(),
            radius: None,
            window: None,
            context: None,
            limit: None,
        });
        Ok(Arc::new(NewsFeed(Mutex::new(self.0.watch(&kinds, search).await?))))
    }
}

/// News without end; it opens a new socket whenever a session rotates.
#[derive(uniffi::Object)]
pub struct NewsFeed(Mutex<Watch>);

#[uniffi::export(async_runtime = "tokio")]
impl NewsFeed {
    /// The next news, an `AgentFrame` of `docs/openapi.json` in JSON.
    ///
    /// # Errors
    /// [`MosaicError`].
    pub async fn next(&self) -> Result<String, MosaicError> {
        let frame = self.0.lock().await.next().await?;
        serde_json::to_string(&frame).map_err(|_| MosaicError::Answer)
    }
}
