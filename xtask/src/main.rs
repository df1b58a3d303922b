//! Every command of the project, as `cargo xtask COMMAND`.

mod api;
mod process;
mod project;
mod serve;
mod steps;
mod tools;
mod wallet;

use anyhow::{Result, bail};
use lexopt::prelude::*;
use std::io::Write;
use std::process::ExitCode;
use steps::say;

const HELP: &str = "\
Usage: cargo xtask COMMAND

  serve    Build what changed, then serve wallet and API with the sample programme
             --port 8080          where to listen
             --host 127.0.0.1
             --data-dir data      where the database is kept
             --database-url URL   instead of a SQLite file there
             -- …                 anything more is for `loyalty-api serve`

What is missing on this machine is got first, or named. Tools that have to be compiled are kept in .tools, or in
the folder that XTASK_TOOLS names.";

fn main() -> ExitCode {
    match process::stop_on_signals().and_then(|()| command()) {
        Ok(code) => code,
        Err(_) if process::is_stopping() => {
            say("Stopped.");
            ExitCode::from(130)
        }
        Err(error) => {
            // Nobody may be listening, as with `say`.
            let _ = writeln!(std::io::stderr(), "\n{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command() -> Result<ExitCode> {
    let mut arguments = lexopt::Parser::from_env();
    match arguments.next()? {
        None | Some(Short('h') | Long("help")) => say(HELP),
        Some(Value(name)) => match name.to_str() {
            Some("help") => say(HELP),
            Some("serve") => serve::serve(&serve_options(arguments)?)?,
            _ => bail!("There is no command {name:?}; `cargo xtask help` lists them."),
        },
        Some(option) => Err(option.unexpected())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn serve_options(mut arguments: lexopt::Parser) -> Result<serve::Options> {
    let mut options = serve::Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("host") => options.host = arguments.value()?.string()?,
            Long("port") => options.port = arguments.value()?.parse()?,
            Long("database-url") => options.database_url = Some(arguments.value()?.string()?),
            Long("data-dir") => options.data_dir = arguments.value()?.into(),
            // Only what follows `--` can be a value here.
            Value(first) => {
                options.api_arguments.push(first);
                options.api_arguments.extend(arguments.raw_args()?);
            }
            other => Err(other.unexpected())?,
        }
    }
    Ok(options)
}
