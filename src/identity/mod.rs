//! People, and how they sign in: one-time links, passkeys, the providers of tenants, and browser sessions. Everything here
//! stands in the directory, but for the providers.
//!
//! A link is shown by GET and used by POST, once. One that was mailed works in the browser that asked for it, and elsewhere
//! with the code that this browser shows: whoever has only the letter or only the code has nothing. A passkey answers a
//! challenge that is bound to its browser and used once. A session is a row; the browser holds its secret in a cookie, the
//! database only the secret's hash.

mod attempts;
mod browser;
mod challenge;
mod link;
mod model;
mod next;
mod pages;
mod passkeys;
mod people;
mod session;
mod store;
mod upstream;
mod webauthn;

pub use link::{SignInLink, make_link};
pub use model::{EmailAddress, Person, SignInMethod};
pub use next::NextPage;
pub use pages::{
    account_page, ask_for_link, change_passkeys, end_sessions, enter, link_page, not_by_provider,
    passkey_script, sign_in_again, sign_in_by_passkey, sign_in_page, sign_in_redirect, sign_out, use_link,
};
pub use people::{find_or_add_invited, find_or_add_person, find_person};
pub use session::{Session, is_same_origin, new_secret, not_from_here, session};
pub use store::STATEMENTS;
pub use upstream::{
    Arrival, Asserted, ClientSecret, DIRECTORY_STATEMENTS as UPSTREAM_STATEMENTS, Errand, Intent,
    KnownProvider, Linked, NewProvider, Provider, STATEMENTS as PROVIDER_STATEMENTS, UpstreamFault,
    add_provider, arrive, callback_address, check_issuer, depart, enter_upstream, find_upstream,
    finish_removals, join_upstream, link_upstream, linked, note_refusal, offered, provider, providers,
    remove_provider, replace_secret, unlink,
};
