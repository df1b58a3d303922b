//! Reads the contract's types from JSON that the browser has parsed.
//!
//! serde's derived readers of the same types would be a fifth of the program that a customer downloads, so what each
//! type consists of is listed here once more. The compiler holds the lists to the contract: a field that is missing
//! here, or gone there, does not build. A field that the contract does not know is left alone, and where a value is
//! not what the contract says the whole answer is `None`.

use chrono::{DateTime, NaiveDate, Utc};
use js_sys::{Array, Date, JSON, Reflect};
use loyalty_contract::account::{Card, MemberSession, PrintedCard, Profile};
use loyalty_contract::auth::{Challenge, SignedIn};
use loyalty_contract::claims::{Claim, ClaimReason, ClaimState};
use loyalty_contract::code_keys::{CodeKey, CodeKeySecret};
use loyalty_contract::ledger::{EarningRate, EntryDetails, EntryKind, LedgerEntry, Reference};
use loyalty_contract::member_events::RedemptionChanged;
use loyalty_contract::members::{Channel, Consents};
use loyalty_contract::programme::{
    AnnouncedChange, Contact, Earning, PluralForms, PointValue, Programme, Store, Terms, Theme, Tier, TierWindow,
};
use loyalty_contract::quotes::Quote;
use loyalty_contract::redemptions::{Captured, RedeemedReward, Redemption, RedemptionState};
use loyalty_contract::reports::ReportMade;
use loyalty_contract::rewards::{Availability, Reason, Reward, RewardKind};
use loyalty_contract::statement::Statement;
use loyalty_contract::status::{
    Activation, Balance, Debt, Expiration, LastPurchase, Lifetime, Member, MemberState, Status, TierKeep, TierStatus,
};
use loyalty_contract::{Currency, FieldError, Money, Page, Points, Problem, ProblemCode};
use wasm_bindgen::{JsCast, JsValue};

/// A type of the contract that an answer can hold.
pub trait Read: Sized {
    /// The value, or `None` where it is not what the contract says.
    fn read(value: &JsValue) -> Option<Self>;
}

/// Reads a whole answer.
pub fn json<T: Read>(text: &str) -> Option<T> {
    T::read(&JSON::parse(text).ok()?)
}

/// Reads a field of an object.
pub fn field<T: Read>(object: &JsValue, name: &str) -> Option<T> {
    T::read(&get(object, name))
}

/// A field of an object; what is missing, or no object at all, is `undefined`.
#[inline(never)]
fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// A whole number that JavaScript holds exactly.
#[inline(never)]
fn whole(value: &JsValue) -> Option<i64> {
    let number = value
        .as_f64()
        .filter(|number| number.fract() == 0.0 && number.abs() <= js_sys::Number::MAX_SAFE_INTEGER)?;
    Some(number as i64)
}

impl Read for JsValue {
    fn read(value: &JsValue) -> Option<Self> {
        Some(value.clone())
    }
}

impl Read for i64 {
    fn read(value: &JsValue) -> Option<Self> {
        whole(value)
    }
}

impl Read for u32 {
    fn read(value: &JsValue) -> Option<Self> {
        whole(value)?.try_into().ok()
    }
}

impl Read for u16 {
    fn read(value: &JsValue) -> Option<Self> {
        whole(value)?.try_into().ok()
    }
}

impl Read for bool {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_bool()
    }
}

impl Read for String {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_string()
    }
}

impl Read for Points {
    fn read(value: &JsValue) -> Option<Self> {
        whole(value).map(Self)
    }
}

impl Read for Currency {
    fn read(value: &JsValue) -> Option<Self> {
        Self::parse(&value.as_string()?)
    }
}

impl Read for DateTime<Utc> {
    fn read(value: &JsValue) -> Option<Self> {
        let instant = Date::parse(&value.as_string()?);
        Self::from_timestamp_millis(Some(instant).filter(|instant| instant.is_finite())? as i64)
    }
}

impl Read for NaiveDate {
    fn read(value: &JsValue) -> Option<Self> {
        let text = value.as_string()?;
        let mut parts = text.splitn(3, '-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        Self::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(value: &JsValue) -> Option<Self> {
        if value.is_null() || value.is_undefined() {
            Some(None)
        } else {
            T::read(value).map(Some)
        }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: &JsValue) -> Option<Self> {
        let array: &Array = value.dyn_ref()?;
        (0..array.length()).map(|at| T::read(&array.get(at))).collect()
    }
}

impl<T: Read> Read for Page<T> {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            items: field(value, "items")?,
            next: field(value, "next")?,
        })
    }
}

macro_rules! objects {
    ($($type:ident { $($field:ident),+ $(,)? })+) => {
        $(impl Read for $type {
            fn read(value: &JsValue) -> Option<Self> {
                Some(Self { $($field: field(value, stringify!($field))?),+ })
            }
        })+
    };
}

objects! {
    Programme {
        id, name, promise, currency, time_zone, point_name, point_value, earning, tiers, tier_window, return_window_days,
        points_valid_months, min_spend_points, voucher_valid_minutes, terms, announced_changes, stores, capabilities,
        theme, languages, contact, demo,
    }
    PluralForms { zero, one, two, few, many, other }
    PointValue { points, money }
    Earning { points, per_money }
    Tier { id, name, threshold, multiplier_permille, benefits }
    Terms { version, effective_from, items, changes }
    AnnouncedChange { effective_from, text, point_value, earning, points_valid_months }
    Store { id, name, address, hours, phone }
    Theme { accent, logo_url }
    Contact { name, role, phone, email }
    Money { minor, currency }
    Status {
        as_of, member, balance, next_activation, expirations, tier, lifetime, unread_messages, last_purchase, debt,
    }
    Member { number, name, since, state, contact, accepted_terms_version }
    Balance { available, pending, worth }
    Activation { points, at }
    Expiration { points, worth, at }
    TierStatus { current, valid_until, next, qualifying, threshold, remaining, keep }
    TierKeep { needed, collected, by, at_risk }
    Lifetime { earned, spent, expired, saved }
    LastPurchase { at, total, points, worth }
    Debt { points, cause }
    LedgerEntry { id, at, kind, points, worth, balance_after, reason, reference, available_at, expires_at }
    EntryDetails { entry, rate, related }
    EarningRate { earning, multiplier_permille }
    Statement {
        from, to, opening, closing, earned, bonus, spent, returned, given_back, expired, adjusted, entries,
    }
    Claim { claim_id, state, store, receipt, total, bought_on, points, reason, created_at }
    ReportMade { report_id, reference }
    Reward {
        id, kind, category, title, description, image_url, cost_points, points_worth, shop_price, conditions,
        valid_from, valid_until, voucher_valid_minutes, stock_left, per_member_left, tier_required, availability,
    }
    Redemption {
        id, state, code, points, money, reward, created_at, valid_until, conditions, captured, ended_at,
    }
    RedeemedReward { id, title, kind, image_url }
    Captured { at, points, money, store }
    RedemptionChanged { id }
    Quote { quote_id, expires_at, points, money, balance_after, tier_after, conditions }
    Challenge { challenge_id, expires_at, resend_after_s, demo_code }
    FieldError { pointer, detail }
    Profile {
        number, name, address, language, birthday, phone, store, referral_code, accepted_terms_version, consents, since,
    }
    Consents { offers, reminders, surveys }
    MemberSession { id, device, created_at, last_seen_at, is_current, is_remembered }
    PrintedCard { card_id, text, digits, created_at }
    Card { card_id, created_at }
    CodeKeySecret { key_id, member_number, secret, algorithm, digits, period_s, server_time }
    CodeKey { key_id, session_id, device_name, created_at, last_used_at, is_current }
}

macro_rules! words {
    ($($type:ident { $($word:literal => $variant:ident),+ $(, _ => $other:ident)? $(,)? })+) => {
        $(impl Read for $type {
            fn read(value: &JsValue) -> Option<Self> {
                // A variant of the contract that has no word here does not build.
                let _ = |known: Self| match known { $(Self::$variant)|+ $(| Self::$other)? => () };
                let word = value.as_string()?;
                let read = [$(($word, Self::$variant)),+].into_iter().find(|(known, _)| *known == word);
                read.map(|(_, read)| read)$(.or(Some(Self::$other)))?
            }
        })+
    };
}

words! {
    Channel { "email" => Email, "sms" => Sms, "push" => Push, "post" => Post }
    TierWindow { "calendar_year" => CalendarYear, "rolling_12_months" => Rolling12Months }
    MemberState { "active" => Active, "paused" => Paused, "managed" => Managed, _ => Unknown }
    EntryKind {
        "earn" => Earn, "bonus" => Bonus, "spend" => Spend, "release" => Release, "refund" => Refund,
        "return" => Return, "expire" => Expire, "adjust" => Adjust, _ => Unknown,
    }
    ClaimState { "accepted" => Accepted, "waiting" => Waiting, "rejected" => Rejected, _ => Unknown }
    ClaimReason { "not_found" => NotFound, "member_paused" => MemberPaused, _ => Unknown }
    RedemptionState {
        "reserved" => Reserved, "captured" => Captured, "released" => Released, "expired" => Expired,
        "refunded" => Refunded, _ => Unknown,
    }
    RewardKind {
        "money_off" => MoneyOff, "percent_off" => PercentOff, "free_product" => FreeProduct, "upgrade" => Upgrade,
        "delivery" => Delivery, "experience" => Experience, "donation" => Donation, _ => Other,
    }
}

impl Read for Reference {
    fn read(value: &JsValue) -> Option<Self> {
        let kind: String = field(value, "type")?;
        Some(match kind.as_str() {
            "purchase" => Self::Purchase {
                external_id: field(value, "external_id")?,
                store: field(value, "store")?,
                total: field(value, "total")?,
            },
            "return" => Self::Return {
                external_id: field(value, "external_id")?,
                purchase: field(value, "purchase")?,
                store: field(value, "store")?,
                amount: field(value, "amount")?,
            },
            "redemption" => Self::Redemption {
                id: field(value, "id")?,
                reward: field(value, "reward")?,
                money: field(value, "money")?,
            },
            _ => Self::Unknown,
        })
    }
}

impl Read for Availability {
    fn read(value: &JsValue) -> Option<Self> {
        let status: String = field(value, "status")?;
        match status.as_str() {
            "ready" => Some(Self::Ready),
            "not_yet" => Some(Self::NotYet {
                reasons: field(value, "reasons")?,
            }),
            _ => None,
        }
    }
}

impl Read for Reason {
    fn read(value: &JsValue) -> Option<Self> {
        let code: String = field(value, "code")?;
        Some(match code.as_str() {
            "insufficient_balance" => Self::InsufficientBalance {
                required: field(value, "required")?,
                available: field(value, "available")?,
                missing: field(value, "missing")?,
            },
            "tier_required" => Self::TierRequired {
                tier: field(value, "tier")?,
            },
            "out_of_stock" => Self::OutOfStock,
            "limit_reached" => Self::LimitReached,
            "not_started" => Self::NotStarted {
                at: field(value, "at")?,
            },
            "ended" => Self::Ended,
            "member_paused" => Self::MemberPaused,
            _ => Self::Unknown,
        })
    }
}

impl Read for SignedIn {
    fn read(value: &JsValue) -> Option<Self> {
        let state: String = field(value, "state")?;
        match state.as_str() {
            "member" => Some(Self::Member),
            "new" => Some(Self::New {
                enrolment_token: field(value, "enrolment_token")?,
            }),
            _ => None,
        }
    }
}

impl Read for ProblemCode {
    fn read(value: &JsValue) -> Option<Self> {
        let word = value.as_string()?;
        Some(
            Self::ALL
                .iter()
                .copied()
                .find(|code| code.as_str() == word)
                .unwrap_or(Self::Unknown),
        )
    }
}

impl Read for Problem {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            kind: field(value, "type")?,
            title: field(value, "title")?,
            status: field(value, "status")?,
            code: field(value, "code")?,
            detail: field(value, "detail")?,
            errors: field::<Option<_>>(value, "errors")?.unwrap_or_default(),
            reasons: field::<Option<_>>(value, "reasons")?.unwrap_or_default(),
            retry_after_s: field(value, "retry_after_s")?,
        })
    }
}
