use mosaic_types::{ClassId, Period, TopicId, Window};

/// What the threshold OPRF is asked about. The encoding is frozen (`docs/spec/rows.md`).
///
/// An input says where and for what somebody looks: it stays on the device and is never printed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OprfInput {
    /// A discovery row and its outer key: one cell, window and class group of one table.
    Row {
        /// Period of the discovery table.
        period: Period,
        /// H3 resolution of `cell`: 6, 7 or 8.
        resolution: u8,
        /// H3 index.
        cell: u64,
        /// Two-hour window of the scheduled send.
        window: Window,
        /// Class groups at this resolution, from the table descriptor.
        groups: u8,
        /// The class group: class modulo `groups`.
        group: u8,
    },
    /// The inner key of a topic.
    Topic {
        /// Period of the discovery table.
        period: Period,
        /// Class the topic belongs to.
        class: ClassId,
        /// The topic.
        topic: TopicId,
    },
}

impl OprfInput {
    /// First bytes of every input.
    pub const PREFIX: &'static [u8; 13] = b"mosaic/oprf/1";
    /// ristretto255-SHA512 in verifiable mode (RFC 9497).
    pub const SUITE: u8 = 0x01;

    /// Period of the table whose key answers.
    pub const fn period(&self) -> Period {
        match self {
            Self::Row { period, .. } | Self::Topic { period, .. } => *period,
        }
    }

    /// The bytes that enter the OPRF.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Self::PREFIX.to_vec();
        match *self {
            Self::Row { period, resolution, cell, window, groups, group } => {
                bytes.extend([0x01, Self::SUITE]);
                bytes.extend(period.0.to_be_bytes());
                bytes.push(resolution);
                bytes.extend(cell.to_be_bytes());
                bytes.extend(window.0.to_be_bytes());
                bytes.extend([groups, group]);
            }
            Self::Topic { period, class, topic } => {
                bytes.extend([0x02, Self::SUITE]);
                bytes.extend(period.0.to_be_bytes());
                bytes.push(class.get());
                bytes.extend(topic.0.to_be_bytes());
            }
        }
        bytes
    }
}

impl std::fmt::Debug for OprfInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Row { .. } => "OprfInput::Row([hidden])",
            Self::Topic { .. } => "OprfInput::Topic([hidden])",
        })
    }
}
