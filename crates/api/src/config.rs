//! Everything that can be set: on the command line, or by an environment variable of the name that `--help` shows.

use std::net::{AddrParseError, IpAddr};
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::builder::{FalseyValueParser, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use loyalty_contract::Instant;
use loyalty_contract::counter::StaffRole;

use crate::events::KINDS;
use crate::keys::Scope;
use crate::secret_key::{SecretKey, SecretKeyParser};
use crate::stock::Stock;
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
    /// Puts a programme file into force.
    #[command(subcommand)]
    Programme(ProgrammeCommand),
    /// Says how many there are of a reward.
    #[command(subcommand)]
    Stock(StockCommand),
    /// Who works at the counter, and the first device there.
    #[command(subcommand)]
    Staff(StaffCommand),
    /// Keys for tills and CRMs.
    #[command(subcommand)]
    Key(KeyCommand),
    /// What members say is wrong.
    #[command(subcommand)]
    Reports(ReportsCommand),
    /// Takes over members and purchases that a shop already has, from a CSV file.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Writes members, ledger or redemptions as CSV, for a CRM.
    Export(Export),
    /// Copies an SQLite database into a file, also while it is served.
    Backup(Backup),
    /// Puts a backup in the place of an SQLite database that nobody has open.
    Restore(Restore),
    /// Tells other systems what happens, by requests to their URLs.
    #[command(subcommand)]
    Webhook(WebhookCommand),
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

    /// Origins, such as `https://wallet.example`, where the wallet is served from apart from this server; on the same
    /// registrable domain as `--public-url`, since cookies do not go further.
    #[arg(
        long,
        env = "LOYALTY_WALLET_ORIGINS",
        value_name = "ORIGINS",
        value_delimiter = ',',
        requires = "public_url"
    )]
    pub wallet_origins: Vec<String>,

    /// Proxies, as addresses or networks like `10.0.0.0/8`, whose X-Forwarded-For says by which address a caller is
    /// counted for limits; from anybody else it is ignored.
    #[arg(long, env = "LOYALTY_TRUSTED_PROXIES", value_name = "ADDRESSES", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// The server that sends sign-in codes by e-mail: `smtps://user:password@mail.example`, or `smtp://` with
    /// `?tls=required` for STARTTLS; a path is the name that this server gives itself. A demo sends none.
    #[arg(
        long,
        env = "LOYALTY_SMTP_URL",
        value_name = "URL",
        hide_env_values = true,
        requires = "mail_from"
    )]
    pub smtp_url: Option<String>,

    /// Who e-mails are from, such as `Shop <no-reply@shop.example>`.
    #[arg(long, env = "LOYALTY_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,

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

/// A network, or one address as a network of its own.
fn network(text: &str) -> Result<IpNet, AddrParseError> {
    let text = text.trim();
    text.parse()
        .or_else(|_| text.parse().map(|address: IpAddr| IpNet::from(address)))
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
pub enum WebhookCommand {
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
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// Prints a webhook's secret.
    Secret {
        /// The webhook.
        #[arg(allow_hyphen_values = true)]
        id: String,

        /// The text that the server has.
        #[arg(long, env = "LOYALTY_SECRET_KEY", value_name = "TEXT", hide_env_values = true,
            value_parser = SecretKeyParser)]
        secret_key: SecretKey,
    },
    /// Sends what happened once more, each event under the id that it had; the last 30 days are kept.
    Replay {
        /// The webhook.
        #[arg(allow_hyphen_values = true)]
        id: String,

        /// From this instant.
        #[arg(long, value_name = "RFC3339")]
        since: Instant,

        /// Until before this instant, instead of now.
        #[arg(long, value_name = "RFC3339")]
        until: Option<Instant>,
    },
}

/// What `loyalty-api programme` can do.
#[derive(Clone, Debug, Subcommand)]
pub enum ProgrammeCommand {
    /// Checks a programme file whole, and puts it into force: all of it or nothing, also while it is served.
    Apply(Apply),
}

/// Which programme.
#[derive(Args, Clone, Debug)]
pub struct Apply {
    /// The programme file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The folder of its pictures, instead of `media` beside the file.
    #[arg(long, value_name = "DIR")]
    pub pictures: Option<PathBuf>,
}

/// What `loyalty-api stock` can do.
#[derive(Clone, Debug, Subcommand)]
pub enum StockCommand {
    /// Says how many there are of a reward now.
    Set {
        /// The reward, by its id.
        #[arg(value_name = "REWARD", allow_hyphen_values = true)]
        reward: String,
        /// How many there are, or `unlimited` where nobody counts.
        #[arg(value_name = "NUMBER|unlimited")]
        stock: Stock,
    },
    /// Shows how many there are of each reward.
    List,
}

/// What `loyalty-api staff` can do.
#[derive(Clone, Debug, Subcommand)]
pub enum StaffCommand {
    /// Lets somebody sign in at the counter.
    Add(NewStaff),
    /// Shows everybody who was ever added.
    List,
    /// Sets a new PIN, and signs them out everywhere.
    Reset {
        /// Who.
        #[command(flatten)]
        who: StaffCode,
        /// Let them in again, if they were disabled.
        #[arg(long)]
        enable: bool,
        /// The new PIN.
        #[command(flatten)]
        pin: Pin,
    },
    /// Lets somebody in no more, and signs them out everywhere.
    Disable {
        /// Who.
        #[command(flatten)]
        who: StaffCode,
    },
    /// Shows a code, good for ten minutes, that makes a device the counter's: for the first, before a manager can.
    Pair {
        /// Where the device stands, by the store's id.
        #[arg(long, value_name = "ID")]
        store: String,
    },
}

/// Somebody new at the counter.
#[derive(Args, Clone, Debug)]
pub struct NewStaff {
    /// Who.
    #[command(flatten)]
    pub who: StaffCode,

    /// What they are called.
    #[arg(long)]
    pub name: String,

    /// What they may do.
    #[arg(long, value_parser = PossibleValuesParser::new(["clerk", "manager"]).map(role))]
    pub role: StaffRole,

    /// The number of their own membership, which they then cannot adjust.
    #[arg(long, value_name = "NUMBER")]
    pub member: Option<String>,

    /// What only they know.
    #[command(flatten)]
    pub pin: Pin,
}

/// Somebody at the counter, as they sign in.
#[derive(Args, Clone, Debug)]
pub struct StaffCode {
    /// Where they work, by the store's id.
    #[arg(long, value_name = "ID")]
    pub store: String,

    /// What they sign in with, unique in the store.
    #[arg(long)]
    pub code: String,
}

/// Where a PIN comes from, which is never an argument: others on the machine could read it.
#[derive(Args, Clone, Debug)]
pub struct Pin {
    /// Read the PIN from standard input, instead of asking for it at the terminal or taking `LOYALTY_STAFF_PIN`.
    #[arg(long = "pin-stdin")]
    pub stdin: bool,
}

/// What `loyalty-api key` can do.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyCommand {
    /// Makes a key, and shows its secret this once.
    Add(NewKey),
    /// Shows every key that was ever made, without the secrets.
    List,
    /// Ends a key at once and for ever.
    Revoke {
        /// The key, by its id as `key list` shows it.
        #[arg(value_name = "ID", allow_hyphen_values = true)]
        id: String,
    },
}

/// A new key.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("what").args(["till", "crm", "scopes"]).required(true).multiple(true))]
pub struct NewKey {
    /// What it is for, such as the till's own name.
    #[arg(long)]
    pub name: String,

    /// Everything that a till does: purchases, returns, number, identify, capture and refund.
    #[arg(long)]
    pub till: bool,

    /// Everything that a CRM does: number and adjust.
    #[arg(long)]
    pub crm: bool,

    /// Or each thing that it may do; can be given several times.
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<Scope>,

    /// The only store that it may speak for, by its id; every one unless told.
    #[arg(long, value_name = "ID")]
    pub store: Option<String>,
}

/// What can be done with reports.
#[derive(Clone, Debug, Subcommand)]
pub enum ReportsCommand {
    /// Shows every report that nobody has dealt with yet.
    List {
        /// Those that were closed too.
        #[arg(long)]
        all: bool,
    },
    /// Says that a report was dealt with, which its member then sees.
    Close {
        /// The report, by its reference.
        #[arg(value_name = "REFERENCE")]
        reference: String,
    },
}

/// What `loyalty-api import` can take over.
#[derive(Clone, Debug, Subcommand)]
pub enum ImportCommand {
    /// Members, by the columns `number`, `name`, `email`, `language` and `since`, and `phone` if there is one. Ends with 3
    /// if rows were rejected.
    Members(ImportFile),
    /// Purchases, by the columns `external_id`, `store`, `occurred_at`, `total` and `member`. Ends with 3 if rows were rejected.
    Purchases(ImportFile),
}

/// Which file.
#[derive(Args, Clone, Debug)]
pub struct ImportFile {
    /// A CSV file with a header; the same again goes on with it where it was interrupted.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Where the lines that were rejected are written, each with the reason; unless told, beside the file with
    /// `.rejected.csv` behind its name.
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
}

/// What is written where.
#[derive(Args, Clone, Debug)]
pub struct Export {
    /// What to write.
    pub what: ExportWhat,

    /// The file to write, whose place it takes once it is whole; standard output unless told.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Only members who joined, entries and redemptions that were made from this day on.
    #[arg(long, value_name = "DATE")]
    pub since: Option<NaiveDate>,
}

/// What can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportWhat {
    /// Everybody, with what they have and where they stand.
    Members,
    /// Every entry of every ledger.
    Ledger,
    /// Everything that points were turned into.
    Redemptions,
}

/// Where a backup goes.
#[derive(Args, Clone, Debug)]
pub struct Backup {
    /// The file to make, which must not exist.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Which backup, and what becomes of the database that is there.
#[derive(Args, Clone, Debug)]
pub struct Restore {
    /// The backup.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Take the place of the database that is there, and keep that one beside it under a name with the time.
    #[arg(long)]
    pub replace: bool,
}

fn role(name: String) -> StaffRole {
    if name == "manager" {
        StaffRole::Manager
    } else {
        StaffRole::Clerk
    }
}
