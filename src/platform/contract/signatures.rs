//! Signatures: fixed keys and what they signed, as another implementation made it.

use data_encoding::BASE64URL_NOPAD;

use super::{Check, Suite, same};
use crate::platform::{PublicKey, Signatures};

const MESSAGE: &[u8] = b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0";
const MODULUS: &str = "nkSUj4pzgU0yDw15ecvdXZZL0RnliJjcyDMJwh8VP9xRjQ7_TpIf9HHi7zZqhYRQ6Wu344-6LwO-vi1GNIiKoI_RsGDG5IOb1HVBOlz4jYZx5FbNMEp65cZ9mSXeQhCy_sOw_0QnIbpVk1ELfNaGxwhcCMyKYoLqmSf9AU2MHLt4et3gBG2n7JtizbVkrtKje8tbRbbtxGyz7qy3er2yGyg4PqEXTxVatfAQ32yVksk1tHmpKn9tlEBuMLJ38qWtHSFdUXrW4yzn_unJD6n-5tpTSlIaBQyq_1Cjlygg--ejxARv_2pEkZHLN8dM4XQB6vPxTxRgEs7Ovpo8iW_l0Q";
const RS256: &str = "mAcPWNmA0RK5lHVwDGOKJfFC-BwTRZWzOFOOHq5daEPkuzuTC4--YXGmKHy_ZBW7bGyqnhlhs2GXI3uH3xFVUgG10TX16SRTfirFDM-1dbjHDNAeS0xOI4SN6qzthwWXANx_HDOOsMRgqBQhy4-FBQn9N464_3Lo9RU6-E0g03lC75uXEKnfKnmqg25ea2uMdQzCv1FZdY9iQnsfJ08IrjMlvGkwzLPULJ8vBidQdZqTT2YNRCnOZNznaUKyHwR7XygY0bAspnEyk24I_7jk4o-p0FXsXCFL4cA8s1wFbDw60aVty552cKe9U2TV2N-C4ol5Wy-Sm3XSYz90HFzHPA";
const X: &str = "Oh0uocay6h-7wUGJkSy-Hje_u7SiD_Kk9vtMhEhKO0Q";
const Y: &str = "x5idRS2wL4iVvAo0Dua3Qg8K_n1jxyGQ1KdicxLBCp0";
const ES256: &str = "Vi9_pdxxw2wKtJuSY_Gta3BurvYIJcAZOykPrQ6YAExWDbG5cJ-__GUQZTNmfaGr3tdAf0JV4HCxxhurN0kWbg";

pub(super) async fn suite(signatures: &dyn Signatures) -> Vec<Check> {
    let mut suite = Suite::new("Signatures");
    let (rsa, ec) = (bytes(RS256), bytes(ES256));
    let off_curve = PublicKey::Es256 { x: point(X), y: point(X) };
    let no_key = PublicKey::Rs256 { modulus: Vec::new(), exponent: vec![1, 0, 1] };
    for (promise, key, message, signature, good) in [
        ("RS256: takes what the key signed", &rsa_key(), MESSAGE, &rsa, true),
        ("RS256: refuses another message", &rsa_key(), b"another".as_slice(), &rsa, false),
        ("RS256: refuses a changed signature", &rsa_key(), MESSAGE, &flipped(&rsa), false),
        ("RS256: refuses a cut signature", &rsa_key(), MESSAGE, &cut(&rsa), false),
        ("RS256: refuses no signature", &rsa_key(), MESSAGE, &Vec::new(), false),
        ("RS256: refuses the other algorithm's signature", &rsa_key(), MESSAGE, &ec, false),
        ("RS256: refuses a key that is none", &no_key, MESSAGE, &rsa, false),
        ("ES256: takes what the key signed", &ec_key(), MESSAGE, &ec, true),
        ("ES256: refuses another message", &ec_key(), b"another".as_slice(), &ec, false),
        ("ES256: refuses a changed signature", &ec_key(), MESSAGE, &flipped(&ec), false),
        ("ES256: refuses a cut signature", &ec_key(), MESSAGE, &cut(&ec), false),
        ("ES256: refuses a signature of zeros", &ec_key(), MESSAGE, &vec![0; 64], false),
        ("ES256: refuses the other algorithm's signature", &ec_key(), MESSAGE, &rsa, false),
        ("ES256: refuses a point off the curve", &off_curve, MESSAGE, &ec, false),
    ] {
        let given = signatures.verify(key, message, signature).await;
        suite.check(promise, same(&given, &good));
    }
    suite.checks
}

fn rsa_key() -> PublicKey {
    PublicKey::Rs256 { modulus: bytes(MODULUS), exponent: vec![1, 0, 1] }
}

fn ec_key() -> PublicKey {
    PublicKey::Es256 { x: point(X), y: point(Y) }
}

fn bytes(text: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text.as_bytes()).unwrap_or_default()
}

fn point(text: &str) -> [u8; 32] {
    bytes(text).try_into().unwrap_or_default()
}

fn flipped(signature: &[u8]) -> Vec<u8> {
    let mut changed = signature.to_vec();
    if let Some(last) = changed.last_mut() {
        *last ^= 1;
    }
    changed
}

fn cut(signature: &[u8]) -> Vec<u8> {
    signature.split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default()
}
