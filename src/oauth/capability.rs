//! Capabilities as pages show them: in plain words, with what they can do that reading cannot.

use crate::desk::Scope;

/// A capability with its box.
pub(super) struct Capability {
    pub(super) name: &'static str,
    pub(super) words: &'static str,
    pub(super) marks: &'static [Mark],
    pub(super) ticked: bool,
}

impl Capability {
    pub(super) const fn new(scope: Scope, ticked: bool) -> Self {
        Self { name: scope.as_str(), words: scope.plain_words(), marks: marks(scope), ticked }
    }
}

/// What a capability can do that reading cannot.
pub(super) struct Mark {
    pub(super) word: &'static str,
    /// Whether others see it, or it cannot be taken back.
    pub(super) grave: bool,
}

const WRITES: Mark = Mark { word: "writes", grave: false };
const DELETES: Mark = Mark { word: "deletes", grave: true };
const PUBLISHES: Mark = Mark { word: "publishes", grave: true };
const SCHEDULES: Mark = Mark { word: "publishes later", grave: true };

const fn marks(scope: Scope) -> &'static [Mark] {
    match scope {
        Scope::PostsPublish | Scope::CommentsWrite => &[PUBLISHES],
        Scope::PostsWrite => &[WRITES, SCHEDULES, DELETES],
        Scope::WorkflowsRun => &[WRITES, PUBLISHES],
        Scope::CatalogueWrite | Scope::BrandWrite | Scope::WorkflowsWrite => &[WRITES, DELETES],
        Scope::SocialProfilesWrite | Scope::MediaWrite => &[WRITES],
        Scope::WorkspaceRead
        | Scope::SocialProfilesRead
        | Scope::PostsRead
        | Scope::WorkflowsRead
        | Scope::CatalogueRead
        | Scope::CommentsRead
        | Scope::AnalyticsRead
        | Scope::OfflineAccess => &[],
    }
}
