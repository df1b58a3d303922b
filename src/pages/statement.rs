//! What happened in a time of one's choice: the sums, the entries, on paper or for a spreadsheet.

use chrono::NaiveDate;
use leptos::prelude::*;
use loyalty_contract::Points;
use loyalty_contract::programme::Programme;
use loyalty_contract::statement::Statement;
use loyalty_contract::status::Status;
use maud::{Markup, html};

use crate::api;
use crate::browser::document;
use crate::components::chips::chips;
use crate::components::entry_row::{detail, title};
use crate::components::failure::{RETRY, load_failed};
use crate::components::form::{Typed, text_field};
use crate::components::icon::icon;
use crate::components::live::{live, live_with};
use crate::components::nav::brand;
use crate::components::page_heading::BackBar;
use crate::components::skeleton;
use crate::data::{Load, Source, use_remembered};
use crate::intl::{self, DayStyle, Span, t};
use crate::pages::code::grouped;
use crate::pages::entry::with_worth;
use crate::routes::Route;
use crate::state::{use_programme, use_session, watch};

const THIS_MONTH: &str = "this-month";
const LAST_MONTH: &str = "last-month";
const THIS_YEAR: &str = "this-year";
const LAST_YEAR: &str = "last-year";
const OWN_DAYS: &str = "own-days";
const NAMES: [&str; 5] = [THIS_MONTH, LAST_MONTH, THIS_YEAR, LAST_YEAR, OWN_DAYS];

const FROM: &str = "from";
const TO: &str = "to";
const PRINT: &str = "print";

/// How many days a statement can have.
const LONGEST: i64 = 366;

/// Which time, as somebody chose it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Chosen {
    name: &'static str,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

/// Why two days are no time to tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    NoDay,
    UpsideDown,
    TooLong,
}

impl Chosen {
    fn named(name: &'static str, today: NaiveDate) -> Self {
        let before = |day: NaiveDate| day.pred_opt().unwrap_or(day);
        let first = |span, day| intl::first_day(span, day);
        let (month, year) = (first(Span::Month, today), first(Span::Year, today));
        let (from, to) = match name {
            LAST_MONTH => (first(Span::Month, before(month)), before(month)),
            THIS_YEAR => (year, today),
            LAST_YEAR => (first(Span::Year, before(year)), before(year)),
            _ => (month, today),
        };
        Self {
            name,
            from: Some(from),
            to: Some(to),
        }
    }

    fn days(&self) -> Result<Days, Wrong> {
        let (from, to) = self.from.zip(self.to).ok_or(Wrong::NoDay)?;
        if to < from {
            Err(Wrong::UpsideDown)
        } else if (to - from).num_days() >= LONGEST {
            Err(Wrong::TooLong)
        } else {
            Ok((from, to))
        }
    }
}

/// The first day and the last.
type Days = (NaiveDate, NaiveDate);

/// The statement's page.
#[component]
pub fn StatementPage() -> impl IntoView {
    let status = use_remembered().status;
    status.want();
    let programme = use_programme();
    let today = intl::today();
    let chosen = RwSignal::new(Chosen::named(THIS_MONTH, today));
    // Those of the last choice that made sense.
    let days = RwSignal::new((today, today));
    let source = Source::new(use_session(), move |way| {
        let (from, to) = days.get_untracked();
        api::statement::get_statement(way, from, to)
    });
    source.show();
    watch(move || {
        if let Ok(asked) = chosen.get().days() {
            days.set(asked);
            // The sums of another time would answer another question.
            source.forget();
            source.refresh();
        }
    });
    let act = move |action: &str, value: String| match action {
        PRINT => document::print(),
        FROM => chosen.update(|chosen| chosen.from = intl::parse_day(&value)),
        TO => chosen.update(|chosen| chosen.to = intl::parse_day(&value)),
        OWN_DAYS => chosen.update(|chosen| chosen.name = OWN_DAYS),
        RETRY => source.refresh(),
        action => {
            let name = NAMES.into_iter().find(|name| *name == action).unwrap_or(THIS_MONTH);
            chosen.set(Chosen::named(name, today));
        }
    };
    let name = Memo::new(move |_| chosen.get().name);
    // What is typed stays in its fields: they are written once for each choice of two days.
    let fields = move || match name.get() {
        OWN_DAYS => day_fields(&chosen.get_untracked()),
        _ => Markup::default(),
    };
    let head = {
        let programme = programme.clone();
        move || paper_head(status.value().as_ref(), &programme, days.get())
    };
    let content = move || match source.get() {
        Load::Loading => skeleton::ledger(),
        Load::Failed(error) => load_failed(&error),
        Load::Ready(statement) | Load::Stale(statement, _) => written(&statement, &programme),
    };
    view! {
        <BackBar title=t::statement::title() to=Route::Activity />
        {live_with(move || periods(name.get()), act)}
        {live_with(fields, act)}
        {live(move || wrong(chosen.get().days().err()))}
        {live(head)}
        {live_with(content, act)}
    }
}

/// The times that most people mean, and any other.
fn periods(chosen: &str) -> Markup {
    let labels = [
        t::statement::this_month(),
        t::statement::last_month(),
        t::statement::this_year(),
        t::statement::last_year(),
        t::statement::own_days(),
    ];
    let row: Vec<_> = NAMES
        .into_iter()
        .zip(labels)
        .map(|(name, label)| (name.to_owned(), label, name == chosen))
        .collect();
    chips(&t::statement::period(), &row)
}

fn day_fields(chosen: &Chosen) -> Markup {
    let field = |id, label: String, day: Option<NaiveDate>| {
        text_field(
            id,
            &label,
            &day.map(|day| day.to_string()).unwrap_or_default(),
            &Typed::DAY,
            None,
        )
    };
    html! {
        div.day-fields {
            (field(FROM, t::statement::from(), chosen.from))
            (field(TO, t::statement::to(), chosen.to))
        }
    }
}

/// What is wrong with the two days.
fn wrong(wrong: Option<Wrong>) -> Markup {
    let text = match wrong {
        None => return Markup::default(),
        Some(Wrong::NoDay) => t::statement::not_a_day(),
        Some(Wrong::UpsideDown) => t::statement::upside_down(),
        Some(Wrong::TooLong) => t::statement::too_long(),
    };
    html! { p.field__error role="alert" { (icon("alert")) span { (text) } } }
}

/// Of which time it is; on paper, the shop and the member too.
fn paper_head(status: Option<&Status>, programme: &Programme, (from, to): Days) -> Markup {
    let contact = &programme.contact;
    html! {
        header.statement-head {
            div.statement-head__shop {
                span.brand { (brand(programme)) }
                p.muted {
                    @for line in [&contact.name, &contact.phone, &contact.email] {
                        @if !line.is_empty() { span { bdi { (line) } } }
                    }
                }
            }
            @if let Some(status) = status {
                p.statement-head__member {
                    b { (status.member.name) }
                    span { (t::you::number()) " " bdi { (grouped(&status.member.number)) } }
                }
            }
        }
        h2 { (t::statement::from_to(&intl::date(from), &intl::date(to))) }
    }
}

fn written(statement: &Statement, programme: &Programme) -> Markup {
    let sums = [
        (t::statement::earned(), statement.earned),
        (t::statement::bonus(), statement.bonus),
        (t::statement::used(), statement.spent),
        (t::statement::given_back(), statement.given_back),
        (t::statement::returned(), statement.returned),
        (t::statement::expired(), statement.expired),
        (t::statement::adjusted(), statement.adjusted),
    ];
    let value = &programme.point_value;
    html! {
        section.card {
            ul.facts {
                li { span { (t::statement::opening()) } b { (with_worth(statement.opening, value)) } }
                @for (name, points) in sums.into_iter().filter(|(_, points)| *points != Points::ZERO) {
                    li { span { (name) } b { (intl::signed_points(points)) } }
                }
                li.facts__sum { span { (t::statement::closing()) } b { (with_worth(statement.closing, value)) } }
            }
        }
        div.actions {
            button.button type="button" data-action=(PRINT) { (icon("print")) (t::statement::print()) }
            a.button href=(api::statement::table_address(statement.from, statement.to)) download {
                (icon("download")) (t::statement::table())
            }
        }
        @if statement.entries.is_empty() {
            p.muted { (t::statement::nothing()) }
        } @else {
            section.card data-kind="statement" { (entries(statement)) }
        }
    }
}

/// Every entry in a row, oldest first. The roles say that it is a table where the style lays it out as something else.
fn entries(statement: &Statement) -> Markup {
    html! {
        table.statement role="table" aria-label=(t::statement::entries()) {
            thead role="rowgroup" {
                tr role="row" {
                    @for head in [t::statement::day(), t::statement::what(), t::statement::points(), t::statement::left()] {
                        th role="columnheader" scope="col" { (head) }
                    }
                }
            }
            tbody role="rowgroup" {
                @for entry in &statement.entries {
                    tr role="row" {
                        td role="cell" { (intl::day(entry.at, DayStyle::Short)) }
                        td role="cell" {
                            a href=(Route::Entry(entry.id.clone()).path()) { (title(entry)) }
                            span.muted { (detail(entry)) }
                        }
                        td.num role="cell" { (intl::signed_points(entry.points)) }
                        td.num role="cell" { (intl::bare_points(entry.balance_after)) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: &str, to: &str, expected: Result<i64, Wrong>) {
        let chosen = Chosen {
            name: OWN_DAYS,
            from: intl::parse_day(from),
            to: intl::parse_day(to),
        };
        let days = chosen.days().map(|(from, to)| (to - from).num_days() + 1);
        assert_eq!(days, expected, "{from} to {to}");
    }

    #[test]
    fn two_days_are_a_time_of_a_year_at_most() {
        check("2026-11-21", "2026-11-21", Ok(1));
        check("2024-01-01", "2024-12-31", Ok(366));
        check("2024-01-01", "2025-01-01", Err(Wrong::TooLong));
        check("2026-11-21", "2026-11-20", Err(Wrong::UpsideDown));
        check("", "2026-11-20", Err(Wrong::NoDay));
    }
}
