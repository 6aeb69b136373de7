//! The pages of signing in and of a person's account.

mod account;
mod sign_in;

use super::NextPage;
use crate::http::{Notice, Response};

pub use account::{account_page, end_sessions};
pub use sign_in::{
    ask_for_link, enter, link_page, sign_in_again, sign_in_page, sign_in_redirect, sign_out, use_link,
};

fn see_other(next: Option<&NextPage>) -> Response {
    Response::see_other(next.map_or("/", NextPage::as_str)).no_store()
}

fn unavailable() -> Response {
    Notice::UNAVAILABLE.response(503)
}
