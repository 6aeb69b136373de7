//! The code for an ID token, and what the token must say (OpenID Connect Core 1.0, sections 3.1.3 and 2).

use data_encoding::BASE64;
use serde::Deserialize;

use super::{
    ClientSecret, UpstreamFault,
    discovery::{Metadata, Presentation},
};
use crate::{
    desk::presentable,
    http::{Audience, DocumentFault, GuardedClient, SignedToken},
    identity::EmailAddress,
    platform::{Body, Method, OutgoingRequest, Platform, ResponseSink, Timestamp},
};

const TIMEOUT_MILLIS: u32 = 5000;
const MOST_BYTES: usize = 64 * 1024;
/// Clocks of different machines may differ by so much.
const SKEW_SECONDS: i64 = 60;
/// An ID token was made while the person was away at the provider: no longer ago than a state lives.
const OLDEST_SECONDS: i64 = 600;
/// A subject has at most so many characters (section 2).
const LONGEST_SUBJECT: usize = 255;
const LONGEST_LABEL: usize = 80;

/// What redeems a code (section 3.1.3.1).
pub(super) struct Redemption<'a> {
    pub(super) client_id: &'a str,
    pub(super) secret: &'a ClientSecret,
    pub(super) code: &'a str,
    pub(super) verifier: &'a str,
    pub(super) redirect_uri: &'a str,
}

#[derive(Deserialize)]
struct TokenResponse {
    id_token: String,
}

impl Redemption<'_> {
    /// The ID token that the provider gives for the code. Redirects are not followed: they would carry the secret away.
    pub(super) async fn redeem(
        &self,
        platform: &Platform<'_>,
        metadata: &Metadata,
    ) -> Result<String, UpstreamFault> {
        let presentation = metadata.presentation().ok_or(UpstreamFault::Description)?;
        let mut headers = vec![
            ("accept".to_owned(), "application/json".to_owned()),
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        ];
        headers.extend(
            (presentation == Presentation::Header).then(|| ("authorization".to_owned(), self.basic())),
        );
        let request = OutgoingRequest {
            method: Method::Post,
            url: metadata.token_endpoint.clone(),
            headers,
            body: Body::Text(self.form(presentation)),
            timeout_millis: TIMEOUT_MILLIS,
            sink: ResponseSink::Memory { limit: MOST_BYTES },
        };
        let guarded = GuardedClient::new(platform.http, platform.config);
        let unreachable = |_| UpstreamFault::Unreachable(DocumentFault::Unreachable);
        let response = guarded.send(request).await.map_err(unreachable)?;
        let told: Option<TokenResponse> =
            (response.status == 200).then(|| serde_json::from_slice(&response.body).ok()).flatten();
        told.map(|told| told.id_token).ok_or(UpstreamFault::Code)
    }

    fn form(&self, presentation: Presentation) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", self.code)
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("code_verifier", self.verifier);
        if presentation == Presentation::Body {
            form.append_pair("client_id", self.client_id).append_pair("client_secret", self.secret.expose());
        }
        form.finish()
    }

    /// Both parts are encoded like a form's before they are joined (RFC 6749 section 2.3.1).
    fn basic(&self) -> String {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let both = format!("{}:{}", encode(self.client_id), encode(self.secret.expose()));
        format!("Basic {}", BASE64.encode(both.as_bytes()))
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: String,
    auth_time: Option<i64>,
    email: Option<String>,
    // Some providers write it as text: that is not a claim of this meaning (section 5.1).
    email_verified: Option<serde_json::Value>,
    name: Option<String>,
}

/// Who somebody is at a provider.
pub struct Asserted {
    /// The subject, which is all that anybody is known again by.
    pub subject: String,
    /// What a person recognises it by.
    pub label: String,
    /// The e-mail address that the provider says it has verified.
    pub email: Option<EmailAddress>,
    /// The name.
    pub name: Option<String>,
    /// When the person signed in there, if the provider says so.
    pub authenticated_at: Option<Timestamp>,
}

/// What an ID token must be of.
pub(super) struct Wanted<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
}

impl Wanted<'_> {
    /// Whom an ID token vouches for, if it is good (section 3.1.3.7).
    pub(super) async fn check(
        &self,
        platform: &Platform<'_>,
        metadata: &Metadata,
        text: &str,
    ) -> Result<Asserted, UpstreamFault> {
        let token = SignedToken::parse(text).ok_or(UpstreamFault::IdToken)?;
        let claims: Claims = token.claims().ok_or(UpstreamFault::IdToken)?;
        let is_jwt = token.kind().is_none_or(|kind| kind.eq_ignore_ascii_case("jwt"));
        let fits = is_jwt && self.fits(&claims) && claims.is_timely(platform.now());
        if fits && token.is_signed_by_keys_at(platform, &metadata.jwks_uri).await? {
            Ok(claims.into())
        } else {
            Err(UpstreamFault::IdToken)
        }
    }

    fn fits(&self, claims: &Claims) -> bool {
        claims.iss == self.issuer
            && claims.aud.is_only(self.client_id)
            && claims.azp.as_deref().is_none_or(|azp| azp == self.client_id)
            && claims.nonce == self.nonce
            && (1..=LONGEST_SUBJECT).contains(&claims.sub.len())
            && claims.sub.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
    }
}

impl Claims {
    fn is_timely(&self, now: Timestamp) -> bool {
        let now = now.as_seconds();
        let begun = |at: i64| at <= now.saturating_add(SKEW_SECONDS);
        now < self.exp.saturating_add(SKEW_SECONDS)
            && begun(self.iat)
            && self.iat.saturating_add(OLDEST_SECONDS + SKEW_SECONDS) >= now
            && self.nbf.is_none_or(begun)
    }
}

impl From<Claims> for Asserted {
    fn from(claims: Claims) -> Self {
        let label = claims.email.as_deref().or(claims.name.as_deref()).unwrap_or(&claims.sub);
        let verified = claims.email_verified == Some(serde_json::Value::Bool(true));
        Self {
            label: presentable(label, LONGEST_LABEL).unwrap_or_default(),
            email: claims.email.as_deref().filter(|_| verified).and_then(|text| text.parse().ok()),
            name: claims.name.as_deref().and_then(|name| presentable(name, LONGEST_LABEL)),
            authenticated_at: claims.auth_time.map(|at| Timestamp::from_millis(at.saturating_mul(1000))),
            subject: claims.sub,
        }
    }
}
