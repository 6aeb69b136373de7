//! People, and how they sign in: one-time links and browser sessions. Everything here stands in the directory.
//!
//! A link is shown by GET and used by POST, once. A session is a row; the browser holds its secret in a cookie, the
//! database only the secret's hash.

mod browser;
mod link;
mod model;
mod next;
mod pages;
mod people;
mod session;
mod store;

pub use link::{SignInLink, make_link};
pub use model::{EmailAddress, Person, SignInMethod};
pub use next::NextPage;
pub use pages::{
    account_page, end_sessions, link_page, sign_in_again, sign_in_page, sign_in_redirect, sign_out, use_link,
};
pub use people::{find_or_add_person, find_person};
pub use session::{Session, session};
pub use store::STATEMENTS;
