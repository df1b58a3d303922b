//! `loyalty-api stock`: how many there are of a reward.

use std::str::FromStr;

use crate::config::StockCommand;
use crate::db::{self, Database};
use crate::failure::Failure;
use crate::names;
use crate::programme_file::RewardFile;
use crate::terminal::{instant, say, say_table};

/// How many there are of a reward; `None` where nobody counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock(pub Option<u32>);

impl FromStr for Stock {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "unlimited" {
            return Ok(Self(None));
        }
        let number = text.parse().map(|number| Self(Some(number)));
        number.map_err(|_| format!("it is neither a whole number up to {} nor `unlimited`", u32::MAX))
    }
}

/// Sets or lists the stock of rewards.
///
/// # Errors
/// [`Failure`] where it cannot be done, or there is no such reward.
pub async fn run(db: &Database, command: StockCommand) -> Result<(), Failure> {
    db::check_tables(&db.pool).await?;
    match command {
        StockCommand::Set { reward, stock } => set(db, &reward, stock).await,
        StockCommand::List => list(db).await,
    }
}

async fn set(db: &Database, reward: &str, Stock(stock): Stock) -> Result<(), Failure> {
    let mut tx = db.begin_write().await?;
    let found = sqlx::query("update rewards set stock = $1 where id = $2")
        .bind(stock.map(i64::from))
        .bind(reward)
        .execute(&mut *tx)
        .await?;
    if found.rows_affected() == 0 {
        return Err(Failure::new(format!("There is no reward {reward:?}.")));
    }
    tx.commit().await?;
    say(&match stock {
        Some(stock) => format!("There are {stock} of {reward} now."),
        None => format!("Nobody counts {reward} now."),
    });
    Ok(())
}

async fn list(db: &Database) -> Result<(), Failure> {
    let shop = names::programme(&db.pool).await?;
    type Row = (String, String, Option<i64>, Option<i64>);
    let rewards: Vec<Row> = sqlx::query_as(
        "select id, document, stock, removed_at from rewards
         order by case when removed_at is null then 0 else 1 end, position",
    )
    .fetch_all(&db.pool)
    .await?;
    let rows = rewards
        .into_iter()
        .map(|(id, document, stock, removed_at)| {
            let reward: RewardFile = serde_json::from_str(&document)
                .map_err(|error| Failure::new(format!("The stored reward {id:?} cannot be read: {error}.")))?;
            Ok([
                id,
                stock.map_or_else(|| "unlimited".into(), |stock| stock.to_string()),
                shop.text(&reward.title, &shop.file.languages[0]),
                removed_at.map(instant).unwrap_or_default(),
            ])
        })
        .collect::<Result<_, Failure>>()?;
    say_table(["REWARD", "STOCK", "TITLE", "LEFT OUT"], rows);
    Ok(())
}
