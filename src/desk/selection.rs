//! Which tools a client is shown: by toolset, and whether those that write. A selection only narrows what a grant allows.

use std::str::FromStr;

use super::{Code, Problem};
use crate::platform::{FromValue, Value};

/// Tools that go together. The position in [`Toolset::ALL`] is its bit in the databases and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toolset {
    /// The organisation and its workspaces.
    Account,
    /// Social profiles and networks.
    Profiles,
    /// Writing, planning and reading posts.
    Posts,
    /// What becomes of posts on the networks.
    Delivery,
}

impl Toolset {
    /// Every toolset, in the order of their bits.
    pub const ALL: [Self; 4] = [Self::Account, Self::Profiles, Self::Posts, Self::Delivery];

    /// The name in headers, addresses and forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Profiles => "profiles",
            Self::Posts => "posts",
            Self::Delivery => "delivery",
        }
    }

    /// What is in it, in plain words for the consent page.
    pub const fn plain_words(self) -> &'static str {
        match self {
            Self::Account => "The organisation and its workspaces",
            Self::Profiles => "Social profiles and what networks take",
            Self::Posts => "Writing, planning and reading posts",
            Self::Delivery => "Sending again and taking down",
        }
    }

    const fn bit(self) -> i64 {
        2 << (self as u32)
    }
}

impl FromStr for Toolset {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|set| set.as_str().eq_ignore_ascii_case(text)).ok_or(())
    }
}

/// Some of the tools: of some toolsets or of all, those that write among them or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection(i64);

impl Selection {
    /// Every tool, also of toolsets that there are not yet.
    pub const EVERYTHING: Self = Self((1 << 31) - 1);
    /// No tool. As what a call needs: whatever is never narrowed.
    pub const NOTHING: Self = Self(0);
    /// What a tool that writes needs besides its toolset.
    pub const WRITING: Self = Self(1);

    /// What a tool of this toolset needs.
    pub const fn of(set: Toolset) -> Self {
        Self(set.bit())
    }

    /// The tools of these toolsets, those that write among them; every tool when none is named, or all are.
    pub fn of_sets(sets: impl IntoIterator<Item = Toolset>) -> Self {
        let chosen = sets.into_iter().map(Self::of).fold(Self::NOTHING, Self::union);
        let all = Toolset::ALL.into_iter().map(Self::of).fold(Self::NOTHING, Self::union);
        if chosen == Self::NOTHING || chosen == all { Self::EVERYTHING } else { chosen.union(Self::WRITING) }
    }

    /// The same without the tools that write, if `only` says so.
    #[must_use]
    pub const fn reading(self, only: bool) -> Self {
        if only { Self(self.0 & !Self::WRITING.0) } else { self }
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all that a call needs is in it.
    pub const fn contains(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// Whether tools that write are left out.
    pub const fn is_read_only(self) -> bool {
        !self.contains(Self::WRITING)
    }

    /// The toolsets that it is narrowed to; nothing when all are in it.
    pub fn toolsets(self) -> Option<Vec<Toolset>> {
        let is_whole = self.contains(Self::EVERYTHING.reading(true));
        (!is_whole).then(|| Toolset::ALL.into_iter().filter(|set| self.contains(Self::of(*set))).collect())
    }

    /// What it is narrowed to, in words; nothing when it is not.
    pub fn in_words(self) -> Option<String> {
        let sets = self.toolsets().map(|sets| {
            let names: Vec<&str> = sets.into_iter().map(Toolset::as_str).collect();
            if names.is_empty() {
                "no toolset".to_owned()
            } else {
                format!("the toolsets {}", names.join(", "))
            }
        });
        match (sets, self.is_read_only()) {
            (Some(sets), true) => Some(format!("{sets}, and of them what only reads")),
            (Some(sets), false) => Some(sets),
            (None, true) => Some("tools that only read".to_owned()),
            (None, false) => None,
        }
    }

    /// Why a tool outside it is not called. `by`: who narrowed it; `mend`: what is to be done.
    pub fn refusal(self, by: &str, mend: &str) -> Problem {
        let words = self.in_words().unwrap_or_else(|| "every tool".to_owned());
        Problem::new(Code::ToolNotSelected, "", mend).message(format!("{by} narrowed this to {words}."))
    }

    /// The bits that the databases hold.
    pub const fn bits(self) -> i64 {
        self.0
    }

    /// The selection of stored bits.
    pub const fn from_bits(bits: i64) -> Self {
        Self(bits & Self::EVERYTHING.0)
    }
}

impl From<Selection> for Value {
    fn from(selection: Selection) -> Self {
        Self::Int(selection.0)
    }
}

impl FromValue for Selection {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(Self::from_bits)
    }
}
