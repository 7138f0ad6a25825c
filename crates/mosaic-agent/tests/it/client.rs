//! Every operation through the typed client, and its socket, against a running agent.

use std::time::Duration;

use mosaic_api::{
    AgentFrame, AnnouncementBody, AnnouncementState, AssociateBody, BroadcastBody, BroadcastList, CardChoice,
    CardSelection, GroupBody, InviteBody, LookupBody, News, Operation, PageParams, Position, PreviewBody,
    ProximityBody, SettingsBody, StatusReply, UpdateBody, WarningKind, WaveBody,
};
use mosaic_client::{CallError, Client, FindError};
use serde_json::Map;

use crate::support::{HandClock, Running, config, dir};

fn wish() -> BroadcastBody {
    BroadcastBody::new(Position { lat: -45.0, lon: 0.0 }, "coffee".to_owned())
}

fn slug<T>(result: Result<T, CallError>) -> String {
    match result {
        Ok(_) => "accepted".to_owned(),
        Err(CallError::Refused(problem)) => problem.slug().to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Found by its folder, while it runs and no longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_is_found_by_its_folder() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let client = Client::of_agent(dir.path()).unwrap();
    assert_eq!(client.status().await.unwrap().broadcasts, 0);
    agent.stop().await;
    assert!(matches!(client.status().await, Err(CallError::Unreachable(_))));
    assert!(matches!(Client::of_agent(dir.path()), Err(FindError::NotRunning { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_has_a_method() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    let client = Client::of_agent(dir.path()).unwrap();
    let made = client.under_key("k-1").unwrap().broadcast(&wish()).await.unwrap();
    assert_eq!(client.under_key("k-1").unwrap().broadcast(&wish()).await.unwrap(), made);
    client.broadcast(&wish()).await.unwrap();
    let page = PageParams { limit: Some(1), cursor: None };
    let first: BroadcastList = client.page(Operation::ListBroadcasts, &page).await.unwrap();
    let page = PageParams { limit: Some(1), cursor: first.next };
    let second: BroadcastList = client.page(Operation::ListBroadcasts, &page).await.unwrap();
    assert_eq!([&first.broadcasts[0].id, &second.broadcasts[0].id], ["b1", "b2"]);
    let stricter = UpdateBody { noise_ratio: Some(0.8), ttl_hours: None };
    assert_eq!(client.update_broadcast(&made.id, &stricter).await.unwrap().noise.requested, 0.8);
    client.withdraw(&made.id).await.unwrap();
    assert_eq!(slug(client.withdraw(&made.id).await), "unknown-broadcast");
    assert_eq!(slug(client.withdraw("../status").await), "that is no id of this agent");
    let near = ProximityBody {
        location: wish().location,
        radius: None,
        window: None,
        context: None,
        limit: None,
        threshold: None,
    };
    assert!(client.proximity(&near).await.unwrap().cards.is_empty());
    let all = WaveBody { cards: CardSelection::Word(CardChoice::All), contact: "me".to_owned() };
    assert_eq!(slug(client.wave(&all).await), "unknown-card");
    assert!(client.waves().await.unwrap().waves.is_empty() && client.people().await.unwrap().people.is_empty());
    let token = AssociateBody { contact: "me".to_owned(), ..AssociateBody::default() };
    let association = client.associate(&token).await.unwrap();
    let view = client.association(&LookupBody { token: association.token.clone().unwrap() }).await.unwrap();
    assert_eq!(client.associations().await.unwrap().associations, std::slice::from_ref(&view));
    client.delete_association(&view.id).await.unwrap();
    assert_eq!(slug(client.decline(&view.id).await), "unknown-association");
    assert_eq!(slug(client.keep_person(&view.id).await), "unknown-association");
    assert_eq!(slug(client.forget_person(&view.id).await), "unknown-association");
    assert!(
        association.svg.unwrap().starts_with("<svg ")
            && association.invitation.unwrap().starts_with("mosaic:meet?token=")
    );
    groups(&client).await;
    assert!(
        client.receipts().await.unwrap().receipts.is_empty()
            && client.evidence().await.unwrap().evidence.is_empty()
            && client.aggregates().await.unwrap().statements.is_empty()
    );
    assert_eq!(slug(client.forgive(2).await), "nothing-held");
    let preview = client.preview(&PreviewBody { context: wish().context, enrichment: None }).await.unwrap();
    assert_eq!(preview.class, made.class);
    assert_eq!(client.session_code().await.unwrap().code.len(), 32);
    client.close_sessions().await.unwrap();
    client.open_door().await.unwrap();
    let longer = SettingsBody { ttl_default: Some(100), ..SettingsBody::default() };
    assert_eq!(client.change_settings(&longer).await.unwrap(), client.settings().await.unwrap());
    let exported = client.export().await.unwrap();
    assert_eq!(client.validate_import(&exported).await.unwrap().changed, 0);
    assert_eq!(slug(client.import(&exported).await), "accepted");
    agent.stop().await;
}

/// L5-25 as a program sees it: a group is made, invited to, joined, spoken in and left.
async fn groups(client: &Client) {
    let named = |name: &str| GroupBody { name: name.to_owned(), invitation: None };
    let made = client.create_group(&named("choir")).await.unwrap();
    assert_eq!((made.spare, made.heard, made.waiting), (63, 0, 0));
    let invited = client.invite_to_group(&made.id, &InviteBody { members: Some(3) }).await.unwrap();
    assert!(invited.invitation.starts_with("mosaic:group?") && invited.svg.starts_with("<svg ") && invited.spare == 60);
    let join = |invitation: &str| GroupBody { name: "again".to_owned(), invitation: Some(invitation.to_owned()) };
    assert_eq!(slug(client.create_group(&join(&invited.invitation)).await), "wrong-state", "this device is in it");
    assert_eq!(slug(client.create_group(&join("mosaic:group?at=1")).await), "invalid-invitation");
    assert_eq!(slug(client.create_group(&named(" ")).await), "invalid-name");
    assert_eq!(slug(client.invite_to_group(&made.id, &InviteBody { members: Some(61) }).await), "wrong-state");
    assert_eq!(slug(client.invite_to_group(&made.id, &InviteBody { members: Some(0) }).await), "invalid-limit");
    let say = |text: &str| AnnouncementBody { text: text.to_owned() };
    client.announce(&made.id, &say("at the fountain")).await.unwrap();
    assert_eq!(slug(client.announce(&made.id, &say("")).await), "invalid-announcement");
    let said = client.announcements(&made.id).await.unwrap().announcements;
    assert_eq!((said[0].text.as_str(), said[0].state), ("at the fountain", AnnouncementState::Waiting));
    assert_eq!(client.groups().await.unwrap().groups[0].waiting, 1);
    client.leave_group(&made.id).await.unwrap();
    assert_eq!(slug(client.announcements(&made.id).await), "unknown-group");
    assert_eq!(slug(client.leave_group(&made.id).await), "unknown-group");
    assert!(client.groups().await.unwrap().groups.is_empty());
}

/// A watch goes on over a rotation: what stands is told again, as to anybody who begins to watch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_outlives_its_sessions() {
    let (dir, clock) = (dir(), HandClock::new());
    let mut config = config(dir.path());
    config.clock = clock.clone();
    let agent = Running::start_with(config).unwrap();
    let client = Client::of_agent(dir.path()).unwrap();
    client.open_door().await.unwrap();
    let mut watch = client.watch(&News::ALL, None).await.unwrap();
    let is_door = |frame: &AgentFrame| matches!(frame, AgentFrame::PrivacyAlert { alert } if alert.kind == WarningKind::OpenDoorVisible);
    while !is_door(&watch.next().await.unwrap()) {}
    clock.advance(Duration::from_hours(1));
    // the agent notices with whatever the program says next
    watch.attend(60).await.unwrap();
    while !is_door(&watch.next().await.unwrap()) {}

    let mut socket = client.socket().await.unwrap();
    let status: StatusReply = socket.request(Operation::Status, Map::new(), &(), None).await.unwrap();
    assert_eq!(status.version, client.status().await.unwrap().version);
    agent.stop().await;
}
