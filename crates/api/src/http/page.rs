//! Lists that are answered a page at a time, newest first.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loyalty_contract::Page;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, AssertSqlSafe, FromRow};

use super::error::{Error, Result};
use crate::db::Value;

const LIMIT: u32 = 25;

/// The most items that a page has.
pub const HIGHEST_LIMIT: u32 = 100;

/// How many items a page has.
///
/// # Errors
/// 422 where it cannot be that long.
pub fn limit(asked: Option<u32>) -> Result<u32> {
    match asked.unwrap_or(LIMIT) {
        limit @ 1..=HIGHEST_LIMIT => Ok(limit),
        _ => Err(Error::field("limit", "a page has 1 to 100 entries")),
    }
}

/// A row of a list. Its place, an instant and what is its own among those of that instant, does not move when others
/// are added.
pub trait Listed: for<'r> FromRow<'r, AnyRow> {
    /// The columns of its place.
    const PLACE: [&'static str; 2];

    /// Its place, the second part as text.
    fn place(&self) -> (i64, String);

    /// The second part as a value; `None` for a text that is none.
    fn own(text: &str) -> Option<Value>;
}

/// One page of a list that is asked for.
#[derive(Debug)]
pub struct Paged {
    conditions: Vec<String>,
    values: Vec<Value>,
    limit: usize,
    after: Option<String>,
}

impl Paged {
    /// As many items as the query asks for, after the cursor that it names.
    ///
    /// # Errors
    /// 422 where a page cannot be that long.
    pub fn new(limit: Option<u32>, after: Option<&str>) -> Result<Self> {
        Ok(Self {
            conditions: vec![],
            values: vec![],
            limit: self::limit(limit)? as usize,
            after: after.map(str::to_owned),
        })
    }

    /// With only those of which this holds, such as `e.at >=` of a value.
    pub fn only(&mut self, comparison: &str, value: impl Into<Value>) {
        let place = self.bind(value);
        self.conditions.push(format!("{comparison} {place}"));
    }

    /// With only those of which the column has one of these values.
    pub fn only_in(&mut self, column: &str, values: Vec<Value>) {
        let places: Vec<String> = values.into_iter().map(|value| self.bind(value)).collect();
        self.conditions.push(format!("{column} in ({})", places.join(", ")));
    }

    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Reads the rows and words them.
    ///
    /// # Errors
    /// 422 where the cursor is none of this list; [`Error`] where the database does not answer.
    pub async fn read<R: Listed, T>(
        mut self,
        db: &AnyPool,
        select: &str,
        worded: impl Fn(R) -> Result<T>,
    ) -> Result<Page<T>> {
        let [at_column, own_column] = R::PLACE;
        if let Some(after) = self.after.take() {
            let (at, own) = decode::<R>(&after).ok_or_else(|| Error::field("after", "this is no cursor"))?;
            let (at, own) = (self.bind(at), self.bind(own));
            self.conditions.push(format!(
                "({at_column} < {at} or ({at_column} = {at} and {own_column} < {own}))"
            ));
        }
        let statement = format!(
            "{select}\nwhere {}\norder by {at_column} desc, {own_column} desc limit {}",
            self.conditions.join(" and "),
            self.limit + 1
        );
        // The text is made of this crate's own words and numbers; every value is bound.
        let mut query = sqlx::query(AssertSqlSafe(statement));
        for value in self.values {
            query = value.bind(query);
        }
        let rows = query.fetch_all(db).await?;
        let mut rows = rows.iter().map(R::from_row).collect::<Result<Vec<_>, _>>()?;
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| has_more).map(encode);
        let items = rows.into_iter().map(worded).collect::<Result<_>>()?;
        Ok(Page { items, next })
    }
}

fn encode<R: Listed>(row: &R) -> String {
    let (at, own) = row.place();
    URL_SAFE_NO_PAD.encode(format!("{at}:{own}"))
}

fn decode<R: Listed>(cursor: &str) -> Option<(i64, Value)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (at, own) = text.split_once(':')?;
    Some((at.parse().ok()?, R::own(own)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(FromRow)]
    struct Item {
        at: i64,
        seq: i64,
    }

    impl Listed for Item {
        const PLACE: [&'static str; 2] = ["at", "seq"];

        fn place(&self) -> (i64, String) {
            (self.at, self.seq.to_string())
        }

        fn own(text: &str) -> Option<Value> {
            text.parse().ok().map(|seq| Value::Int(Some(seq)))
        }
    }

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let item = Item {
            at: 1_795_255_200_000,
            seq: 17,
        };
        let read = decode::<Item>(&encode(&item)).expect("its own text");
        assert!(matches!(read, (1_795_255_200_000, Value::Int(Some(17)))), "{read:?}");
        for refused in ["", "1", "1:", ":1", "1:x", "1:2:3", "99999999999999999999:1"] {
            assert!(decode::<Item>(&URL_SAFE_NO_PAD.encode(refused)).is_none(), "{refused}");
        }
        for refused in ["x", "AAAA", "////////////////////////", "1:2"] {
            assert!(decode::<Item>(refused).is_none(), "{refused}");
        }
    }
}
