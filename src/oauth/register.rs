//! Dynamic client registration (RFC 7591). Every client is public: it proves itself by PKCE and its redirect address.

use serde::Serialize;

use super::{
    client::{self, Declared, Metadata, MetadataFault, Redirects, Registration},
    wire,
};
use crate::{
    desk::ClientId,
    http::{Request, Response},
    platform::{DatabaseFault, Platform},
};

const MOST_BYTES: usize = 8192;

/// RFC 7591 section 3.2.1. What was not given is left out: some clients fail on null.
#[derive(Serialize)]
struct Registered<'a> {
    client_id: &'a str,
    client_id_issued_at: i64,
    token_endpoint_auth_method: &'static str,
    response_types: [&'static str; 1],
    #[serde(flatten)]
    metadata: &'a Metadata,
}

enum RegisterFault {
    TooLarge,
    NotMetadata,
    Metadata(MetadataFault),
    TooMany { seconds: i64 },
    Database,
}

impl From<DatabaseFault> for RegisterFault {
    fn from(_: DatabaseFault) -> Self {
        Self::Database
    }
}

impl From<MetadataFault> for RegisterFault {
    fn from(fault: MetadataFault) -> Self {
        Self::Metadata(fault)
    }
}

/// RFC 7591 section 3.2.2.
fn wire_error(fault: &RegisterFault) -> Response {
    let metadata = |description| wire::error(400, "invalid_client_metadata", description);
    match fault {
        RegisterFault::TooLarge => metadata("Client metadata may have 8 kB."),
        RegisterFault::NotMetadata => metadata("The body is not a JSON object of client metadata."),
        RegisterFault::Metadata(MetadataFault::NoCodeGrant) => {
            metadata(MetadataFault::NoCodeGrant.sentence())
        }
        RegisterFault::Metadata(fault) => wire::error(400, "invalid_redirect_uri", fault.sentence()),
        RegisterFault::TooMany { seconds } => wire::error(
            429,
            "temporarily_unavailable",
            "Too many clients were registered within the hour. Use a client-ID metadata document, or try again later.",
        )
        .with_header("retry-after", seconds.to_string()),
        RegisterFault::Database => wire::unavailable(),
    }
}

/// `POST /register`: 201 with what was accepted.
pub async fn register(platform: &Platform<'_>, request: &Request) -> Response {
    match try_register(platform, request).await {
        Ok(response) => response,
        Err(fault) => wire_error(&fault),
    }
}

async fn try_register(platform: &Platform<'_>, request: &Request) -> Result<Response, RegisterFault> {
    if request.body.len() > MOST_BYTES {
        return Err(RegisterFault::TooLarge);
    }
    let declared: Declared = serde_json::from_slice(&request.body).map_err(|_| RegisterFault::NotMetadata)?;
    let metadata = declared.accept(platform.config, Redirects::All)?;
    let now = platform.now();
    let id = ClientId::new(now, platform.entropy);
    match client::register(platform, &request.peer, &id, metadata.clone()).await? {
        Registration::Kept => {}
        Registration::TooMany { seconds } => return Err(RegisterFault::TooMany { seconds }),
    }
    Ok(wire::json(
        201,
        &Registered {
            client_id: id.as_str(),
            client_id_issued_at: now.as_seconds(),
            token_endpoint_auth_method: "none",
            response_types: ["code"],
            metadata: &metadata,
        },
    ))
}
