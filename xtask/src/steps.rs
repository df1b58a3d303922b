//! Telling what a long command does, and how far it is.

use std::io::Write;
use std::time::Instant;

/// Prints a line. Nobody may be listening any more (`cargo xtask size | head -1`), which is no reason to fail.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A command's steps, counted and timed.
pub struct Steps {
    total: usize,
    current: usize,
    started: Instant,
}

impl Steps {
    /// Starts counting towards `total` steps.
    pub fn new(total: usize) -> Self {
        Self {
            total,
            current: 0,
            started: Instant::now(),
        }
    }

    /// Announces the next step.
    pub fn next(&mut self, what: &str) {
        self.current += 1;
        say(&format!(
            "[{}/{}, {} s] {what}",
            self.current,
            self.total,
            self.seconds()
        ));
    }

    /// Leaves out what is left of the first `steps` steps.
    pub fn finish(&mut self, steps: usize) {
        self.current = steps;
    }

    /// Adds a detail to the step at hand.
    pub fn detail(&self, what: &str) {
        say(&format!("      {what}"));
    }

    /// Seconds since the first step.
    pub fn seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }
}
