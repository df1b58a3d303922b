//! Where things are in this checkout.

use std::path::{Path, PathBuf};

/// The checkout's root, whatever folder a command was typed in.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The built wallet.
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// The cargo that called this program, so that its toolchain is the one used throughout.
pub fn cargo() -> std::process::Command {
    let mut command = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}
