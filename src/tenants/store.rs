//! The SQL of tenants, members and workspaces.

use crate::platform::statements;

statements! { Directory:
    /// A tenant that can be used. ?1 safename
    pub(super) FIND_BY_SAFENAME = "find_tenant_by_safename", "SELECT tenant_id, safename, shard FROM tenant WHERE safename = ?1 AND state = 'active'";

    /// A tenant that can be used. ?1 id
    pub(super) FIND_BY_ID = "find_tenant_by_id", "SELECT tenant_id, safename, shard FROM tenant WHERE tenant_id = ?1 AND state = 'active'";
}
