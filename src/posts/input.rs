//! What a post takes: the same body for creating, previewing and updating.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    desk::{Scope, Scopes},
    media::MediaInput,
};

/// A post as an assistant writes it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PostBody {
    /// Workspace id or name. May be left out when the grant has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// Where it goes: profile ids, handles, networks ("bluesky") or "all".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 50)))]
    pub profiles: Option<Vec<String>>,
    /// The text. Links, @handles and #tags are recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 20000)))]
    pub text: Option<String>,
    /// Pictures, each by media_id or https address, with alt text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 20)))]
    pub media: Option<Vec<MediaInput>>,
    /// Further posts of a thread, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 24)))]
    pub thread: Option<Vec<ThreadInput>>,
    /// A comment placed under the post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 20000)))]
    pub first_comment: Option<String>,
    /// What differs for some profiles, such as a shorter text for Bluesky.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 50)))]
    pub overrides: Option<Vec<OverrideInput>>,
    /// When it goes out: 2026-12-01T09:00 (workspace time, or with +01:00 or [Zone]), a duration such as PT2H or P7D, now. Leave out for a draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Labels of the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 20), inner(length(min = 1, max = 50))))]
    pub labels: Option<Vec<String>>,
    /// Note for the team, never published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 2000)))]
    pub note: Option<String>,
}

impl PostBody {
    /// What this body needs besides writing: publishing for `now`, adding media for addresses that are fetched.
    pub fn needs(&self) -> Scopes {
        let now = self.when.as_deref().is_some_and(|when| when.trim().eq_ignore_ascii_case("now"));
        let own = self.overrides.iter().flatten().filter_map(|own| own.media.as_ref());
        let thread = self.thread.iter().flatten().filter_map(|part| part.media.as_ref());
        let fetches = self.media.iter().chain(own).chain(thread).flatten().any(|media| media.url.is_some());
        let publish = if now { Scopes::of(&[Scope::PostsPublish]) } else { Scopes::NONE };
        let media = if fetches { Scopes::of(&[Scope::MediaWrite]) } else { Scopes::NONE };
        publish.union(media)
    }
}

/// A further part of a thread.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ThreadInput {
    /// Its text.
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 20000)))]
    pub text: String,
    /// Its pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 20)))]
    pub media: Option<Vec<MediaInput>>,
}

/// What differs for some profiles.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct OverrideInput {
    /// Which of the post's profiles: ids, handles or networks.
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(min = 1, max = 50)))]
    pub profiles: Vec<String>,
    /// Their text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 20000)))]
    pub text: Option<String>,
    /// Their pictures; [] for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 20)))]
    pub media: Option<Vec<MediaInput>>,
    /// The texts of their thread's further posts; [] for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 24), inner(length(max = 20000))))]
    pub thread: Option<Vec<String>>,
    /// The network's settings, as describe_network tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(with = "serde_json::Map<String, Value>"))]
    pub settings: Option<Value>,
}
