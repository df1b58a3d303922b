//! What a receiver knows an event by: a signature with a secret that only it and this installation have.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use loyalty_contract::Instant;
use ring::hmac;

use crate::secret_key::SecretKey;

/// The secret of one webhook. It is derived whenever it is needed, and stored nowhere.
#[derive(Clone, Copy)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Of the webhook with that id.
    pub fn of(key: &SecretKey, webhook_id: &str) -> Self {
        Self(key.derive(&format!("webhook:{webhook_id}")))
    }

    /// As receivers' libraries take it.
    pub fn text(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }

    /// What goes into the header `webhook-signature`.
    pub fn sign(&self, event_id: &str, at: Instant, body: &str) -> String {
        sign(&self.0, event_id, at.timestamp(), body)
    }
}

fn sign(secret: &[u8], event_id: &str, timestamp: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signed = hmac::sign(&key, format!("{event_id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(signed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_conventions_own_example() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let signed = sign(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
