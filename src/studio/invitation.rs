//! An invitation's link: who is invited to what, and accepting it.

use askama::Template;

use crate::{
    desk::{Safename, Tenant},
    http::{Form, FormTarget, Notice, Request, Response, page},
    identity::{self, EmailAddress, Person, Session, is_same_origin, not_from_here},
    platform::{DatabaseFault, Platform},
    tenants::{self, Invitation, NewMember},
};

#[derive(Template)]
#[template(path = "studio/templates/invitation.html")]
struct InvitationPage<'a> {
    invitation: &'a Invitation,
    action: &'a str,
    who: Who<'a>,
    csrf: String,
    name: &'a str,
    /// Whether the name that was typed is none.
    malformed: bool,
}

/// Who has opened the link.
enum Who<'a> {
    /// Nobody who is signed in.
    Nobody,
    /// The person who is invited.
    Invited(&'a Session),
    /// Somebody else.
    Other(&'a Session),
}

/// Why there is no page.
enum Fault {
    Useless,
    Database,
}

impl From<DatabaseFault> for Fault {
    fn from(_: DatabaseFault) -> Self {
        Self::Database
    }
}

/// A link with what it finds.
struct Case {
    tenant: Tenant,
    invitation: Invitation,
    session: Option<Session>,
}

/// `GET /<safename>/invitation/<secret>`: shows the invitation. It uses nothing up.
pub async fn invitation_page(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    secret: &str,
) -> Response {
    match open(platform, request, safename, secret).await {
        Ok(case) => case.show(platform, request, 200, None),
        Err(fault) => answer(&fault),
    }
}

/// `POST /<safename>/invitation/<secret>`: accepts it. Whoever is signed in joins as that person; otherwise a new person
/// is made, and one who is there already signs in first.
pub async fn accept_invitation(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    secret: &str,
) -> Response {
    let case = match open(platform, request, safename, secret).await {
        Ok(case) => case,
        Err(fault) => return answer(&fault),
    };
    let form = request.form().unwrap_or_default();
    let allowed = match &case.session {
        Some(session) => session.allows(platform.config, request, &form),
        None if is_same_origin(platform.config, request) => Ok(()),
        None => Err(not_from_here()),
    };
    if let Err(response) = allowed {
        return response;
    }
    let accepted = match case.who() {
        Who::Nobody => case.enter(platform, request, secret, &form).await,
        Who::Invited(session) => case.join(platform, secret, session).await,
        Who::Other(_) => Ok(case.show(platform, request, 403, None)),
    };
    accepted.unwrap_or_else(|fault| answer(&fault))
}

async fn open(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    secret: &str,
) -> Result<Case, Fault> {
    let safename: Safename = safename.parse().map_err(|_| Fault::Useless)?;
    let tenant = tenants::find(platform, &safename).await?.ok_or(Fault::Useless)?;
    let invitation = tenants::find_invitation(platform, &tenant, secret).await?.ok_or(Fault::Useless)?;
    let session = identity::session(platform, request).await?;
    // One that was accepted is shown to nobody but the person whom it made, who may not have got the answer.
    let accepted_by_another = invitation.used_by.as_ref().is_some_and(|person| *person != invitation.user_id);
    if accepted_by_another { Err(Fault::Useless) } else { Ok(Case { tenant, invitation, session }) }
}

fn answer(fault: &Fault) -> Response {
    match fault {
        Fault::Useless => Notice {
            heading: "This invitation does not work",
            words: "An invitation works once and for seven days, and can be withdrawn. Ask whoever invited you for a new one.",
        }
        .response(404),
        Fault::Database => Notice::UNAVAILABLE.response(503),
    }
}

impl Case {
    fn who(&self) -> Who<'_> {
        match &self.session {
            None => Who::Nobody,
            // A sign-in that another tenant's provider vouched for says nothing here.
            Some(session)
                if session.email.eq_ignore_ascii_case(&self.invitation.email)
                    && session.reach().covers(&self.tenant.id) =>
            {
                Who::Invited(session)
            }
            Some(session) => Who::Other(session),
        }
    }

    /// The page; `name` is what was typed and is no name.
    fn show(&self, platform: &Platform<'_>, request: &Request, status: u16, name: Option<&str>) -> Response {
        let template = InvitationPage {
            invitation: &self.invitation,
            action: &request.path,
            who: self.who(),
            csrf: self.session.as_ref().map(|session| session.csrf(platform.config)).unwrap_or_default(),
            name: name.unwrap_or_default(),
            malformed: name.is_some(),
        };
        page(status, &template, FormTarget::SelfOnly, None)
    }

    async fn join(
        &self,
        platform: &Platform<'_>,
        secret: &str,
        session: &Session,
    ) -> Result<Response, Fault> {
        let member = NewMember { user_id: &session.user_id, name: &session.name, email: &session.email };
        if tenants::accept_invitation(platform, &self.tenant, secret, &member).await? {
            Ok(Response::see_other("/").no_store())
        } else {
            Err(Fault::Useless)
        }
    }

    /// Makes the new person first, then the member, and lets the person in last: each step can be repeated, and the last
    /// happens once.
    async fn enter(
        &self,
        platform: &Platform<'_>,
        request: &Request,
        secret: &str,
        form: &Form,
    ) -> Result<Response, Fault> {
        let typed = form.get("name").unwrap_or_default();
        let Some(name) = person_name(typed) else {
            return Ok(self.show(platform, request, 422, Some(typed)));
        };
        let Invitation { user_id, email, mailed, .. } = &self.invitation;
        let email: EmailAddress = email.parse().map_err(|_| Fault::Database)?;
        let person = identity::find_or_add_invited(platform, user_id, &email, name, *mailed).await?;
        if person.user_id != *user_id {
            return Ok(identity::sign_in_redirect(request));
        }
        let Person { user_id, name, email } = &person;
        let member = NewMember { user_id, name, email: email.as_str() };
        if !tenants::accept_invitation(platform, &self.tenant, secret, &member).await? {
            return Err(Fault::Useless);
        }
        Ok(identity::enter(platform, request, user_id).await?)
    }
}

/// 1 to 100 characters that can be seen.
fn person_name(typed: &str) -> Option<&str> {
    let name = typed.trim();
    let fits = (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    fits.then_some(name)
}
