//! Every command of the project, as `cargo xtask COMMAND`.

mod api;
mod bench;
mod check;
mod dev;
mod engines;
mod postgres;
mod process;
mod project;
mod schema;
mod serve;
mod shots;
mod size;
mod split;
mod steps;
mod test;
mod tools;
mod wallet;
mod worker;

use anyhow::{Result, anyhow, bail};
use engines::Engine;
use lexopt::prelude::*;
use shots::Shots;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use steps::{Steps, say};
use test::Runner;

const HELP: &str = "\
Usage: cargo xtask COMMAND

  serve    Build what changed, then serve wallet and API with the sample programme
             --port 8080          where to listen
             --host 127.0.0.1
             --data-dir data      where the database is kept
             --database-url URL   instead of a SQLite file there
             -- …                 anything more is for `loyalty-api serve`
  dev      The same, quickly built, and built again whenever a file changes
  test     Everything the project asserts: Rust's tests, the API's on PostgreSQL and against its own document, then
           journeys in a browser, and the main ones in every engine that is here or can be got
             --only rust|postgres|schema|e2e|size
                          one of them; what follows -- is for its runner
             --browsers chromium|firefox|webkit|all
                          only the main journeys, in that engine
  check    Formatting, clippy for both targets, stylesheet, page, licences
  size     The bytes of a first visit, file by file, and their limit
  bench    Figures beside a baseline that is taken in the same minute
             import       a year of a supermarket's purchases into both databases, beside bare inserts
             ledger       requests a second on both databases, beside bare transactions of the same rows
             lighthouse   Lighthouse's scores on a phone, signed out and on home
             start        how soon the installed wallet opens without a network, beside an empty page
             wallet       how soon taps are answered on a slow phone, beside a bare button
  shots    Pictures of every screen, into shots
             --readme             only the README's, into docs
             --install            only those that the manifest names, into public/screenshots

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
            Some("dev") => dev::dev(&serve_options(arguments)?)?,
            Some("test") => return test(arguments).map(exit_code),
            Some("check") => {
                no_options(arguments)?;
                return check::check().map(exit_code);
            }
            Some("size") => {
                no_options(arguments)?;
                return size::size(&mut Steps::new(size::STEPS)).map(exit_code);
            }
            Some("bench") => bench(arguments)?,
            Some("shots") => shots(arguments)?,
            _ => bail!("There is no command {name:?}; `cargo xtask help` lists them."),
        },
        Some(option) => Err(option.unexpected())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn serve_options(mut arguments: lexopt::Parser) -> Result<serve::Options> {
    let mut options = serve::Options::default();
    loop {
        if let Some(handed_on) = behind_dashes(&mut arguments) {
            options.api_arguments = handed_on;
            break;
        }
        let Some(argument) = arguments.next()? else { break };
        match argument {
            Long("host") => options.host = arguments.value()?.string()?,
            Long("port") => {
                let port = arguments.value()?.string()?;
                options.port = port
                    .parse()
                    .map_err(|_| anyhow!("--port takes a number up to 65535, not {port:?}."))?;
            }
            Long("database-url") => options.database_url = Some(arguments.value()?.string()?),
            Long("data-dir") => options.data_dir = arguments.value()?.into(),
            Value(word) => bail!("{word:?} is no option; what is for `loyalty-api serve` follows `--`."),
            other => Err(other.unexpected())?,
        }
    }
    Ok(options)
}

/// What follows `--`, if that comes next: it is for another program, and nothing of it is read here.
fn behind_dashes(arguments: &mut lexopt::Parser) -> Option<Vec<OsString>> {
    let mut rest = arguments.try_raw_args()?;
    rest.next_if(|next| next == "--")?;
    Some(rest.collect())
}

fn test(mut arguments: lexopt::Parser) -> Result<bool> {
    let mut chosen = Vec::new();
    let mut for_runner = Vec::new();
    loop {
        if let Some(handed_on) = behind_dashes(&mut arguments) {
            for_runner = handed_on;
            break;
        }
        let Some(argument) = arguments.next()? else { break };
        match argument {
            Long("only") => chosen.push(Runner::named(&arguments.value()?.string()?)?),
            Long("browsers") => {
                let engines = Engine::named(&arguments.value()?.string()?)?;
                chosen.extend(engines.into_iter().map(Runner::Engine));
            }
            Value(word) => bail!("{word:?} is no option; what is for the runner follows `--`."),
            other => Err(other.unexpected())?,
        }
    }
    if chosen.is_empty() && !for_runner.is_empty() {
        bail!("Say with --only or --browsers which runner that is for.");
    }
    test::test(&chosen, &for_runner)
}

fn bench(mut arguments: lexopt::Parser) -> Result<()> {
    let name = match arguments.next()? {
        Some(Value(name)) => name.string()?,
        Some(option) => Err(option.unexpected())?,
        None => bail!("Say which: import, ledger, lighthouse, start or wallet."),
    };
    no_options(arguments)?;
    match name.as_str() {
        "import" => bench::import::import(),
        "ledger" => bench::ledger::ledger(),
        "lighthouse" => bench::lighthouse::lighthouse(),
        "start" => bench::start::start(),
        "wallet" => bench::wallet::wallet(),
        _ => bail!("There is no benchmark {name:?}; `cargo xtask help` lists them."),
    }
}

fn shots(mut arguments: lexopt::Parser) -> Result<()> {
    let mut which = Shots::Screens;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("readme") => which = Shots::Readme,
            Long("install") => which = Shots::Install,
            other => Err(other.unexpected())?,
        }
    }
    shots::shots(which)
}

fn no_options(mut arguments: lexopt::Parser) -> Result<()> {
    match arguments.next()? {
        None => Ok(()),
        Some(argument) => Err(argument.unexpected())?,
    }
}

fn exit_code(is_good: bool) -> ExitCode {
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::serve_options;
    use lexopt::Parser;

    #[test]
    fn only_what_follows_the_dashes_is_for_the_api() {
        let handed_on = |arguments: &[&str]| {
            let options = serve_options(Parser::from_args(arguments)).ok()?;
            Some((options.port, options.api_arguments))
        };
        assert_eq!(
            handed_on(&["--port", "9090", "--", "--port", "1"]),
            Some((9090, vec!["--port".into(), "1".into()]))
        );
        assert_eq!(handed_on(&["--port", "9090"]), Some((9090, Vec::new())));
        assert_eq!(handed_on(&["9090"]), None);
        assert_eq!(handed_on(&["9090", "--", "--port", "1"]), None);
    }
}
