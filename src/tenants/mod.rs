//! Organisations: their names in addresses, their members and roles, their workspaces, and their end.
//!
//! The directory only points: it knows a tenant's safename, shard and state, and which people to look for where. What
//! it points to stands in the shard, and a pointer to what is not there (yet, or any more) shows nothing. A change
//! that needs both databases is decided in the directory (`state`, `step`, `pending`), carried out on the shard, and
//! then struck out; [`finish_pending`] carries on where one was cut short.

mod changes;
mod directory;
mod domains;
mod erasure;
mod export;
mod founding;
mod invitations;
mod keys;
mod members;
mod model;
mod store;
mod tools;
mod workspaces;

pub use changes::{close, finish_pending, reopen};
pub use directory::{Description, Listed, find, find_by_id, find_even_closed, list, registration};
pub use domains::{
    Domain, MailDomain, Newcomer, add_domain, admits, domains, join_by_domain, proof_name, proof_text,
    prove_domain, remove_domain,
};
pub use erasure::delete_due;
pub use export::{ExportPage, export};
pub use founding::{CreateFault, Created, NewTenant, create};
pub use invitations::{
    Invitation, NewInvitation, OpenInvitation, accept_invitation, find_invitation, invite,
    withdraw_invitation,
};
pub use keys::{Rotation, rotate_keys};
pub use members::{
    Member, Membership, NewMember, Roster, Standing, add_member, change_member, is_member, member,
    note_by_operator, of_person, remove_member, roster,
};
pub use model::{NameFault, Registration, State, WorkspaceSettings, new_safename};
pub use store::{
    DIRECTORY_STATEMENTS, DOMAIN_STATEMENTS, MEMBER_STATEMENTS, STATEMENTS, TABLES, TenantTable,
};
pub use tools::{FIRST_TOOL, TOOLS};
pub use workspaces::{AddedWorkspace, add_workspace, save_settings, settings};
