//! Making, listing and revoking tokens, and what an owner allows.

use super::{
    model::{NewToken, PersonalToken, Setting},
    store,
    token::Token,
};
use crate::{
    desk::{Act, AppId, Caller, Code, Facts, GrantId, Problem, Refusal, Selection},
    identity::SignInMethod,
    oauth::{client::AuthMethod, store::shard as sql},
    platform::Value,
};

/// What a person sees of a tenant's tokens.
pub(super) struct Overview {
    pub(super) facts: Facts,
    pub(super) setting: Setting,
    pub(super) tokens: Vec<PersonalToken>,
}

/// The person's own tokens in the tenant; all of them for owners and admins.
///
/// # Errors
/// When the gate is closed, or the shard fails.
pub async fn list(caller: &Caller<'_>) -> Result<Vec<PersonalToken>, Refusal> {
    Ok(overview(caller).await?.tokens)
}

pub(super) async fn overview(caller: &Caller<'_>) -> Result<Overview, Refusal> {
    let tenant = || Value::from(&caller.tenant().id);
    let batch = vec![store::SETTING.with([tenant()]), store::LIST.with([tenant(), caller.user_id().into()])];
    let mut answer = caller.read(batch).await?;
    let setting = answer.next_first()?.unwrap_or(Setting::Off);
    let tokens = answer.next_as()?;
    Ok(Overview { facts: answer.facts, setting, tokens })
}

/// Makes a token: a grant of its own, and the token's hash beside it, in one batch. The role and the owner's setting are
/// those of that moment.
///
/// # Errors
/// `conflict` when the form was sent before or the setting was changed; or when the gate is closed.
pub(super) async fn create(
    caller: &Caller<'_>,
    new: &NewToken,
    signed_in_by: SignInMethod,
) -> Result<Token, Refusal> {
    let platform = caller.platform();
    let now = caller.now();
    let token = Token::new(new.kind, platform.entropy);
    let tenant = || Value::from(&caller.tenant().id);
    let person = || Value::from(caller.user_id());
    let client = || Value::from(new.kind.client_id());
    let grant = || Value::from(&new.grant_id);
    let count = i64::try_from(new.workspaces.len()).unwrap_or(i64::MAX);
    let ends = now.plus_seconds(new.days * 86_400);
    let statements = vec![
        sql::KEEP_APP.with([
            tenant(),
            AppId::new(now, platform.entropy).into(),
            person(),
            client(),
            new.kind.client_name().into(),
            now.into(),
        ]),
        sql::ADD_GRANT.with([
            tenant(),
            grant(),
            person(),
            client(),
            new.scopes.into(),
            false.into(),
            now.into(),
            ends.into(),
            AuthMethod::None.into(),
            signed_in_by.into(),
            Selection::EVERYTHING.into(),
        ]),
        sql::ADD_GRANT_WORKSPACES.with([
            tenant(),
            grant(),
            serde_json::json!(new.workspaces).to_string().into(),
        ]),
        Caller::require_changes(count),
        store::ADD.with([tenant(), grant(), token.hash().into(), new.kind.into(), new.label.as_str().into()]),
        Caller::require_changes(1),
    ];
    let act = Act { name: new.kind.creation(), subjects: &[new.grant_id.as_str()] };
    caller.needing(new.scopes).write(act, statements).await?;
    Ok(token)
}

/// Ends a token at once: one's own, or anybody's for owners and admins. One that is over already stays over.
///
/// # Errors
/// `conflict` when there is no such token for this person; or when the gate is closed.
pub(super) async fn revoke(caller: &Caller<'_>, grant: &GrantId) -> Result<(), Refusal> {
    let tenant = || Value::from(&caller.tenant().id);
    let statements = vec![
        store::MAY_REVOKE.with([tenant(), grant.into(), caller.user_id().into()]),
        sql::END_GRANT.with([tenant(), grant.into(), caller.now().into(), "person".into()]),
    ];
    let act = Act { name: "revoke_personal_token", subjects: &[grant.as_str()] };
    caller.write_change(act, statements).await?;
    Ok(())
}

/// Sets what an owner allows. Switching off stops every token of that kind at once; switching on again lets those go on
/// that are neither revoked nor expired.
///
/// # Errors
/// `role_not_allowed` to all but owners, or when the gate is closed.
pub(super) async fn set(caller: &Caller<'_>, setting: Setting) -> Result<(), Refusal> {
    let set =
        store::SET.with([Value::from(&caller.tenant().id), caller.user_id().into(), setting.as_str().into()]);
    let act = Act { name: "set_personal_tokens", subjects: &[setting.as_str()] };
    match caller.write(act, vec![set, Caller::require_changes(1)]).await {
        Ok(_) => Ok(()),
        Err(Refusal::Conflict) => {
            Err(Problem::new(Code::RoleNotAllowed, "", "Ask an owner of the organisation.").into())
        }
        Err(refusal) => Err(refusal),
    }
}
