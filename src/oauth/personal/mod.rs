//! Personal access tokens, for programs that cannot ask a person by OAuth. Off until an owner switches them on.
//!
//! A token is a grant to a client that only exists here, so that the one gate, the audit, the limits and the list of
//! connected apps treat it like any other; what is special is how it is presented. `pst_…` goes into the `Authorization`
//! header; `psu_…`, for clients that can send none, is part of the address, may be in logs of others, and therefore can
//! do less for a shorter time.

mod authenticate;
mod kind;
mod manage;
mod model;
mod pages;
mod store;
mod token;

pub use authenticate::{authenticate_by_address, is_looked_up};
pub use manage::list;
pub use model::{PersonalToken, Setting};
pub use pages::{create_token, revoke_token, set_tokens, tokens_page};
pub use store::STATEMENTS;

pub(super) use authenticate::{Presented, find};
pub(super) use kind::Kind;
