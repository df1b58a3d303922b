//! `GET /me/deadlines.ics`: every date by which something begins or ends, as a calendar (RFC 5545).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::NaiveDate;
use loyalty_contract::statement::DeadlinesQuery;
use loyalty_contract::{Instant, Points, Problem};
use loyalty_rules::Overflow;
use loyalty_rules::calendar::{add_days, day_of};
use loyalty_rules::lots::{Lot, expirations, settle};
use loyalty_rules::worth::worth;
use sqlx::AnyConnection;

use super::App;
use super::answer::{accept_language, asking_in};
use super::documents::{download, words};
use super::error::Result;
use super::extract::Query;
use super::problems;
use super::session::Session;
use super::statement::last_day;
use crate::clock::from_millis;
use crate::export::money;
use crate::members::Snapshot;
use crate::shop::Shop;
use crate::token;

/// The most octets of a line; what is longer goes on in the next.
const LINE: usize = 75;

/// What happens on a day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    PointsBegin,
    PointsEnd,
    VouchersEnd,
    TierEnds,
}

impl Kind {
    /// As its words are called, and in its identifier.
    fn name(self) -> &'static str {
        match self {
            Self::PointsBegin => "points_begin",
            Self::PointsEnd => "points_end",
            Self::VouchersEnd => "vouchers_end",
            Self::TierEnds => "tier_ends",
        }
    }
}

/// How many points or vouchers there are on each day; of a tier, how many points would keep it.
type Deadlines = BTreeMap<(NaiveDate, Kind), i64>;

/// Every date on which points can first or last be used, vouchers end, or the tier ends.
#[utoipa::path(get, path = "/me/deadlines.ics", operation_id = "get_deadlines", tag = "me",
    security(("session" = [])),
    params(DeadlinesQuery),
    responses(
        (status = 200, body = String, content_type = "text/calendar",
            description = "an iCalendar file with one event for a whole day each, which keep their identifiers"),
        (status = "default", body = Problem, content_type = "application/problem+json", description = "refused, or failed"),
    ))]
pub async fn get_deadlines(
    State(app): State<Arc<App>>,
    session: Session,
    Query(query): Query<DeadlinesQuery>,
    asked: HeaderMap,
) -> Result<Response> {
    let asked = asking_in(query.language.as_deref(), asked)?;
    let shop = app.shop().await?;
    let now = app.clock.now();
    let mut db = app.db.begin_read().await?;
    let member = Snapshot::load(&mut db, &shop, &session.member_id, now).await?;
    let mut deadlines = of_points(&mut db, &shop, &session.member_id, now).await?;
    let vouchers: Vec<(i64,)> =
        sqlx::query_as("select valid_until from redemptions where member_id = $1 and state = 'reserved'")
            .bind(&session.member_id)
            .fetch_all(&mut *db)
            .await?;
    db.rollback().await?;
    for (end,) in vouchers {
        let day = last_day(from_millis(end), &shop);
        *deadlines.entry((day, Kind::VouchersEnd)).or_default() += 1;
    }
    let tier = member.standing.and_then(|standing| shop.file.tiers.get(standing.tier));
    if let (Some(standing), Some(tier)) = (member.standing, tier)
        && let (Some(end), Some(collected)) = (standing.valid_until, standing.collected)
    {
        // One that is kept already goes on.
        let missing = tier.threshold.0.checked_sub(collected.0).ok_or(Overflow)?;
        if missing > 0 {
            deadlines.insert((last_day(end, &shop), Kind::TierEnds), missing);
        }
    }

    let edition = shop.edition(accept_language(&asked));
    let tier = tier
        .map(|tier| shop.text(&tier.name, &edition.language))
        .unwrap_or_default();
    let calendar = Calendar {
        shop: &shop,
        name: &edition.programme.name,
        tier: &tier,
        language: problems::language(&asked),
        owner: token::hash(&session.member_id),
        now,
    };
    let content = calendar.written(&deadlines)?;
    download(
        "text/calendar; charset=utf-8",
        "deadlines.ics",
        calendar.language,
        content,
    )
}

async fn of_points(db: &mut AnyConnection, shop: &Shop, member_id: &str, now: Instant) -> Result<Deadlines> {
    let rows: Vec<(i64, i64, Option<i64>)> = sqlx::query_as(
        "select remaining, available_at, expires_at from lots where member_id = $1 and remaining <> 0 order by seq",
    )
    .bind(member_id)
    .fetch_all(db)
    .await?;
    let lots = rows.into_iter().map(|(remaining, available_at, expires_at)| Lot {
        points: Points(remaining),
        available_at: from_millis(available_at),
        expires_at: expires_at.map(from_millis),
    });
    let mut lots: Vec<Lot> = lots.collect();
    settle(&mut lots, now);
    let mut found = Deadlines::new();
    let mut add = |day, kind, points: Points| {
        let sum = found.entry((day, kind)).or_default();
        *sum = sum.checked_add(points.0).ok_or(Overflow)?;
        Ok::<_, Overflow>(())
    };
    for lot in lots
        .iter()
        .filter(|lot| lot.available_at > now && lot.points > Points::ZERO)
    {
        add(day_of(lot.available_at, &shop.zone), Kind::PointsBegin, lot.points)?;
    }
    for (end, points) in expirations(&lots, now, Instant::MAX_UTC)? {
        add(last_day(end, shop), Kind::PointsEnd, points)?;
    }
    Ok(found)
}

/// What a calendar is written with.
struct Calendar<'a> {
    shop: &'a Shop,
    /// What the programme is called.
    name: &'a str,
    /// What the tier held is called.
    tier: &'a str,
    language: &'static str,
    /// Tells one member's events from another's, and not who they are.
    owner: String,
    now: Instant,
}

impl Calendar<'_> {
    fn written(&self, deadlines: &Deadlines) -> Result<String> {
        let mut text = String::new();
        let mut line = |line: &str| fold(&mut text, line);
        line("BEGIN:VCALENDAR");
        line("VERSION:2.0");
        line("PRODID:-//Loyalty Wallet//Deadlines//EN");
        line("METHOD:PUBLISH");
        line(&format!("X-WR-CALNAME:{}", escaped(self.name)));
        for (&(day, kind), &count) in deadlines {
            let date = |day: NaiveDate| day.format("%Y%m%d").to_string();
            let (owner, id) = (self.owner.get(..16).unwrap_or_default(), &self.shop.file.id);
            line("BEGIN:VEVENT");
            line(&format!("UID:{}-{}-{owner}@{id}", kind.name(), date(day)));
            line(&format!("DTSTAMP:{}", self.now.format("%Y%m%dT%H%M%SZ")));
            line(&format!("DTSTART;VALUE=DATE:{}", date(day)));
            line(&format!("DTEND;VALUE=DATE:{}", date(add_days(day, 1)?)));
            line(&format!("SUMMARY:{}", escaped(&self.words(kind.name(), count, ""))));
            if let Some(description) = self.description(kind, count)? {
                line(&format!("DESCRIPTION:{}", escaped(&description)));
            }
            // Nobody is busy because of it.
            line("TRANSP:TRANSPARENT");
            line("END:VEVENT");
        }
        line("END:VCALENDAR");
        Ok(text)
    }

    fn description(&self, kind: Kind, count: i64) -> Result<Option<String>> {
        Ok(match kind {
            Kind::PointsBegin | Kind::PointsEnd => {
                let worth = worth(Points(count), &self.shop.file.point_value)?;
                let worth = format!("{} {}", money(self.shop, worth.minor), worth.currency);
                Some(self.words("are_worth", count, &worth))
            }
            Kind::TierEnds => Some(self.words("keeps_tier", count, "")),
            Kind::VouchersEnd => None,
        })
    }

    fn words(&self, name: &str, count: i64, money: &str) -> String {
        let count = count.to_string();
        // The shop's own words come last, whatever is in them.
        let places = [
            ("{count}", count.as_str()),
            ("{money}", money),
            ("{tier}", self.tier),
            ("{shop}", self.name),
        ];
        words(name, self.language, &places)
    }
}

/// A text in a value: what would end it or begin another is marked.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => escaped.extend(['\\', letter]),
            '\n' => escaped.push_str("\\n"),
            _ if letter.is_control() => {}
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// Writes one line, in as many as it takes.
fn fold(text: &mut String, line: &str) {
    let mut length = 0;
    for letter in line.chars() {
        if length + letter.len_utf8() > LINE {
            text.push_str("\r\n ");
            length = 1;
        }
        // Writing to a String cannot fail.
        let _ = text.write_char(letter);
        length += letter.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_folded_between_letters_and_reads_back() {
        let line = format!("SUMMARY:{}", "نقره‌ای, điểm; ".repeat(20));
        let mut text = String::new();
        fold(&mut text, &line);
        assert!(text.ends_with("\r\n") && text.trim_end().split("\r\n").all(|line| line.len() <= LINE));
        assert_eq!(text.replace("\r\n ", ""), format!("{line}\r\n"));
        assert_eq!(escaped("a,b;c\\d\ne\r"), "a\\,b\\;c\\\\d\\ne");
    }
}
