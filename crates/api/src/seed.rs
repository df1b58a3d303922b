//! Fills an empty database with the sample: its programme, and its members with their histories, told event by
//! event through the same books that serve real ones.

mod history;
mod sample;
mod store;

use loyalty_rules::calendar::{day_of, start_of_day};
use sqlx::AnyPool;

use crate::clock::Clock;
use crate::config;
use crate::failure::Failure;
use crate::pictures;
use crate::programme_file::{self, MembersFile, ProgrammeFile};
use crate::shop::Shop;
use history::Story;
use sample::Sample;

/// Seeds an empty database, all of it or nothing, and marks it as a demo.
///
/// # Errors
/// [`Failure`] where the sample is wrong or the database refuses.
pub async fn seed(db: &AnyPool, config: &config::Seed, clock: Clock) -> Result<(), Failure> {
    let sample = Sample::open(config.sample.as_deref())?;
    let file: ProgrammeFile = programme_file::read("programme.json", &sample.file("programme.json")?)?;
    let members: MembersFile = programme_file::read("members.json", &sample.file("members.json")?)?;

    let now = clock.now();
    let zone = file.zone()?;
    let as_of = config.as_of.unwrap_or_else(|| day_of(now, &zone));
    if now < start_of_day(as_of, &zone)? {
        return Err(Failure::new(format!(
            "The day {as_of} has not begun yet: a history cannot end in the future."
        )));
    }
    file.check(as_of, |name| sample.has_picture(name))?;
    members.check(&file)?;

    let (file, pictures) = pictures::resolve(file, as_of, |name| sample.file(&format!("media/{name}")))?;
    let shop = Shop::new(1, file, true)?;
    let mut story = Story::new(&shop, as_of, now);
    let members = members
        .members
        .iter()
        .map(|member| story.tell(member))
        .collect::<Result<Vec<_>, _>>()?;
    store::write(db, &shop, &pictures, &members, now).await
}
