//! `loyalty-api reports`: what members say is wrong, for whoever deals with it.

use sqlx::AnyPool;

use crate::clock::{Clock, millis};
use crate::config::ReportsCommand;
use crate::db::{self, Database};
use crate::failure::Failure;
use crate::terminal::{instant, say, say_table};

/// Lists or closes reports.
///
/// # Errors
/// [`Failure`] where it cannot be done, or there is no such report.
pub async fn run(db: &Database, command: ReportsCommand) -> Result<(), Failure> {
    db::check_tables(&db.pool).await?;
    match command {
        ReportsCommand::List { all } => list(&db.pool, all).await,
        ReportsCommand::Close { reference } => close(db, &reference).await,
    }
}

async fn list(db: &AnyPool, all: bool) -> Result<(), Failure> {
    type Row = (String, i64, String, Option<String>, Option<String>, Option<i64>, String);
    let condition = if all { "" } else { "where r.closed_at is null" };
    let statement = format!(
        "select r.reference, r.created_at, m.number, r.entry_id, r.redemption_id, r.closed_at, r.text
         from reports r join members m on m.id = r.member_id {condition} order by r.created_at, r.id"
    );
    // The text is made of this file's own words.
    let reports: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement)).fetch_all(db).await?;
    let rows = reports
        .into_iter()
        .map(|(reference, created_at, number, entry, redemption, closed_at, text)| {
            [
                reference,
                instant(created_at),
                number,
                entry.or(redemption).unwrap_or_default(),
                closed_at.map(instant).unwrap_or_default(),
                text.replace('\n', " "),
            ]
        })
        .collect();
    say_table(["REFERENCE", "WRITTEN", "MEMBER", "ABOUT", "CLOSED", "TEXT"], rows);
    Ok(())
}

async fn close(db: &Database, reference: &str) -> Result<(), Failure> {
    let mut tx = db.begin_write().await?;
    let closed = sqlx::query("update reports set closed_at = $1 where reference = $2 and closed_at is null")
        .bind(millis(Clock::default().now()))
        .bind(reference.to_ascii_uppercase())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    if closed.rows_affected() == 0 {
        return Err(Failure::new(format!(
            "There is no report {reference:?} that could still be closed."
        )));
    }
    say(&format!("The report {} is closed.", reference.to_ascii_uppercase()));
    Ok(())
}
