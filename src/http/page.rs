//! HTML pages of the app: one style, one set of security headers.

use std::sync::LazyLock;

use askama::Template;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::{Problem, Response};

/// The style of every page, inline and allowed by its hash.
pub const STYLE: &str = include_str!("templates/style.css");

static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| inline_source(STYLE));

/// The source expression that allows one inline style or script (CSP 3, section 2.3.1, `hash-source`).
pub fn inline_source(text: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(&Sha256::digest(text)))
}

/// Where a page's forms may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormTarget {
    /// To this origin only.
    SelfOnly,
    /// Anywhere: the consent page's answer redirects to the client, and Chromium applies `form-action` to the whole
    /// chain of redirects.
    Anywhere,
}

/// The one script that a page may load: its path on this origin. It is never inline, and no other is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script<'a> {
    /// The origin of the app.
    pub origin: &'a str,
    /// The script's path.
    pub path: &'a str,
}

/// A page with a script.
pub fn page_with_script(status: u16, template: &impl Template, script: Script<'_>) -> Response {
    respond(status, template.render(), FormTarget::SelfOnly, None, Some(script))
}

/// A page as a response: never cached, framed or asked for scripts; pictures from `image_origin` if it names one.
pub fn page(
    status: u16,
    template: &impl Template,
    forms: FormTarget,
    image_origin: Option<&str>,
) -> Response {
    respond(status, template.render(), forms, image_origin, None)
}

/// Apart from the templates, so that it is there once and not for each of them.
fn respond(
    status: u16,
    rendered: askama::Result<String>,
    forms: FormTarget,
    image_origin: Option<&str>,
    script: Option<Script<'_>>,
) -> Response {
    let Ok(body) = rendered else {
        return Problem::new(500, "internal", "The page could not be made.", "Try again.").response();
    };
    let form_action = match forms {
        FormTarget::SelfOnly => "; form-action 'self'",
        FormTarget::Anywhere => "",
    };
    let images = image_origin.unwrap_or("'none'");
    let scripts =
        script.map(|script| format!(" script-src {}{};", script.origin, script.path)).unwrap_or_default();
    let policy = format!(
        "default-src 'none';{scripts} style-src {}; img-src {images}; base-uri 'none'; frame-ancestors 'none'{form_action}",
        *STYLE_SOURCE
    );
    Response::of(status, "text/html; charset=utf-8", body)
        .no_store()
        .with_header("content-security-policy", policy)
        .with_header("referrer-policy", "no-referrer")
        .with_header("x-frame-options", "DENY")
        .with_header("cross-origin-opener-policy", "same-origin")
}

/// A page that only says something.
#[derive(Template)]
#[template(path = "http/templates/notice.html")]
pub struct Notice<'a> {
    /// The heading.
    pub heading: &'a str,
    /// What happened and what to do, in plain words.
    pub words: &'a str,
}

impl Notice<'_> {
    /// The databases did not do their part.
    pub const UNAVAILABLE: Notice<'static> = Notice {
        heading: "Not right now",
        words: "Postern cannot reach its database at this moment. Wait a minute and try again.",
    };

    /// The notice as a response.
    pub fn response(&self, status: u16) -> Response {
        page(status, self, FormTarget::SelfOnly, None)
    }
}
