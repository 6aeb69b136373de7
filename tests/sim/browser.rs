//! A person's browser: requests to pages, with the cookies that their answers set.

use std::{cell::RefCell, collections::BTreeMap};

use postern::http::{Request, RequestMethod, Response};

/// A browser with one cookie jar.
#[derive(Default)]
pub struct Browser {
    cookies: RefCell<BTreeMap<String, String>>,
}

impl Browser {
    /// A request as typing or following `address` (a path, maybe with a query) makes it.
    pub fn get(&self, address: &str) -> Request {
        self.request(RequestMethod::Get, address, "none", Vec::new())
    }

    /// A request as sending a form of this origin makes it.
    pub fn post(&self, address: &str, fields: &[(&str, &str)]) -> Request {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.request(RequestMethod::Post, address, "same-origin", body.into_bytes())
    }

    /// Takes the cookies of an answer.
    pub fn take(&self, response: &Response) {
        for (name, value) in &response.headers {
            if *name == "set-cookie" {
                let pair = value.split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                let mut cookies = self.cookies.borrow_mut();
                if value.is_empty() {
                    cookies.remove(name);
                } else {
                    cookies.insert(name.to_owned(), value.to_owned());
                }
            }
        }
    }

    /// The cookie of this name.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    /// Puts a cookie into the jar.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
    }

    fn request(&self, method: RequestMethod, address: &str, site: &str, body: Vec<u8>) -> Request {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let cookies: Vec<String> =
            self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        Request {
            method,
            host: "localhost:8790".to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![
                ("cookie".to_owned(), cookies.join("; ")),
                ("sec-fetch-site".to_owned(), site.to_owned()),
                ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ],
            body,
            peer: "127.0.0.1".to_owned(),
        }
    }
}

/// The request as it would be with this header instead.
pub fn with_header(mut request: Request, name: &str, value: Option<&str>) -> Request {
    request.headers.retain(|(other, _)| other != name);
    request.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    request
}

/// An answer's body as text.
pub fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}
