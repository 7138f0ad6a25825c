use axum::{
    body::to_bytes,
    extract::{Query, Request},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use mosaic_api::{
    AcceptBody, AnnouncementBody, AssociateBody, AssociateRequest, BroadcastBody, ExportDocument, GroupBody,
    InviteBody, Listed as _, LookupBody, Means, Operation, PageParams, PageRequest, PreviewBody, Problem, ProblemKind,
    ProximityBody, ProximityParams, SettingsBody, UpdateBody, WaveBody, parse_body,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Beginning, ImportMode,
    commands::preview,
    driver::{
        Durability::{Disk, Memory},
        Engine,
    },
};

/// The largest body of a request.
pub(super) const fn largest_body(operation: Operation) -> usize {
    match operation {
        Operation::Import => IMPORT,
        _ => BODY,
    }
}

/// The largest body of an ordinary request: 200 card ids, a context and a contact fit many times.
const BODY: usize = 64 * 1_024;
/// The largest import.
const IMPORT: usize = 4 * 1_024 * 1_024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportParams {
    #[serde(default)]
    validate: bool,
}

/// Answers one operation; `parameter` is the path's, if it has one.
pub(super) async fn answer(
    engine: &Engine,
    operation: Operation,
    parameter: &str,
    request: Request,
) -> Result<Response, Problem> {
    let id = parameter.to_owned();
    let reply = Reply(operation);
    match operation {
        Operation::Broadcast | Operation::ListBroadcasts | Operation::UpdateBroadcast | Operation::Withdraw => {
            broadcast(engine, reply, id, request).await
        }
        Operation::ProximityByUrl | Operation::Proximity => proximity(engine, reply, request).await,
        Operation::Wave | Operation::Waves => wave(engine, reply, request).await,
        Operation::Associate
        | Operation::AssociationByUrl
        | Operation::AssociationByToken
        | Operation::ListAssociations
        | Operation::Accept
        | Operation::Decline
        | Operation::DeleteAssociation => associate(engine, reply, id, request).await,
        Operation::CreateGroup
        | Operation::ListGroups
        | Operation::InviteToGroup
        | Operation::Announce
        | Operation::Announcements
        | Operation::LeaveGroup => group(engine, reply, id, request).await,
        Operation::People | Operation::KeepPerson | Operation::ForgetPerson | Operation::PersonVcard => {
            people(engine, reply, id, request).await
        }
        Operation::Status => reply.json(engine.ask(Memory, |core, now, _| core.status(now)).await?),
        Operation::Receipts => {
            let page = page(&request)?;
            reply.json(engine.ask(Memory, |core, now, _| core.receipts(now)).await?.page(&page))
        }
        Operation::Aggregates => reply.json(engine.ask(Memory, |core, _, _| core.aggregates()).await?),
        Operation::Evidence | Operation::Forgive => evidence(engine, reply, id, request).await,
        Operation::OpenDoor => reply.json(engine.ask(Memory, |core, now, _| core.open_door(now)).await?),
        Operation::ReadSettings => reply.json(engine.ask(Memory, |core, _, _| core.settings()).await?),
        Operation::ChangeSettings => {
            let change = body::<SettingsBody>(request, BODY).await?.check()?;
            reply.json(engine.ask(Disk, move |core, now, _| core.change_settings(now, &change)).await?)
        }
        Operation::Export => reply.json(engine.ask(Memory, |core, now, _| core.export(now)).await?),
        Operation::Import => import(engine, reply, request).await,
        Operation::Preview => reply.json(preview(&body::<PreviewBody>(request, BODY).await?.check()?)),
        Operation::Socket => Err(ProblemKind::UpgradeRequired.into()),
        // they have handlers of their own, and no other way leads to them
        Operation::MapTile
        | Operation::SessionCode
        | Operation::OpenSession
        | Operation::ShowSession
        | Operation::CloseSession => {
            Err(Problem::new(ProblemKind::WrongState).with_detail("this is asked for over HTTP, by itself"))
        }
        Operation::Describe => reply.json(mosaic_api::openapi()),
    }
}

async fn broadcast(engine: &Engine, reply: Reply, id: String, request: Request) -> Result<Response, Problem> {
    match reply.0 {
        Operation::Broadcast => {
            let asked = body::<BroadcastBody>(request, BODY).await?.check()?;
            reply.json(engine.ask(Disk, |core, now, rng| core.broadcast(now, rng, asked)).await??)
        }
        Operation::UpdateBroadcast => {
            let asked = body::<UpdateBody>(request, BODY).await?.check()?;
            reply.json(engine.ask(Disk, move |core, now, _| core.update_broadcast(now, &id, asked)).await??)
        }
        Operation::Withdraw => {
            engine.ask(Disk, move |core, now, _| core.withdraw(now, &id)).await??;
            reply.nothing()
        }
        _ => {
            let page = page(&request)?;
            reply.json(engine.ask(Memory, |core, now, _| core.broadcasts(now)).await?.page(&page))
        }
    }
}

async fn proximity(engine: &Engine, reply: Reply, request: Request) -> Result<Response, Problem> {
    let asked = match reply.0 {
        Operation::ProximityByUrl => query::<ProximityParams>(&request)?.check()?,
        _ => body::<ProximityBody>(request, BODY).await?.check()?,
    };
    reply.json(engine.ask(Memory, move |core, now, _| core.proximity(now, &asked)).await??)
}

async fn wave(engine: &Engine, reply: Reply, request: Request) -> Result<Response, Problem> {
    if reply.0 == Operation::Waves {
        let page = page(&request)?;
        return reply.json(engine.ask(Memory, |core, _, _| core.waves()).await?.page(&page));
    }
    let asked = body::<WaveBody>(request, BODY).await?.check()?;
    reply.json(engine.ask(Memory, |core, now, rng| core.wave(now, rng, asked)).await??)
}

async fn associate(engine: &Engine, reply: Reply, id: String, request: Request) -> Result<Response, Problem> {
    match reply.0 {
        Operation::Associate => {
            let AssociateRequest { means, contact } = body::<AssociateBody>(request, BODY).await?.check()?;
            let beginning = match means {
                Means::NewToken => Beginning::NewToken,
                Means::Token(token) => Beginning::Token(token),
                Means::NewCode => Beginning::NewCode,
                // on the disk before anything of it can leave
                Means::Code(code) => {
                    Beginning::Code(engine.ask(Disk, move |core, now, _| core.count_try(now, code)).await??)
                }
            };
            reply.json(engine.ask(Memory, |core, now, rng| core.associate(now, rng, beginning, contact)).await??)
        }
        Operation::AssociationByUrl => {
            let token = LookupBody { token: id }.check()?;
            reply.json(engine.ask(Memory, move |core, _, _| core.association(&token)).await??)
        }
        Operation::AssociationByToken => {
            let token = body::<LookupBody>(request, BODY).await?.check()?;
            reply.json(engine.ask(Memory, move |core, _, _| core.association(&token)).await??)
        }
        Operation::Accept => {
            let contact = body::<AcceptBody>(request, BODY).await?.check()?;
            engine.ask(Memory, move |core, now, rng| core.accept(now, rng, &id, contact)).await??;
            reply.nothing()
        }
        Operation::Decline => {
            engine.ask(Memory, move |core, now, _| core.decline(now, &id)).await??;
            reply.nothing()
        }
        Operation::DeleteAssociation => {
            engine.ask(Memory, move |core, now, _| core.delete(now, &id)).await??;
            reply.nothing()
        }
        _ => {
            let page = page(&request)?;
            reply.json(engine.ask(Memory, |core, _, _| core.associations()).await?.page(&page))
        }
    }
}

async fn people(engine: &Engine, reply: Reply, id: String, request: Request) -> Result<Response, Problem> {
    match reply.0 {
        Operation::KeepPerson => {
            engine.ask(Disk, move |core, _, _| core.keep_person(&id)).await??;
            reply.nothing()
        }
        Operation::ForgetPerson => {
            engine.ask(Disk, move |core, _, _| core.forget_person(&id)).await??;
            reply.nothing()
        }
        Operation::PersonVcard => reply.json(engine.ask(Memory, move |core, _, _| core.vcard(&id)).await??),
        _ => {
            let page = page(&request)?;
            reply.json(engine.ask(Memory, |core, _, _| core.people()).await?.page(&page))
        }
    }
}

/// What changes a group is on the disk before anything of it can leave: member slots are given away once, and what is
/// announced outlives a restart.
async fn group(engine: &Engine, reply: Reply, id: String, request: Request) -> Result<Response, Problem> {
    match reply.0 {
        Operation::CreateGroup => {
            let asked = body::<GroupBody>(request, BODY).await?.check()?;
            reply.json(engine.ask(Disk, move |core, now, rng| core.create_group(now, rng, asked)).await??)
        }
        Operation::InviteToGroup => {
            let members = body::<InviteBody>(request, BODY).await?.check()?;
            reply.json(engine.ask(Disk, move |core, now, _| core.invite_to_group(now, &id, members)).await??)
        }
        Operation::Announce => {
            let text = body::<AnnouncementBody>(request, BODY).await?.check()?;
            reply.json(engine.ask(Disk, move |core, now, rng| core.announce(now, rng, &id, text)).await??)
        }
        Operation::LeaveGroup => {
            engine.ask(Disk, move |core, now, _| core.leave_group(now, &id)).await??;
            reply.nothing()
        }
        Operation::Announcements => {
            let page = page(&request)?;
            reply.json(engine.ask(Memory, move |core, now, _| core.announcements(now, &id)).await??.page(&page))
        }
        _ => {
            let page = page(&request)?;
            reply.json(engine.ask(Memory, |core, _, _| core.groups()).await?.page(&page))
        }
    }
}

async fn evidence(engine: &Engine, reply: Reply, id: String, request: Request) -> Result<Response, Problem> {
    if reply.0 == Operation::Forgive {
        engine.ask(Disk, move |core, _, _| core.forgive(&id)).await??;
        return reply.nothing();
    }
    let page = page(&request)?;
    reply.json(engine.ask(Memory, |core, _, _| core.evidence()).await?.page(&page))
}

async fn import(engine: &Engine, reply: Reply, request: Request) -> Result<Response, Problem> {
    let ImportParams { validate } = query(&request)?;
    let mode = if validate { ImportMode::Validate } else { ImportMode::Apply };
    let document = body::<ExportDocument>(request, IMPORT).await?;
    reply.json(engine.ask(Disk, move |core, now, _| core.import(now, document, mode)).await??)
}

fn page(request: &Request) -> Result<PageRequest, Problem> {
    query::<PageParams>(request)?.check()
}

fn query<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    // the library's own message would repeat what was sent
    Query::try_from_uri(request.uri()).map(|Query(query)| query).map_err(|_| ProblemKind::MalformedQuery.into())
}

pub(super) async fn body<T: DeserializeOwned>(request: Request, limit: usize) -> Result<T, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(ProblemKind::UnsupportedMediaType.into());
    }
    let bytes = to_bytes(request.into_body(), limit).await.map_err(|_| ProblemKind::BodyTooLarge)?;
    parse_body(&bytes)
}

/// Makes the response of one operation.
#[derive(Clone, Copy)]
struct Reply(Operation);

impl Reply {
    fn status(self) -> StatusCode {
        StatusCode::from_u16(self.0.success()).unwrap_or(StatusCode::OK)
    }

    fn json(self, answer: impl Serialize) -> Result<Response, Problem> {
        Ok((self.status(), axum::Json(answer)).into_response())
    }

    fn nothing(self) -> Result<Response, Problem> {
        Ok(self.status().into_response())
    }
}
