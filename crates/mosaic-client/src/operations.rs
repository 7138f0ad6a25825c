//! One method for each operation.

use mosaic_api::{
    AcceptBody, AggregatesReply, AnnounceReply, AnnouncementBody, AnnouncementList, AssociateBody, AssociateReply,
    AssociationList, AssociationView, BroadcastBody, BroadcastList, BroadcastReply, BroadcastView, EvidenceReply,
    ExportDocument, GroupBody, GroupList, GroupView, ImportReply, InvitationReply, InviteBody, LookupBody,
    OpenDoorReply, Operation, PeopleReply, PreviewBody, PreviewReply, ProximityBody, ProximityReply, ReceiptsReply,
    SessionCodeReply, SettingsBody, SettingsView, StatusReply, UpdateBody, VcardReply, WaveBody, WaveReply, WavesReply,
};

use crate::{CallError, Client};

const NO_BODY: Option<&()> = None;

impl Client {
    /// Publishes a context.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn broadcast(&self, body: &BroadcastBody) -> Result<BroadcastReply, CallError> {
        self.call(Operation::Broadcast, "", Some(body)).await
    }

    /// Says what a broadcast of these words would be; nothing is kept or sent.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn preview(&self, body: &PreviewBody) -> Result<PreviewReply, CallError> {
        self.call(Operation::Preview, "", Some(body)).await
    }

    /// Makes a code that lets one browser in.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn session_code(&self) -> Result<SessionCodeReply, CallError> {
        self.call(Operation::SessionCode, "", NO_BODY).await
    }

    /// Ends the sessions of all browsers.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn close_sessions(&self) -> Result<(), CallError> {
        self.act(Operation::CloseSession, "", NO_BODY).await
    }

    /// Lists what is out.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn broadcasts(&self) -> Result<BroadcastList, CallError> {
        self.call(Operation::ListBroadcasts, "", NO_BODY).await
    }

    /// Makes a broadcast stricter.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn update_broadcast(&self, id: &str, body: &UpdateBody) -> Result<BroadcastView, CallError> {
        self.call(Operation::UpdateBroadcast, id, Some(body)).await
    }

    /// Withdraws a broadcast.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn withdraw(&self, id: &str) -> Result<(), CallError> {
        self.act(Operation::Withdraw, id, NO_BODY).await
    }

    /// Asks who is near.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn proximity(&self, body: &ProximityBody) -> Result<ProximityReply, CallError> {
        self.call(Operation::Proximity, "", Some(body)).await
    }

    /// Waves at cards.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn wave(&self, body: &WaveBody) -> Result<WaveReply, CallError> {
        self.call(Operation::Wave, "", Some(body)).await
    }

    /// Lists waves that wait for an answer.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn waves(&self) -> Result<WavesReply, CallError> {
        self.call(Operation::Waves, "", NO_BODY).await
    }

    /// Makes or joins an association token.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn associate(&self, body: &AssociateBody) -> Result<AssociateReply, CallError> {
        self.call(Operation::Associate, "", Some(body)).await
    }

    /// Shows an association.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn association(&self, body: &LookupBody) -> Result<AssociationView, CallError> {
        self.call(Operation::AssociationByToken, "", Some(body)).await
    }

    /// Lists associations.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn associations(&self) -> Result<AssociationList, CallError> {
        self.call(Operation::ListAssociations, "", NO_BODY).await
    }

    /// Accepts one and sends the contact.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn accept(&self, id: &str, body: &AcceptBody) -> Result<(), CallError> {
        self.act(Operation::Accept, id, Some(body)).await
    }

    /// Declines one; the other side is told nothing.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn decline(&self, id: &str) -> Result<(), CallError> {
        self.act(Operation::Decline, id, NO_BODY).await
    }

    /// Deletes one.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn delete_association(&self, id: &str) -> Result<(), CallError> {
        self.act(Operation::DeleteAssociation, id, NO_BODY).await
    }

    /// Lists the contacts of those who accepted.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn people(&self) -> Result<PeopleReply, CallError> {
        self.call(Operation::People, "", NO_BODY).await
    }

    /// Keeps a contact in the vault.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn keep_person(&self, id: &str) -> Result<(), CallError> {
        self.act(Operation::KeepPerson, id, NO_BODY).await
    }

    /// Forgets a contact.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn forget_person(&self, id: &str) -> Result<(), CallError> {
        self.act(Operation::ForgetPerson, id, NO_BODY).await
    }

    /// Makes a group, or joins one by an invitation.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn create_group(&self, body: &GroupBody) -> Result<GroupView, CallError> {
        self.call(Operation::CreateGroup, "", Some(body)).await
    }

    /// Lists groups.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn groups(&self) -> Result<GroupList, CallError> {
        self.call(Operation::ListGroups, "", NO_BODY).await
    }

    /// Makes an invitation for one person.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn invite_to_group(&self, id: &str, body: &InviteBody) -> Result<InvitationReply, CallError> {
        self.call(Operation::InviteToGroup, id, Some(body)).await
    }

    /// Announces something to all members.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn announce(&self, id: &str, body: &AnnouncementBody) -> Result<AnnounceReply, CallError> {
        self.call(Operation::Announce, id, Some(body)).await
    }

    /// Lists what was announced.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn announcements(&self, id: &str) -> Result<AnnouncementList, CallError> {
        self.call(Operation::Announcements, id, NO_BODY).await
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn leave_group(&self, id: &str) -> Result<(), CallError> {
        self.act(Operation::LeaveGroup, id, NO_BODY).await
    }

    /// A kept contact as a vCard.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn person_vcard(&self, id: &str) -> Result<VcardReply, CallError> {
        self.call(Operation::PersonVcard, id, NO_BODY).await
    }

    /// Shows mode, providers, ledger and warnings.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn status(&self) -> Result<StatusReply, CallError> {
        self.call(Operation::Status, "", NO_BODY).await
    }

    /// Lists the events of the last two days.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn receipts(&self) -> Result<ReceiptsReply, CallError> {
        self.call(Operation::Receipts, "", NO_BODY).await
    }

    /// Lists what two providers counted over many people.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn aggregates(&self) -> Result<AggregatesReply, CallError> {
        self.call(Operation::Aggregates, "", NO_BODY).await
    }

    /// Lists what is held against providers.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn evidence(&self) -> Result<EvidenceReply, CallError> {
        self.call(Operation::Evidence, "", NO_BODY).await
    }

    /// Forgets what is held against one provider.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn forgive(&self, provider: u8) -> Result<(), CallError> {
        self.act(Operation::Forgive, &provider.to_string(), NO_BODY).await
    }

    /// Books an open door.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn open_door(&self) -> Result<OpenDoorReply, CallError> {
        self.call(Operation::OpenDoor, "", NO_BODY).await
    }

    /// Shows the settings.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn settings(&self) -> Result<SettingsView, CallError> {
        self.call(Operation::ReadSettings, "", NO_BODY).await
    }

    /// Changes the settings that are named.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn change_settings(&self, body: &SettingsBody) -> Result<SettingsView, CallError> {
        self.call(Operation::ChangeSettings, "", Some(body)).await
    }

    /// Exports settings and kept people, in clear.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn export(&self) -> Result<ExportDocument, CallError> {
        self.call(Operation::Export, "", NO_BODY).await
    }

    /// Imports an export.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn import(&self, body: &ExportDocument) -> Result<ImportReply, CallError> {
        self.call(Operation::Import, "", Some(body)).await
    }

    /// Checks an export and changes nothing.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn validate_import(&self, body: &ExportDocument) -> Result<ImportReply, CallError> {
        self.call(Operation::Import, "validate=true", Some(body)).await
    }
}
