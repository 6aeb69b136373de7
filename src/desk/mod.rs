//! What every room speaks: ids, capabilities, refusals, tools, and [`Caller`], through whose gate all data is reached.
//!
//! A tool knows nothing but this room: neither JSON-RPC nor headers nor databases.

mod address;
mod audit;
mod caller;
mod complete;
mod correction;
mod cursor;
mod digest;
mod facts;
mod fix;
mod ids;
mod kept;
mod moment;
mod name;
mod nearest;
mod next;
mod order;
mod progress;
mod prompt;
mod reach;
mod recent;
mod refusal;
mod rehearsal;
mod resource;
mod scope;
mod selection;
mod store;
mod tool;
mod when;

pub use address::{blob_key, check_media_address, media_address};
pub use audit::{
    Act, act_of_operator, act_of_session, change_by, change_by_operator, change_by_person, refusal_of_person,
    refusal_of_stranger,
};
pub use caller::{ADDRESS_TOKENS, Answer, Authority, Caller, HEADER_TOKENS, Tenant, Visitor};
pub use complete::{Complete, TIME_ZONES, WORKSPACES, fitting};
pub use cursor::{CursorFault, open_cursor, page_limit, seal_cursor};
pub use digest::{sha256_text, token_hash};
pub use facts::{Facts, Role, WorkspaceFacts};
pub use fix::{Fix, mended};
pub use ids::{
    AppId, AuditId, ChangeId, ClientId, ConnectId, DeliveryId, EntryId, FamilyId, GrantId, Id, IdFault,
    InvitationId, MediaId, PasskeyId, PendingId, PostId, ProfileId, ProviderId, Safename, SafenameFault,
    SessionId, TenantId, UserId, WorkspaceId,
};
pub use kept::{Kept, ask_a_manager};
pub use moment::{Moment, TimeFromNow, TimeZoneName, words_until};
pub use name::{LONGEST_NAME, presentable};
pub use nearest::nearest;
pub use next::{NextCall, next_call};
pub use order::sort_by;
pub use progress::Progress;
pub use prompt::{Content, PromptArgument, PromptEntry};
pub use reach::Reach;
pub use recent::RecentSignIn;
pub use refusal::{Code, Problem, Problems, Refusal};
pub use rehearsal::Shape;
pub use resource::{Arguments, Contents, ListedResource, ResourceEntry, VIEW};
pub use scope::{Scope, Scopes};
pub use selection::{Selection, Toolset};
pub use store::{STATEMENTS, directory::STATEMENTS as DIRECTORY_STATEMENTS};
pub use tool::{Effect, Hints, Tool, ToolEntry};
pub use when::{
    ClockChange, Due, Unreachable, When, WhenFault, moved_by, resolve_bound, resolve_shift, resolve_when,
};
