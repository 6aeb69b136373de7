//! Who can sign in.

use super::{EmailAddress, Person, session::NewSession, store};
use crate::{
    desk::UserId,
    http::Request,
    platform::{DatabaseFault, Platform, Statement, Timestamp, Value, first, only},
};

/// The person with this address.
///
/// # Errors
/// When the directory fails.
pub async fn find_person(
    platform: &Platform<'_>,
    email: &EmailAddress,
) -> Result<Option<Person>, DatabaseFault> {
    first(&only(platform.directory, store::FIND_PERSON.with([email.into()])).await?)
}

/// The person with this address; a new one called `name` if there is none. The operator's word proves the address: what
/// somebody else began in its name ends.
///
/// # Errors
/// When the directory fails. Repeating it is safe.
pub async fn find_or_add_person(
    platform: &Platform<'_>,
    email: &EmailAddress,
    name: &str,
) -> Result<Person, DatabaseFault> {
    let now = platform.now();
    let id = UserId::new(now, platform.entropy);
    let person = add(platform, &id, email, name, Some(now)).await?;
    platform.directory.batch(prove(platform, Proof::Operator(&person.user_id))).await?;
    Ok(person)
}

/// The person with this address; one under the id `invited` if there is none.
///
/// # Errors
/// When the directory fails. Repeating it is safe.
pub async fn find_or_add_invited(
    platform: &Platform<'_>,
    invited: &UserId,
    email: &EmailAddress,
    name: &str,
    proved: bool,
) -> Result<Person, DatabaseFault> {
    add(platform, invited, email, name, proved.then(|| platform.now())).await
}

async fn add(
    platform: &Platform<'_>,
    id: &UserId,
    email: &EmailAddress,
    name: &str,
    proved_at: Option<Timestamp>,
) -> Result<Person, DatabaseFault> {
    let batch = vec![
        store::ADD_PERSON.with([
            id.into(),
            email.into(),
            name.into(),
            platform.now().into(),
            proved_at.into(),
        ]),
        store::FIND_PERSON.with([email.into()]),
    ];
    let answers = platform.directory.batch(batch).await?;
    let found = answers.get(1).map(first).transpose()?.flatten();
    found.ok_or_else(|| DatabaseFault::Unknown("a person that was just added is not there".to_owned()))
}

/// What shows that an address is a person's own.
#[derive(Clone, Copy)]
pub(super) enum Proof<'a> {
    /// The operator says that it is this person's.
    Operator(&'a UserId),
    /// The session of this hash, if it was begun by a letter to the address.
    Session(&'a str),
}

/// The statements that take a person's address for proved. If it was not before, whoever made the person may be somebody
/// else: every way in that was set up until now ends, but for the session that proves it.
pub(super) fn prove(platform: &Platform<'_>, proof: Proof<'_>) -> Vec<Statement> {
    let values = || match proof {
        Proof::Operator(person) => [person.into(), Value::Null],
        Proof::Session(hash) => [Value::Null, hash.into()],
    };
    let [person, session] = values();
    vec![
        store::END_UNPROVED_SESSIONS.with(values()),
        store::END_UNPROVED_PASSKEYS.with(values()),
        store::END_UNPROVED_IDENTITIES.with(values()),
        store::PROVE_PERSON.with([person, session, platform.now().into()]),
    ]
}

/// Lets a person in whom an invitation has just made, once, and begins a session; the browser's former one ends.
///
/// # Errors
/// When the directory fails.
pub(super) async fn enter(
    platform: &Platform<'_>,
    request: &Request,
    person: &UserId,
) -> Result<Option<NewSession>, DatabaseFault> {
    let new = NewSession::in_browser(platform, request);
    let [hash, id, browser, now, expires_at] = new.values();
    let batch = vec![
        store::ENTER.with([person.into(), now.clone()]),
        store::BEGIN_SESSION_BY_INVITATION.with([person.into(), hash, id, browser, now, expires_at]),
        new.act(platform, None, "invitation"),
        new.end_former(),
    ];
    let answers = platform.directory.batch(batch).await?;
    Ok(answers.get(1).is_some_and(|rows| !rows.is_empty()).then_some(new))
}
