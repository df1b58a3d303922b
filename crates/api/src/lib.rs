//! The reference loyalty API: what a wallet, a till and a counter talk to.
//!
//! `config` says what can be set, `http` answers requests, `account` keeps a member's books by the rules of
//! `loyalty_rules`, `seed` and `verify` are commands of their own. Whatever goes wrong for the person at the
//! terminal is a [`failure::Failure`]; whatever goes wrong for a client is an `http::Error`.

#![forbid(unsafe_code)]

pub mod account;
pub mod apply;
pub mod backup;
mod claims;
pub mod clock;
pub mod config;
pub mod db;
pub mod events;
pub mod export;
pub mod failure;
pub mod http;
pub mod import;
pub mod keys;
mod mail;
mod member_code;
mod members;
mod names;
mod pictures;
pub mod programme_file;
mod reports;
pub mod secret_key;
pub mod seed;
pub mod serve;
pub mod shop;
pub mod staff;
pub mod stock;
mod terminal;
pub mod texts;
pub mod token;
pub mod verify;
pub mod webhooks;
pub mod worker;

use std::process::ExitCode;

use config::{Cli, Command};
use failure::Failure;
use terminal::say;

/// Does what the command line asks for, and gives what the program is to end with.
///
/// # Errors
/// [`Failure`], to be shown to whoever asked.
pub async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    if let Command::Restore(arguments) = &cli.command {
        // Before anything opens the database, whose place it takes.
        backup::restore(&cli.database_url, arguments).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let database = db::Database::connect(&cli.database_url).await?;
    let done = run_over(&database, cli).await;
    database.close().await;
    done
}

async fn run_over(database: &db::Database, cli: Cli) -> Result<ExitCode, Failure> {
    let db = &database.pool;
    match cli.command {
        Command::Import(command) => return import::run(database, command, &clock::Clock::default()).await,
        Command::Serve(config) => serve::run(database.clone(), config).await,
        Command::Migrate => {
            db::migrate(db).await?;
            say("The database is up to date.");
            Ok(())
        }
        Command::Seed(config) => {
            db::migrate(db).await?;
            seed::seed(db, &config, clock::Clock::default()).await?;
            say("The database has the sample now, and is marked as a demo.");
            Ok(())
        }
        Command::Webhook(command) => webhooks::commands::run(database, command, &clock::Clock::default()).await,
        Command::Verify => {
            db::check_tables(db).await?;
            let found = verify::verify(db).await?;
            say(&format!(
                "Verified {} members and {} ledger entries: no difference.",
                found.members, found.entries
            ));
            Ok(())
        }
        Command::Programme(command) => apply::run(database, command).await,
        Command::Stock(command) => stock::run(database, command).await,
        Command::Staff(command) => staff::run(database, command).await,
        Command::Key(command) => keys::run(database, command).await,
        Command::Reports(command) => reports::run(database, command).await,
        Command::Export(arguments) => export::run(database, &arguments, &clock::Clock::default()).await,
        Command::Backup(arguments) => backup::backup(database, &arguments).await,
        Command::Restore(arguments) => backup::restore(&cli.database_url, &arguments).await,
    }?;
    Ok(ExitCode::SUCCESS)
}
