//! The pictures of a programme file on their way into the database.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use sqlx::AnyConnection;

use crate::failure::Failure;
use crate::programme_file::{Day, ProgrammeFile};
use crate::token;

/// A picture as the database keeps it.
pub struct Picture {
    /// Of its content and its ending; its name in the address.
    pub hash: String,
    /// The end of its name.
    pub extension: &'static str,
    /// What it is.
    pub content_type: &'static str,
    /// Base64.
    pub content: String,
}

/// Whether the name of a picture stays inside its folder.
pub fn is_plain_name(name: &str) -> bool {
    !name.contains(['/', '\\'])
}

/// Replaces pictures by their addresses, and relative days by those of the calendar. `read` reads a picture of that
/// name.
///
/// # Errors
/// [`Failure`] where a picture is none that browsers show.
pub fn resolve(
    mut file: ProgrammeFile,
    as_of: NaiveDate,
    read: impl Fn(&str) -> Result<Vec<u8>, Failure>,
) -> Result<(ProgrammeFile, Vec<Picture>), Failure> {
    let mut pictures: Vec<Picture> = vec![];
    let mut resolve = |name: &mut Option<String>| -> Result<(), Failure> {
        let Some(name) = name else { return Ok(()) };
        let picture = picture(name, &read)?;
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

/// Keeps pictures that are not kept yet.
///
/// # Errors
/// Where the database refuses.
pub async fn insert(connection: &mut AnyConnection, pictures: &[Picture]) -> Result<(), sqlx::Error> {
    for picture in pictures {
        sqlx::query(
            "insert into media (hash, extension, content_type, content) values ($1, $2, $3, $4)
             on conflict (hash) do nothing",
        )
        .bind(&picture.hash)
        .bind(picture.extension)
        .bind(picture.content_type)
        .bind(&picture.content)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn picture(name: &str, read: impl Fn(&str) -> Result<Vec<u8>, Failure>) -> Result<Picture, Failure> {
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
    let content = read(name)?;
    Ok(Picture {
        // The same content under another ending is another picture: it is answered as something else.
        hash: token::hash([extension.as_bytes(), b" ", &content].concat())[..32].to_owned(),
        extension,
        content_type,
        content: STANDARD.encode(content),
    })
}
