//! Letters on their way: kept until the answer is, then sent by whoever the settings name.

use std::cell::RefCell;

use crate::{
    http::GuardedClient,
    platform::{ApiKey, Body, Config, HttpClient, Letter, Mail, Method, OutgoingRequest, ResponseSink},
};

/// The API has this long for a letter, in milliseconds.
const TIMEOUT_MILLIS: u32 = 10_000;
/// Most bytes of the API's answer, of which nothing is used.
const ANSWER_LIMIT: usize = 64 * 1024;

/// The letters that a request has written.
#[derive(Default)]
pub struct Outbox(RefCell<Vec<Letter>>);

impl Outbox {
    /// Takes them all out.
    pub fn take(&self) -> Vec<Letter> {
        self.0.take()
    }
}

impl Mail for Outbox {
    fn post(&self, letter: Letter) {
        self.0.borrow_mut().push(letter);
    }
}

/// A letter was not sent, or may not have been. What the sender said stays unsaid: it may repeat the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSent;

/// Posts a letter to an HTTP e-mail API, once.
///
/// # Errors
/// When the API cannot be reached or does not accept it.
pub async fn send_by_api(
    http: &dyn HttpClient,
    config: &Config,
    (url, key): (&str, &ApiKey),
    from: &str,
    letter: &Letter,
) -> Result<(), NotSent> {
    let body = serde_json::json!({
        "from": from,
        "to": [letter.to],
        "subject": letter.subject,
        "text": letter.text,
    });
    let request = OutgoingRequest {
        method: Method::Post,
        url: url.to_owned(),
        headers: vec![
            ("authorization".to_owned(), format!("Bearer {}", key.expose())),
            ("content-type".to_owned(), "application/json".to_owned()),
        ],
        body: Body::Text(body.to_string()),
        timeout_millis: TIMEOUT_MILLIS,
        sink: ResponseSink::Memory { limit: ANSWER_LIMIT },
    };
    let response = GuardedClient::new(http, config).send(request).await.map_err(|_| NotSent)?;
    if (200..300).contains(&response.status) { Ok(()) } else { Err(NotSent) }
}
