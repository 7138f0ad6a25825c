/// HTTP method of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Acts.
    Post,
    /// Sets.
    Put,
    /// Changes a part.
    Patch,
    /// Removes.
    Delete,
}

/// Everything the local API can do: one entry per route and method. The agent's router and the
/// OpenAPI document are both built from this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Publishes a context (L5-12).
    Broadcast,
    /// Lists what is out.
    ListBroadcasts,
    /// Makes a broadcast stricter (L5-10).
    UpdateBroadcast,
    /// Withdraws one broadcast (L5-11).
    Withdraw,
    /// Asks who is near, already blurred coordinates in the URL (L5-13).
    ProximityByUrl,
    /// Asks who is near, coordinates in the body (C-83).
    Proximity,
    /// Waves at cards.
    Wave,
    /// Lists waves that wait for an answer.
    Waves,
    /// Makes or joins an association token (L5-14).
    Associate,
    /// Shows an association by the token in the URL (L5-15).
    AssociationByUrl,
    /// Shows an association by the token in the body.
    AssociationByToken,
    /// Lists associations (L5-27).
    ListAssociations,
    /// Accepts one and sends the contact.
    Accept,
    /// Declines one; the other side is told nothing.
    Decline,
    /// Deletes one (L5-27).
    DeleteAssociation,
    /// Lists the contacts of those who accepted.
    People,
    /// Keeps a contact in the vault.
    KeepPerson,
    /// Forgets a contact.
    ForgetPerson,
    /// Shows mode, providers, ledger and warnings.
    Status,
    /// Shows the events of the last two days and what attackers would conclude from them.
    Receipts,
    /// Shows what was counted over many people.
    Aggregates,
    /// Shows what is held against providers.
    Evidence,
    /// Forgets what is held against one provider, so that it is asked again.
    Forgive,
    /// Books an open door.
    OpenDoor,
    /// Shows the settings.
    ReadSettings,
    /// Changes settings.
    ChangeSettings,
    /// Exports settings and kept people.
    Export,
    /// Imports an export, or only checks it.
    Import,
    /// Says what a broadcast of these words would be, and keeps nothing.
    Preview,
    /// Draws a part of the map.
    MapTile,
    /// Makes a code that lets one browser in.
    SessionCode,
    /// Lets a browser in.
    OpenSession,
    /// Says whether who asks may go on.
    ShowSession,
    /// Ends a browser's session.
    CloseSession,
    /// Opens a socket for news and requests.
    Socket,
    /// This description.
    Describe,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 36] = [
        Self::Broadcast,
        Self::ListBroadcasts,
        Self::UpdateBroadcast,
        Self::Withdraw,
        Self::ProximityByUrl,
        Self::Proximity,
        Self::Wave,
        Self::Waves,
        Self::Associate,
        Self::AssociationByUrl,
        Self::AssociationByToken,
        Self::ListAssociations,
        Self::Accept,
        Self::Decline,
        Self::DeleteAssociation,
        Self::People,
        Self::KeepPerson,
        Self::ForgetPerson,
        Self::Status,
        Self::Receipts,
        Self::Aggregates,
        Self::Evidence,
        Self::Forgive,
        Self::OpenDoor,
        Self::ReadSettings,
        Self::ChangeSettings,
        Self::Export,
        Self::Import,
        Self::Preview,
        Self::MapTile,
        Self::SessionCode,
        Self::OpenSession,
        Self::ShowSession,
        Self::CloseSession,
        Self::Socket,
        Self::Describe,
    ];

    /// Method and path, parameters in braces.
    pub const fn route(self) -> (Method, &'static str) {
        match self {
            Self::Broadcast => (Method::Post, "/v1/broadcast"),
            Self::ListBroadcasts => (Method::Get, "/v1/broadcasts"),
            Self::UpdateBroadcast => (Method::Patch, "/v1/broadcasts/{id}"),
            Self::Withdraw => (Method::Delete, "/v1/broadcasts/{id}"),
            Self::ProximityByUrl => (Method::Get, "/v1/proximity"),
            Self::Proximity => (Method::Post, "/v1/proximity"),
            Self::Wave => (Method::Post, "/v1/wave"),
            Self::Waves => (Method::Get, "/v1/waves"),
            Self::Associate => (Method::Post, "/v1/associate"),
            Self::AssociationByUrl => (Method::Get, "/v1/association/{token}"),
            Self::AssociationByToken => (Method::Post, "/v1/association"),
            Self::ListAssociations => (Method::Get, "/v1/associations"),
            Self::Accept => (Method::Post, "/v1/associations/{id}/accept"),
            Self::Decline => (Method::Post, "/v1/associations/{id}/decline"),
            Self::DeleteAssociation => (Method::Delete, "/v1/associations/{id}"),
            Self::People => (Method::Get, "/v1/people"),
            Self::KeepPerson => (Method::Post, "/v1/people/{id}/keep"),
            Self::ForgetPerson => (Method::Delete, "/v1/people/{id}"),
            Self::Status => (Method::Get, "/v1/status"),
            Self::Receipts => (Method::Get, "/v1/receipts"),
            Self::Aggregates => (Method::Get, "/v1/aggregates"),
            Self::Evidence => (Method::Get, "/v1/evidence"),
            Self::Forgive => (Method::Delete, "/v1/evidence/{id}"),
            Self::OpenDoor => (Method::Post, "/v1/open-door"),
            Self::ReadSettings => (Method::Get, "/v1/config"),
            Self::ChangeSettings => (Method::Put, "/v1/config"),
            Self::Export => (Method::Get, "/v1/export"),
            Self::Import => (Method::Post, "/v1/import"),
            Self::Preview => (Method::Post, "/v1/preview"),
            Self::MapTile => (Method::Post, "/v1/map/tile"),
            Self::SessionCode => (Method::Post, "/v1/session/code"),
            Self::OpenSession => (Method::Post, "/v1/session"),
            Self::ShowSession => (Method::Get, "/v1/session"),
            Self::CloseSession => (Method::Delete, "/v1/session"),
            Self::Socket => (Method::Get, "/v1/socket"),
            Self::Describe => (Method::Get, "/openapi.json"),
        }
    }

    /// The name of the variant, first letter small: `operationId` of the description, `method` of a socket's request.
    pub fn name(self) -> String {
        let name = format!("{self:?}");
        name.chars().enumerate().map(|(at, c)| if at == 0 { c.to_ascii_lowercase() } else { c }).collect()
    }

    /// The operation of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }

    /// The name of the parameter in its path, if there is one.
    pub fn parameter(self) -> Option<&'static str> {
        self.route().1.split('/').find_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Whether the call needs the bearer token or a browser's cookie: all but the description do, and what gives a cookie for a
    /// code.
    pub const fn needs_token(self) -> bool {
        !matches!(self, Self::Describe | Self::OpenSession)
    }

    /// Whether it is an operation of its own over HTTP alone: what speaks in headers, bytes or frames cannot be asked for
    /// through a socket.
    pub const fn is_http_only(self) -> bool {
        matches!(
            self,
            Self::Socket
                | Self::MapTile
                | Self::SessionCode
                | Self::OpenSession
                | Self::ShowSession
                | Self::CloseSession
        )
    }

    /// Whether an `Idempotency-Key` is looked at: where asking twice would do it twice.
    pub const fn takes_key(self) -> bool {
        matches!(
            self,
            Self::Broadcast
                | Self::Wave
                | Self::Associate
                | Self::Accept
                | Self::Decline
                | Self::KeepPerson
                | Self::OpenDoor
                | Self::Import
        )
    }

    /// Whether the answer is a list that can be had in pages.
    pub const fn is_paged(self) -> bool {
        matches!(self, Self::ListBroadcasts | Self::Waves | Self::ListAssociations | Self::People | Self::Receipts)
    }

    /// Status code of success: 101 for the socket, 201 where something was made, 204 where nothing is said, else 200.
    pub const fn success(self) -> u16 {
        match self {
            Self::Socket => 101,
            Self::Broadcast | Self::Associate | Self::Wave | Self::OpenDoor | Self::SessionCode => 201,
            Self::Withdraw
            | Self::Forgive
            | Self::Accept
            | Self::Decline
            | Self::DeleteAssociation
            | Self::KeepPerson
            | Self::ForgetPerson
            | Self::OpenSession
            | Self::CloseSession => 204,
            _ => 200,
        }
    }

    /// One line for the description.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Broadcast => "Publish a context: it leaves with the next scheduled event, mixed with nine decoys",
            Self::ListBroadcasts => "List what is out",
            Self::UpdateBroadcast => "Make a broadcast stricter: more noise, an earlier end; nothing else can change",
            Self::Withdraw => "Withdraw a broadcast",
            Self::ProximityByUrl => "Ask who is near; coordinates of at most two decimals",
            Self::Proximity => "Ask who is near; the body may hold the true position",
            Self::Wave => "Wave at cards; only a person's acceptance shows that somebody is there",
            Self::Waves => "List waves that wait for an answer",
            Self::Associate => "Make an association token, or join with one",
            Self::AssociationByUrl => "Show an association by its token; unknown and expired look alike",
            Self::AssociationByToken => "Show an association, its token kept out of the URL",
            Self::ListAssociations => "List associations",
            Self::Accept => "Accept and send one's contact",
            Self::Decline => "Decline; the other side is told nothing",
            Self::DeleteAssociation => "Delete an association",
            Self::People => "List the contacts of those who accepted",
            Self::KeepPerson => "Keep a contact in the vault; others are forgotten",
            Self::ForgetPerson => "Forget a contact",
            Self::Status => "Show mode, providers, ledger and warnings",
            Self::Receipts => "List the events of the last two days, and what an attacker would state of each",
            Self::Aggregates => "Show what was counted over many people on the last days, with its noise",
            Self::Forgive => "Forget what is held against a provider and ask it again",
            Self::Evidence => "List what this agent holds against providers, with proofs that others can check",
            Self::OpenDoor => "Book an open door: two hours with an event a minute, visible as such",
            Self::ReadSettings => "Show the settings",
            Self::ChangeSettings => "Change the settings that are named",
            Self::Export => "Export settings and kept people, in clear",
            Self::Import => "Import an export, or only check it",
            Self::Preview => "Say what a broadcast of these words would be; nothing is kept or sent",
            Self::MapTile => "Draw a tile of the map from the places installed here; its numbers stay out of the URL",
            Self::SessionCode => "Make a code that lets one browser in, once, within a minute; takes the token alone",
            Self::OpenSession => "Exchange a code for a cookie that lets this browser in for at most twelve hours",
            Self::ShowSession => "Say whether who asks may go on, and until when",
            Self::CloseSession => "End this browser's session; with the token, those of all browsers",
            Self::Socket => "Open a WebSocket for news and requests: ClientFrame and AgentFrame say what goes over it",
            Self::Describe => "This description",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_route_is_listed_twice() {
        let routes: HashSet<_> = Operation::ALL.iter().map(|operation| operation.route()).collect();
        assert_eq!(routes.len(), Operation::ALL.len());
    }
}
