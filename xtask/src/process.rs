//! Starting other programs, and never leaving one behind.
//!
//! Children stay in this program's process group, so that a signal to the group reaches them directly. A signal to
//! this program alone is passed on to everything it started, directly or not.

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take to end by itself before it is killed.
const PATIENCE: Duration = Duration::from_secs(8);

/// True from the first SIGINT, SIGTERM or SIGHUP on.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// Ends everything that was started, then this program, when it is asked to stop.
pub fn stop_on_signals() -> Result<()> {
    ctrlc::set_handler(|| {
        STOPPING.store(true, Ordering::SeqCst);
        stop_descendants();
        // Whoever waited for a child now returns through `main`, which is the better way out.
        thread::sleep(Duration::from_secs(1));
        std::process::exit(130);
    })
    .context("cannot listen for signals")
}

/// Whether somebody asked this program to stop.
pub fn is_stopping() -> bool {
    STOPPING.load(Ordering::SeqCst)
}

/// Whether a child ended because everything was asked to stop.
///
/// A signal to the group can end the child a moment before this program's own listener is told.
pub fn was_stopped() -> bool {
    thread::sleep(Duration::from_millis(50));
    is_stopping()
}

/// Runs a program to its end, with its output passed through; a failure says which program it was.
pub fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("{} failed ({status})", describe(command));
    }
    Ok(())
}

/// Runs a program to its end, with its output passed through, for callers that look at the status themselves.
pub fn status(command: &mut Command) -> Result<ExitStatus> {
    finish(spawn(command)?)
}

/// Runs a program that may not take longer than `limit`.
pub fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let mut child = spawn(command)?;
    let started = Instant::now();
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(_) if was_stopped() => bail!("stopped"),
            Some(status) => bail!("{} failed ({status})", describe(command)),
            None if started.elapsed() > limit => {
                child.kill()?;
                child.wait()?;
                bail!("{} did not end within {} s", describe(command), limit.as_secs());
            }
            None => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// What a program printed on standard output, or `None` when it is missing or fails. For questions such as a version.
pub fn ask(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a program and hands over each line of its standard output as it comes.
pub fn run_lines(command: &mut Command, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    let mut child = spawn(command.stdout(Stdio::piped()))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            each(String::from_utf8_lossy(&line?).trim_end());
        }
    }
    finish(child)
}

/// Starts a program and lets it run beside this one.
pub fn spawn(command: &mut Command) -> Result<Child> {
    if is_stopping() {
        bail!("stopped");
    }
    // What was said so far has to come before what the child says.
    std::io::stdout().flush()?;
    command
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", describe(command)))
}

/// Waits for a child; being stopped meanwhile is an error of its own, not the child's.
fn finish(mut child: Child) -> Result<ExitStatus> {
    let status = child.wait()?;
    if !status.success() && was_stopped() {
        bail!("stopped");
    }
    Ok(status)
}

/// Asks a child to end, unless it has, and insists after a while.
pub fn stop(child: &mut Child) -> Result<()> {
    stop_with(child, Signal::SIGTERM)
}

/// The same with another signal, for a program that understands SIGTERM differently.
pub fn stop_with(child: &mut Child, request: Signal) -> Result<()> {
    if child.try_wait()?.is_some() {
        return Ok(());
    }
    signal(child.id(), request);
    let started = Instant::now();
    while child.try_wait()?.is_none() {
        if started.elapsed() > PATIENCE {
            child.kill()?;
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// A command as a person would type it, as far as it takes to recognise it.
fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args().take(3));
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

fn stop_descendants() {
    let all = descendants(std::process::id());
    for &process in &all {
        terminate(process);
    }
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let listed = processes();
        if !all.iter().any(|process| listed.iter().any(|(id, _)| id == process)) {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    for &process in &all {
        signal(process, Signal::SIGKILL);
    }
}

fn descendants(root: u32) -> Vec<u32> {
    let listed = processes();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(listed.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        next += 1;
    }
    found.split_off(1)
}

/// Every living process and its parent, as far as `ps` or Linux's `/proc` tell.
fn processes() -> Vec<(u32, u32)> {
    let Ok(listing) = std::fs::read_dir("/proc/").map(|entries| entries.flatten().collect::<Vec<_>>()) else {
        let listing = ask(Command::new("ps").args(["-A", "-o", "pid=,ppid="])).unwrap_or_default();
        let pair = |line: &str| {
            let mut numbers = line.split_whitespace().map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        };
        return listing.lines().filter_map(pair).collect();
    };
    let pair = |entry: &std::fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // "pid (name) state parent …": the name may hold anything, so read from its last bracket on.
        let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        (state != "Z").then_some((id, parent))
    };
    listing.iter().filter_map(pair).collect()
}

fn terminate(process: u32) {
    signal(process, Signal::SIGTERM);
}

fn signal(process: u32, signal: Signal) {
    if let Ok(id) = i32::try_from(process) {
        // It may have ended a moment ago, which is what was wanted.
        let _ = nix::sys::signal::kill(Pid::from_raw(id), signal);
    }
}
