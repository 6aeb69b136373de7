//! Protocol errors: the closed list, each with its JSON-RPC code and HTTP status.

use serde_json::{Value, json};

use super::revision::{Era, Revision};
use crate::desk::Refusal;

/// Why a message is not carried out at all. What a tool refuses is a result, not a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    ForeignOrigin,
    NotPost,
    NotJsonMedia,
    NotJson,
    InvalidRequest,
    UnknownMethod,
    InvalidParams,
    ResourceNotFound,
    Internal,
    #[cfg(feature = "contract")]
    MissingCapability,
    HeaderMismatch,
    UnsupportedRevision,
    /// A toolset that is not known.
    UnknownSelection,
}

/// A fault with what the client is told.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

impl Kind {
    /// The error code: JSON-RPC 2.0 section 5.1, and MCP's own from -32020.
    pub(super) const fn code(self) -> i32 {
        match self {
            Self::NotJson => -32700,
            Self::ForeignOrigin | Self::NotPost | Self::NotJsonMedia | Self::InvalidRequest => -32600,
            Self::UnknownMethod => -32601,
            Self::InvalidParams | Self::UnknownSelection => -32602,
            Self::Internal => -32603,
            Self::ResourceNotFound => -32002,
            #[cfg(feature = "contract")]
            Self::MissingCapability => -32021,
            Self::HeaderMismatch => -32020,
            Self::UnsupportedRevision => -32022,
        }
    }

    /// The name in the operator's events.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ForeignOrigin => "foreign_origin",
            Self::NotPost => "method_not_allowed",
            Self::NotJsonMedia => "unsupported_media_type",
            Self::NotJson => "parse_error",
            Self::InvalidRequest => "invalid_request",
            Self::UnknownMethod => "method_not_found",
            Self::InvalidParams => "invalid_params",
            Self::ResourceNotFound => "resource_not_found",
            Self::Internal => "internal_error",
            #[cfg(feature = "contract")]
            Self::MissingCapability => "missing_capability",
            Self::HeaderMismatch => "header_mismatch",
            Self::UnsupportedRevision => "unsupported_protocol_version",
            Self::UnknownSelection => "unknown_toolset",
        }
    }

    /// The status of the only answer of a response. The legacy era tells what a method refused with 200.
    pub(super) const fn status(self, era: Era) -> u16 {
        match (self, era) {
            (Self::ForeignOrigin, _) => 403,
            (Self::NotPost, _) => 405,
            (Self::NotJsonMedia, _) => 415,
            (Self::UnknownMethod, Era::Modern) => 404,
            (Self::UnknownMethod | Self::InvalidParams, Era::Legacy) => 200,
            // A failure of ours is told in the body alone: clients give up on an endpoint that answers 5xx.
            (Self::ResourceNotFound | Self::Internal, _) => 200,
            #[cfg(feature = "contract")]
            (Self::MissingCapability, _) => 400,
            (
                Self::NotJson
                | Self::InvalidRequest
                | Self::HeaderMismatch
                | Self::UnsupportedRevision
                | Self::UnknownSelection
                | Self::InvalidParams,
                _,
            ) => 400,
        }
    }
}

impl Fault {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), data: None }
    }

    /// Why something was not read, for methods whose results cannot hold a refusal.
    pub(super) fn of_refusal(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::Fault(_) | Refusal::Conflict => Kind::Internal,
            _ => Kind::InvalidParams,
        };
        let problems = refusal.problems();
        let words: Vec<String> =
            problems.iter().map(|problem| format!("{} {}", problem.message, problem.hint)).collect();
        Self { data: Some(json!({ "problems": problems })), ..Self::new(kind, words.join(" ")) }
    }

    /// The revision that was asked for is not spoken here.
    pub(super) fn unsupported_revision(requested: &str) -> Self {
        Self {
            kind: Kind::UnsupportedRevision,
            message: "This protocol version is not supported.".to_owned(),
            data: Some(json!({ "supported": Revision::OFFERED, "requested": requested })),
        }
    }
}
