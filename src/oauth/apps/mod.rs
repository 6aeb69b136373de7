//! Connected apps: what a person has let into a tenant, and taking it back, in part or whole.

mod model;
mod pages;

pub use pages::{apps_page, change_apps};
