//! Writes a told sample into the database, in one transaction.

use chrono::NaiveDate;
use loyalty_contract::Instant;
use loyalty_rules::calendar::start_of_day;
use sqlx::AnyPool;

use super::history::Told;
use crate::account::books::{
    ENTRY_COLUMNS, LOT_ROW_COLUMNS, PART_COLUMNS, RETURN_COLUMNS, entry_row, lot_row, part_rows, return_row,
};
use crate::clock::millis;
use crate::db::{Value, insert_rows};
use crate::failure::Failure;
use crate::keys::{self, NewApiKey, Scope};
use crate::pictures::{self, Picture};
use crate::programme_file::{StaffFile, json};
use crate::shop::Shop;
use crate::staff::{hash_pin, role_name};
use crate::token;

type Rows = Vec<Vec<Value>>;

macro_rules! row {
    ($($value:expr),+ $(,)?) => { vec![$(Value::from($value)),+] };
}

/// Writes everything, or nothing.
///
/// # Errors
/// [`Failure`] where the database refuses, or has a programme already.
pub async fn write(
    db: &AnyPool,
    shop: &Shop,
    pictures: &[Picture],
    members: &[Told<'_>],
    now: Instant,
) -> Result<(), Failure> {
    let mut tx = db.begin().await?;
    // The mark comes first: it locks out whoever else is seeding, and a database that has it is not empty.
    let marked = sqlx::query("insert into meta (name, value) values ('demo', 'sample') on conflict (name) do nothing")
        .execute(&mut *tx)
        .await?;
    let (programmes,): (i64,) = sqlx::query_as("select count(*) from programme")
        .fetch_one(&mut *tx)
        .await?;
    if marked.rows_affected() == 0 || programmes > 0 {
        return Err(Failure::new(
            "The database has a programme already: only an empty one can be seeded.",
        ));
    }

    let rows = vec![row![1, shop.revision, shop.file.stored()?]];
    insert_rows(&mut tx, "programme", &["id", "revision", "document"], rows).await?;
    pictures::insert(&mut tx, pictures).await?;

    let rows = (1..)
        .zip(&shop.file.rewards)
        .map(|(position, reward)| {
            Ok(row![
                reward.id.as_str(),
                position,
                json(reward)?,
                reward.stock.map(i64::from),
                None::<i64>
            ])
        })
        .collect::<Result<Rows, Failure>>()?;
    insert_rows(
        &mut tx,
        "rewards",
        &["id", "position", "document", "stock", "removed_at"],
        rows,
    )
    .await?;

    let rows = shop
        .file
        .staff
        .iter()
        .map(staff_row)
        .collect::<Result<Rows, Failure>>()?;
    insert_rows(
        &mut tx,
        "staff",
        &["id", "store", "code", "name", "role", "pin_hash"],
        rows,
    )
    .await?;

    write_keys(&mut tx, shop, now).await?;

    for told in members {
        write_member(&mut tx, shop, told).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn write_member(tx: &mut sqlx::AnyConnection, shop: &Shop, told: &Told<'_>) -> Result<(), Failure> {
    let id = told.id.as_str();
    let member = told.member;
    let terms_version = member.accepted_terms_version.unwrap_or(shop.file.terms.version);
    let account = &told.account;
    let columns = [
        "id",
        "version",
        "number",
        "name",
        "email",
        "phone",
        "language",
        "since",
        "state",
        "contact",
        "unread_messages",
        "entry_count",
        "balance",
        "earned",
        "spent",
        "expired",
        "saved_minor",
        "lot_count",
        "terms_version",
        "due_at",
    ];
    let row = row![
        id,
        1,
        member.number.as_str(),
        member.name.as_str(),
        member.email.to_lowercase(),
        member.phone.clone(),
        member.language.as_str(),
        day_number(told.since),
        json(&member.state)?.trim_matches('"'),
        member.contact.as_ref().map(json).transpose()?,
        i64::from(member.unread_messages),
        count(account.entries.len())?,
        account.balance.0,
        account.totals.earned.0,
        account.totals.spent.0,
        account.totals.expired.0,
        account.totals.saved_minor,
        account.lot_count,
        i64::from(terms_version),
        // The worker works it out: there is nothing that it has to do before.
        0,
    ];
    insert_rows(tx, "members", &columns, vec![row]).await?;
    // On the day that these terms began, or that the member did.
    let begun = shop.file.versions().find(|terms| terms.version == terms_version);
    let day = begun.map_or(told.since, |terms| told.since.max(terms.effective_from));
    let agreed_at = millis(start_of_day(day, &shop.zone)?);
    let row = row![id, i64::from(terms_version), agreed_at];
    insert_rows(tx, "agreements", &["member_id", "version", "at"], vec![row]).await?;

    let columns = [
        "id",
        "store",
        "external_id",
        "member_id",
        "occurred_at",
        "total_minor",
        "earning_points",
        "earning_per_minor",
        "multiplier_permille",
        "points",
        "returned_minor",
        "forgiven",
    ];
    let rows = account
        .purchases
        .values()
        .map(|purchase| {
            row![
                purchase.id.as_str(),
                purchase.store.as_str(),
                purchase.external_id.as_str(),
                id,
                millis(purchase.occurred_at),
                purchase.total_minor,
                purchase.earning.points.0,
                purchase.earning.per_money.minor,
                i64::from(purchase.multiplier_permille),
                purchase.points.0,
                purchase.returned_minor,
                purchase.forgiven.0,
            ]
        })
        .collect();
    insert_rows(tx, "purchases", &columns, rows).await?;

    let rows = account.returns.iter().map(return_row).collect();
    insert_rows(tx, "returns", &RETURN_COLUMNS, rows).await?;

    let columns = [
        "id",
        "member_id",
        "reward_id",
        "title",
        "state",
        "code",
        "points",
        "money_minor",
        "created_at",
        "valid_until",
        "captured_at",
        "captured_points",
        "captured_minor",
    ];
    let rows = told
        .redemptions
        .iter()
        .map(|redemption| {
            row![
                redemption.id.as_str(),
                id,
                redemption.reward_id.clone(),
                redemption.title.clone(),
                "captured",
                redemption.code.as_str(),
                redemption.points.0,
                redemption.money_minor,
                millis(redemption.at),
                millis(redemption.valid_until),
                millis(redemption.at),
                redemption.points.0,
                redemption.money_minor,
            ]
        })
        .collect();
    insert_rows(tx, "redemptions", &columns, rows).await?;

    write_books(tx, told).await
}

async fn write_books(tx: &mut sqlx::AnyConnection, told: &Told<'_>) -> Result<(), Failure> {
    let id = told.id.as_str();
    let account = &told.account;
    let rows = (1..)
        .zip(&account.entries)
        .map(|(seq, entry)| entry_row(entry, id, seq))
        .collect();
    insert_rows(tx, "entries", &ENTRY_COLUMNS, rows).await?;

    let lots = account.closed.iter().chain(&account.open);
    let rows = lots.map(|held| lot_row(held, id)).collect();
    insert_rows(tx, "lots", &LOT_ROW_COLUMNS, rows).await?;

    let rows = told
        .redemptions
        .iter()
        .flat_map(|redemption| part_rows(&redemption.id, &redemption.parts))
        .collect();
    insert_rows(tx, "redemption_lots", &PART_COLUMNS, rows).await?;

    let rows = account
        .qualifying
        .iter()
        .map(|(&day, points)| row![id, day_number(day), points.0])
        .collect();
    insert_rows(tx, "qualifying", &["member_id", "day", "points"], rows).await?;
    Ok(())
}

fn staff_row(staff: &StaffFile) -> Result<Vec<Value>, Failure> {
    Ok(row![
        token::id()?,
        staff.store.as_str(),
        staff.code.as_str(),
        staff.name.as_str(),
        role_name(staff.role),
        hash_pin(&staff.pin)?
    ])
}

/// The keys by which anybody can try a till and a CRM.
async fn write_keys(tx: &mut sqlx::AnyConnection, shop: &Shop, now: Instant) -> Result<(), Failure> {
    let stores = &shop.file.stores;
    let main = stores.iter().find(|store| store.id == "main").or(stores.first());
    let till = NewApiKey {
        id: "demo-till",
        name: "The sample's till",
        scopes: &Scope::TILL.into(),
        store: main.map(|store| store.id.as_str()),
    };
    let crm = NewApiKey {
        id: "demo-crm",
        name: "The sample's CRM",
        scopes: &Scope::CRM.into(),
        store: None,
    };
    keys::insert(tx, &till, "demo-till-key", millis(now)).await?;
    keys::insert(tx, &crm, "demo-crm-key", millis(now)).await?;
    Ok(())
}

/// A day as the database keeps it: days since 1970.
fn day_number(day: NaiveDate) -> i64 {
    i64::from(day.to_epoch_days())
}

fn count(number: usize) -> Result<i64, Failure> {
    i64::try_from(number).map_err(|_| Failure::new("A history is too long."))
}
