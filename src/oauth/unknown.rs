//! The page for an app that is not known here, or no longer: how to make each app register anew.

use askama::Template;

use crate::http::{FormTarget, Response, page};

/// How a person makes an app forget its registration.
struct Reset {
    app: &'static str,
    how: &'static str,
}

const RESETS: [Reset; 9] = [
    Reset {
        app: "Claude Code",
        how: "Type /mcp, choose this server, then Clear authentication, and authenticate again.",
    },
    Reset {
        app: "Claude on the web, desktop and phone",
        how: "Settings, Connectors: disconnect and remove this server, then add it again.",
    },
    Reset {
        app: "ChatGPT",
        how: "Settings, Apps and Connectors: delete this server's connector, then create it again.",
    },
    Reset { app: "Codex", how: "Run codex mcp logout NAME, then codex mcp login NAME." },
    Reset {
        app: "VS Code",
        how: "Run the command Authentication: Remove Dynamic Authentication Providers, choose this server, then start it again.",
    },
    Reset {
        app: "Cursor",
        how: "Settings, Tools and MCP: log this server out, or remove it and add it again.",
    },
    Reset { app: "OpenCode", how: "Run opencode mcp logout NAME, then opencode mcp auth NAME." },
    Reset { app: "mcp-remote", how: "Delete the folder .mcp-auth in your home folder, then start it again." },
    Reset { app: "MCP Inspector", how: "Open Auth Settings, Clear OAuth State, then connect again." },
];

#[derive(Template)]
#[template(path = "oauth/templates/unknown_client.html")]
struct UnknownClientPage {
    resets: &'static [Reset],
}

/// Says that the client is not known, with 400. Nobody but the person is told (RFC 6749 section 4.1.2.1).
pub(super) fn unknown_client() -> Response {
    page(400, &UnknownClientPage { resets: &RESETS }, FormTarget::SelfOnly, None)
}
