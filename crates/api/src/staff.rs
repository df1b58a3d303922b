//! `loyalty-api staff`: who works at the counter, and a code for the first device there. Only hashes of PINs and codes
//! are stored.

use std::env;
use std::io::{self, IsTerminal};

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use chrono::TimeDelta;
use loyalty_contract::counter::StaffRole;
use sqlx::{AnyPool, Row};

use crate::clock::{Clock, millis};
use crate::config::{NewStaff, Pin, StaffCode, StaffCommand};
use crate::db::{self, Database, Value};
use crate::failure::Failure;
use crate::terminal::{instant, remark, say, say_table};
use crate::{names, token};

/// For how long a device can be paired by a code.
pub const PAIRING_LASTS: TimeDelta = TimeDelta::minutes(10);

/// Adds, lists, resets or disables staff, or pairs a device.
///
/// # Errors
/// [`Failure`] where it cannot be done, or there is nobody of that code.
pub async fn run(db: &Database, command: StaffCommand) -> Result<(), Failure> {
    db::check_tables(&db.pool).await?;
    match command {
        StaffCommand::Add(new) => add(db, &new).await,
        StaffCommand::List => list(&db.pool).await,
        StaffCommand::Reset { who, enable, pin } => reset(db, &who, enable, &pin).await,
        StaffCommand::Disable { who } => disable(db, &who).await,
        StaffCommand::Pair { store } => pair(db, &store).await,
    }
}

/// Whether a PIN is one: 4 to 12 digits.
pub fn is_pin(text: &str) -> bool {
    (4..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// All that the database keeps of a PIN.
///
/// # Errors
/// [`Failure`] where it cannot be hashed.
pub fn hash_pin(pin: &str) -> Result<String, Failure> {
    let hash = Argon2::default().hash_password(pin.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| Failure::new(format!("The PIN could not be hashed: {error}.")))
}

/// As the database has it.
pub fn role_name(role: StaffRole) -> &'static str {
    match role {
        StaffRole::Clerk => "clerk",
        StaffRole::Manager => "manager",
    }
}

async fn add(db: &Database, new: &NewStaff) -> Result<(), Failure> {
    let StaffCode { store, code } = &new.who;
    names::check_name(&new.name)?;
    check_code(code)?;
    names::check_store(&db.pool, store).await?;
    let member = match &new.member {
        None => None,
        Some(number) => {
            let found: Option<(String,)> = sqlx::query_as("select id from members where number = $1")
                .bind(number)
                .fetch_optional(&db.pool)
                .await?;
            let (id,) = found.ok_or_else(|| Failure::new(format!("There is no member with the number {number:?}.")))?;
            Some(id)
        }
    };
    let pin_hash = hash_pin(&read_pin(&new.pin)?)?;
    let mut tx = db.begin_write().await?;
    let added = sqlx::query(
        "insert into staff (id, store, code, name, role, pin_hash, member_id) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (store, code) do nothing",
    )
    .bind(token::id()?)
    .bind(store)
    .bind(code)
    .bind(&new.name)
    .bind(role_name(new.role))
    .bind(pin_hash)
    .bind(member)
    .execute(&mut *tx)
    .await?;
    if added.rows_affected() == 0 {
        return Err(Failure::new(format!(
            "The code {code} is somebody's at the store {store} already: choose another, or give them a new PIN with \
             `loyalty-api staff reset`."
        )));
    }
    tx.commit().await?;
    say(&format!("{} can sign in at {store} with the code {code}.", new.name));
    Ok(())
}

async fn list(db: &AnyPool) -> Result<(), Failure> {
    type Listed = (String, String, String, String, Option<String>, Option<i64>);
    let staff: Vec<Listed> = sqlx::query_as(
        "select s.store, s.code, s.name, s.role, m.number, s.disabled_at
         from staff s left join members m on m.id = s.member_id order by s.store, s.code",
    )
    .fetch_all(db)
    .await?;
    let rows = staff
        .into_iter()
        .map(|(store, code, name, role, member, disabled_at)| {
            let disabled = disabled_at.map(instant).unwrap_or_default();
            [store, code, name, role, member.unwrap_or_default(), disabled]
        })
        .collect();
    say_table(["STORE", "CODE", "NAME", "ROLE", "MEMBER", "DISABLED"], rows);
    Ok(())
}

async fn reset(db: &Database, who: &StaffCode, enable: bool, pin: &Pin) -> Result<(), Failure> {
    let found: Option<(Option<i64>,)> = sqlx::query_as("select disabled_at from staff where store = $1 and code = $2")
        .bind(&who.store)
        .bind(&who.code)
        .fetch_optional(&db.pool)
        .await?;
    match found {
        None => return Err(nobody(who)),
        Some((Some(_),)) if !enable => {
            return Err(Failure::new(format!(
                "The code {} at the store {} is disabled: say --enable as well to let them in again.",
                who.code, who.store
            )));
        }
        Some(_) => {}
    }
    let pin_hash = hash_pin(&read_pin(pin)?)?;
    let statement = if enable {
        "update staff set pin_hash = $1, disabled_at = null where store = $2 and code = $3 returning id, name"
    } else {
        "update staff set pin_hash = $1 where store = $2 and code = $3 returning id, name"
    };
    let name = change(db, who, statement, pin_hash).await?;
    say(&format!("{name} has a new PIN, and is signed out everywhere."));
    Ok(())
}

async fn disable(db: &Database, who: &StaffCode) -> Result<(), Failure> {
    let statement = "update staff set disabled_at = coalesce(disabled_at, $1)
         where store = $2 and code = $3 returning id, name";
    let name = change(db, who, statement, millis(Clock::default().now())).await?;
    say(&format!(
        "{name} cannot sign in any more, and is signed out everywhere."
    ));
    Ok(())
}

/// Changes somebody, and ends their sessions with it.
async fn change(
    db: &Database,
    who: &StaffCode,
    statement: &'static str,
    value: impl Into<Value>,
) -> Result<String, Failure> {
    let mut tx = db.begin_write().await?;
    let changed = value.into().bind(sqlx::query(statement));
    let found = changed
        .bind(who.store.clone())
        .bind(who.code.clone())
        .fetch_optional(&mut *tx)
        .await?;
    let found = found.ok_or_else(|| nobody(who))?;
    let (id, name): (String, String) = (found.try_get("id")?, found.try_get("name")?);
    sqlx::query("delete from staff_sessions where staff_id = $1")
        .bind(id)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(name)
}

async fn pair(db: &Database, store: &str) -> Result<(), Failure> {
    names::check_store(&db.pool, store).await?;
    let (now, code) = (Clock::default().now(), token::voucher_code()?);
    let expires_at = now + PAIRING_LASTS;
    let mut tx = db.begin_write().await?;
    sqlx::query("insert into pairings (code_hash, store, expires_at) values ($1, $2, $3)")
        .bind(token::hash(&code))
        .bind(store)
        .bind(millis(expires_at))
        .execute(&mut *tx)
        .await?;
    sqlx::query("delete from pairings where expires_at <= $1")
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    say(&code);
    remark(&format!(
        "Type it on the counter's device at {store}, once, before {}.",
        instant(millis(expires_at))
    ));
    Ok(())
}

fn nobody(who: &StaffCode) -> Failure {
    Failure::new(format!(
        "Nobody at the store {:?} has the code {:?}.",
        who.store, who.code
    ))
}

fn check_code(code: &str) -> Result<(), Failure> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=32).contains(&code.len()) && code.bytes().all(is_plain) {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "The code {code:?} is not 1 to 32 letters, digits, - and _."
        )))
    }
}

/// The new PIN: from standard input where that was said, from the environment, or asked for at the terminal.
fn read_pin(from: &Pin) -> Result<String, Failure> {
    const VARIABLE: &str = "LOYALTY_STAFF_PIN";
    let unread = |error: io::Error| Failure::new(format!("The PIN cannot be read: {error}."));
    let pin = if from.stdin {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map_err(unread)?;
        line
    } else if let Ok(pin) = env::var(VARIABLE) {
        pin
    } else if io::stdin().is_terminal() {
        let pin = rpassword::prompt_password("PIN: ").map_err(unread)?;
        if rpassword::prompt_password("The same again: ").map_err(unread)? != pin {
            return Err(Failure::new("The two PINs differ: nothing was changed."));
        }
        pin
    } else {
        return Err(Failure::new(format!(
            "There is no terminal to ask for the PIN: give it on standard input with --pin-stdin, or in {VARIABLE}."
        )));
    };
    let pin = pin.trim();
    if is_pin(pin) {
        Ok(pin.to_owned())
    } else {
        Err(Failure::new("The PIN is not 4 to 12 digits."))
    }
}
