//! Capabilities: OAuth scopes, also as bits that the gate compares.

use std::str::FromStr;

use crate::platform::{FromValue, Value};

/// What a grant may allow. The position in [`Scope::ALL`] is its bit in the databases and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read approved workspaces and brand kits.
    WorkspaceRead,
    /// Read connected social profiles.
    SocialProfilesRead,
    /// Ask for accounts to be connected.
    SocialProfilesWrite,
    /// List, inspect and preview posts.
    PostsRead,
    /// Create, change, schedule and delete posts.
    PostsWrite,
    /// Publish at once.
    PostsPublish,
    /// List and inspect workflows.
    WorkflowsRead,
    /// Write workflows.
    WorkflowsWrite,
    /// Switch and run workflows.
    WorkflowsRun,
    /// Write brand kits and templates.
    BrandWrite,
    /// Add media.
    MediaWrite,
    /// Read the content data.
    CatalogueRead,
    /// Write the content data.
    CatalogueWrite,
    /// Read comments.
    CommentsRead,
    /// Reply to comments.
    CommentsWrite,
    /// Read numbers.
    AnalyticsRead,
    /// Stay signed in.
    OfflineAccess,
}

impl Scope {
    /// Every capability, in the order of their bits.
    pub const ALL: [Self; 17] = [
        Self::WorkspaceRead,
        Self::SocialProfilesRead,
        Self::SocialProfilesWrite,
        Self::PostsRead,
        Self::PostsWrite,
        Self::PostsPublish,
        Self::WorkflowsRead,
        Self::WorkflowsWrite,
        Self::WorkflowsRun,
        Self::BrandWrite,
        Self::MediaWrite,
        Self::CatalogueRead,
        Self::CatalogueWrite,
        Self::CommentsRead,
        Self::CommentsWrite,
        Self::AnalyticsRead,
        Self::OfflineAccess,
    ];

    /// What the first challenge names, and what consent offers ticked when a client asks for nothing.
    pub const DEFAULT: Scopes = Scopes::of(&[
        Self::WorkspaceRead,
        Self::SocialProfilesRead,
        Self::PostsRead,
        Self::PostsWrite,
        Self::MediaWrite,
    ]);

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WorkspaceRead => "workspace:read",
            Self::SocialProfilesRead => "social_profiles:read",
            Self::SocialProfilesWrite => "social_profiles:write",
            Self::PostsRead => "posts:read",
            Self::PostsWrite => "posts:write",
            Self::PostsPublish => "posts:publish",
            Self::WorkflowsRead => "workflows:read",
            Self::WorkflowsWrite => "workflows:write",
            Self::WorkflowsRun => "workflows:run",
            Self::BrandWrite => "brand:write",
            Self::MediaWrite => "media:write",
            Self::CatalogueRead => "catalogue:read",
            Self::CatalogueWrite => "catalogue:write",
            Self::CommentsRead => "comments:read",
            Self::CommentsWrite => "comments:write",
            Self::AnalyticsRead => "analytics:read",
            Self::OfflineAccess => "offline_access",
        }
    }

    /// What it lets an app do, in plain words for the consent page.
    pub const fn plain_words(self) -> &'static str {
        match self {
            Self::WorkspaceRead => "See the workspaces you tick, and their brand kits",
            Self::SocialProfilesRead => "See which social profiles are connected",
            Self::SocialProfilesWrite => "Ask you to connect social profiles",
            Self::PostsRead => "List, read and preview posts",
            Self::PostsWrite => {
                "Write, change, schedule and delete posts; what is scheduled goes out by itself"
            }
            Self::PostsPublish => "Publish posts at once",
            Self::WorkflowsRead => "List and read workflows",
            Self::WorkflowsWrite => "Write workflows",
            Self::WorkflowsRun => "Switch workflows on and off, and run them",
            Self::BrandWrite => "Change brand kits, hashtag libraries and templates",
            Self::MediaWrite => "Add pictures and videos to the library",
            Self::CatalogueRead => "Read the content data",
            Self::CatalogueWrite => "Change the content data",
            Self::CommentsRead => "Read comments on your posts",
            Self::CommentsWrite => "Reply to comments in your name",
            Self::AnalyticsRead => "Read the numbers of posts and profiles",
            Self::OfflineAccess => "Stay connected until you end it",
        }
    }

    const fn bit(self) -> i64 {
        1 << (self as u32)
    }
}

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(())
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(i64);

impl Scopes {
    /// No capability.
    pub const NONE: Self = Self(0);

    /// Every capability.
    pub const EVERY: Self = Self((1 << Scope::ALL.len()) - 1);

    /// These capabilities.
    pub const fn of(scopes: &[Scope]) -> Self {
        let mut bits = 0;
        let mut rest = scopes;
        while let [first, tail @ ..] = rest {
            bits |= first.bit();
            rest = tail;
        }
        Self(bits)
    }

    /// The known capabilities of a scope string (RFC 6749 section 3.3); unknown names are left out.
    pub fn parse(text: &str) -> Self {
        text.split_ascii_whitespace()
            .filter_map(|name| name.parse::<Scope>().ok())
            .fold(Self::NONE, Self::with)
    }

    /// The set with `scope` added.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The capabilities in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }

    /// The scope string.
    pub fn to_text(self) -> String {
        let names: Vec<&str> = self.iter().map(Scope::as_str).collect();
        names.join(" ")
    }

    /// The bits that the databases hold.
    pub const fn bits(self) -> i64 {
        self.0
    }

    /// The capabilities of stored bits; bits that mean nothing yet are dropped.
    pub const fn from_bits(bits: i64) -> Self {
        Self(bits & Self::EVERY.0)
    }
}

impl From<Scopes> for Value {
    fn from(scopes: Scopes) -> Self {
        Self::Int(scopes.0)
    }
}

impl FromValue for Scopes {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(Self::from_bits)
    }
}
