//! DNS over HTTPS, with answers in JSON.

use serde::Deserialize;

use super::{FetchFault, GuardedClient};
use crate::platform::{Body, HttpFault, Method, OutgoingRequest, Platform, ResponseSink};

const TIMEOUT_MILLIS: u32 = 5000;
const MOST_BYTES: usize = 64 * 1024;
/// The number of TXT among the types of records (RFC 1035 section 3.2.2).
const TXT: u16 = 16;
/// The codes of "there is no such name" and of "there is an answer" (RFC 1035 section 4.1.1).
const NO_SUCH_NAME: u16 = 3;
const NO_ERROR: u16 = 0;

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Status")]
    status: u16,
    #[serde(rename = "Answer", default)]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "type")]
    kind: u16,
    data: String,
}

/// The texts of a name's TXT records; none when there is no such name.
///
/// # Errors
/// When the resolver cannot be asked, or does not know.
pub async fn txt_records(platform: &Platform<'_>, name: &str) -> Result<Vec<String>, FetchFault> {
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("name", name)
        .append_pair("type", "TXT")
        .finish();
    let request = OutgoingRequest {
        method: Method::Get,
        url: format!("{}?{query}", platform.config.dns_resolver),
        headers: vec![("accept".to_owned(), "application/dns-json".to_owned())],
        body: Body::Empty,
        timeout_millis: TIMEOUT_MILLIS,
        sink: ResponseSink::Memory { limit: MOST_BYTES },
    };
    let unknown = || FetchFault::Http(HttpFault::Unknown("the resolver does not know".to_owned()));
    let response = GuardedClient::new(platform.http, platform.config).send(request).await?;
    let answer: Answer = (response.status == 200)
        .then(|| serde_json::from_slice(&response.body).ok())
        .flatten()
        .ok_or_else(unknown)?;
    match answer.status {
        NO_ERROR | NO_SUCH_NAME => {
            let texts = answer.records.iter().filter(|record| record.kind == TXT);
            Ok(texts.map(|record| joined(&record.data)).collect())
        }
        _ => Err(unknown()),
    }
}

/// A record's text: its strings, quoted or not, one after the other (RFC 7208 section 3.3).
fn joined(data: &str) -> String {
    let data = data.trim();
    match data.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.split("\" \"").collect(),
        None => data.to_owned(),
    }
}
