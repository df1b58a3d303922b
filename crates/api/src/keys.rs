//! `loyalty-api key`: keys for tills and CRMs, and what each may do. Only their hashes are stored.

use std::collections::BTreeSet;

use clap::ValueEnum;
use sqlx::{AnyConnection, AnyPool};

use crate::clock::{Clock, millis};
use crate::config::{KeyCommand, NewKey};
use crate::db::{self, Database, Value, insert_rows};
use crate::failure::Failure;
use crate::terminal::{instant, remark, say, say_table};
use crate::{names, token};

/// What a secret begins with, so that people and scanners of source code know one when they see it.
const PREFIX: &str = "lwk_";

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Scope {
    /// Record purchases.
    Purchases,
    /// Record returns.
    Returns,
    /// Name a member by the bare number.
    Number,
    /// Find a member by what they show.
    Identify,
    /// Use vouchers.
    Capture,
    /// Take used vouchers back.
    Refund,
    /// Give and take points.
    Adjust,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 7] = [
        Self::Purchases,
        Self::Returns,
        Self::Number,
        Self::Identify,
        Self::Capture,
        Self::Refund,
        Self::Adjust,
    ];

    /// What a till gets unless told otherwise.
    pub const TILL: [Self; 6] = [
        Self::Purchases,
        Self::Returns,
        Self::Number,
        Self::Identify,
        Self::Capture,
        Self::Refund,
    ];

    /// What a CRM gets unless told otherwise.
    pub const CRM: [Self; 2] = [Self::Number, Self::Adjust];

    /// As people write it, and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Purchases => "purchases",
            Self::Returns => "returns",
            Self::Number => "number",
            Self::Identify => "identify",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Adjust => "adjust",
        }
    }

    /// The scope of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// Makes, lists or revokes keys.
///
/// # Errors
/// [`Failure`] where it cannot be done, or there is no such key.
pub async fn run(db: &Database, command: KeyCommand) -> Result<(), Failure> {
    db::check_tables(&db.pool).await?;
    match command {
        KeyCommand::Add(new) => add(db, new).await,
        KeyCommand::List => list(&db.pool).await,
        KeyCommand::Revoke { id } => revoke(db, &id).await,
    }
}

/// Stores a key by the hash of its secret.
///
/// # Errors
/// Where the database refuses.
pub async fn insert(
    connection: &mut AnyConnection,
    key: &NewApiKey<'_>,
    secret: &str,
    created_at: i64,
) -> Result<(), sqlx::Error> {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let row = vec![
        Value::from(key.id),
        Value::from(key.name),
        Value::from(token::hash(secret)),
        Value::from(scopes.join(" ")),
        Value::from(key.store.map(str::to_owned)),
        Value::from(created_at),
    ];
    let columns = ["id", "name", "key_hash", "scopes", "store", "created_at"];
    insert_rows(connection, "api_keys", &columns, vec![row]).await
}

/// A key that is being made.
#[derive(Clone, Copy, Debug)]
pub struct NewApiKey<'a> {
    /// Opaque.
    pub id: &'a str,
    /// What it is for.
    pub name: &'a str,
    /// What it may do.
    pub scopes: &'a BTreeSet<Scope>,
    /// The only store that it may speak for; `None` for every one.
    pub store: Option<&'a str>,
}

async fn add(db: &Database, new: NewKey) -> Result<(), Failure> {
    names::check_name(&new.name)?;
    if let Some(store) = &new.store {
        names::check_store(&db.pool, store).await?;
    }
    let mut scopes: BTreeSet<Scope> = new.scopes.into_iter().collect();
    if new.till {
        scopes.extend(Scope::TILL);
    }
    if new.crm {
        scopes.extend(Scope::CRM);
    }
    let (id, secret) = (token::id()?, format!("{PREFIX}{}", token::secret()?));
    let key = NewApiKey {
        id: &id,
        name: &new.name,
        scopes: &scopes,
        store: new.store.as_deref(),
    };
    let mut tx = db.begin_write().await?;
    insert(&mut tx, &key, &secret, millis(Clock::default().now())).await?;
    tx.commit().await?;
    say(&secret);
    remark(&format!(
        "This is the secret of the key {id}: it is not stored, and is not shown again."
    ));
    Ok(())
}

async fn list(db: &AnyPool) -> Result<(), Failure> {
    type Row = (String, String, String, Option<String>, i64, Option<i64>);
    let keys: Vec<Row> =
        sqlx::query_as("select id, name, scopes, store, created_at, revoked_at from api_keys order by created_at, id")
            .fetch_all(db)
            .await?;
    let rows = keys
        .into_iter()
        .map(|(id, name, scopes, store, created_at, revoked_at)| {
            [
                id,
                name,
                scopes.replace(' ', ","),
                store.unwrap_or_else(|| "every store".into()),
                instant(created_at),
                revoked_at.map(instant).unwrap_or_default(),
            ]
        })
        .collect();
    say_table(["ID", "NAME", "SCOPES", "STORE", "CREATED", "REVOKED"], rows);
    Ok(())
}

async fn revoke(db: &Database, id: &str) -> Result<(), Failure> {
    let mut tx = db.begin_write().await?;
    let name: Option<(String,)> =
        sqlx::query_as("update api_keys set revoked_at = $1 where id = $2 and revoked_at is null returning name")
            .bind(millis(Clock::default().now()))
            .bind(id)
            .fetch_optional(&mut *tx)
            .await?;
    tx.commit().await?;
    let (name,) = name.ok_or_else(|| Failure::new(format!("There is no key {id:?} that could still be revoked.")))?;
    say(&format!("The key {name:?} is revoked."));
    Ok(())
}
