//! The deployment's settings: parsed once per isolate, every problem named at once.

use url::Url;

use super::Keyring;

/// What an operator sets. Each field's setting is listed in [`Config::SETTINGS`].
pub struct Config {
    /// `scheme://host[:port]` of pages, OAuth and MCP; the OAuth issuer.
    pub public_origin: String,
    /// `scheme://host[:port]` of everything that tenants write. Never the public origin's host.
    pub content_origin: String,
    /// The root keys.
    pub keys: Keyring,
    /// How long an access token lives, in seconds.
    pub access_token_seconds: i64,
    /// Most clients that may register themselves within an hour; a third of them from one address.
    pub registrations_per_hour: i64,
    /// Ports besides 443 that outgoing requests may use.
    pub outgoing_ports: Vec<u16>,
    /// Where DNS is asked over HTTPS, in JSON.
    pub dns_resolver: String,
    /// How mail is sent; nothing when none is.
    pub mail: Option<MailSettings>,
}

/// How mail is sent.
pub struct MailSettings {
    /// The address that it comes from.
    pub from: String,
    /// Who sends it.
    pub sender: MailSender,
}

/// Who sends mail.
pub enum MailSender {
    /// The platform, by its binding `EMAIL`.
    Binding,
    /// An HTTP API.
    Api {
        /// Where letters are posted to.
        url: String,
        /// What it knows us by.
        key: ApiKey,
    },
}

/// A key of somebody else's API. It cannot be printed.
pub struct ApiKey(String);

impl ApiKey {
    /// The key itself, for the header that it goes into.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A setting, for `docs/configuration.md`.
pub struct Setting {
    /// The variable's or secret's name.
    pub name: &'static str,
    /// What it is when not set; nothing when it must be set.
    pub default: Option<&'static str>,
    /// What it means, in a sentence.
    pub meaning: &'static str,
}

/// Something wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The setting's name.
    pub setting: &'static str,
    /// What is wrong, and how it should be.
    pub problem: String,
}

const PUBLIC_ORIGIN: &str = "PUBLIC_ORIGIN";
const CONTENT_ORIGIN: &str = "CONTENT_ORIGIN";
const POSTERN_KEYS: &str = "POSTERN_KEYS";
const ACCESS_TOKEN_SECONDS: &str = "ACCESS_TOKEN_SECONDS";
const REGISTRATIONS_PER_HOUR: &str = "REGISTRATIONS_PER_HOUR";
const OUTGOING_PORTS: &str = "OUTGOING_PORTS";
const DNS_RESOLVER: &str = "DNS_RESOLVER";
const MAIL_SENDER: &str = "MAIL_SENDER";
const MAIL_FROM: &str = "MAIL_FROM";
const MAIL_API_URL: &str = "MAIL_API_URL";
const MAIL_API_KEY: &str = "MAIL_API_KEY";

/// The resolver that is asked unless another is set.
const DEFAULT_RESOLVER: &str = "https://cloudflare-dns.com/dns-query";
/// The API that letters are posted to unless another address is set; others take the same JSON.
const DEFAULT_MAIL_API: &str = "https://api.resend.com/emails";

impl Config {
    /// Every setting there is.
    pub const SETTINGS: &[Setting] = &[
        Setting {
            name: PUBLIC_ORIGIN,
            default: None,
            meaning: "Origin of the app: pages, OAuth and MCP. https, or http on loopback.",
        },
        Setting {
            name: CONTENT_ORIGIN,
            default: None,
            meaning: "Origin of what tenants write: Wall, feeds, media. Another host than the app's.",
        },
        Setting {
            name: POSTERN_KEYS,
            default: None,
            meaning: "Secret. Root keys as JSON: {\"current\": id, \"keys\": {id: 32 bytes in base64url}, \"leaked\": [ids], \"retired\": [ids]}.",
        },
        Setting {
            name: ACCESS_TOKEN_SECONDS,
            default: Some("600"),
            meaning: "Life of an access token in seconds, 5 to 3600.",
        },
        Setting {
            name: REGISTRATIONS_PER_HOUR,
            default: Some("300"),
            meaning: "Most clients that may register themselves within an hour, 3 to 10000; a third of them from one address.",
        },
        Setting {
            name: OUTGOING_PORTS,
            default: Some(""),
            meaning: "Ports besides 443 that outgoing requests may use, separated by commas.",
        },
        Setting {
            name: DNS_RESOLVER,
            default: Some(DEFAULT_RESOLVER),
            meaning: "Where DNS is asked over HTTPS, with answers in JSON, for the proof that a domain is a tenant's.",
        },
        Setting {
            name: MAIL_SENDER,
            default: Some("off"),
            meaning: "Who sends mail: off, binding (the platform, bound as EMAIL) or api (over HTTP).",
        },
        Setting { name: MAIL_FROM, default: Some(""), meaning: "The address that mail comes from." },
        Setting {
            name: MAIL_API_URL,
            default: Some(DEFAULT_MAIL_API),
            meaning: "Where the HTTP e-mail API takes letters as JSON: from, to, subject, text.",
        },
        Setting {
            name: MAIL_API_KEY,
            default: Some(""),
            meaning: "Secret. The HTTP e-mail API's key, sent as a bearer token.",
        },
    ];

    /// Reads the settings through `lookup`, which gives a variable's or secret's value by name.
    ///
    /// # Errors
    /// Every problem there is.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        let public_origin = collect(&mut problems, PUBLIC_ORIGIN, origin(lookup(PUBLIC_ORIGIN)));
        let content_origin = collect(&mut problems, CONTENT_ORIGIN, origin(lookup(CONTENT_ORIGIN)));
        let keys = collect(&mut problems, POSTERN_KEYS, keys(lookup(POSTERN_KEYS)));
        let access_token_seconds = collect(
            &mut problems,
            ACCESS_TOKEN_SECONDS,
            number(lookup(ACCESS_TOKEN_SECONDS), "seconds", 600, 5..=3600),
        );
        let registrations_per_hour = collect(
            &mut problems,
            REGISTRATIONS_PER_HOUR,
            number(lookup(REGISTRATIONS_PER_HOUR), "registrations", 300, 3..=10_000),
        );
        let outgoing_ports = collect(&mut problems, OUTGOING_PORTS, ports(lookup(OUTGOING_PORTS)));
        let resolver = https_or(lookup(DNS_RESOLVER).filter(|text| !text.is_empty()), DEFAULT_RESOLVER);
        let dns_resolver = collect(&mut problems, DNS_RESOLVER, resolver);
        let mail = mail(&mut problems, &lookup);
        if let (Some(public), Some(content)) = (&public_origin, &content_origin)
            && host_of(public) == host_of(content)
        {
            problems.push(ConfigProblem {
                setting: CONTENT_ORIGIN,
                problem: "must be another host than PUBLIC_ORIGIN's, so that what tenants write cannot reach the app"
                    .to_owned(),
            });
        }
        let made = || {
            Some(Self {
                public_origin: public_origin?,
                content_origin: content_origin?,
                keys: keys?,
                access_token_seconds: access_token_seconds?,
                registrations_per_hour: registrations_per_hour?,
                outgoing_ports: outgoing_ports?,
                dns_resolver: dns_resolver?,
                mail,
            })
        };
        if problems.is_empty() { made().ok_or(problems) } else { Err(problems) }
    }

    /// Whether the app itself runs on loopback, which alone allows http and loopback addresses.
    pub fn is_local(&self) -> bool {
        self.public_origin.starts_with("http://")
    }

    /// The resource identifier (RFC 8707) of a tenant's MCP endpoint. Made here and nowhere else.
    pub fn resource(&self, safename: &str) -> String {
        format!("{}/{safename}/mcp", self.public_origin)
    }
}

fn collect<T>(
    problems: &mut Vec<ConfigProblem>,
    setting: &'static str,
    parsed: Result<T, String>,
) -> Option<T> {
    parsed.map_err(|problem| problems.push(ConfigProblem { setting, problem })).ok()
}

fn origin(value: Option<String>) -> Result<String, String> {
    const SHAPE: &str = "must be an origin such as https://mcp.example.com, without a path";
    let value = value.ok_or_else(|| format!("is not set; it {SHAPE}"))?;
    let url = Url::parse(&value).map_err(|_| SHAPE.to_owned())?;
    if url.origin().ascii_serialization() != value {
        return Err(SHAPE.to_owned());
    }
    match url.scheme() {
        "https" => Ok(value),
        "http" if is_loopback(&url) => Ok(value),
        "http" => Err("must be https, except on loopback".to_owned()),
        _ => Err(SHAPE.to_owned()),
    }
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

fn host_of(origin: &str) -> Option<String> {
    Url::parse(origin).ok()?.host_str().map(str::to_owned)
}

fn keys(value: Option<String>) -> Result<Keyring, String> {
    Keyring::parse(&value.ok_or("is not set; no key has a default")?)
}

fn number(
    value: Option<String>,
    of: &str,
    default: i64,
    allowed: std::ops::RangeInclusive<i64>,
) -> Result<i64, String> {
    let Some(text) = value.filter(|text| !text.is_empty()) else {
        return Ok(default);
    };
    text.parse()
        .ok()
        .filter(|number| allowed.contains(number))
        .ok_or_else(|| format!("must be a number of {of} from {} to {}", allowed.start(), allowed.end()))
}

fn ports(value: Option<String>) -> Result<Vec<u16>, String> {
    value
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(|_| "must be port numbers separated by commas".to_owned()))
        .collect()
}

/// Reads how mail is sent: each setting by itself, then whether what the sender needs is there.
fn mail(problems: &mut Vec<ConfigProblem>, lookup: &impl Fn(&str) -> Option<String>) -> Option<MailSettings> {
    let given = |name| lookup(name).filter(|text| !text.is_empty());
    let kind = collect(problems, MAIL_SENDER, mail_kind(given(MAIL_SENDER)));
    let sends = matches!(kind, Some(MailKind::Binding | MailKind::Api));
    let from = collect(problems, MAIL_FROM, mail_from(given(MAIL_FROM), sends));
    let url = collect(problems, MAIL_API_URL, https_or(given(MAIL_API_URL), DEFAULT_MAIL_API));
    let key = collect(problems, MAIL_API_KEY, mail_key(given(MAIL_API_KEY), kind == Some(MailKind::Api)));
    let sender = match kind? {
        MailKind::Off => return None,
        MailKind::Binding => MailSender::Binding,
        MailKind::Api => MailSender::Api { url: url?, key: ApiKey(key?) },
    };
    Some(MailSettings { from: from?, sender })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum MailKind {
    Off,
    Binding,
    Api,
}

fn mail_kind(value: Option<String>) -> Result<MailKind, String> {
    match value.as_deref() {
        None | Some("off") => Ok(MailKind::Off),
        Some("binding") => Ok(MailKind::Binding),
        Some("api") => Ok(MailKind::Api),
        Some(_) => Err("must be off, binding or api".to_owned()),
    }
}

fn mail_from(value: Option<String>, needed: bool) -> Result<String, String> {
    match value {
        None if needed => {
            Err("is not set; MAIL_SENDER needs an address such as postern@example.com".to_owned())
        }
        None => Ok(String::new()),
        Some(address) => {
            let plain = address.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>,;\"".contains(&byte));
            let parts = address.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && !domain.is_empty() && !domain.contains('@')
            });
            if plain && parts {
                Ok(address)
            } else {
                Err("must be an address such as postern@example.com, without a name".to_owned())
            }
        }
    }
}

/// An https address, or http on loopback.
fn https_or(value: Option<String>, default: &str) -> Result<String, String> {
    let value = value.unwrap_or_else(|| default.to_owned());
    let fits = Url::parse(&value)
        .is_ok_and(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)));
    if fits { Ok(value) } else { Err("must be an https address".to_owned()) }
}

fn mail_key(value: Option<String>, needed: bool) -> Result<String, String> {
    match value {
        None if needed => Err("is not set; MAIL_SENDER is api".to_owned()),
        None => Ok(String::new()),
        Some(key) if key.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(key),
        Some(_) => Err("must be letters, digits and signs without spaces".to_owned()),
    }
}
