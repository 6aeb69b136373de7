//! Pages that belong to no other room: the signed-in person's organisations, a post, a workspace's settings, and
//! the audit.

mod audit;
mod connect;
mod home;
mod member;
mod post;
mod settings;

pub use audit::{audit_page, export_audit};
pub use connect::connect;
pub use home::home;
pub use post::{cancel_post, post_page};
pub use settings::{save_settings, settings_page};
