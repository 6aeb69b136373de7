//! What hosts show of a tool's result (MCP Apps 2026-01-26): a post as its networks show it, and a week by days.
//!
//! A view is one document without any address in it. The host feeds it with the result that the model gets, and its own
//! policy lets nothing run or load but the style and the script that stand in it.

use std::sync::LazyLock;

use crate::{
    desk::{Contents, ResourceEntry, Scopes, VIEW},
    http::inline_source,
};

/// The view of one post.
pub(super) const POST: &str = "ui://postern/post";

/// The view of a week.
pub(super) const CALENDAR: &str = "ui://postern/calendar";

/// The views. Tools name them; they are in no list, since they say nothing by themselves.
pub const VIEWS: &[ResourceEntry] = &[
    ResourceEntry {
        name: "post_view",
        title: "A post as its networks show it",
        description: "Shows what preview_post and get_post give.",
        mime_type: VIEW,
        template: POST,
        needs: Scopes::NONE,
        list: |_| Vec::new(),
        read: |_, _| Box::pin(async { Ok(vec![Contents::view(&POST_DOCUMENT)]) }),
        completes: &[],
    },
    ResourceEntry {
        name: "calendar_view",
        title: "A week of posts",
        description: "Shows what list_posts gives.",
        mime_type: VIEW,
        template: CALENDAR,
        needs: Scopes::NONE,
        list: |_| Vec::new(),
        read: |_, _| Box::pin(async { Ok(vec![Contents::view(&CALENDAR_DOCUMENT)]) }),
        completes: &[],
    },
];

const STYLE: &str = include_str!("style.css");
const BRIDGE: &str = include_str!("bridge.js");

static POST_DOCUMENT: LazyLock<String> = LazyLock::new(|| document("A post", include_str!("post.js")));

static CALENDAR_DOCUMENT: LazyLock<String> =
    LazyLock::new(|| document("A week of posts", include_str!("calendar.js")));

fn document(title: &str, script: &str) -> String {
    let script = [BRIDGE, script].concat();
    let (may_style, may_run) = (inline_source(STYLE), inline_source(&script));
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src {may_style}; script-src {may_run}; base-uri 'none'; form-action 'none'">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<main aria-live="polite"><p>Waiting for the result.</p></main>
<script>{script}</script>
</body>
</html>
"#
    )
}
