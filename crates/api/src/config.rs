//! Everything that can be set: on the command line, or by an environment variable of the name that `--help` shows.

use std::net::IpAddr;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::builder::{FalseyValueParser, PossibleValuesParser};
use clap::{Args, Parser, Subcommand};
use loyalty_contract::Instant;

use crate::events::KINDS;
use crate::secret_key::{SecretKey, SecretKeyParser};
use crate::webhooks::ALL;

/// The reference loyalty API.
#[derive(Clone, Debug, Parser)]
#[command(name = "loyalty-api", version, about)]
pub struct Cli {
    /// SQLite (`sqlite://loyalty.db?mode=rwc`) or PostgreSQL (`postgres://user@host/name`).
    #[arg(
        long,
        env = "LOYALTY_DATABASE_URL",
        value_name = "URL",
        global = true,
        hide_env_values = true,
        default_value = "sqlite://loyalty.db?mode=rwc"
    )]
    pub database_url: String,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `loyalty-api` can do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Answers wallets, tills and the counter over HTTP.
    Serve(Serve),
    /// Brings the database's tables up to date.
    Migrate,
    /// Fills an empty database with the sample programme and marks it as a demo.
    Seed(Seed),
    /// Checks that every balance equals its entries and its lots, over the whole database.
    Verify,
    /// Tells other systems what happens, by requests to their URLs.
    #[command(subcommand)]
    Webhook(Webhook),
}

/// How to serve.
#[derive(Args, Clone, Debug)]
pub struct Serve {
    /// The address to listen on; a demo's is this machine's own, unless with `--demo-in-public`.
    #[arg(long, env = "LOYALTY_HOST", value_name = "IP", default_value = "127.0.0.1")]
    pub host: IpAddr,

    /// The port to listen on; 0 takes a free one.
    #[arg(long, env = "LOYALTY_PORT", default_value_t = 8080)]
    pub port: u16,

    /// The folder of the built wallet, to serve it from the same origin.
    #[arg(long, env = "LOYALTY_WALLET_DIR", value_name = "DIR")]
    pub wallet_dir: Option<PathBuf>,

    /// The address by which browsers reach this server, such as `https://wallet.example`; with https, cookies are
    /// `Secure`.
    #[arg(long, env = "LOYALTY_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// How many requests one caller can make at once before they have to wait; an eighth of it comes back each second.
    #[arg(long, env = "LOYALTY_BURST", value_name = "REQUESTS", default_value_t = 400,
        value_parser = clap::value_parser!(u32).range(8..))]
    pub burst: u32,

    /// Serve the sample: sign-in codes are shown on the screen. Only on an empty database, or one made so.
    #[arg(long, env = "LOYALTY_DEMO", value_parser = FalseyValueParser::new())]
    pub demo: bool,

    /// Let a demo listen on other addresses than this machine's own, answer under other names, and behind a proxy.
    #[arg(long, env = "LOYALTY_DEMO_IN_PUBLIC", requires = "demo", value_parser = FalseyValueParser::new())]
    pub demo_in_public: bool,

    /// A demo's clock starts at this instant instead of now, for tests.
    #[arg(long, env = "LOYALTY_CLOCK", value_name = "RFC3339", requires = "demo")]
    pub clock: Option<Instant>,

    /// A text of 32 characters at least that nobody can guess, by which events are signed; needed where there are
    /// webhooks.
    #[arg(long, env = "LOYALTY_SECRET_KEY", value_name = "TEXT", hide_env_values = true, value_parser = SecretKeyParser)]
    pub secret_key: Option<SecretKey>,

    /// What a demo is seeded with.
    #[command(flatten)]
    pub seed: Seed,
}

/// What an empty database is filled with.
#[derive(Args, Clone, Debug, Default)]
pub struct Seed {
    /// A folder with `programme.json`, `members.json` and `media/` to use instead of the built-in sample.
    #[arg(long, env = "LOYALTY_SAMPLE", value_name = "DIR")]
    pub sample: Option<PathBuf>,

    /// The day that the sample's dates are relative to, instead of today.
    #[arg(long, env = "LOYALTY_AS_OF", value_name = "DATE")]
    pub as_of: Option<NaiveDate>,
}

/// What can be done with webhooks.
#[derive(Clone, Debug, Subcommand)]
pub enum Webhook {
    /// Sends what happens from now on to a URL, and prints the secret by which the receiver knows that it is from here.
    Add {
        /// Where to, such as `https://crm.example/loyalty`.
        url: String,

        /// Which kinds of events, with commas between them.
        #[arg(long, required = true, value_delimiter = ',',
            value_parser = PossibleValuesParser::new(KINDS.into_iter().chain([ALL])))]
        kinds: Vec<String>,

        /// The text that the server has.
        #[arg(long, env = "LOYALTY_SECRET_KEY", value_name = "TEXT", hide_env_values = true,
            value_parser = SecretKeyParser)]
        secret_key: SecretKey,
    },
    /// Prints every webhook, with what waits to be sent to it and what came of the last attempt.
    List,
    /// Sends nothing more to a webhook.
    Remove {
        /// The webhook.
        id: String,
    },
    /// Prints a webhook's secret.
    Secret {
        /// The webhook.
        id: String,

        /// The text that the server has.
        #[arg(long, env = "LOYALTY_SECRET_KEY", value_name = "TEXT", hide_env_values = true,
            value_parser = SecretKeyParser)]
        secret_key: SecretKey,
    },
    /// Sends what happened once more, each event under the id that it had; the last 30 days are kept.
    Replay {
        /// The webhook.
        id: String,

        /// From this instant.
        #[arg(long, value_name = "RFC3339")]
        since: Instant,

        /// Until before this instant, instead of now.
        #[arg(long, value_name = "RFC3339")]
        until: Option<Instant>,
    },
}
