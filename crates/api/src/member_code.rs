//! The secrets from which members' devices make their codes: in the database they are encrypted, and nothing of them
//! is told after the first time.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loyalty_contract::Instant;
use loyalty_rules::member_code::{digits, message, step};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;

use crate::secret_key::SecretKey;
use crate::token;

/// How many devices show one member's code at most.
pub const MOST_KEYS: usize = 10;

/// How long a secret is.
pub const SECRET_BYTES: usize = 32;

/// A secret could not be encrypted.
#[derive(Debug, thiserror::Error)]
#[error("the secret of a code could not be encrypted")]
pub struct NotSealed;

/// Encrypts the secrets, and reads them again.
pub struct CodeSecrets(LessSafeKey);

impl CodeSecrets {
    /// Under the installation's key.
    pub fn new(key: &SecretKey) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM, &key.derive("member codes")).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    /// The secret of a key as the database keeps it: only under that key's id does it come out again.
    ///
    /// # Errors
    /// [`NotSealed`].
    pub fn seal(&self, key_id: &str, secret: &[u8; SECRET_BYTES]) -> Result<String, NotSealed> {
        let nonce: [u8; NONCE_LEN] = token::random().map_err(|_| NotSealed)?;
        let mut sealed = secret.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(key_id.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| NotSealed)?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// The secret; `None` where it was encrypted under another key, or is not what was.
    pub fn open(&self, key_id: &str, sealed: &str) -> Option<[u8; SECRET_BYTES]> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let (nonce, mut rest) = (Nonce::assume_unique_for_key(*nonce), rest.to_vec());
        let aad = Aad::from(key_id.as_bytes());
        self.0.open_in_place(nonce, aad, &mut rest).ok()?.try_into().ok()
    }
}

impl fmt::Debug for CodeSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeSecrets")
    }
}

/// Which of a member's secrets shows these digits now, and at which step: the present one, or one either side of it,
/// since no two clocks agree. Takes as long for nobody's digits, and for a member without a secret.
pub fn find(secrets: &[[u8; SECRET_BYTES]], shown: &str, now: Instant) -> Option<(usize, u64)> {
    let present = step(now);
    let mut found = None;
    for place in 0..MOST_KEYS {
        let secret = secrets.get(place);
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.unwrap_or(&[0; SECRET_BYTES]));
        for step in [present.saturating_sub(1), present, present + 1] {
            let expected = digits(hmac::sign(&key, &message(step)).as_ref());
            let is_same = expected.is_some_and(|expected| is_same(&expected, shown));
            if is_same && secret.is_some() && found.is_none() {
                found = Some((place, step));
            }
        }
    }
    found
}

/// Whether two texts are the same, looking at all of them wherever they differ.
fn is_same(expected: &str, shown: &str) -> bool {
    let differences = expected.bytes().zip(shown.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    expected.len() == shown.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(text: &str) -> CodeSecrets {
        CodeSecrets::new(&SecretKey::of(text)).expect("a key")
    }

    #[test]
    fn a_secret_is_read_under_its_own_id_and_key_alone() {
        let (own, other) = (secrets("the installation's own"), secrets("another"));
        let sealed = own.seal("a", &[7; SECRET_BYTES]).expect("sealed");
        assert_eq!(own.open("a", &sealed), Some([7; SECRET_BYTES]));
        assert_eq!(own.open("b", &sealed), None);
        assert_eq!(other.open("a", &sealed), None);
        assert_eq!(own.open("a", &sealed[1..]), None);
        assert_ne!(
            own.seal("a", &[7; SECRET_BYTES]).expect("sealed"),
            sealed,
            "each under its own nonce"
        );
    }

    #[test]
    fn codes_of_every_device_are_known_one_step_either_side() {
        let secrets: Vec<_> = (0..10).map(|byte| [byte; SECRET_BYTES]).collect();
        let at = |seconds| chrono::DateTime::from_timestamp(seconds, 0).expect("an instant");
        let shown = |secret: &[u8], step: u64| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            digits(hmac::sign(&key, &message(step)).as_ref()).expect("digits")
        };
        let now = at(3_000_000_015);
        for place in [0, 9] {
            for step in 99_999_998..=100_000_002 {
                let is_near = (99_999_999..=100_000_001).contains(&step);
                let found = find(&secrets, &shown(&secrets[place], step), now);
                assert_eq!(found, is_near.then_some((place, step)), "{place} {step}");
            }
        }
        let nobody = shown(&[0; SECRET_BYTES], 100_000_000);
        assert_eq!(
            find(&[], &nobody, now),
            None,
            "what stands in for a secret shows nothing"
        );
    }
}
