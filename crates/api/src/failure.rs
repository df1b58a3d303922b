//! Why a command of `loyalty-api` did not do what it was asked: for the person at the terminal, not for a client.

/// One clear sentence on what went wrong, and where it helps what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    /// A failure in these words.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let told = error.to_string();
        Self(match &error {
            _ if told.contains("file is not a database") => "The database file is not an SQLite database.".into(),
            _ if told.contains("unable to open database file") => {
                "The database file cannot be opened: check that its folder exists and can be written.".into()
            }
            _ if told.contains("database is locked") => "Another program keeps the database locked.".into(),
            sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) => "The database does not answer.".into(),
            sqlx::Error::Configuration(cause) => format!("The database URL cannot be read: {cause}."),
            sqlx::Error::Database(cause) => format!("The database refused: {}.", cause.message()),
            _ => format!("The database failed: {told}."),
        })
    }
}

impl From<loyalty_rules::Overflow> for Failure {
    fn from(_: loyalty_rules::Overflow) -> Self {
        Self("A number or a date is too large to reckon with.".into())
    }
}

impl From<crate::token::NoRandomness> for Failure {
    fn from(error: crate::token::NoRandomness) -> Self {
        Self(format!("It cannot be done: {error}."))
    }
}
