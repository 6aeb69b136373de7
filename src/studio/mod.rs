//! Pages that belong to no other room: the signed-in person's organisations, a post, and a workspace's settings.

mod connect;
mod home;
mod member;
mod post;
mod settings;

pub use connect::connect;
pub use home::home;
pub use post::{cancel_post, post_page};
pub use settings::{save_settings, settings_page};
