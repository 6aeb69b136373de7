//! Signatures without WebCrypto, by pure libraries.

use p256::ecdsa::signature::Verifier;
use postern::platform::{Later, PublicKey, Signatures};
use rsa::{BigUint, RsaPublicKey, pkcs1v15, sha2::Sha256};

pub struct SimSignatures;

impl Signatures for SimSignatures {
    fn verify<'a>(&'a self, key: &'a PublicKey, message: &'a [u8], signature: &'a [u8]) -> Later<'a, bool> {
        Box::pin(async move { verify(key, message, signature).unwrap_or(false) })
    }
}

fn verify(key: &PublicKey, message: &[u8], signature: &[u8]) -> Option<bool> {
    match key {
        PublicKey::Rs256 { modulus, exponent } => {
            let (modulus, exponent) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
            let key = pkcs1v15::VerifyingKey::<Sha256>::new(RsaPublicKey::new(modulus, exponent).ok()?);
            Some(key.verify(message, &pkcs1v15::Signature::try_from(signature).ok()?).is_ok())
        }
        PublicKey::Es256 { x, y } => {
            let point = p256::EncodedPoint::from_affine_coordinates(x.into(), y.into(), false);
            let key = p256::ecdsa::VerifyingKey::from_encoded_point(&point).ok()?;
            Some(key.verify(message, &p256::ecdsa::Signature::from_slice(signature).ok()?).is_ok())
        }
    }
}
