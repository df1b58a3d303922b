//! Where the sample comes from: a folder, or the one that is built in.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use include_dir::{Dir, include_dir};

use crate::failure::Failure;
use crate::programme_file::{Day, ProgrammeFile};
use crate::token;

static BUILT_IN: Dir = include_dir!("$CARGO_MANIFEST_DIR/sample");

/// `programme.json`, `members.json` and `media/`.
pub enum Sample {
    /// Built into the program.
    BuiltIn,
    /// In a folder.
    Folder(PathBuf),
}

/// A picture as the database keeps it.
pub struct Picture {
    /// Of its content; its name in the address.
    pub hash: String,
    /// The end of its name.
    pub extension: &'static str,
    /// What it is.
    pub content_type: &'static str,
    /// Base64.
    pub content: String,
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
        let stays_inside = !name.contains(['/', '\\']);
        let path = format!("media/{name}");
        stays_inside
            && match self {
                Self::BuiltIn => BUILT_IN.get_file(path).is_some(),
                Self::Folder(folder) => folder.join(path).is_file(),
            }
    }

    /// Replaces pictures by their addresses, and relative days by those of the calendar.
    ///
    /// # Errors
    /// [`Failure`] where a picture is none that browsers show.
    pub fn resolve(&self, mut file: ProgrammeFile, as_of: NaiveDate) -> Result<(ProgrammeFile, Vec<Picture>), Failure> {
        let mut pictures: Vec<Picture> = vec![];
        let mut resolve = |name: &mut Option<String>| -> Result<(), Failure> {
            let Some(name) = name else { return Ok(()) };
            let picture = self.picture(name)?;
            *name = format!("/media/{}.{}", picture.hash, picture.extension);
            if pictures.iter().all(|known| known.hash != picture.hash) {
                pictures.push(picture);
            }
            Ok(())
        };
        resolve(&mut file.theme.logo)?;
        for reward in &mut file.rewards {
            resolve(&mut reward.picture)?;
            let by_calendar = |day: Option<Day>| day.map(|day| day.resolve(as_of).map(Day::On)).transpose();
            reward.valid_from = by_calendar(reward.valid_from)?;
            reward.valid_until = by_calendar(reward.valid_until)?;
        }
        Ok((file, pictures))
    }

    fn picture(&self, name: &str) -> Result<Picture, Failure> {
        const KNOWN: [(&str, &str); 5] = [
            ("svg", "image/svg+xml"),
            ("webp", "image/webp"),
            ("avif", "image/avif"),
            ("png", "image/png"),
            ("jpg", "image/jpeg"),
        ];
        let ending = name.rsplit('.').next().unwrap_or_default();
        let (extension, content_type) = KNOWN
            .into_iter()
            .find(|(extension, _)| extension.eq_ignore_ascii_case(ending))
            .ok_or_else(|| Failure::new(format!("The picture {name:?} is none of svg, webp, avif, png and jpg.")))?;
        let content = self.file(&format!("media/{name}"))?;
        Ok(Picture {
            hash: token::hash(&content)[..32].to_owned(),
            extension,
            content_type,
            content: STANDARD.encode(content),
        })
    }
}
