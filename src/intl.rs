//! Everything that depends on the member's language: texts, plurals, numbers, money and dates.
//!
//! One language holds at a time. Its texts come from `/locales/<language>.json`; everything else is the browser's
//! own `Intl`. A change of language rebuilds the screen, so texts are plain strings and nothing tracks them.

use std::cell::RefCell;

use chrono::NaiveDate;
use js_sys::{Array, Function, Object, Reflect};
use loyalty_contract::programme::{PluralForms, Programme};
use loyalty_contract::{Currency, Instant, Money, Points};
use wasm_bindgen::{JsCast, JsValue};

use crate::browser;

/// The texts, one function each, made by `build.rs` from `locales/`.
pub mod t {
    include!(concat!(env!("OUT_DIR"), "/texts.rs"));
}

/// Languages that are written from right to left.
const RIGHT_TO_LEFT: &[&str] = &["ar", "fa", "he", "ur"];

thread_local! {
    static LOCALE: RefCell<Locale> = RefCell::default();
}

#[derive(Default)]
struct Locale {
    /// The language of the texts, which is the one to ask in.
    language: String,
    /// The language in the region that the browser names with it (`en-GB`): how days and numbers are written.
    regional: String,
    messages: JsValue,
    /// The texts behind the first screen by their language: those of two may be on their way at once.
    behind: Object,
    time_zone: String,
    point_name: Option<PluralForms>,
    /// By what they format: making a formatter costs far more than using one.
    formatters: Vec<(String, Formatter)>,
}

/// Takes a language with its texts (the parsed file), and turns the page to its direction.
pub fn set_language(language: &str, messages: JsValue) {
    LOCALE.with_borrow_mut(|locale| {
        let point_name = locale.point_name.take();
        let time_zone = std::mem::take(&mut locale.time_zone);
        let behind = std::mem::take(&mut locale.behind);
        *locale = Locale {
            language: language.to_owned(),
            regional: browser::regional(language),
            messages,
            behind,
            time_zone,
            point_name,
            ..Locale::default()
        };
        locale.take_texts_behind();
    });
    let direction = if RIGHT_TO_LEFT.contains(&language) {
        "rtl"
    } else {
        "ltr"
    };
    browser::set_page_language(language, direction);
}

/// Takes the texts behind the first screen, for when their language holds.
#[cfg_attr(
    not(feature = "split"),
    expect(dead_code, reason = "unsplit, all texts are one file")
)]
pub fn set_texts_behind(language: &str, messages: JsValue) {
    LOCALE.with_borrow_mut(|locale| {
        let _ = Reflect::set(&locale.behind, &language.into(), &messages);
        locale.take_texts_behind();
    });
}

impl Locale {
    /// Puts the texts behind the first screen among the others, if they are there in that language.
    fn take_texts_behind(&self) {
        let behind = Reflect::get(&self.behind, &self.language.as_str().into()).unwrap_or_default();
        let (Some(messages), Some(behind)) = (self.messages.dyn_ref::<Object>(), behind.dyn_ref::<Object>()) else {
            return;
        };
        for section in Object::keys(behind) {
            let theirs = Reflect::get(behind, &section).unwrap_or_default();
            let ours = Reflect::get(messages, &section).unwrap_or_default();
            if ours.is_undefined() {
                let _ = Reflect::set(messages, &section, &theirs);
            } else {
                Object::<JsValue>::assign(ours.unchecked_ref(), theirs.unchecked_ref());
            }
        }
    }
}

/// Takes what a programme says about words and days: what a point is called, and whose midnights count.
pub fn set_programme(programme: &Programme) {
    LOCALE.with_borrow_mut(|locale| {
        locale.point_name = Some(programme.point_name.clone());
        locale.time_zone.clone_from(&programme.time_zone);
        locale.formatters.clear();
    });
}

/// The language that holds, as a BCP 47 tag.
pub fn language() -> String {
    LOCALE.with_borrow(|locale| locale.language.clone())
}

/// What a language is called in itself, such as "فارسی".
pub fn language_name(language: &str) -> String {
    Formatter::new("DisplayNames", "of", language, &object(&[("type", "language")]))
        .and_then(|names| names.call(&language.into()))
        .unwrap_or_else(|| language.to_owned())
}

/// A text with its arguments; `t` has a function for each.
pub fn text(key: &str, arguments: &[(&str, &str)]) -> String {
    message(key)
        .as_string()
        .map_or_else(|| key.to_owned(), |text| fill(&text, arguments))
}

/// The form of a text for a number, which is also its argument `count`; `t` has a function for each.
pub fn plural(key: &str, count: i64, arguments: &[(&str, &str)]) -> String {
    let forms = message(key);
    let form = |category: &str| {
        Reflect::get(&forms, &category.into())
            .ok()
            .and_then(|form| form.as_string())
    };
    let text = form(&plural_category(count))
        .or_else(|| form("other"))
        .unwrap_or_else(|| key.to_owned());
    let count = number(count);
    let arguments: Vec<(&str, &str)> = arguments.iter().copied().chain([("count", count.as_str())]).collect();
    fill(&text, &arguments)
}

fn message(key: &str) -> JsValue {
    LOCALE.with_borrow(|locale| {
        key.split('.')
            .try_fold(locale.messages.clone(), |node, part| Reflect::get(&node, &part.into()))
            .unwrap_or_default()
    })
}

/// Puts the arguments in the places of their names.
fn fill(text: &str, arguments: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    for (at, part) in text.split('{').enumerate() {
        match part.split_once('}').filter(|_| at > 0) {
            Some((name, rest)) => {
                let value = arguments.iter().find(|(known, _)| *known == name);
                filled.push_str(value.map_or("", |(_, value)| value));
                filled.push_str(rest);
            }
            None => filled.push_str(part),
        }
    }
    filled
}

fn plural_category(count: i64) -> String {
    format("plural", "PluralRules", "select", &(count as f64).into(), Object::new)
}

/// A whole number: `1,250`.
pub fn number(value: i64) -> String {
    format_number("number", value as f64, &[])
}

/// Points without their name: `1,250`.
pub fn bare_points(points: Points) -> String {
    number(points.0)
}

/// Points with their name: `1,250 leaves`.
pub fn points(points: Points) -> String {
    let category = plural_category(points.0);
    let name = LOCALE
        .with_borrow(|locale| locale.point_name.as_ref().map(|forms| forms.form(&category).to_owned()))
        .unwrap_or_default();
    format!("{}\u{a0}{name}", number(points.0))
}

/// What points are called in general: `leaves`.
pub fn points_name() -> String {
    LOCALE
        .with_borrow(|locale| locale.point_name.as_ref().map(|forms| forms.other.clone()))
        .unwrap_or_default()
}

/// Points that came or went: `+85`, `−400`.
pub fn signed_points(points: Points) -> String {
    format_number("signed", points.0 as f64, &[("signDisplay", "exceptZero")])
}

/// Money with the currency's own decimals: `€6.25`, `₫50,000`.
pub fn money(money: Money) -> String {
    format_money("money", money, "auto")
}

/// Money without decimals that say nothing: `€4`, but `€4.50`.
pub fn short_money(money: Money) -> String {
    format_money("short money", money, "stripIfInteger")
}

fn format_money(kind: &str, money: Money, trailing_zeros: &str) -> String {
    let code = money.currency.code();
    let options = [
        ("style", "currency"),
        ("currency", code),
        ("currencyDisplay", "narrowSymbol"),
        ("trailingZeroDisplay", trailing_zeros),
    ];
    format_number(&[kind, code].join(" "), major(money), &options)
}

/// The amount in whole units of its currency, as `Intl` takes it.
fn major(money: Money) -> f64 {
    money.minor as f64 / 10f64.powi(money.currency.decimals() as i32)
}

/// An amount as one types it, without a currency sign: `6.25`, `50,000`.
pub fn typed_money(money: Money) -> String {
    let digits = money.currency.decimals().to_string();
    let options = [
        ("minimumFractionDigits", digits.as_str()),
        ("maximumFractionDigits", digits.as_str()),
    ];
    format_number(&["typed", &digits].join(" "), major(money), &options)
}

/// An amount such as one might type in a currency: `2.50`, `25,000`.
pub fn example_money(currency: Currency) -> String {
    let minor = match currency.decimals() {
        0 => 25_000,
        decimals => 25 * 10i64.pow(decimals - 1),
    };
    typed_money(Money::new(minor, currency))
}

/// How many times as much, from thousandths: `1.2`.
pub fn times(permille: u32) -> String {
    format_number("number", f64::from(permille) / 1000.0, &[])
}

/// A share in whole percent: `60%`.
pub fn percent(value: u8) -> String {
    format_number("percent", f64::from(value) / 100.0, &[("style", "percent")])
}

/// Reads a whole number as people type it, in any of our languages' digits; spaces and grouping are forgiven.
pub fn parse_points(typed: &str) -> Option<Points> {
    let text: String = western(typed).chars().filter(|c| !is_grouping(*c)).collect();
    let mut groups = text.split(['.', ',']);
    let first = groups.next().unwrap_or_default();
    // A sign groups thousands, or it makes a fraction, which points do not have.
    let rest = groups
        .map(|group| Some(group).filter(|group| group.len() == 3))
        .collect::<Option<Vec<_>>>()?;
    let digits = first.to_owned() + &rest.concat();
    let is_number = digits.chars().all(|c| c.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number).map(Points)
}

/// The digits of a text, in any of our languages, as Western ones.
pub fn digits(typed: &str) -> String {
    western(typed).chars().filter(char::is_ascii_digit).collect()
}

/// Reads an amount as people type it, with a point, a comma or a Persian decimal sign.
///
/// `None` for what is no amount, and for more decimals than the currency has.
pub fn parse_money(typed: &str, like: Money) -> Option<Money> {
    let text: String = western(typed).chars().filter(|c| !is_grouping(*c)).collect();
    if !text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',')) {
        return None;
    }
    let decimals = like.currency.decimals() as usize;
    let plain = |text: &str| text.replace(['.', ','], "");
    let (whole, fraction) = match text.rsplit_once(['.', ',']) {
        // Three digits after a lone sign are a group where the currency has no three decimals: 1.250 đồng.
        Some((whole, group)) if decimals != 3 && group.len() == 3 => (plain(whole) + group, String::new()),
        Some((whole, fraction)) => (plain(whole), fraction.to_owned()),
        None => (text, String::new()),
    };
    if fraction.len() > decimals || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let minor = format!("{whole}{fraction:0<decimals$}").parse().ok()?;
    Some(Money::new(minor, like.currency))
}

/// Persian and Arabic digits and signs as Western ones.
fn western(typed: &str) -> String {
    let as_digit = |c: char, zero: u32| char::from_digit(c as u32 - zero, 10).unwrap_or(c);
    typed
        .trim()
        .chars()
        .map(|c| match c {
            '\u{6f0}'..='\u{6f9}' => as_digit(c, 0x6f0),
            '\u{660}'..='\u{669}' => as_digit(c, 0x660),
            '\u{66b}' => '.',
            '\u{66c}' => '\u{a0}',
            _ => c,
        })
        .collect()
}

fn is_grouping(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\'' | '\u{2019}' | '\u{200e}' | '\u{200f}')
}

/// How a day is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DayStyle {
    /// `2 Dec`.
    Short,
    /// `31 December`, with the year where it is not this one.
    Long,
    /// `31 December 2026`.
    Full,
}

/// The day of the programme's zone that an instant lies in.
pub fn day(instant: Instant, style: DayStyle) -> String {
    let this_year = || format_date("year", browser::now(), &[("year", "numeric")]);
    let its_year = || format_date("year", instant, &[("year", "numeric")]);
    match style {
        DayStyle::Short => format_date("short day", instant, &[("day", "numeric"), ("month", "short")]),
        DayStyle::Long if this_year() == its_year() => {
            format_date("long day", instant, &[("day", "numeric"), ("month", "long")])
        }
        DayStyle::Long | DayStyle::Full => format_date(
            "full day",
            instant,
            &[("day", "numeric"), ("month", "long"), ("year", "numeric")],
        ),
    }
}

/// The last usable day before an instant that is the first too late.
pub fn last_day(end: Instant, style: DayStyle) -> String {
    day(end - chrono::TimeDelta::seconds(1), style)
}

/// A calendar day such as a date of joining, which belongs to no zone.
pub fn date(date: NaiveDate) -> String {
    let noon = date.and_time(chrono::NaiveTime::MIN).and_utc() + chrono::TimeDelta::hours(12);
    day(noon, DayStyle::Full)
}

/// The day that it is now in the programme's zone.
pub fn today() -> NaiveDate {
    let zone = LOCALE.with_borrow(|locale| locale.time_zone.clone());
    let options = [
        ("timeZone", zone.as_str()),
        ("year", "numeric"),
        ("month", "2-digit"),
        ("day", "2-digit"),
    ];
    let now = browser::now();
    // Swedish writes a day as ISO 8601 does.
    Formatter::new("DateTimeFormat", "format", "sv", &object(&options))
        .and_then(|formatter| formatter.call(&(now.timestamp_millis() as f64).into()))
        .and_then(|day| parse_day(&day))
        .unwrap_or(now.date_naive())
}

/// Reads a day as ISO 8601 writes it: `2026-11-21`.
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// A stretch of the calendar.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// A month.
    Month,
    /// A year.
    Year,
}

/// The first day of the month or year that a day lies in, by the calendar of the member's language.
pub fn first_day(span: Span, day: NaiveDate) -> NaiveDate {
    let is_first =
        |day: &NaiveDate| part_of_day(*day, "day") == "1" && (span == Span::Month || part_of_day(*day, "month") == "1");
    std::iter::successors(Some(day), NaiveDate::pred_opt)
        .take(400)
        .find(is_first)
        .unwrap_or(day)
}

fn part_of_day(day: NaiveDate, part: &str) -> String {
    let midnight = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis();
    let text = format(part, "DateTimeFormat", "format", &(midnight as f64).into(), || {
        object(&[(part, "numeric"), ("timeZone", "UTC")])
    });
    digits(&text)
}

/// The time of day in the programme's zone: `09:14`.
pub fn time(instant: Instant) -> String {
    format_date("time", instant, &[("hour", "2-digit"), ("minute", "2-digit")])
}

/// Whether two instants lie in the same day of the programme's zone.
pub fn same_day(a: Instant, b: Instant) -> bool {
    day(a, DayStyle::Full) == day(b, DayStyle::Full)
}

fn format_number(kind: &str, value: f64, options: &[(&str, &str)]) -> String {
    format(kind, "NumberFormat", "format", &value.into(), || object(options))
}

fn format_date(kind: &str, instant: Instant, options: &[(&str, &str)]) -> String {
    format(
        kind,
        "DateTimeFormat",
        "format",
        &(instant.timestamp_millis() as f64).into(),
        || {
            let options = object(options);
            let zone = LOCALE.with_borrow(|locale| locale.time_zone.clone());
            // An old browser may not know a new zone: then its own zone is better than no date.
            if Formatter::new("DateTimeFormat", "format", "en", &object(&[("timeZone", &zone)])).is_some() {
                set(&options, "timeZone", &zone.into());
            }
            options
        },
    )
}

/// Formats with the formatter kept for this kind, or makes it first.
fn format(kind: &str, class: &str, method: &str, value: &JsValue, options: impl FnOnce() -> Object) -> String {
    let kept = LOCALE.with_borrow(|locale| {
        locale
            .formatters
            .iter()
            .find(|(known, _)| known == kind)
            .map(|(_, kept)| kept.clone())
    });
    let formatter = kept.or_else(|| {
        let (regional, plain) = LOCALE.with_borrow(|locale| (locale.regional.clone(), locale.language.clone()));
        let options = options();
        // A browser may name a region in a way that its own `Intl` does not take.
        let made = Formatter::new(class, method, &regional, &options)
            .or_else(|| Formatter::new(class, method, &plain, &options))?;
        LOCALE.with_borrow_mut(|locale| locale.formatters.push((kind.to_owned(), made.clone())));
        Some(made)
    });
    formatter
        .and_then(|formatter| formatter.call(value))
        .unwrap_or_default()
}

/// An object of the browser's `Intl` and the one method of it that we call.
///
/// Made by reflection, since the typed constructors throw where a browser lacks a class or does not know an option.
#[derive(Clone)]
struct Formatter {
    this: JsValue,
    method: Function,
}

impl Formatter {
    fn new(class: &str, method: &str, language: &str, options: &Object) -> Option<Self> {
        let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
        let class: Function = Reflect::get(&intl, &class.into()).ok()?.dyn_into().ok()?;
        let this = Reflect::construct(&class, &Array::of2(&language.into(), options)).ok()?;
        let method = Reflect::get(&this, &method.into()).ok()?.dyn_into().ok()?;
        Some(Self { this, method })
    }

    fn call(&self, value: &JsValue) -> Option<String> {
        self.method.call1(&self.this, value).ok()?.as_string()
    }
}

fn object(options: &[(&str, &str)]) -> Object {
    let object = Object::new();
    for (name, value) in options {
        // Digits are numbers to `Intl`, an empty text is `false`.
        let value = match value.parse::<u32>() {
            Ok(number) => number.into(),
            Err(_) if value.is_empty() => JsValue::FALSE,
            Err(_) => (*value).into(),
        };
        set(&object, name, &value);
    }
    object
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // Setting a field of a plain object cannot fail.
    let _ = Reflect::set(object.unchecked_ref(), &name.into(), value);
}

#[cfg(test)]
mod tests {
    use loyalty_contract::Currency;

    use super::*;

    #[track_caller]
    fn check(typed: &str, code: &str, minor: Option<i64>) {
        let currency = Currency::parse(code).expect("a currency");
        let found = parse_money(typed, Money::new(0, currency)).map(|money| money.minor);
        assert_eq!(found, minor, "{typed:?} in {code}");
    }

    #[test]
    fn amounts_are_read_as_people_type_them() {
        for typed in ["4", "4.00", "4,00", "4,0", " 4 ", "۴٫۰۰", "۴"] {
            check(typed, "EUR", Some(400));
        }
        check("1 250,50", "EUR", Some(125_050));
        check("1,250.50", "EUR", Some(125_050));
        check("1.250", "EUR", Some(125_000));
        check(".5", "EUR", Some(50));
        check("50.000", "VND", Some(50_000));
        check("1.250", "KWD", Some(1250));
        for typed in ["", "abc", "4.0000", "-4", "4e3"] {
            check(typed, "EUR", None);
        }
        check("4.5", "VND", None);
    }

    #[test]
    fn points_are_read_as_people_type_them() {
        for typed in ["1250", "1,250", "1.250", "۱٬۲۵۰", " 1 250 "] {
            assert_eq!(parse_points(typed), Some(Points(1250)), "{typed:?}");
        }
        for typed in ["leaf", "2.5", "-4", ""] {
            assert_eq!(parse_points(typed), None, "{typed:?}");
        }
    }
}
