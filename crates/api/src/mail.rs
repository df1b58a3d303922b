//! E-mail: the codes by which people sign in and join, in their language.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::sync::Semaphore;

use crate::failure::Failure;
use crate::texts::{best_match, text};

/// The languages that mails are written in; the first where somebody wants none of them.
const LANGUAGES: [&str; 5] = ["en", "vi", "ru", "ms", "fa"];

/// For how long a mail server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many connections to the mail server there are at most; further mails wait.
const CONNECTIONS: usize = 4;

static TEXTS: LazyLock<BTreeMap<String, BTreeMap<String, String>>> =
    // A test reads the file and finds every text in every language, so that this cannot come out empty.
    LazyLock::new(|| serde_json::from_str(include_str!("mail.json")).unwrap_or_default());

/// Hands mails to a mail server.
#[derive(Clone, Debug)]
pub struct Mailer {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    turns: Arc<Semaphore>,
}

/// A code on its way to somebody.
#[derive(Clone, Debug)]
pub struct CodeMail {
    /// To whom.
    pub address: String,
    /// What they type.
    pub code: String,
    /// What the shop calls itself.
    pub shop: String,
    /// For how long the code is good.
    pub minutes: i64,
    /// One of [`language`]'s.
    pub language: &'static str,
}

/// The language, of those that mails are written in, that an `Accept-Language` header likes best.
pub fn language(asked: Option<&str>) -> &'static str {
    LANGUAGES[best_match(asked, &LANGUAGES)]
}

/// Whether a mail can be addressed so.
pub fn is_address(text: &str) -> bool {
    text.parse::<lettre::Address>().is_ok()
}

impl Mailer {
    /// Mails through the server of that URL, from that address.
    ///
    /// # Errors
    /// [`Failure`] where either is none. The URL has a password in it and is not repeated.
    pub fn new(url: &str, from: &str) -> Result<Self, Failure> {
        let from = from.parse().map_err(|_| {
            Failure::new(format!(
                "The sender {from:?} is not like \"Shop <no-reply@shop.example>\"."
            ))
        })?;
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| {
            Failure::new("The mail server's URL is not like smtps://user:password@mail.example or smtp://127.0.0.1:25.")
        })?;
        Ok(Self {
            server: server.timeout(Some(PATIENCE)).build(),
            from,
            turns: Arc::new(Semaphore::new(CONNECTIONS)),
        })
    }

    /// Sends it by and by: whoever asked for it is answered without waiting for the mail server.
    pub fn send(&self, mail: CodeMail) {
        let mailer = self.clone();
        tokio::spawn(async move {
            // Never closed, so that there is always a turn.
            let Ok(_turn) = mailer.turns.acquire().await else {
                return;
            };
            if let Err(error) = mailer.hand_over(&mail).await {
                tracing::error!(%error, "a sign-in code could not be sent by e-mail");
            }
        });
    }

    async fn hand_over(&self, mail: &CodeMail) -> Result<(), MailError> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, mail.address.parse()?))
            .subject(mail.text("subject"))
            .header(ContentType::TEXT_PLAIN)
            // No answer is wanted from whoever is away.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .body(mail.text("body"))?;
        self.server.send(message).await?;
        Ok(())
    }
}

impl CodeMail {
    fn text(&self, name: &str) -> String {
        let texts = TEXTS.get(name);
        let pattern = texts.map(|texts| text(texts, self.language, LANGUAGES[0]));
        // The shop's own name comes last, whatever is in it.
        pattern
            .unwrap_or_default()
            .replace("{code}", &self.code)
            .replace("{minutes}", &self.minutes.to_string())
            .replace("{shop}", &self.shop)
    }
}

#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error(transparent)]
    Address(#[from] lettre::address::AddressError),
    #[error(transparent)]
    Message(#[from] lettre::error::Error),
    #[error(transparent)]
    Server(#[from] lettre::transport::smtp::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_in_every_language_with_what_belongs_in_it() {
        for (name, places) in [
            ("subject", &["{shop}", "{code}"][..]),
            ("body", &["{shop}", "{code}", "{minutes}"]),
        ] {
            for language in LANGUAGES {
                let text = TEXTS.get(name).and_then(|texts| texts.get(language));
                let text = text.expect("a text");
                assert!(places.iter().all(|place| text.contains(place)), "{name} in {language}");
                assert_eq!(text.matches('{').count(), places.len(), "{name} in {language}");
            }
        }
    }

    #[test]
    fn the_urls_of_the_documentation_are_read() {
        for url in [
            "smtps://user:p%40ss@mail.example",
            "smtps://user:password@mail.example:465/wallet.example",
            "smtp://mail.example?tls=required",
            "smtp://127.0.0.1:25",
        ] {
            let mailer = Mailer::new(url, "Shop <no-reply@shop.example>");
            assert!(
                mailer.is_ok_and(|mailer| !format!("{mailer:?}").contains("p@ss")),
                "{url}"
            );
        }
    }

    #[test]
    fn a_url_or_a_sender_that_is_none_is_refused_without_its_password() {
        for (url, from) in [
            ("mail.example", "shop@shop.example"),
            ("https://me:secret@mail.example", "shop@shop.example"),
            ("smtp://me:secret@mail.example?tls=maybe", "shop@shop.example"),
            ("smtps://me:secret@mail.example", "the shop"),
        ] {
            let refused = Mailer::new(url, from).err().map(|failure| failure.to_string());
            assert!(refused.is_some_and(|text| !text.contains("secret")), "{url} {from}");
        }
    }
}
