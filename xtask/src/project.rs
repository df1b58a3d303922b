//! Where things are in this checkout.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The checkout's root, whatever folder a command was typed in.
pub fn root() -> &'static Path {
    // Cargo says where this crate is when it runs it, which stays right for checkouts that share a target folder.
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let crate_root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&crate_root)
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default()
    });
    &ROOT
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
