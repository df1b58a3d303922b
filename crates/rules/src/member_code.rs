//! The code by which a member is known at the till: which digits are shown when (RFC 6238), and how what a scanner
//! read is told apart.
//!
//! The HMAC itself is not in here: the wallet's is the browser's own, with a key that no script can read.

use loyalty_contract::Instant;

/// How long a code is shown, in seconds.
pub const PERIOD_S: u64 = 30;

/// How many digits of it change.
pub const DIGITS: u32 = 8;

/// How many digits a member's number has, and how many a printed card has beside it.
const NUMBER_DIGITS: usize = 12;
const CARD_DIGITS: usize = 16;

/// What a rotating code and a printed card begin with in a QR.
const ROTATING: &str = "LW1";
const CARD: &str = "LWC1";

/// Which of the codes is shown at that instant; they are counted from 1970.
pub fn step(now: Instant) -> u64 {
    u64::try_from(now.timestamp()).unwrap_or_default() / PERIOD_S
}

/// What is signed with the device's secret for a step.
pub fn message(step: u64) -> [u8; 8] {
    step.to_be_bytes()
}

/// The digits of a signature (RFC 4226, 5.3); `None` where it is too short to be one.
pub fn digits(mac: &[u8]) -> Option<String> {
    let offset = usize::from(mac.last()? & 0xf);
    let word = mac.get(offset..offset + 4)?.first_chunk()?;
    let number = u32::from_be_bytes(*word) & 0x7fff_ffff;
    Some(format!("{:08}", number % 10_u32.pow(DIGITS)))
}

/// What the QR says.
pub fn qr_text(number: &str, digits: &str) -> String {
    [ROTATING, number, digits].join(".")
}

/// What the 1-D barcode says: digits alone.
pub fn barcode_text(number: &str, digits: &str) -> String {
    [number, digits].concat()
}

/// What somebody shows at the till.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The code on a phone, which is another one every half minute.
    Rotating {
        /// The member's.
        number: String,
        /// What changes.
        digits: String,
    },
    /// A printed card.
    Card {
        /// The member's.
        number: String,
        /// What only this card has.
        token: String,
    },
}

impl Presented {
    /// Reads what a scanner or a person typed: the text of a QR, or the digits of a barcode, with spaces and dashes
    /// between them or without. `None` if it is neither.
    pub fn read(text: &str) -> Option<Self> {
        let plain: String = text
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '-')
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        let parts: Vec<&str> = plain.split('.').collect();
        let (number, rest) = match *parts.as_slice() {
            [digits] => digits.split_at_checked(NUMBER_DIGITS)?,
            [ROTATING, number, digits] if digits.len() == DIGITS as usize => (number, digits),
            [CARD, number, token] if token.len() == CARD_DIGITS => (number, token),
            _ => return None,
        };
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if number.len() != NUMBER_DIGITS || !is_digits(number) || !is_digits(rest) {
            return None;
        }
        let (number, rest) = (number.to_owned(), rest.to_owned());
        match rest.len() {
            CARD_DIGITS => Some(Self::Card { number, token: rest }),
            length if length == DIGITS as usize => Some(Self::Rotating { number, digits: rest }),
            _ => None,
        }
    }

    /// The number that is in it, which proves nothing.
    pub fn number(&self) -> &str {
        match self {
            Self::Rotating { number, .. } | Self::Card { number, .. } => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use ring::hmac;

    use super::*;

    #[test]
    fn the_vectors_of_rfc_6238_come_out() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"12345678901234567890123456789012");
        for (seconds, expected) in [
            (59, "46119246"),
            (1_111_111_109, "68084774"),
            (1_111_111_111, "67062674"),
            (1_234_567_890, "91819424"),
            (2_000_000_000, "90698825"),
            (20_000_000_000, "77737706"),
        ] {
            let now = DateTime::from_timestamp(seconds, 999_000_000).expect("an instant");
            let mac = hmac::sign(&key, &message(step(now)));
            assert_eq!(digits(mac.as_ref()).as_deref(), Some(expected), "{seconds}");
        }
    }

    #[test]
    fn digits_keep_their_zeros_and_a_broken_signature_has_none() {
        let mut mac = [0; 20];
        mac[3] = 7;
        assert_eq!(digits(&mac).as_deref(), Some("00000007"));
        assert_eq!(digits(&[]), None);
        assert_eq!(digits(&[1, 2, 15]), None);
    }

    #[test]
    fn both_spellings_of_both_are_read_and_nothing_else() {
        let number = "512102314864".to_owned();
        let rotating = Presented::Rotating {
            number: number.clone(),
            digits: "01234567".into(),
        };
        let card = Presented::Card {
            number: number.clone(),
            token: "0123456789012345".into(),
        };
        for text in [
            qr_text(&number, "01234567"),
            barcode_text(&number, "01234567"),
            " lw1.5121-0231-4864.0123 4567\r\n".into(),
            "5121 0231 4864 0123 4567".into(),
        ] {
            assert_eq!(Presented::read(&text).as_ref(), Some(&rotating), "{text}");
        }
        for text in [
            "LWC1.512102314864.0123456789012345",
            "5121023148640123456789012345",
            "5121 0231 4864 0123 4567 8901 2345",
        ] {
            assert_eq!(Presented::read(text).as_ref(), Some(&card), "{text}");
        }
        for text in [
            "",
            "512102314864",
            "51210231486401234567890",
            "LW1.512102314864",
            "LW1.512102314864.0123456789012345",
            "LWC1.512102314864.01234567",
            "LW1.51210231486.401234567",
            "LW1.512102314864.0123456a",
            "LW2.512102314864.01234567",
            "LW1.512102314864.01234567.",
            "LW1.۵۱۲۱۰۲۳۱۴۸۶۴.01234567",
            "éééééé01234567890123",
        ] {
            assert_eq!(Presented::read(text), None, "{text}");
        }
    }
}
