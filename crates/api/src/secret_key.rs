//! The one key of an installation, from which others are derived: nothing of it is in the database.

use std::ffi::OsStr;
use std::fmt;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};
use ring::hmac;

use crate::db::Database;
use crate::failure::Failure;
use crate::token;

/// How many characters it has at least.
const LEAST: usize = 32;

/// What `LOYALTY_SECRET_KEY` says: any text that nobody can guess.
#[derive(Clone)]
pub struct SecretKey(hmac::Key);

impl SecretKey {
    /// From a text that nobody can guess.
    pub fn of(text: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()))
    }

    /// A demo's own, which stands in its database: there is nothing to protect, and it goes on after a restart.
    ///
    /// # Errors
    /// [`Failure`] where the database does not answer.
    pub async fn of_demo(db: &Database) -> Result<Self, Failure> {
        let mut tx = db.begin_write().await?;
        sqlx::query("insert into meta (name, value) values ('demo_secret_key', $1) on conflict (name) do nothing")
            .bind(token::secret()?)
            .execute(&mut *tx)
            .await?;
        let (text,): (String,) = sqlx::query_as("select value from meta where name = 'demo_secret_key'")
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Self::of(&text))
    }

    /// A key for one purpose, always the same. From it nobody learns another purpose's, nor this one.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut derived = [0; 32];
        derived.copy_from_slice(hmac::sign(&self.0, purpose.as_bytes()).as_ref());
        derived
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

/// Reads a [`SecretKey`]. The command line's own parsers repeat what they refuse, and this must not.
#[derive(Clone, Copy, Debug)]
pub struct SecretKeyParser;

impl TypedValueParser for SecretKeyParser {
    type Value = SecretKey;

    fn parse_ref(&self, _: &Command, _: Option<&Arg>, value: &OsStr) -> Result<SecretKey, Error> {
        let text = value.to_str().map(str::trim).unwrap_or_default();
        if text.chars().count() < LEAST {
            let sentence = format!(
                "LOYALTY_SECRET_KEY is not a text of {LEAST} characters at least: `openssl rand -base64 32` makes one.\n"
            );
            return Err(Error::raw(ErrorKind::ValueValidation, sentence));
        }
        Ok(SecretKey::of(text))
    }
}
