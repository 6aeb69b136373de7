//! Post groups: what they say, to whom and when they go, and how they change. Nothing is sent from here.

mod calendar;
mod content;
mod details;
mod hold;
mod input;
mod prompts;
mod resolve;
mod resources;
mod safety;
mod scene;
mod sent;
mod state;
mod store;
mod tools;
mod view;
mod views;
mod write;

pub use content::{Content, Override, Part};
pub use details::{AttemptView, PostDetails, details};
pub use hold::{Holding, ScheduledCount, count_scheduled, hold_scheduled};
pub use input::PostBody;
pub use prompts::PROMPTS;
pub use resolve::shortened;
pub use resources::RESOURCES;
pub use safety::spaced;
pub use scene::{Repeat, Scene, busy, check_seen, commit_one, delete, post_not_found};
pub use sent::PlanPart;
pub use state::{DeliveryFacts, DeliveryState, GroupStatus, Phase, Reason, group_status};
pub use store::{DeliveryRow, PostRow, STATEMENTS};
pub use tools::{TOOLS, unschedule, update_with};
pub use view::{PostGroupView, ProfilePreview, Renderings, show};
pub use views::VIEWS;
pub use write::{Desired, Target};
