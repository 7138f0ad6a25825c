use std::collections::VecDeque;

use futures_util::{SinkExt as _, StreamExt as _};
use mosaic_api::{
    AgentFrame, AttentionData, ClientFrame, EmitName, News, Operation, Problem, ProximityBody, SocketEnd,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest as _, http::header},
};

use crate::Client;

/// Why a socket gave nothing (more).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SocketError {
    /// The agent refused what was asked, or the socket itself, and says why.
    #[error(transparent)]
    Refused(Problem),
    /// The agent closed it, and says why.
    #[error("{}", .0.reason())]
    Ended(SocketEnd),
    /// It broke. Whether what was asked was done is not known.
    #[error("the connection to the agent broke; is it still running?")]
    Broken(#[source] Box<tungstenite::Error>),
    /// What came is no frame of this version.
    #[error("the agent's frame makes no sense")]
    Frame,
}

/// An open socket: news, and requests.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// News that came while an answer was waited for.
    kept: VecDeque<AgentFrame>,
    asked: u64,
}

impl Client {
    /// Opens a socket.
    ///
    /// # Errors
    /// [`SocketError`].
    pub async fn socket(&self) -> Result<Socket, SocketError> {
        let mut request = format!("ws://{}{}", self.host(), Operation::Socket.route().1).into_client_request()?;
        request.headers_mut().insert(header::AUTHORIZATION, self.bearer().clone());
        // a connection made here goes through no proxy
        let stream = TcpStream::connect(self.host()).await.map_err(tungstenite::Error::Io)?;
        let (stream, _) = client_async(request, MaybeTlsStream::Plain(stream)).await?;
        let mut socket = Socket { stream, kept: VecDeque::new(), asked: 0 };
        match socket.read().await? {
            AgentFrame::Welcome { .. } => Ok(socket),
            _ => Err(SocketError::Frame),
        }
    }

    /// Opens a socket for news of these kinds, and again whenever its session rotates.
    ///
    /// # Errors
    /// [`SocketError`].
    pub async fn watch(&self, news: &[News], search: Option<ProximityBody>) -> Result<Watch, SocketError> {
        let mut socket = self.socket().await?;
        socket.subscribe(news, search.clone()).await?;
        Ok(Watch { client: self.clone(), news: news.to_vec(), search, socket, rotated: false })
    }
}

impl Socket {
    /// Asks for news; what stands already comes first. `search` says where to look for `proximity.update`.
    ///
    /// # Errors
    /// [`SocketError`].
    pub async fn subscribe(&mut self, news: &[News], search: Option<ProximityBody>) -> Result<(), SocketError> {
        let id = self.fresh_id();
        let frame = ClientFrame::Subscribe { id: id.clone(), news: news.to_vec(), proximity: search };
        self.ask(&id, &frame).await.map(drop)
    }

    /// Ends news of these kinds: none comes once this is answered.
    ///
    /// # Errors
    /// [`SocketError`].
    pub async fn unsubscribe(&mut self, news: &[News]) -> Result<(), SocketError> {
        let id = self.fresh_id();
        self.ask(&id, &ClientFrame::Unsubscribe { id: id.clone(), news: news.to_vec() }).await?;
        self.kept.retain(|frame| frame.news().is_none_or(|kind| !news.contains(&kind)));
        Ok(())
    }

    /// Tells the agent that a person looks, for 1 to 900 seconds: it reads at the faster pace.
    ///
    /// # Errors
    /// [`SocketError`].
    pub async fn attend(&mut self, seconds: u32) -> Result<(), SocketError> {
        let data = AttentionData { seconds };
        self.write(&ClientFrame::Emit { id: None, name: EmitName::Attention, data }).await
    }

    /// Calls an operation: `params` are those of its path and query, `()` as body is none.
    ///
    /// # Errors
    /// [`SocketError`]; [`mosaic_api::ProblemKind::TimedOut`] after `timeout_ms`, 10 s by default.
    pub async fn request<T: DeserializeOwned>(
        &mut self,
        operation: Operation,
        params: Map<String, Value>,
        body: &impl Serialize,
        timeout_ms: Option<u32>,
    ) -> Result<T, SocketError> {
        let id = self.fresh_id();
        let body = serde_json::to_value(body).map_err(|_| SocketError::Frame)?;
        let body = Some(body).filter(|body| !body.is_null());
        let method = operation.name();
        let answer = self.ask(&id, &ClientFrame::Request { id: id.clone(), method, params, body, timeout_ms }).await?;
        serde_json::from_value(answer.unwrap_or_default()).map_err(|_| SocketError::Frame)
    }

    /// The next news, or that some was missed.
    ///
    /// # Errors
    /// [`SocketError`]; a refusal of something emitted as well.
    pub async fn next(&mut self) -> Result<AgentFrame, SocketError> {
        if let Some(frame) = self.kept.pop_front() {
            return Ok(frame);
        }
        loop {
            match self.read().await? {
                AgentFrame::Problem { problem, .. } => return Err(SocketError::Refused(problem)),
                frame if frame.news().is_some() => return Ok(frame),
                _ => {}
            }
        }
    }

    fn fresh_id(&mut self) -> String {
        self.asked += 1;
        self.asked.to_string()
    }

    /// Sends a question and waits for its answer; news that comes before is kept.
    async fn ask(&mut self, id: &str, frame: &ClientFrame) -> Result<Option<Value>, SocketError> {
        self.write(frame).await?;
        loop {
            match self.read().await? {
                AgentFrame::Reply { id: of, body, .. } if of == id => return Ok(body),
                AgentFrame::Problem { id: of, problem } if of.as_deref() == Some(id) => {
                    return Err(SocketError::Refused(problem));
                }
                frame if frame.news().is_some() => self.kept.push_back(frame),
                _ => {}
            }
        }
    }

    async fn write(&mut self, frame: &ClientFrame) -> Result<(), SocketError> {
        let text = serde_json::to_string(frame).map_err(|_| SocketError::Frame)?;
        Ok(self.stream.send(Message::text(text)).await?)
    }

    async fn read(&mut self) -> Result<AgentFrame, SocketError> {
        loop {
            let broken = tungstenite::Error::ConnectionClosed;
            match self.stream.next().await.unwrap_or(Err(broken))? {
                Message::Text(text) => return serde_json::from_str(&text).map_err(|_| SocketError::Frame),
                Message::Close(frame) => {
                    let end = frame.and_then(|frame| SocketEnd::of_code(frame.code.into()));
                    return Err(end.map_or_else(|| tungstenite::Error::ConnectionClosed.into(), SocketError::Ended));
                }
                _ => {}
            }
        }
    }
}

/// News without end: a socket that is opened again whenever its session rotates. What stood then is told once more, as to
/// anybody who begins to watch.
pub struct Watch {
    client: Client,
    news: Vec<News>,
    search: Option<ProximityBody>,
    socket: Socket,
    /// Whether another one is to be opened; outlives a wait that was given up.
    rotated: bool,
}

impl Watch {
    /// The next news, or that some was missed.
    ///
    /// # Errors
    /// [`SocketError`], but no rotation.
    pub async fn next(&mut self) -> Result<AgentFrame, SocketError> {
        loop {
            if self.rotated {
                let mut socket = self.client.socket().await?;
                socket.subscribe(&self.news, self.search.clone()).await?;
                self.socket = socket;
                self.rotated = false;
            }
            match self.socket.next().await {
                Err(SocketError::Ended(SocketEnd::Rotated)) => self.rotated = true,
                other => return other,
            }
        }
    }

    /// Tells the agent that a person looks, as [`Socket::attend`] does. That a session just ended is for [`Self::next`] to find.
    ///
    /// # Errors
    /// [`SocketError`].
    pub async fn attend(&mut self, seconds: u32) -> Result<(), SocketError> {
        match self.socket.attend(seconds).await {
            Err(SocketError::Broken(_)) => Ok(()),
            other => other,
        }
    }
}

impl From<tungstenite::Error> for SocketError {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            // the refusal of the upgrade: a problem like any other
            tungstenite::Error::Http(response) => {
                let problem = response.body().as_deref().and_then(|body| serde_json::from_slice(body).ok());
                problem.map_or_else(|| Self::Broken(Box::new(tungstenite::Error::Http(response))), Self::Refused)
            }
            other => Self::Broken(Box::new(other)),
        }
    }
}
