//! Pages that belong to no other room: the signed-in person's organisations, and a workspace's settings.

mod home;
mod member;
mod settings;

pub use home::home;
pub use settings::{save_settings, settings_page};
