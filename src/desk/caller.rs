//! Who calls, and the only way from a call to data: two batches with the gate in front.

use super::{
    Act, Code, Facts, GrantId, Problem, Progress, Refusal, Safename, Scopes, Selection, TenantId, UserId,
    audit::{act_of, change_by, refusal_of},
    sort_by, store,
};
use crate::platform::{
    Database, DatabaseFault, Event, FromRow, Platform, Row, RowFault, Rows, Statement, Timestamp, Value,
};

/// The tenant that a request is for, and where its data are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name in addresses.
    pub safename: Safename,
    /// The number of its shard.
    pub shard: i64,
}

/// On whose authority a caller acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// A person's, through a grant to a client.
    Grant {
        /// The grant.
        grant_id: GrantId,
        /// The grant's generation that the token was made for.
        generation: i64,
        /// The person.
        user_id: UserId,
        /// The client's id, which may be a URL.
        client_id: String,
        /// What the token at hand is for: it may be less than the grant (RFC 6749 section 6), and adds nothing to it.
        scopes: Scopes,
    },
    /// A signed-in member's own, on a page.
    Member {
        /// The person.
        user_id: UserId,
    },
}

/// The client of grants that are personal tokens in a header. No client of that id can register.
pub const HEADER_TOKENS: &str = "postern:header-token";
/// The client of grants whose token is part of an address.
pub const ADDRESS_TOKENS: &str = "postern:address-token";

/// Someone who calls. It hands out no database.
#[derive(Clone)]
pub struct Caller<'a> {
    platform: Platform<'a>,
    database: &'a dyn Database,
    tenant: Tenant,
    authority: Authority,
    needs: Scopes,
    progress: Option<&'a dyn Progress>,
    selected: Selection,
    rehearsal: Option<Rehearsing>,
}

/// A call that is carried out up to its first effect, to see whether it would be.
#[derive(Clone, Copy)]
struct Rehearsing {
    /// Which workspace stands in for one that was not found.
    stand_in: Option<usize>,
    /// What it would need; the gate is not asked for it, so that the rest of the call is judged whatever is lacking.
    needs: Scopes,
}

/// What a gated batch gave: the caller's facts, and the rows of each statement.
pub struct Answer {
    /// The caller at the moment of the batch.
    pub facts: Facts,
    rows: std::vec::IntoIter<Rows>,
}

impl Answer {
    /// The rows of the next statement, in the batch's order.
    pub fn next_rows(&mut self) -> Rows {
        self.rows.next().unwrap_or_default()
    }

    /// The rows of the next statement, each as a `T`.
    ///
    /// # Errors
    /// When a column does not parse.
    pub fn next_as<T: FromRow>(&mut self) -> Result<Vec<T>, Refusal> {
        self.next_rows().iter().map(|row| T::from_row(row).map_err(Refusal::from)).collect()
    }

    /// The first row of the next statement as a `T`.
    ///
    /// # Errors
    /// When a column does not parse.
    pub fn next_first<T: FromRow>(&mut self) -> Result<Option<T>, Refusal> {
        Ok(self.next_as()?.into_iter().next())
    }
}

impl<'a> Caller<'a> {
    /// A caller, if the tenant's shard is bound to this deployment.
    pub fn new(platform: Platform<'a>, tenant: Tenant, authority: Authority) -> Option<Self> {
        let database = platform.shard(tenant.shard)?;
        Some(Self {
            platform,
            database,
            tenant,
            authority,
            needs: Scopes::NONE,
            selected: Selection::NOTHING,
            progress: None,
            rehearsal: None,
        })
    }

    /// The same caller, whose batches also need these capabilities. A rehearsal only notes them.
    #[must_use]
    pub fn needing(&self, scopes: Scopes) -> Self {
        let mut caller = self.clone();
        let needs = match &mut caller.rehearsal {
            Some(rehearsal) => &mut rehearsal.needs,
            None => &mut caller.needs,
        };
        *needs = needs.union(scopes);
        caller
    }

    /// The same caller, to whom `progress` tells how far a call has come.
    #[must_use]
    pub fn hearing<'b>(&self, progress: &'b dyn Progress) -> Caller<'b>
    where
        'a: 'b,
    {
        Caller { progress: Some(progress), ..self.clone() }
    }

    /// Tells how far a call has come: `done` of `total` steps. Call it only while nothing is changed yet. A rehearsal tells
    /// nothing.
    ///
    /// # Errors
    /// `cancelled`, when nobody waits for the result any more.
    pub fn tell_progress(&self, done: usize, total: usize, message: &str) -> Result<(), Refusal> {
        let heard = self.progress.filter(|_| !self.is_rehearsing());
        if heard.is_none_or(|progress| progress.tell(done, total, message)) {
            Ok(())
        } else {
            Err(Problem::new(Code::Cancelled, "", "Call it again if it is still wanted.").into())
        }
    }

    /// The same caller, whose batches also need that the grant was not narrowed to other tools than this.
    #[must_use]
    pub fn using(&self, tool: Selection) -> Self {
        let mut caller = self.clone();
        caller.selected = caller.selected.union(tool);
        caller
    }

    /// The same caller in a rehearsal of a tool that needs `own`, which writes nothing and reaches nobody. With `stand_in`, what is
    /// not found is judged as if it were, in that one of the workspaces.
    pub(super) fn rehearsing(&self, own: Scopes, stand_in: Option<usize>) -> Self {
        Self {
            platform: self.platform.reaching_nobody(),
            needs: self.needs.union(own),
            rehearsal: Some(Rehearsing { stand_in, needs: Scopes::NONE }),
            ..self.clone()
        }
    }

    /// Whether nothing that the call does has an effect.
    pub const fn is_rehearsing(&self) -> bool {
        self.rehearsal.is_some()
    }

    /// Ends a rehearsal: stands before every effect that is no [`write`](Self::write).
    ///
    /// # Errors
    /// [`Refusal::Rehearsed`] in a rehearsal; when the gate is closed.
    pub async fn end_rehearsal(&self) -> Result<(), Refusal> {
        let Some(rehearsal) = self.rehearsal else { return Ok(()) };
        self.facts().await?;
        Err(Refusal::Rehearsed(rehearsal.needs))
    }

    /// The tenant.
    pub const fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// On whose authority the caller acts.
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The person.
    pub const fn user_id(&self) -> &UserId {
        match &self.authority {
            Authority::Grant { user_id, .. } | Authority::Member { user_id } => user_id,
        }
    }

    /// The grant, if the caller acts through one.
    pub const fn grant_id(&self) -> Option<&GrantId> {
        match &self.authority {
            Authority::Grant { grant_id, .. } => Some(grant_id),
            Authority::Member { .. } => None,
        }
    }

    /// Whether the caller may do what cannot be taken back. A token that is part of an address may not: addresses are in
    /// logs of others. The gate holds that the grant really is that client's.
    pub fn may_destroy(&self) -> bool {
        !matches!(&self.authority, Authority::Grant { client_id, .. } if client_id == ADDRESS_TOKENS)
    }

    /// What the caller's changes and idempotency keys belong to: the grant, or the person on pages.
    pub fn holder(&self) -> String {
        self.grant_id().map_or_else(|| self.user_id().to_string(), ToString::to_string)
    }

    /// The parameters `?1, ?2` of a statement that sees only what this caller may see: the tenant, and the grant or
    /// NULL. Such a statement says
    /// `(?2 IS NULL OR EXISTS (SELECT 1 FROM grant_workspace gw WHERE gw.tenant_id = ?1 AND gw.grant_id = ?2 AND gw.workspace_id = x.workspace_id))`.
    pub fn sight(&self) -> (Value, Value) {
        (Value::from(&self.tenant.id), self.grant_id().map_or(Value::Null, Value::from))
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        self.platform.now()
    }

    /// Everything but the databases: clock, entropy, web, blobs, settings.
    pub const fn platform(&self) -> &Platform<'a> {
        &self.platform
    }

    /// Who the caller is, without other work.
    ///
    /// # Errors
    /// When the gate is closed.
    pub async fn facts(&self) -> Result<Facts, Refusal> {
        Ok(self.read(Vec::new()).await?.facts)
    }

    /// Runs reading statements behind the gate, in one transaction.
    ///
    /// # Errors
    /// When the gate is closed, or the database fails.
    pub async fn read(&self, statements: Vec<Statement>) -> Result<Answer, Refusal> {
        self.gated(statements).await
    }

    /// Runs writing statements behind the gate and writes the act into the audit, all in one transaction. What a member is
    /// refused on a page is written into the audit too; what an assistant is refused, by the door that it came through.
    ///
    /// # Errors
    /// When the gate is closed; [`Refusal::Conflict`] when a [`require_changes`](Self::require_changes) or a
    /// constraint stopped it; or when the database fails.
    pub async fn write(&self, act: Act<'_>, statements: Vec<Statement>) -> Result<Answer, Refusal> {
        let line = act_of(&self.platform, &self.tenant.id, &self.authority, &act);
        self.written(act, statements, line).await
    }

    /// The same for what may have been done before: the act is written into the audit if the last statement changed
    /// anything.
    ///
    /// # Errors
    /// See [`write`](Self::write).
    pub async fn write_change(&self, act: Act<'_>, statements: Vec<Statement>) -> Result<Answer, Refusal> {
        let line = change_by(&self.platform, &self.tenant.id, &self.authority, &act);
        self.written(act, statements, line).await
    }

    async fn written(
        &self,
        act: Act<'_>,
        mut statements: Vec<Statement>,
        line: Statement,
    ) -> Result<Answer, Refusal> {
        self.end_rehearsal().await?;
        statements.push(line);
        let answer = self.gated(statements).await;
        if let (Err(refusal), Authority::Member { .. }) = (&answer, &self.authority) {
            self.note_refusal(act, refusal).await;
        }
        answer
    }

    /// Writes into the audit that an act was refused. It stands in no batch, since the act's own was not carried out; a
    /// shard that does not take it changes nothing about the refusal. Faults are none.
    pub async fn note_refusal(&self, act: Act<'_>, refusal: &Refusal) {
        if let Some(code) = refusal.code() {
            self.note_denial(act, code.as_str()).await;
        }
    }

    /// The same for what is refused before it comes to this caller's batches. `outcome`: the code of the wire.
    pub async fn note_denial(&self, act: Act<'_>, outcome: &'static str) {
        let note = refusal_of(&self.platform, &self.tenant.id, &self.authority, &act, outcome);
        if self.database.batch(vec![note]).await.is_err() {
            self.platform.events.emit(Event::Fault { place: "audit_refusal", kind: "database" });
        }
    }

    /// Runs writing statements that are nobody's act behind the gate, without a line in the audit: counters, rotation
    /// of tokens, when something was last used.
    ///
    /// # Errors
    /// See [`write`](Self::write).
    pub async fn keep_up(&self, statements: Vec<Statement>) -> Result<Answer, Refusal> {
        self.end_rehearsal().await?;
        self.gated(statements).await
    }

    /// A statement that aborts the batch unless the one before it changed exactly `rows` rows.
    pub fn require_changes(rows: i64) -> Statement {
        store::REQUIRE_CHANGES.with([rows.into()])
    }

    async fn gated(&self, statements: Vec<Statement>) -> Result<Answer, Refusal> {
        let mut batch = vec![self.gate(self.needs, self.selected)];
        batch.extend(statements);
        match self.database.batch(batch).await {
            Ok(rows) => {
                let mut answer = answer(rows)?;
                answer.facts.stand_in = self.rehearsal.and_then(|rehearsal| rehearsal.stand_in);
                Ok(answer)
            }
            Err(DatabaseFault::Aborted(_)) => Err(self.why_aborted().await),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Tells a closed gate from a conflict by asking the gate again, with no capability needed.
    async fn why_aborted(&self) -> Refusal {
        let facts = match self.database.batch(vec![self.gate(Scopes::NONE, Selection::NOTHING)]).await {
            Ok(rows) => match answer(rows) {
                Ok(answer) => answer.facts,
                Err(refusal) => return refusal,
            },
            Err(DatabaseFault::Aborted(_)) => return Refusal::Unauthenticated,
            Err(fault) => return fault.into(),
        };
        if !facts.selection.contains(self.selected) {
            let mend = "Ask the person to connect this app again and to choose its tools anew, or do it without this tool.";
            return facts.selection.refusal("The person who connected this app", mend).into();
        }
        // What the role forbids, no wider grant can allow: then nobody is sent to ask for one.
        if !facts.by_role.contains(self.needs) {
            Problem::new(
                Code::RoleNotAllowed,
                "",
                "Ask an owner or admin of the organisation to do it, or to change your role.",
            )
            .into()
        } else if !facts.granted.contains(self.needs) {
            Refusal::InsufficientScope(self.needs)
        } else {
            Refusal::Conflict
        }
    }

    fn gate(&self, needs: Scopes, tool: Selection) -> Statement {
        match &self.authority {
            Authority::Grant { grant_id, generation, user_id, client_id, scopes } => {
                store::GATE_GRANT.with([
                    Value::from(&self.tenant.id),
                    grant_id.into(),
                    (*generation).into(),
                    user_id.into(),
                    client_id.as_str().into(),
                    self.now().into(),
                    needs.into(),
                    (*scopes).into(),
                    tool.into(),
                ])
            }
            Authority::Member { user_id } => {
                store::GATE_MEMBER.with([Value::from(&self.tenant.id), user_id.into(), needs.into()])
            }
        }
    }
}

struct FactsRow(Facts);

impl FromRow for FactsRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let text: String = row.get("facts")?;
        serde_json::from_str(&text).map(Self).map_err(|_| RowFault { column: "facts" })
    }
}

fn answer(rows: Vec<Rows>) -> Result<Answer, Refusal> {
    let mut rows = rows.into_iter();
    let FactsRow(mut facts) = rows
        .next()
        .unwrap_or_default()
        .first()
        .map(FactsRow::from_row)
        .transpose()?
        .ok_or(Refusal::Unauthenticated)?;
    sort_by(&mut facts.workspaces, |a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
    Ok(Answer { facts, rows })
}

/// Anybody: reads only what a tenant shows to the public.
pub struct Visitor<'a> {
    database: &'a dyn Database,
    tenant: Tenant,
}

impl<'a> Visitor<'a> {
    /// A visitor of a tenant, if its shard is bound to this deployment.
    pub fn new(platform: &Platform<'a>, tenant: Tenant) -> Option<Self> {
        let database = platform.shard(tenant.shard)?;
        Some(Self { database, tenant })
    }

    /// The tenant.
    pub const fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Runs reading statements behind the visitor's gate. Nothing when the tenant is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read(&self, statements: Vec<Statement>) -> Result<Option<Vec<Rows>>, DatabaseFault> {
        let mut batch = vec![store::GATE_VISITOR.with([Value::from(&self.tenant.id)])];
        batch.extend(statements);
        match self.database.batch(batch).await {
            Ok(rows) => Ok(Some(rows.into_iter().skip(1).collect())),
            Err(DatabaseFault::Aborted(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}
