//! Requests and responses as every room above sees them, the routing table's parts, cookies, CORS, problem bodies,
//! the guarded client through which everything is fetched, and the documents, keys, signatures and DNS records of others.

mod cookies;
mod dns;
mod document;
mod guard;
mod jose;
mod page;
mod problem;
mod request;
mod response;
mod routes;

pub use cookies::Cookie;
pub use dns::txt_records;
pub use document::{Document, DocumentFault, Wanted, document};
pub use guard::{Address, FetchFault, Fetched, Forbidden, GuardedClient};
pub use jose::{Algorithm, Audience, KeySet, SignedToken};
pub use page::{FormTarget, Notice, STYLE, Script, inline_source, page, page_with_script};
pub use problem::Problem;
pub use request::{Form, Query, Request, RequestMethod};
pub use response::{About, Response};
pub use routes::{Origin, Route, Routed, paths, reserved_names, route};
