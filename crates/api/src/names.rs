//! What people call things on the command line, checked before it is used.

use sqlx::AnyPool;

use crate::failure::Failure;
use crate::shop::{LoadError, Shop};

/// The programme in force.
///
/// # Errors
/// [`Failure`] where there is none, or it cannot be read.
pub async fn programme(db: &AnyPool) -> Result<Shop, Failure> {
    let shop = Shop::load(db).await.map_err(|error| match error {
        LoadError::Database(cause) => cause.into(),
        LoadError::Programme(failure) => failure,
        LoadError::Document(_) => Failure::new(format!("{error}.")),
    })?;
    shop.ok_or_else(|| {
        Failure::new("The database has no programme yet: put one into force with `loyalty-api programme apply`.")
    })
}

/// Refuses a store that the programme does not have.
///
/// # Errors
/// [`Failure`] that names those that it has.
pub async fn check_store(db: &AnyPool, id: &str) -> Result<(), Failure> {
    let shop = programme(db).await?;
    let stores: Vec<&str> = shop.file.stores.iter().map(|store| store.id.as_str()).collect();
    if stores.contains(&id) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "The programme has no store {id:?}; it has {}.",
        if stores.is_empty() {
            "none".into()
        } else {
            stores.join(", ")
        }
    )))
}

/// Refuses a name that nobody could read.
///
/// # Errors
/// [`Failure`].
pub fn check_name(name: &str) -> Result<(), Failure> {
    const LONGEST: usize = 80;
    let is_name = !name.trim().is_empty() && name.chars().count() <= LONGEST && !name.contains(char::is_control);
    if is_name {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "The name {name:?} is not 1 to {LONGEST} characters of text."
        )))
    }
}
