//! Randomness, as a parameter.

/// A source of unpredictable bytes.
pub trait Entropy {
    /// Fills `bytes`. A source that cannot is a fault of the platform that nothing can be done about, so it must
    /// not return.
    fn fill(&self, bytes: &mut [u8]);
}

/// `N` random bytes.
pub fn random_array<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}
