//! What this agent holds against providers.

use mosaic_api::{EvidenceName, EvidenceReply, EvidenceView, ProblemKind};
use mosaic_types::ProviderId;

use crate::{Evidence, EvidenceKind, core::AgentCore};

impl AgentCore {
    /// All of it, oldest first, with proofs that others can check.
    pub fn evidence(&self) -> EvidenceReply {
        EvidenceReply { evidence: self.alerts.numbered().map(view).collect(), next: None }
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

fn view((number, evidence): (u32, &Evidence)) -> EvidenceView {
    EvidenceView {
        number,
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
    use mosaic_api::{Listed as _, PageParams};
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::{
        AgentState,
        fixtures::{PERIOD, agent, id},
    };

    /// Pages of two, while provider 3 is forgiven between them: nothing that stays is passed over or told twice.
    #[test]
    fn pages_stand_while_somebody_is_forgiven() {
        let mut core = agent(AgentState::fresh(&mut ChaCha20Rng::seed_from_u64(6)));
        for provider in [3, 2, 1] {
            core.accuse(Evidence::wrong_share(id(provider)));
            core.accuse(Evidence::wrong_block(id(provider)));
        }
        let page = |core: &AgentCore, cursor| {
            let page = core.evidence().page(&PageParams { limit: Some(2), cursor }.check().unwrap());
            (page.evidence.iter().map(|piece| piece.number).collect::<Vec<_>>(), page.next)
        };
        let (first, next) = page(&core, None);
        assert_eq!((first, core.forgive("3")), (vec![1, 2], Ok(())));
        let (second, next) = page(&core, next);
        let (third, last) = page(&core, next);
        assert_eq!((second, third, last), (vec![3, 4], vec![5, 6], None));
        core.accuse(Evidence::wrong_share(id(3)));
        assert_eq!(core.evidence().evidence.last().map(|piece| piece.number), Some(7), "no number is given twice");
    }

    /// A provider that broke its word is missing until it is forgiven, also after a restart in between; what names another
    /// stays, and what it does afterwards counts again.
    #[test]
    fn who_is_forgiven_is_asked_again_and_nobody_else_is() {
        let now = PERIOD.start();
        let up = |core: &AgentCore| core.status(now).providers.iter().map(|provider| provider.up).collect::<Vec<_>>();
        let mut first = agent(AgentState::fresh(&mut ChaCha20Rng::seed_from_u64(5)));
        for provider in [2, 3] {
            first.accuse(Evidence::wrong_share(id(provider)));
            first.accuse(Evidence::wrong_block(id(provider)));
        }
        let mut again = agent(first.snapshot());
        assert_eq!((up(&again), again.evidence().evidence.len()), (vec![true, false, false], 4));
        assert_eq!(again.forgive("3"), Ok(()));
        assert!(again.is_dirty(), "it is written down");
        assert_eq!((up(&again), again.evidence().evidence.len()), (vec![true, false, true], 2));
        assert_eq!(again.forgive("3"), Err(ProblemKind::NothingHeld));
        assert_eq!(["0", "256", "two", ""].map(|word| again.forgive(word)), [Err(ProblemKind::InvalidId); 4]);
        again.accuse(Evidence::wrong_share(id(3)));
        let again = agent(again.snapshot());
        assert_eq!((up(&again), again.evidence().evidence.len()), (vec![true, false, false], 3));
    }
}
