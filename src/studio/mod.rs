//! Pages that belong to no other room: the signed-in person's organisations, a post, a workspace's settings, members
//! and invitations, signing in through an organisation's provider, and the audit.

mod audit;
mod connect;
mod home;
mod invitation;
mod links;
mod member;
mod members;
mod post;
mod providers;
mod settings;
mod upstream;

pub use audit::{audit_page, export_audit};
pub use connect::connect;
pub use home::home;
pub use invitation::{accept_invitation, invitation_page};
pub use links::{links_page, unlink};
pub use members::{change_members, members_page};
pub use post::{cancel_post, confirm_post, post_page};
pub use providers::{change_providers, providers_page};
pub use settings::{save_settings, settings_page};
pub use upstream::{come_from_provider, go_to_provider, tenant_sign_in_page};
