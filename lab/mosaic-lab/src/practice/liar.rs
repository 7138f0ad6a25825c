//! One provider of the evening that lies to agents. It signs with its real key and is honest to the other providers,
//! so that nothing but what agents see and keep can give it away.

use mosaic_crypto::signing::SigningKey;
use mosaic_types::ProviderId;
use mosaic_wire::{CallFailure, CellReply, GenerationBlock, GenerationsReply, HeadsReply, Reply};

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Evaluates with another share than its own.
    WrongShare,
    /// Signs two contents for one of its generations, one for each half of the people.
    TwoHeads,
    /// Leaves a record out of every block it hands out.
    ShortBlocks,
    /// Answers nothing.
    Silence,
}

impl Lie {
    /// All of them, by name.
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("wrong-share", Self::WrongShare),
        ("two-heads", Self::TwoHeads),
        ("short-blocks", Self::ShortBlocks),
        ("silence", Self::Silence),
    ];
}

/// Which provider lies, and how.
pub(crate) struct Liar {
    pub(crate) who: ProviderId,
    pub(crate) lie: Lie,
    key: SigningKey,
}

impl Liar {
    pub(super) const fn new(who: ProviderId, lie: Lie, key: SigningKey) -> Self {
        Self { who, lie, key }
    }

    /// What `user` gets instead of the honest answer.
    pub(super) fn twist(&self, user: u32, answer: Result<Reply, CallFailure>) -> Result<Reply, CallFailure> {
        match (self.lie, answer) {
            (Lie::Silence, _) => Err(CallFailure::Unreachable),
            (Lie::WrongShare, Ok(Reply::Cell(CellReply::Evaluation { mut points, proof }))) => {
                // points of the group, each under the wrong number: what another share gives is no less wrong
                points.rotate_left(1);
                Ok(Reply::Cell(CellReply::Evaluation { points, proof }))
            }
            (Lie::TwoHeads, Ok(Reply::Heads(heads))) if user.is_multiple_of(2) => {
                let heads = heads.heads().iter().map(|head| {
                    let mut other = *head;
                    other.root[0] ^= 1;
                    if head.segment.origin == self.who { other.sign(&self.key) } else { *head }
                });
                Ok(Reply::Heads(HeadsReply::new(heads)))
            }
            (Lie::ShortBlocks, Ok(Reply::Generations(blocks))) => {
                let short = |block: GenerationBlock| {
                    let records = block.records().iter().skip(1).copied().collect();
                    GenerationBlock::new(block.segment(), block.index(), records).unwrap_or(block)
                };
                Ok(Reply::Generations(GenerationsReply::new(blocks.into_blocks().into_iter().map(short))))
            }
            (_, honest) => honest,
        }
    }
}
