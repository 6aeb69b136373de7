//! The MCP tools of posts.

mod bulk;
mod change;
mod create;
mod preview;
mod read;
mod select;
mod undo;

pub use change::{unschedule, update_with};
pub(super) use read::{PostSummary, due_within, needing_attention, newest_ids};

use crate::desk::ToolEntry;

/// Every tool of this room.
pub const TOOLS: &[ToolEntry] = &[
    ToolEntry::of::<create::CreatePost>(),
    ToolEntry::of::<create::CreatePosts>(),
    ToolEntry::of::<preview::PreviewPost>(),
    ToolEntry::of::<read::ListPosts>(),
    ToolEntry::of::<read::GetPost>(),
    ToolEntry::of::<change::UpdatePost>(),
    ToolEntry::of::<change::SchedulePost>(),
    ToolEntry::of::<change::UnschedulePost>(),
    ToolEntry::of::<change::PublishPost>(),
    ToolEntry::of::<bulk::ChangePosts>(),
    ToolEntry::of::<undo::UndoChange>(),
];
