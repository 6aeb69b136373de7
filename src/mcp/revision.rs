//! The protocol's revisions: what each is called, and what it knows.

/// A revision of MCP, from the oldest to the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revision {
    /// Answered when a client asks for it over this transport; its own transport is not served.
    V2024_11_05,
    /// The first with this transport, and the only one with batches.
    V2025_03_26,
    /// Structured results, titles, the protocol header.
    V2025_06_18,
    /// The last that begins with `initialize`.
    V2025_11_25,
    /// Stateless: every request says what it is.
    V2026_07_28,
}

/// The two protocols that one endpoint speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// Begins with `initialize`.
    Legacy,
    /// Carries an envelope in every request.
    Modern,
}

impl Revision {
    /// Every revision that is answered.
    pub const ALL: [Self; 5] =
        [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];

    /// What discovery and version errors name, the newest first.
    pub const OFFERED: [&'static str; 4] = [
        Self::V2026_07_28.as_str(),
        Self::V2025_11_25.as_str(),
        Self::V2025_06_18.as_str(),
        Self::V2025_03_26.as_str(),
    ];

    /// What a request that names no revision is read as (2025-06-18, "Protocol Version Header").
    pub const UNNAMED: Self = Self::V2025_03_26;

    /// The newest of the modern era.
    pub const NEWEST: Self = Self::V2026_07_28;

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The revision of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == name)
    }

    /// What `initialize` settles on: what was asked for, or else the newest that has a handshake.
    pub fn negotiated(asked: Option<&str>) -> Self {
        asked
            .and_then(Self::parse)
            .filter(|revision| revision.era() == Era::Legacy)
            .unwrap_or(Self::V2025_11_25)
    }

    /// Which protocol it belongs to.
    pub const fn era(self) -> Era {
        match self {
            Self::V2026_07_28 => Era::Modern,
            Self::V2024_11_05 | Self::V2025_03_26 | Self::V2025_06_18 | Self::V2025_11_25 => Era::Legacy,
        }
    }

    /// Whether a body may be an array of messages.
    pub fn takes_batches(self) -> bool {
        self == Self::V2025_03_26
    }

    /// Whether tools have annotations.
    pub fn knows_annotations(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// Whether there are titles, output schemas and structured results.
    pub fn knows_structure(self) -> bool {
        self >= Self::V2025_06_18
    }
}

/// Whether `name` is a date on or after the first modern revision, known or not.
pub(super) fn is_modern_date(name: &str) -> bool {
    let shaped = name.len() == 10
        && name.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shaped && name >= Revision::V2026_07_28.as_str()
}
