//! The runtime's WebCrypto as the verifier.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use web_sys::{Crypto, CryptoKey};
use worker::{
    js_sys::{self, Array, JSON, Object, Reflect},
    wasm_bindgen::{JsCast, JsValue},
    wasm_bindgen_futures::JsFuture,
};

use crate::platform::{Later, PublicKey, Signatures};

/// `crypto.subtle`. Keys are imported anew for each signature: a handle outlives no request.
pub struct WebCrypto;

impl Signatures for WebCrypto {
    fn verify<'a>(&'a self, key: &'a PublicKey, message: &'a [u8], signature: &'a [u8]) -> Later<'a, bool> {
        Box::pin(async move { verify(key, message, signature).await.unwrap_or(false) })
    }
}

async fn verify(key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<bool, JsValue> {
    let subtle =
        Reflect::get(&js_sys::global(), &JsValue::from_str("crypto"))?.unchecked_into::<Crypto>().subtle();
    let (jwk, algorithm) = parameters(key);
    let (jwk, algorithm) = (object(&jwk)?, object(&algorithm)?);
    let usages = Array::of1(&JsValue::from_str("verify"));
    let import = subtle.import_key_with_object("jwk", &jwk, &algorithm, false, &usages)?;
    let key: CryptoKey = JsFuture::from(import).await?.unchecked_into();
    let outcome =
        subtle.verify_with_object_and_u8_array_and_u8_array(&algorithm, &key, signature, message)?;
    Ok(JsFuture::from(outcome).await?.is_truthy())
}

/// The key as a JWK (RFC 7517), and the algorithm as importing and verifying both take it.
fn parameters(key: &PublicKey) -> (Value, Value) {
    let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    match key {
        PublicKey::Rs256 { modulus, exponent } => (
            json!({ "kty": "RSA", "n": text(modulus), "e": text(exponent) }),
            json!({ "name": "RSASSA-PKCS1-v1_5", "hash": "SHA-256" }),
        ),
        PublicKey::Es256 { x, y } => (
            json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) }),
            json!({ "name": "ECDSA", "namedCurve": "P-256", "hash": "SHA-256" }),
        ),
    }
}

fn object(value: &Value) -> Result<Object, JsValue> {
    JSON::parse(&value.to_string()).map(JsCast::unchecked_into)
}
