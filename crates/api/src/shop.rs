//! The programme as it is served: read from the database, put into each of its languages once, and kept until the
//! database has another revision of it.

use std::cmp::Reverse;

use chrono::NaiveDate;
use chrono_tz::Tz;
use loyalty_contract::programme::{AnnouncedChange, Programme, Store, Terms, Tier};
use loyalty_contract::rewards::Reward;
use loyalty_contract::{Instant, Points};
use loyalty_rules::calendar::{add_days, start_of_day};
use loyalty_rules::worth::worth;
use sqlx::AnyPool;

use crate::failure::Failure;
use crate::programme_file::{Day, ProgrammeFile, RewardFile, TermsFile, Texts};
use crate::texts::{best_match, pick, text};
use crate::token;

/// One revision of the programme.
#[derive(Debug)]
pub struct Shop {
    /// Counted up with every change.
    pub revision: i64,
    /// As the file has it, with days by the calendar and pictures by their address.
    pub file: ProgrammeFile,
    /// The zone whose midnights count.
    pub zone: Tz,
    /// The thresholds of the ladder, from the bottom up.
    pub thresholds: Vec<Points>,
    /// What a tier depends on beside the history: another ladder, another text.
    pub ladder: String,
    /// In each language, the shop's own first.
    editions: Vec<Edition>,
}

/// The programme in one language.
#[derive(Debug)]
pub struct Edition {
    /// BCP 47.
    pub language: String,
    /// What `GET /programme` answers.
    pub programme: Programme,
    /// The same as it goes over the wire, and what identifies it.
    pub body: String,
    /// Of `body`.
    pub etag: String,
    /// Every version of the terms, the newest first.
    pub terms: Vec<Terms>,
    /// The catalogue, in the shop's own order, without what depends on a member or on stock.
    pub rewards: Vec<Reward>,
}

impl Shop {
    /// Puts a checked programme file into its languages.
    ///
    /// # Errors
    /// [`Failure`] where a figure is beyond reckoning.
    pub fn new(revision: i64, file: ProgrammeFile, demo: bool) -> Result<Self, Failure> {
        let zone: Tz = file
            .time_zone
            .parse()
            .map_err(|_| Failure::new(format!("The time zone {:?} is not known.", file.time_zone)))?;
        let editions = file
            .languages
            .iter()
            .map(|language| edition(&file, &zone, language, demo))
            .collect::<Result<_, _>>()?;
        let thresholds: Vec<Points> = file.tiers.iter().map(|tier| tier.threshold).collect();
        let steps: Vec<i64> = thresholds.iter().map(|threshold| threshold.0).collect();
        let ladder = format!("{:?} {steps:?} {zone}", file.tier_window);
        Ok(Self {
            revision,
            file,
            zone,
            thresholds,
            ladder,
            editions,
        })
    }

    /// Reads the programme from the database; `None` before it was seeded.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn load(db: &AnyPool) -> Result<Option<Self>, LoadError> {
        // One statement, so that it sees one revision and its rewards, whatever is put into force meanwhile.
        let rows: Vec<(i64, String, i64, Option<String>)> = sqlx::query_as(
            "select p.revision, p.document, (select count(*) from meta where name = 'demo'), r.document
             from programme p left join rewards r on r.removed_at is null order by r.position",
        )
        .fetch_all(db)
        .await?;
        let Some((revision, document, demo, _)) = rows.first() else {
            return Ok(None);
        };
        let mut file: ProgrammeFile = serde_json::from_str(document)?;
        file.rewards = rows
            .iter()
            .filter_map(|(.., reward)| reward.as_deref())
            .map(serde_json::from_str::<RewardFile>)
            .collect::<Result<_, _>>()?;
        Ok(Some(Self::new(*revision, file, *demo > 0)?))
    }

    /// The language that an `Accept-Language` header likes best.
    pub fn edition(&self, accept_language: Option<&str>) -> &Edition {
        let languages: Vec<&str> = self.editions.iter().map(|edition| edition.language.as_str()).collect();
        // A checked file names one language at least.
        &self.editions[best_match(accept_language, &languages)]
    }

    /// A text in one language, or in the shop's own.
    pub fn text(&self, texts: &Texts, language: &str) -> String {
        text(texts, language, &self.file.languages[0])
    }

    /// What a store is called; its id where the programme has it no more.
    pub fn store_name(&self, id: &str, language: &str) -> String {
        let store = self.file.stores.iter().find(|store| store.id == id);
        store.map_or_else(|| id.to_owned(), |store| self.text(&store.name, language))
    }
}

/// Why the programme could not be read from the database.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// It has something else than a programme.
    #[error("the stored programme cannot be read: {0}")]
    Document(#[from] serde_json::Error),
    /// A figure is beyond reckoning.
    #[error(transparent)]
    Programme(#[from] Failure),
}

fn edition(file: &ProgrammeFile, zone: &Tz, language: &str, demo: bool) -> Result<Edition, Failure> {
    let own = &file.languages[0];
    let text = |texts: &Texts| text(texts, language, own);
    let list = |list: &[Texts]| -> Vec<String> { list.iter().map(text).collect() };
    let worded = |terms: &TermsFile| Terms {
        version: terms.version,
        effective_from: terms.effective_from,
        items: list(&terms.items),
        changes: list(&terms.changes),
    };
    let mut terms: Vec<Terms> = file.versions().map(worded).collect();
    terms.sort_by_key(|terms| Reverse(terms.version));
    let point_name = pick(&file.point_name, language, own)
        .cloned()
        .ok_or_else(|| Failure::new("The programme file is wrong: point_name is empty."))?;
    let programme = Programme {
        id: file.id.clone(),
        name: text(&file.name),
        promise: text(&file.promise),
        currency: file.currency,
        time_zone: file.time_zone.clone(),
        point_name,
        point_value: file.point_value,
        earning: file.earning,
        tiers: file
            .tiers
            .iter()
            .map(|tier| Tier {
                id: tier.id.clone(),
                name: text(&tier.name),
                threshold: tier.threshold,
                multiplier_permille: tier.multiplier_permille,
                benefits: list(&tier.benefits),
            })
            .collect(),
        tier_window: file.tier_window,
        return_window_days: file.return_window_days,
        points_valid_months: file.points_valid_months,
        min_spend_points: file.min_spend_points,
        voucher_valid_minutes: file.voucher_valid_minutes,
        terms: worded(&file.terms),
        announced_changes: file
            .announced_changes
            .iter()
            .map(|change| AnnouncedChange {
                effective_from: change.effective_from,
                text: text(&change.text),
                point_value: change.point_value,
                earning: change.earning,
                points_valid_months: change.points_valid_months,
            })
            .collect(),
        stores: file
            .stores
            .iter()
            .map(|store| Store {
                id: store.id.clone(),
                name: text(&store.name),
                address: store.address.clone(),
                hours: text(&store.hours),
                phone: store.phone.clone(),
            })
            .collect(),
        capabilities: vec![],
        theme: file.theme.with_logo_url(file.theme.logo.clone()),
        languages: file.languages.clone(),
        contact: file.contact.clone(),
        demo,
    };
    let rewards = file
        .rewards
        .iter()
        .map(|reward| {
            Ok(Reward {
                id: reward.id.clone(),
                kind: reward.kind,
                category: text(&reward.category),
                title: text(&reward.title),
                description: text(&reward.description),
                image_url: reward.picture.clone(),
                cost_points: reward.cost_points,
                points_worth: worth(reward.cost_points, &file.point_value)?,
                shop_price: reward.shop_price,
                conditions: list(&reward.conditions),
                valid_from: first_instant(reward.valid_from, 0, zone)?,
                valid_until: first_instant(reward.valid_until, 1, zone)?,
                voucher_valid_minutes: reward.voucher_valid_minutes.unwrap_or(file.voucher_valid_minutes),
                stock_left: None,
                per_member_left: None,
                tier_required: reward.tier_required.clone(),
                availability: None,
            })
        })
        .collect::<Result<_, Failure>>()?;
    let body = serde_json::to_string(&programme)
        .map_err(|error| Failure::new(format!("The programme cannot be written as JSON: {error}.")))?;
    let etag = token::etag(&body);
    Ok(Edition {
        language: language.to_owned(),
        programme,
        body,
        etag,
        terms,
        rewards,
    })
}

/// The beginning of the day that lies `days_after` a stored day, which is always one by the calendar.
fn first_instant(day: Option<Day>, days_after: i64, zone: &Tz) -> Result<Option<Instant>, Failure> {
    day.map(|day| {
        let day: NaiveDate = day.resolve(NaiveDate::MIN)?;
        Ok(start_of_day(add_days(day, days_after)?, zone)?)
    })
    .transpose()
}
