//! Pages that belong to no other room: the signed-in person's organisations, a post, a workspace's settings, members
//! and invitations, and the audit.

mod audit;
mod connect;
mod home;
mod invitation;
mod member;
mod members;
mod post;
mod settings;

pub use audit::{audit_page, export_audit};
pub use connect::connect;
pub use home::home;
pub use invitation::{accept_invitation, invitation_page};
pub use members::{change_members, members_page};
pub use post::{cancel_post, post_page};
pub use settings::{save_settings, settings_page};
