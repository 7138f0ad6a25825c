//! What this agent holds against providers.

use mosaic_api::{EvidenceName, EvidenceReply, EvidenceView, ProblemKind};
use mosaic_types::ProviderId;

use crate::{Evidence, EvidenceKind, core::AgentCore};

impl AgentCore {
    /// All of it, oldest first, with proofs that others can check.
    pub fn evidence(&self) -> EvidenceReply {
        EvidenceReply { evidence: self.alerts.evidence.iter().map(view).collect() }
    }

    /// Forgets what is held against one provider: it is asked and given things like the others again. What it does from
    /// then on counts as before.
    ///
    /// # Errors
    /// [`ProblemKind::InvalidId`] for what is no provider's number, [`ProblemKind::NothingHeld`] where there is nothing.
    pub fn forgive(&mut self, provider: &str) -> Result<(), ProblemKind> {
        let number = provider.parse().ok().and_then(|number| ProviderId::new(number).ok());
        let provider = number.ok_or(ProblemKind::InvalidId)?;
        if !self.alerts.forget(provider) {
            return Err(ProblemKind::NothingHeld);
        }
        self.paths.forgive(provider);
        self.dirty = true;
        Ok(())
    }
}

fn view(evidence: &Evidence) -> EvidenceView {
    EvidenceView {
        kind: match evidence.kind {
            EvidenceKind::TwoHeads => EvidenceName::TwoHeads,
            EvidenceKind::DroppedRecord => EvidenceName::DroppedRecord,
            EvidenceKind::TwoTables => EvidenceName::TwoTables,
            EvidenceKind::WrongShare => EvidenceName::WrongShare,
            EvidenceKind::WrongBlock => EvidenceName::WrongBlock,
        },
        provider: evidence.provider.map(mosaic_types::ProviderId::get),
        text: evidence.text(),
        proof: evidence.proof().map(|proof| hex::encode(proof.encode())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mosaic_geo::synthetic_city;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::{
        AgentConfig, AgentState, BlindReads, TruthLog,
        fixtures::{PERIOD, federation, id},
    };

    /// A provider that broke its word is missing until it is forgiven, also after a restart in between; what names another
    /// stays, and what it does afterwards counts again.
    #[test]
    fn who_is_forgiven_is_asked_again_and_nobody_else_is() {
        let config = || AgentConfig {
            federation: federation(),
            places: Arc::new(synthetic_city(1)),
            truth: TruthLog::Forget,
            pool: Arc::default(),
            blind_reads: BlindReads::BySize,
        };
        let now = PERIOD.start();
        let up = |core: &AgentCore| core.status(now).providers.iter().map(|provider| provider.up).collect::<Vec<_>>();
        let mut core = AgentCore::new(config(), AgentState::fresh(&mut ChaCha20Rng::seed_from_u64(5)), now);
        for provider in [2, 3] {
            core.accuse(Evidence::wrong_share(id(provider)));
            core.accuse(Evidence::wrong_block(id(provider)));
        }
        let mut core = AgentCore::new(config(), core.snapshot(), now);
        assert_eq!((up(&core), core.evidence().evidence.len()), (vec![true, false, false], 4));
        assert_eq!(core.forgive("3"), Ok(()));
        assert!(core.is_dirty(), "it is written down");
        assert_eq!((up(&core), core.evidence().evidence.len()), (vec![true, false, true], 2));
        assert_eq!(core.forgive("3"), Err(ProblemKind::NothingHeld));
        assert_eq!(["0", "256", "two", ""].map(|word| core.forgive(word)), [Err(ProblemKind::InvalidId); 4]);
        core.accuse(Evidence::wrong_share(id(3)));
        let core = AgentCore::new(config(), core.snapshot(), now);
        assert_eq!((up(&core), core.evidence().evidence.len()), (vec![true, false, false], 3));
    }
}
