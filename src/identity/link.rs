//! One-time sign-in links: printed by the operator, or sent to the person's address.

use askama::Template;
use data_encoding::BASE64URL_NOPAD;

use super::{
    EmailAddress, Person,
    people::{Proof, prove},
    session::{NewSession, new_secret, note_refused},
    store,
};
use crate::{
    desk::{UserId, token_hash},
    platform::{
        Config, DatabaseFault, Entropy, FromRow, Letter, Platform, Purpose, Row, RowFault, Timestamp, first,
        only, random_array,
    },
};

/// A link works for 15 minutes.
const LINK_SECONDS: i64 = 900;
/// Elsewhere than in the browser that asked, a link takes this many codes.
const TRIES: i64 = 5;

/// A link that signs one person in, once. Its address is a secret.
pub struct SignInLink {
    /// The address to open in a browser.
    pub url: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// Makes the operator's link for a person; it works in every browser. The operator's word proves the person's address: what
/// somebody else began in its name ends.
///
/// # Errors
/// When the directory fails; a link that was made all the same is never known to anybody.
pub async fn make_link(platform: &Platform<'_>, person: &UserId) -> Result<SignInLink, DatabaseFault> {
    let secret = new_secret(platform.entropy);
    let now = platform.now();
    let expires_at = now.plus_seconds(LINK_SECONDS);
    let add =
        store::ADD_LINK.with([token_hash(&secret).into(), person.into(), now.into(), expires_at.into()]);
    let batch = prove(platform, Proof::Operator(person)).into_iter().chain([add]).collect();
    platform.directory.batch(batch).await?;
    Ok(SignInLink { url: url(platform.config, &secret), expires_at })
}

fn url(config: &Config, secret: &str) -> String {
    format!("{}/sign-in/link/{secret}", config.public_origin)
}

#[derive(Template)]
#[template(path = "identity/templates/letter.txt")]
struct LetterText<'a> {
    origin: &'a str,
    email: &'a EmailAddress,
    url: &'a str,
}

/// Sends a link to an address, if somebody here has it, and gives the code with which the link works elsewhere than in
/// the browser that asks. Whether anybody has the address changes neither what is given nor the work until then.
///
/// # Errors
/// When the directory fails; nothing was sent.
pub(super) async fn mail_link(
    platform: &Platform<'_>,
    email: &EmailAddress,
    browser_hash: &str,
) -> Result<String, DatabaseFault> {
    let secret = new_secret(platform.entropy);
    let code = new_code(platform.entropy);
    let hash = token_hash(&secret);
    let now = platform.now();
    let batch = vec![
        store::ADD_MAILED_LINK.with([
            hash.as_str().into(),
            email.into(),
            browser_hash.into(),
            code_tag(platform.config, &hash, &code).into(),
            now.into(),
            now.plus_seconds(LINK_SECONDS).into(),
        ]),
        store::FIND_LINK.with([hash.into(), now.into(), browser_hash.into()]),
    ];
    let answers = platform.directory.batch(batch).await?;
    if let Some(found) = answers.get(1).map(first::<Found>).transpose()?.flatten() {
        // To the address that is stored: what was typed may only look like it.
        platform.mail.post(letter(platform.config, &found.person.email, &secret));
    }
    Ok(code)
}

fn letter(config: &Config, email: &EmailAddress, secret: &str) -> Letter {
    let url = url(config, secret);
    let text = LetterText { origin: &config.public_origin, email, url: &url };
    Letter {
        to: email.as_str().to_owned(),
        subject: "Your sign-in link for Postern".to_owned(),
        // A template of plain text with these fields always renders.
        text: text.render().unwrap_or(url),
    }
}

/// Six digits.
fn new_code(entropy: &dyn Entropy) -> String {
    format!("{:06}", u64::from_be_bytes(random_array(entropy)) % 1_000_000)
}

/// What is stored of a code: the key's id and an HMAC over link and code, since six digits are found out from any hash
/// without a key.
fn code_tag(config: &Config, link_hash: &str, code: &str) -> String {
    let tag = config.keys.current(Purpose::SignInCode).hmac(coded(link_hash, code).as_bytes());
    format!("{}.{}", config.keys.current_id(), BASE64URL_NOPAD.encode(&tag))
}

fn is_code(config: &Config, link_hash: &str, typed: &str, stored: &str) -> bool {
    let Some((id, tag)) = stored.split_once('.') else {
        return false;
    };
    let key = config.keys.by_id(id, Purpose::SignInCode);
    let tag = BASE64URL_NOPAD.decode(tag.as_bytes()).ok();
    key.zip(tag).is_some_and(|(key, tag)| key.verify(coded(link_hash, typed).as_bytes(), &tag))
}

fn coded(link_hash: &str, code: &str) -> String {
    format!("{link_hash}.{code}")
}

struct Found {
    person: Person,
    here: bool,
}

impl FromRow for Found {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { person: Person::from_row(row)?, here: row.get("here")? })
    }
}

/// What a link can do in a browser.
pub(super) enum Look {
    /// It signs this person in.
    Opens(Person),
    /// It signs somebody in who types the code.
    NeedsCode,
    /// Nothing: it never was, was used, or is too old.
    Useless,
}

/// What a link would do in the browser of this hash. Nothing is used up.
///
/// # Errors
/// When the directory fails.
pub(super) async fn look(
    platform: &Platform<'_>,
    secret: &str,
    browser_hash: Option<String>,
) -> Result<Look, DatabaseFault> {
    let find = store::FIND_LINK.with([token_hash(secret).into(), platform.now().into(), browser_hash.into()]);
    Ok(match first(&only(platform.directory, find).await?)? {
        Some(Found { person, here: true }) => Look::Opens(person),
        Some(Found { here: false, .. }) => Look::NeedsCode,
        None => Look::Useless,
    })
}

/// What became of a link.
pub(super) enum Redeemed {
    /// The session has begun.
    SignedIn,
    /// That was not the code.
    WrongCode,
    /// It does not work, or not any more.
    Useless,
}

/// Uses a link up and begins a session in the same transaction; the browser's former session ends. `code` is what was
/// typed, digits only, where the link needs one.
///
/// # Errors
/// When the directory fails.
pub(super) async fn redeem(
    platform: &Platform<'_>,
    secret: &str,
    browser_hash: Option<String>,
    code: Option<&str>,
    new: &NewSession,
) -> Result<Redeemed, DatabaseFault> {
    let link = token_hash(secret);
    let now = platform.now();
    if let Some(typed) = code {
        let count = store::TRY_CODE.with([link.as_str().into(), now.into(), TRIES.into()]);
        let Some(Coded { tag, person }) = first(&only(platform.directory, count).await?)? else {
            return useless(platform, &link).await;
        };
        if !is_code(platform.config, &link, typed, &tag) {
            note_refused(platform, &person, "link", "wrong_code").await;
            return Ok(Redeemed::WrongCode);
        }
    }
    let [hash, id, browser, at, expires_at] = new.values();
    let mut batch = vec![
        store::USE_LINK.with([link.as_str().into(), now.into(), browser_hash.into(), code.is_some().into()]),
        store::BEGIN_SESSION_BY_LINK.with([link.as_str().into(), hash, id, browser, at, expires_at]),
        new.end_former(),
        new.act(platform, None, "link"),
    ];
    batch.extend(prove(platform, Proof::Session(new.hash())));
    let answers = platform.directory.batch(batch).await?;
    let begun = answers.get(1).is_some_and(|rows| !rows.is_empty());
    if begun { Ok(Redeemed::SignedIn) } else { useless(platform, &link).await }
}

/// The tag of a link's code, and whose the link is.
struct Coded {
    tag: String,
    person: UserId,
}

impl FromRow for Coded {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self { tag: row.get("code_tag")?, person: row.get("user_id")? })
    }
}

/// Writes down that a link was used which works no more, or not there; of one that never was, nobody is to be told.
async fn useless(platform: &Platform<'_>, link: &str) -> Result<Redeemed, DatabaseFault> {
    let rows = only(platform.directory, store::PERSON_OF_LINK.with([link.into()])).await?;
    if let Some(person) = rows.first().map(|row| row.get::<UserId>("user_id")).transpose()? {
        note_refused(platform, &person, "link", "link_useless").await;
    }
    Ok(Redeemed::Useless)
}
