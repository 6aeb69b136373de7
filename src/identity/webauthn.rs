//! What an authenticator says (Web Authentication Level 3), read and judged: pure, but for the signature.
//!
//! The keys taken are those of ES256 and RS256, which every authenticator has one of. Attestation is not asked for.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;

use crate::platform::{Config, PublicKey};

/// Longest credential id (Level 3, section 7.1 step 25).
const LONGEST_ID: usize = 1023;

/// Which ceremony something belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ceremony {
    /// Making a credential.
    Create,
    /// Signing in.
    Get,
}

impl Ceremony {
    /// The `type` of its client data.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Create => "webauthn.create",
            Self::Get => "webauthn.get",
        }
    }
}

/// Why what an authenticator says is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It cannot be read.
    Malformed,
    /// It is of the other ceremony.
    Ceremony,
    /// It was made for another origin, or inside another site's frame.
    Origin,
    /// It was made for another relying party.
    RelyingParty,
    /// Nobody was there, or the authenticator did not see that it was the person.
    Verification,
    /// Its backup flags contradict each other.
    Backup,
    /// Its key is of no algorithm that is taken.
    Algorithm,
}

/// The relying party's id: the exact host of the app.
pub(super) fn relying_party(config: &Config) -> String {
    let url = Url::parse(&config.public_origin).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin")]
    top_origin: Option<String>,
}

/// The challenge that the browser was given, as bytes, if ceremony and origin are right (section 7.1 steps 5 to 11, 7.2
/// steps 9 to 14).
///
/// # Errors
/// Why it is not taken.
pub(super) fn challenge(config: &Config, ceremony: Ceremony, client_data: &[u8]) -> Result<Vec<u8>, Fault> {
    let data: ClientData = serde_json::from_slice(client_data).map_err(|_| Fault::Malformed)?;
    if data.kind != ceremony.name() {
        return Err(Fault::Ceremony);
    }
    if data.origin != config.public_origin || data.cross_origin || data.top_origin.is_some() {
        return Err(Fault::Origin);
    }
    BASE64URL_NOPAD.decode(data.challenge.as_bytes()).map_err(|_| Fault::Malformed)
}

/// Authenticator data (section 6.1), once the relying party, the person's presence and verification, and the backup flags
/// were seen to be right.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AuthenticatorData<'a> {
    /// How often the credential was used, as the authenticator counts; 0 where it does not.
    pub(super) counter: u32,
    /// Whether the credential may be copied to the person's other devices.
    pub(super) synced: bool,
    /// The credential that was made.
    pub(super) made: Option<Made<'a>>,
}

/// A credential that was made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Made<'a> {
    /// Its id.
    pub(super) id: &'a [u8],
    /// Its public key as COSE has it.
    pub(super) key: &'a [u8],
}

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENDED: u8 = 1 << 7;

impl<'a> AuthenticatorData<'a> {
    /// Reads and judges it.
    ///
    /// # Errors
    /// Why it is not taken.
    pub(super) fn read(config: &Config, bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut rest = bytes;
        let party = take(&mut rest, 32)?;
        let flags = take(&mut rest, 1)?.first().copied().unwrap_or_default();
        let counter = take(&mut rest, 4)?.try_into().map(u32::from_be_bytes).map_err(|_| Fault::Malformed)?;
        let has = |flag: u8| flags & flag != 0;
        if party != Sha256::digest(relying_party(config)).as_slice() {
            return Err(Fault::RelyingParty);
        }
        if !has(USER_PRESENT) || !has(USER_VERIFIED) {
            return Err(Fault::Verification);
        }
        if has(BACKED_UP) && !has(BACKUP_ELIGIBLE) {
            return Err(Fault::Backup);
        }
        let made = if has(ATTESTED) { Some(Made::read(&mut rest)?) } else { None };
        // Extensions come last, and nothing of them is used.
        if !has(EXTENDED) && !rest.is_empty() {
            return Err(Fault::Malformed);
        }
        Ok(Self { counter, synced: has(BACKUP_ELIGIBLE), made })
    }
}

impl<'a> Made<'a> {
    fn read(rest: &mut &'a [u8]) -> Result<Self, Fault> {
        let _model = take(rest, 16)?;
        let length = take(rest, 2)?.try_into().map(u16::from_be_bytes).map_err(|_| Fault::Malformed)?;
        let id = take(rest, usize::from(length))?;
        if id.is_empty() || id.len() > LONGEST_ID {
            return Err(Fault::Malformed);
        }
        let begin = *rest;
        read_key(rest)?;
        let key = begin.get(..begin.len() - rest.len()).ok_or(Fault::Malformed)?;
        Ok(Self { id, key })
    }
}

/// A public key as COSE has it (RFC 9052, section 7), and nothing after it.
///
/// # Errors
/// Why it is not taken.
pub(super) fn public_key(mut cose: &[u8]) -> Result<PublicKey, Fault> {
    let key = read_key(&mut cose)?;
    if cose.is_empty() { Ok(key) } else { Err(Fault::Malformed) }
}

/// EC2, ES256, P-256, then x: what such a key begins with, since authenticators encode canonically (CTAP2, section 8).
const ES256_HEAD: [u8; 10] = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
/// Then y.
const ES256_Y: [u8; 3] = [0x22, 0x58, 0x20];
/// RSA, RS256, then a modulus whose length takes two bytes.
const RS256_HEAD: [u8; 8] = [0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20];
const TWO_BYTE_LENGTH: u8 = 0x59;
/// Then the exponent 65537.
const RS256_EXPONENT: [u8; 5] = [0x21, 0x43, 0x01, 0x00, 0x01];

fn read_key(rest: &mut &[u8]) -> Result<PublicKey, Fault> {
    if skip(rest, &ES256_HEAD) {
        let x = take(rest, 32)?.try_into().map_err(|_| Fault::Malformed)?;
        if !skip(rest, &ES256_Y) {
            return Err(Fault::Malformed);
        }
        let y = take(rest, 32)?.try_into().map_err(|_| Fault::Malformed)?;
        return Ok(PublicKey::Es256 { x, y });
    }
    if skip(rest, &RS256_HEAD) && skip(rest, &[TWO_BYTE_LENGTH]) {
        let length = take(rest, 2)?.try_into().map(u16::from_be_bytes).map_err(|_| Fault::Malformed)?;
        // 2048 to 4096 bits.
        if !(256..=512).contains(&length) {
            return Err(Fault::Algorithm);
        }
        let modulus = take(rest, usize::from(length))?.to_vec();
        if !skip(rest, &RS256_EXPONENT) {
            return Err(Fault::Algorithm);
        }
        return Ok(PublicKey::Rs256 { modulus, exponent: vec![1, 0, 1] });
    }
    Err(Fault::Algorithm)
}

/// A signature in the form that its key's verification takes: authenticators write those of ECDSA as ASN.1 (section
/// 6.5.5).
///
/// # Errors
/// When it is none.
pub(super) fn signature(key: &PublicKey, bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    match key {
        PublicKey::Rs256 { .. } => Ok(bytes.to_vec()),
        PublicKey::Es256 { .. } => {
            let mut rest = bytes;
            let length = take(&mut rest, 2)?;
            if length.first() != Some(&0x30) || length.get(1).map(|n| usize::from(*n)) != Some(rest.len()) {
                return Err(Fault::Malformed);
            }
            let mut raw = integer(&mut rest)?.to_vec();
            raw.extend(integer(&mut rest)?);
            if rest.is_empty() { Ok(raw) } else { Err(Fault::Malformed) }
        }
    }
}

/// An ASN.1 integer of at most 256 bits, as 32 bytes.
fn integer(rest: &mut &[u8]) -> Result<[u8; 32], Fault> {
    let head = take(rest, 2)?;
    let [0x02, length] = *head else { return Err(Fault::Malformed) };
    let digits = take(rest, usize::from(length))?;
    let digits = digits.strip_prefix(&[0]).unwrap_or(digits);
    let mut bytes = [0; 32];
    let at = bytes.len().checked_sub(digits.len()).ok_or(Fault::Malformed)?;
    bytes.get_mut(at..).ok_or(Fault::Malformed)?.copy_from_slice(digits);
    Ok(bytes)
}

/// What is signed: authenticator data and the hash of the client data (section 7.2 step 20).
pub(super) fn signed(authenticator_data: &[u8], client_data: &[u8]) -> Vec<u8> {
    [authenticator_data, Sha256::digest(client_data).as_slice()].concat()
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Fault> {
    let (taken, left) = rest.split_at_checked(length).ok_or(Fault::Malformed)?;
    *rest = left;
    Ok(taken)
}

fn skip(rest: &mut &[u8], what: &[u8]) -> bool {
    match rest.strip_prefix(what) {
        Some(left) => {
            *rest = left;
            true
        }
        None => false,
    }
}
