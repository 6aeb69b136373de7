//! Who can sign in.

use super::{EmailAddress, Person, store};
use crate::{
    desk::UserId,
    platform::{DatabaseFault, Platform, first, only},
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

/// The person with this address; a new one called `name` if there is none.
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
    let batch = vec![
        store::ADD_PERSON.with([id.into(), email.into(), name.into(), now.into()]),
        store::FIND_PERSON.with([email.into()]),
    ];
    let answers = platform.directory.batch(batch).await?;
    let found = answers.get(1).map(first).transpose()?.flatten();
    found.ok_or_else(|| DatabaseFault::Unknown("a person that was just added is not there".to_owned()))
}
