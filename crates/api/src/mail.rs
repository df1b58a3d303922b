//! E-mail: the codes by which people sign in, join, move and leave, and what they are to know, in their language.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use loyalty_contract::auth::Purpose;
use loyalty_contract::programme::Contact;
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

/// A mail on its way to somebody.
#[derive(Clone, Debug)]
pub struct Mail {
    /// To whom.
    pub address: String,
    /// What it is about.
    pub subject: String,
    /// What they read.
    pub body: String,
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
    pub fn send(&self, mail: Mail) {
        let mailer = self.clone();
        tokio::spawn(async move {
            // Never closed, so that there is always a turn.
            let Ok(_turn) = mailer.turns.acquire().await else {
                return;
            };
            if let Err(error) = mailer.hand_over(&mail).await {
                tracing::error!(%error, "a mail could not be sent");
            }
        });
    }

    async fn hand_over(&self, mail: &Mail) -> Result<(), MailError> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, mail.address.parse()?))
            .subject(mail.subject.as_str())
            .header(ContentType::TEXT_PLAIN)
            // No answer is wanted from whoever is away.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .body(mail.body.clone())?;
        self.server.send(message).await?;
        Ok(())
    }
}

impl Mail {
    /// A code, good for so many minutes, that somebody types for a purpose. `language` is one of [`language`]'s.
    pub fn code(address: String, code: &str, purpose: Purpose, minutes: i64, shop: &str, language: &str) -> Self {
        let body = match purpose {
            Purpose::SignIn | Purpose::SpendAtCounter => "code_body",
            Purpose::Leave => "leave_body",
            Purpose::ChangeAddress => "change_address_body",
        };
        let minutes = minutes.to_string();
        // The shop's own name comes last, whatever is in it.
        let places = [("{code}", code), ("{minutes}", minutes.as_str()), ("{shop}", shop)];
        Self {
            address,
            subject: worded("code_subject", language, &places),
            body: worded(body, language, &places),
        }
    }

    /// A notice to an address that signs a member in no more. `language` is one of [`language`]'s.
    pub fn address_changed(address: String, contact: &Contact, shop: &str, language: &str) -> Self {
        let contact = contact_line(contact);
        let places = [("{contact}", contact.as_str()), ("{shop}", shop)];
        Self {
            address,
            subject: worded("address_changed_subject", language, &places),
            body: worded("address_changed_body", language, &places),
        }
    }

    /// A notice that a device shows a member's code from now on. `language` is one of [`language`]'s.
    pub fn code_key(address: String, device: &str, contact: &Contact, shop: &str, language: &str) -> Self {
        let contact = contact_line(contact);
        // What the device calls itself comes last, whatever is in it.
        let places = [("{contact}", contact.as_str()), ("{shop}", shop), ("{device}", device)];
        Self {
            address,
            subject: worded("code_key_subject", language, &places),
            body: worded("code_key_body", language, &places),
        }
    }
}

impl Mail {
    /// What a member says is wrong, to the shop. `language` is one of [`language`]'s.
    pub fn report(
        address: String,
        reference: &str,
        number: &str,
        about: &str,
        text: &str,
        shop: &str,
        language: &str,
    ) -> Self {
        // What the member wrote comes last, whatever is in it.
        let places = [
            ("{reference}", reference),
            ("{number}", number),
            ("{about}", about),
            ("{shop}", shop),
            ("{text}", text),
        ];
        Self {
            address,
            subject: worded("report_subject", language, &places),
            body: worded("report_body", language, &places),
        }
    }
}

/// Whom to tell, in one line.
fn contact_line(contact: &Contact) -> String {
    let parts = [&contact.name, &contact.phone, &contact.email].map(String::as_str);
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

/// A text of `mail.json` in a language, with what belongs in it.
fn worded(name: &str, language: &str, places: &[(&str, &str)]) -> String {
    let texts = TEXTS.get(name);
    let pattern = texts.map(|texts| text(texts, language, LANGUAGES[0]));
    places.iter().fold(pattern.unwrap_or_default(), |text, (place, value)| {
        text.replace(place, value)
    })
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
        let texts = [
            ("code_subject", &["{shop}", "{code}"][..]),
            ("code_body", &["{shop}", "{code}", "{minutes}"]),
            ("leave_body", &["{shop}", "{code}", "{minutes}"]),
            ("change_address_body", &["{shop}", "{code}", "{minutes}"]),
            ("address_changed_subject", &["{shop}"]),
            ("address_changed_body", &["{shop}", "{contact}"]),
            ("code_key_subject", &["{shop}"]),
            ("code_key_body", &["{shop}", "{device}", "{contact}"]),
            ("report_subject", &["{shop}", "{reference}"]),
            ("report_body", &["{reference}", "{number}", "{about}", "{text}"]),
        ];
        for (name, places) in texts {
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
