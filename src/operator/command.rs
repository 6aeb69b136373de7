//! The commands, parsed into types that cannot be wrong.

use serde_json::{Map, Value};

use super::fields::Fields;
use crate::{
    desk::{ClientId, Code, Problem, Role, Safename, TimeZoneName},
    identity::EmailAddress,
    tenants::{NameFault, new_safename},
};

/// What an operator may ask.
pub(super) enum Command {
    CreateTenant(CreateTenant),
    CreateSignInLink { safename: Safename, email: EmailAddress },
    Invite(Invite),
    ListTenants { after: String },
    Status,
    HoldShard { shard: i64, reason: String },
    ReleaseShard { shard: i64 },
    ExportTenant { safename: Safename, next: Option<String> },
    DeleteTenant { safename: Safename },
    RestoreTenant { safename: Safename },
    RotateKeys,
    AddClient { name: String, redirect_uris: Vec<String>, jwks_uri: Option<String> },
    ListClients { after: String },
    RemoveClient { client_id: ClientId },
}

/// Makes a tenant.
pub(super) struct CreateTenant {
    pub(super) safename: Safename,
    pub(super) name: String,
    pub(super) owner_email: EmailAddress,
    pub(super) owner_name: String,
    pub(super) workspace: String,
    pub(super) time_zone: TimeZoneName,
}

/// Makes a person a member.
pub(super) struct Invite {
    pub(super) safename: Safename,
    pub(super) email: EmailAddress,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) approver: bool,
}

const NAMES: &str = "create_tenant, create_sign_in_link, invite, list_tenants, status, hold_shard, release_shard, \
    export_tenant, delete_tenant, restore_tenant, rotate_keys, add_client, list_clients, remove_client";

impl Command {
    /// Parses `{"command": NAME, …}`.
    ///
    /// # Errors
    /// Every problem there is.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Vec<Problem>> {
        let mut object: Map<String, Value> = serde_json::from_slice(body).map_err(|_| {
            vec![Problem::new(Code::Malformed, "", "Send a JSON object with the field command.")]
        })?;
        let name = object.remove("command");
        let fields = Fields::new(object);
        match name.as_ref().and_then(Value::as_str) {
            Some("create_tenant") => create_tenant(fields),
            Some("create_sign_in_link") => create_sign_in_link(fields),
            Some("invite") => invite(fields),
            Some("list_tenants") => list_tenants(fields),
            Some("status") => fields.finish(Some(Self::Status)),
            Some("hold_shard") => hold_shard(fields),
            Some("release_shard") => release_shard(fields),
            Some("export_tenant") => export_tenant(fields),
            Some("delete_tenant") => of_tenant(fields, |safename| Self::DeleteTenant { safename }),
            Some("restore_tenant") => of_tenant(fields, |safename| Self::RestoreTenant { safename }),
            Some("rotate_keys") => fields.finish(Some(Self::RotateKeys)),
            Some("add_client") => add_client(fields),
            Some("list_clients") => list_clients(fields),
            Some("remove_client") => remove_client(fields),
            Some(_) => Err(vec![Problem::new(Code::NotInList, "command", format!("It is one of {NAMES}."))]),
            None => Err(vec![Problem::new(Code::Missing, "command", format!("Name one of {NAMES}."))]),
        }
    }
}

fn create_tenant(mut fields: Fields) -> Result<Command, Vec<Problem>> {
    let safename = fields.text("safename", |text| {
        new_safename(text).map_err(|fault| match fault {
            NameFault::Malformed => SAFENAME,
            NameFault::Reserved => "This name is reserved; choose another.",
        })
    });
    let name = fields.text("name", |text| words(text, 200, "It has 1 to 200 characters."));
    let owner_email = fields.text("owner_email", email);
    let owner_name = fields.text("owner_name", |text| words(text, 200, "It has 1 to 200 characters."));
    let workspace = fields.text("workspace", |text| words(text, 100, "It has 1 to 100 characters."));
    let time_zone = fields.text("time_zone", |text| {
        TimeZoneName::parse(text).ok_or("It is an IANA name such as Europe/Stockholm.")
    });
    let made = safename.zip(name).zip(owner_email).zip(owner_name).zip(workspace).zip(time_zone).map(
        |(((((safename, name), owner_email), owner_name), workspace), time_zone)| {
            Command::CreateTenant(CreateTenant {
                safename,
                name,
                owner_email,
                owner_name,
                workspace,
                time_zone,
            })
        },
    );
    fields.finish(made)
}

fn create_sign_in_link(mut fields: Fields) -> Result<Command, Vec<Problem>> {
    let safename = fields.text("safename", safename);
    let email = fields.text("email", email);
    let made = safename.zip(email).map(|(safename, email)| Command::CreateSignInLink { safename, email });
    fields.finish(made)
}

fn invite(mut fields: Fields) -> Result<Command, Vec<Problem>> {
    let safename = fields.text("safename", safename);
    let email = fields.text("email", email);
    let name = fields.text("name", |text| words(text, 200, "It has 1 to 200 characters."));
    let role = fields.text("role", |text| text.parse().map_err(|()| "It is owner, admin, editor or viewer."));
    let approver = fields.flag("approver");
    let made = safename.zip(email).zip(name).zip(role).map(|(((safename, email), name), role)| {
        Command::Invite(Invite { safename, email, name, role, approver })
    });
    fields.finish(made)
}

fn list_tenants(mut fields: Fields) -> Result<Command, Vec<Problem>> {
    let after = fields.optional_text("after").unwrap_or_default();
    fields.finish(Some(Command::ListTenants { after }))
}

fn hold_shard(mut fields: Fields) -> Result<Command, Vec<Problem>> {
    let shard = fields.number("shard");
    let reason = fields.text("reason", |text| words(text, 500, "It has 1 to 500 characters."));
    let made = shard.zip(reason).map(|(shard, reason)| Command::HoldShard { shard, reason });
    fields.finish(made)
}

fn release_shard(mut fields: Fields) -> Result<Command, Vec<Problem>> {
    let made = fields.number("shard").map(|shard| Command::ReleaseShard { shard });
    fields.finish(made)
}

fn export_tenant(mut fields: Fields) -> Result<Command, Vec<Problem>> {
    let safename = fields.text("safename", safename);
    let next = fields.optional_text("next");
    fields.finish(safename.map(|safename| Command::ExportTenant { safename, next }))
}

fn of_tenant(mut fields: Fields, command: impl FnOnce(Safename) -> Command) -> Result<Command, Vec<Problem>> {
    let safename = fields.text("safename", safename);
    fields.finish(safename.map(command))
}

fn add_client(mut fields: Fields) -> Result<Command, Vec<Problem>> {
    let name = fields.text("name", |text| words(text, 80, "It has 1 to 80 characters."));
    let redirect_uris = fields.texts("redirect_uris");
    let jwks_uri = fields.optional_text("jwks_uri");
    let made = name.zip(redirect_uris).map(|(name, redirect_uris)| Command::AddClient {
        name,
        redirect_uris,
        jwks_uri,
    });
    fields.finish(made)
}

fn list_clients(mut fields: Fields) -> Result<Command, Vec<Problem>> {
    let after = fields.optional_text("after").unwrap_or_default();
    fields.finish(Some(Command::ListClients { after }))
}

fn remove_client(mut fields: Fields) -> Result<Command, Vec<Problem>> {
    let client_id = fields.text("client_id", |text| text.parse().map_err(|_| "It begins with cli_."));
    fields.finish(client_id.map(|client_id| Command::RemoveClient { client_id }))
}

const SAFENAME: &str = "It is 3 to 40 of a-z, 0-9 and -, and neither begins nor ends with -.";

fn safename(text: &str) -> Result<Safename, &'static str> {
    text.parse().map_err(|_| SAFENAME)
}

fn email(text: &str) -> Result<EmailAddress, &'static str> {
    text.trim().parse().map_err(|_| "It is an e-mail address.")
}

fn words(text: &str, most: usize, must: &'static str) -> Result<String, &'static str> {
    let text = text.trim();
    let fits = (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(must) }
}
