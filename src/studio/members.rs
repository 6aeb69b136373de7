//! Who belongs to an organisation, what they may do, and who is invited.

use askama::Template;

use super::member::{member, member_with_form, refused};
use crate::{
    desk::{Caller, Code, InvitationId, Refusal, Role, TimeFromNow, UserId},
    http::{Form, FormTarget, Request, Response, page},
    identity::{self, EmailAddress, Session, new_secret},
    platform::{Letter, Platform},
    tenants::{self, Member, NewInvitation, OpenInvitation, Roster, Standing},
};

#[derive(Template)]
#[template(path = "studio/templates/members.html")]
struct MembersPage {
    organisation: String,
    csrf: String,
    manages: bool,
    by_mail: bool,
    members: Vec<MemberRow>,
    invitations: Vec<InvitationRow>,
    /// Roles that may be given, those of a new member's form.
    choices: Vec<Choice>,
    email: String,
    done: Option<&'static str>,
    problem: Option<String>,
}

struct MemberRow {
    id: UserId,
    name: String,
    email: String,
    role: &'static str,
    approver: bool,
    is_you: bool,
    may_change: bool,
    may_remove: bool,
    choices: Vec<Choice>,
}

struct InvitationRow {
    id: InvitationId,
    email: String,
    role: &'static str,
    approver: bool,
    made: TimeFromNow,
    ends: TimeFromNow,
    may_withdraw: bool,
}

struct Choice {
    role: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "studio/templates/invited.html")]
struct InvitedPage<'a> {
    organisation: &'a str,
    csrf: String,
    email: &'a str,
    url: &'a str,
    back: String,
}

#[derive(Template)]
#[template(path = "studio/templates/invitation.txt")]
struct LetterText<'a> {
    organisation: &'a str,
    inviter: &'a str,
    origin: &'a str,
    email: &'a str,
    url: &'a str,
}

/// What a form of the page asks for.
enum Asked {
    Change { member: UserId, to: Standing },
    Remove { member: UserId },
    Invite { email: EmailAddress, standing: Standing },
    Withdraw { invitation: InvitationId },
}

impl Asked {
    /// What is wrong in a sentence, if the form asks for nothing that there is.
    fn parse(form: &Form) -> Result<Self, &'static str> {
        const STRANGE: &str = "Load the page again and use one of its buttons.";
        let field = |name| form.get(name).unwrap_or_default().trim();
        let id = |name| field(name).parse().map_err(|_| STRANGE);
        let standing = || {
            let role: Role = field("role").parse().map_err(|()| "Choose one of the roles.")?;
            Ok::<_, &'static str>(Standing { role, approver: form.get("approver").is_some() })
        };
        match field("act") {
            "change" => Ok(Self::Change { member: id("member")?, to: standing()? }),
            "remove" => Ok(Self::Remove { member: id("member")? }),
            "invite" => {
                let email = field("email").parse().map_err(|_| "This is not an e-mail address.")?;
                Ok(Self::Invite { email, standing: standing()? })
            }
            "withdraw" => {
                let invitation = field("invitation").parse().map_err(|_| STRANGE)?;
                Ok(Self::Withdraw { invitation })
            }
            _ => Err(STRANGE),
        }
    }
}

/// `GET /<safename>/members`: everybody, for every member; those who manage can change it.
pub async fn members_page(platform: &Platform<'_>, request: &Request, safename: &str) -> Response {
    let (session, caller) = match member(platform, request, safename).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let done = request.query().get("done").and_then(done_words);
    let shown = Shown { done, ..Shown::default() };
    show(&session, &caller, shown).await.unwrap_or_else(|answer| answer)
}

fn done_words(done: &str) -> Option<&'static str> {
    match done {
        "changed" => Some("Changed. It holds from now on."),
        "removed" => Some("Removed. Apps that worked for that member have lost their access here."),
        "invited" => Some("Invited. A letter with the link is on its way."),
        "withdrawn" => Some("Withdrawn. The link works no more."),
        _ => None,
    }
}

/// `POST /<safename>/members`: what one of the page's forms asks for.
pub async fn change_members(platform: &Platform<'_>, request: &Request, safename: &str) -> Response {
    let changed = async {
        let (session, caller, form) = member_with_form(platform, request, safename).await?;
        act(&session, &caller, &form).await
    };
    changed.await.unwrap_or_else(|answer| answer)
}

async fn act(session: &Session, caller: &Caller<'_>, form: &Form) -> Result<Response, Response> {
    let typed = form.get("email").unwrap_or_default();
    let asked = match Asked::parse(form) {
        Ok(asked) => asked,
        Err(words) => return show(session, caller, Shown::problem(422, words.to_owned(), typed)).await,
    };
    match carry_out(session, caller, &asked).await {
        Ok(response) => Ok(response),
        Err(Refusal::Problems(problems)) => {
            let Some(problem) = problems.first() else { return Err(refused(Refusal::Problems(problems))) };
            if problem.code == Code::SignInAgain {
                return Err(identity::sign_in_again(&address(caller)));
            }
            let status = if problem.code == Code::RoleNotAllowed { 403 } else { 422 };
            let words = format!("{} {}", problem.message, problem.hint);
            show(session, caller, Shown::problem(status, words, typed)).await
        }
        Err(refusal) => Err(refused(refusal)),
    }
}

async fn carry_out(session: &Session, caller: &Caller<'_>, asked: &Asked) -> Result<Response, Refusal> {
    let recent = session.recent(caller.now());
    match asked {
        Asked::Change { member, to } => {
            tenants::change_member(caller, member, *to, recent).await?;
            Ok(done(caller, "changed"))
        }
        Asked::Remove { member } => {
            tenants::remove_member(caller, member).await?;
            let left = member == caller.user_id();
            Ok(if left { Response::see_other("/").no_store() } else { done(caller, "removed") })
        }
        Asked::Withdraw { invitation } => {
            tenants::withdraw_invitation(caller, invitation).await?;
            Ok(done(caller, "withdrawn"))
        }
        Asked::Invite { email, standing } => {
            let platform = caller.platform();
            let mailed = platform.config.mail.is_some();
            let secret = new_secret(platform.entropy);
            let new = NewInvitation { email: email.as_str(), standing: *standing, secret: &secret, mailed };
            tenants::invite(caller, &new, recent).await?;
            hand_over(session, caller, email.as_str(), &secret, mailed).await
        }
    }
}

/// Sends an invitation's link to its address, or shows it once where no mail is sent.
async fn hand_over(
    session: &Session,
    caller: &Caller<'_>,
    email: &str,
    secret: &str,
    mailed: bool,
) -> Result<Response, Refusal> {
    let config = caller.platform().config;
    let organisation = &caller.facts().await?.tenant_name;
    let origin = &config.public_origin;
    let url = format!("{origin}/{}/invitation/{secret}", caller.tenant().safename);
    if !mailed {
        let back = address(caller);
        let template = InvitedPage { organisation, csrf: session.csrf(config), email, url: &url, back };
        return Ok(page(200, &template, FormTarget::SelfOnly, None));
    }
    let text = LetterText { organisation, inviter: &session.name, origin, email, url: &url };
    caller.platform().mail.post(Letter {
        to: email.to_owned(),
        subject: "An invitation to Postern".to_owned(),
        // A template of plain text with these fields always renders.
        text: text.render().unwrap_or(url),
    });
    Ok(done(caller, "invited"))
}

fn address(caller: &Caller<'_>) -> String {
    format!("/{}/members", caller.tenant().safename)
}

fn done(caller: &Caller<'_>, what: &str) -> Response {
    Response::see_other(&format!("{}?done={what}", address(caller))).no_store()
}

/// What a page says besides the list.
#[derive(Default)]
struct Shown {
    status: Option<u16>,
    done: Option<&'static str>,
    problem: Option<String>,
    email: String,
}

impl Shown {
    fn problem(status: u16, words: String, typed: &str) -> Self {
        Self { status: Some(status), done: None, problem: Some(words), email: typed.to_owned() }
    }
}

async fn show(session: &Session, caller: &Caller<'_>, shown: Shown) -> Result<Response, Response> {
    let Roster { facts, members, invitations } = tenants::roster(caller).await.map_err(refused)?;
    let config = caller.platform().config;
    let mine = facts.role;
    let owners = members.iter().filter(|member| member.standing.role == Role::Owner).count();
    let template = MembersPage {
        organisation: facts.tenant_name,
        csrf: session.csrf(config),
        manages: mine.manages(),
        by_mail: config.mail.is_some(),
        members: members.into_iter().map(|member| row(member, mine, &facts.user_id, owners)).collect(),
        invitations: invitations.into_iter().map(|open| invited(open, mine, caller)).collect(),
        choices: choices(mine, Role::Editor),
        email: shown.email,
        done: shown.done,
        problem: shown.problem,
    };
    Ok(page(shown.status.unwrap_or(200), &template, FormTarget::SelfOnly, None))
}

/// Whether somebody of the role `mine` manages somebody of the role `theirs`; the statements decide, this only shows.
fn manages(mine: Role, theirs: Role) -> bool {
    mine == Role::Owner || (mine == Role::Admin && theirs != Role::Owner)
}

fn row(member: Member, mine: Role, me: &UserId, owners: usize) -> MemberRow {
    let Standing { role, approver } = member.standing;
    let is_you = member.user_id == *me;
    let last_owner = role == Role::Owner && owners == 1;
    MemberRow {
        may_change: manages(mine, role) && !last_owner,
        may_remove: (is_you || manages(mine, role)) && !last_owner,
        choices: choices(mine, role),
        id: member.user_id,
        name: member.name,
        email: member.email,
        role: role.as_str(),
        approver,
        is_you,
    }
}

fn invited(open: OpenInvitation, mine: Role, caller: &Caller<'_>) -> InvitationRow {
    let now = caller.now();
    InvitationRow {
        may_withdraw: manages(mine, open.standing.role),
        id: open.invitation_id,
        email: open.email,
        role: open.standing.role.as_str(),
        approver: open.standing.approver,
        made: TimeFromNow::new(open.created_at, now),
        ends: TimeFromNow::new(open.expires_at, now),
    }
}

/// The roles that somebody of the role `mine` may give.
fn choices(mine: Role, chosen: Role) -> Vec<Choice> {
    Role::ALL
        .into_iter()
        .filter(|role| manages(mine, *role))
        .map(|role| Choice { role: role.as_str(), chosen: role == chosen })
        .collect()
}
