//! Things that must not be guessed, and hashes.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The system has no randomness to give; nothing that must not be guessed can be made then.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no random bytes")]
pub struct NoRandomness;

/// So many random bytes.
///
/// # Errors
/// [`NoRandomness`].
pub fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// An identifier of 128 random bits.
///
/// # Errors
/// [`NoRandomness`].
pub fn id() -> Result<String, NoRandomness> {
    random::<16>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether a text can be an [`id`]: base64url, and nothing else.
pub fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A secret of 256 random bits, for a cookie or a link.
///
/// # Errors
/// [`NoRandomness`].
pub fn secret() -> Result<String, NoRandomness> {
    random::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// Six random digits.
///
/// # Errors
/// [`NoRandomness`].
pub fn six_digits() -> Result<String, NoRandomness> {
    // 2^64 is so much larger than 10^6 that the remainder favours no code that anybody could measure.
    random::<8>().map(|bytes| format!("{:06}", u64::from_be_bytes(bytes) % 1_000_000))
}

/// A member's number: twelve random digits, the first of which is no 0, so that no program drops it.
///
/// # Errors
/// [`NoRandomness`].
pub fn member_number() -> Result<String, NoRandomness> {
    const FIRST: u64 = 100_000_000_000;
    random::<8>().map(|bytes| (FIRST + u64::from_be_bytes(bytes) % (9 * FIRST)).to_string())
}

/// The digits of Crockford's base 32 (<https://www.crockford.com/base32.html>).
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The sixteen random digits of a printed card.
///
/// # Errors
/// [`NoRandomness`].
pub fn card_digits() -> Result<String, NoRandomness> {
    random::<8>().map(|bytes| format!("{:016}", u64::from_be_bytes(bytes) % 10_000_000_000_000_000))
}

/// Eight digits of Crockford's base 32: what a voucher is read aloud by, and what a member passes on to others.
///
/// # Errors
/// [`NoRandomness`].
pub fn voucher_code() -> Result<String, NoRandomness> {
    random::<8>().map(|bytes| {
        bytes
            .iter()
            .map(|byte| char::from(CROCKFORD[usize::from(byte % 32)]))
            .collect()
    })
}

/// Six digits of Crockford's base 32: what something is called on the phone.
///
/// # Errors
/// [`NoRandomness`].
pub fn reference() -> Result<String, NoRandomness> {
    const DIGITS: usize = 6;
    voucher_code().map(|code| code.chars().take(DIGITS).collect())
}

/// A voucher's code as people type it: in small letters, with separators, O for 0, and I or L for 1. `None` if it
/// cannot be one.
pub fn read_voucher_code(text: &str) -> Option<String> {
    const DIGITS: usize = 8;
    let digits: Option<String> = text
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '-')
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => Some('0'),
            'I' | 'L' => Some('1'),
            digit => CROCKFORD
                .iter()
                .any(|&known| char::from(known) == digit)
                .then_some(digit),
        })
        .collect();
    digits.filter(|digits| digits.len() == DIGITS)
}

/// What identifies a content over HTTP. Weak, since the same content also travels compressed.
pub fn etag(content: &str) -> String {
    format!("W/\"{}\"", &hash(content)[..32])
}

/// SHA-256 in hexadecimal: all that the database keeps of a secret.
pub fn hash(secret: impl AsRef<[u8]>) -> String {
    Sha256::digest(secret.as_ref())
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
