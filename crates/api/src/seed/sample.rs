//! Where the sample comes from: a folder, or the one that is built in.

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::failure::Failure;
use crate::pictures::is_plain_name;

static BUILT_IN: Dir = include_dir!("$CARGO_MANIFEST_DIR/sample");

/// `programme.json`, `members.json` and `media/`.
pub enum Sample {
    /// Built into the program.
    BuiltIn,
    /// In a folder.
    Folder(PathBuf),
}

impl Sample {
    /// The sample in that folder, or the built-in one.
    ///
    /// # Errors
    /// [`Failure`] where there is no such folder.
    pub fn open(folder: Option<&Path>) -> Result<Self, Failure> {
        match folder {
            None => Ok(Self::BuiltIn),
            Some(folder) if folder.is_dir() => Ok(Self::Folder(folder.to_owned())),
            Some(folder) => Err(Failure::new(format!(
                "There is no folder {} with a sample.",
                folder.display()
            ))),
        }
    }

    /// The content of a file.
    ///
    /// # Errors
    /// [`Failure`] where it cannot be read.
    pub fn file(&self, name: &str) -> Result<Vec<u8>, Failure> {
        match self {
            Self::BuiltIn => {
                let file = BUILT_IN.get_file(name);
                file.map(|file| file.contents().to_vec())
                    .ok_or_else(|| Failure::new(format!("The sample has no {name}.")))
            }
            Self::Folder(folder) => fs::read(folder.join(name))
                .map_err(|error| Failure::new(format!("{} cannot be read: {error}.", folder.join(name).display()))),
        }
    }

    /// Whether there is a picture of that name.
    pub fn has_picture(&self, name: &str) -> bool {
        let path = format!("media/{name}");
        is_plain_name(name)
            && match self {
                Self::BuiltIn => BUILT_IN.get_file(path).is_some(),
                Self::Folder(folder) => folder.join(path).is_file(),
            }
    }
}
