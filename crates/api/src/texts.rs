//! Texts in several languages, and which of them somebody asked for.

use std::collections::BTreeMap;

use crate::programme_file::Texts;

/// The place, among `available` tags, of the language that an `Accept-Language` header likes best; the first where
/// it likes none.
pub fn best_match<T: AsRef<str>>(asked: Option<&str>, available: &[T]) -> usize {
    let mut wanted: Vec<(&str, f32)> = asked
        .unwrap_or_default()
        .split(',')
        .filter_map(|part| {
            let mut pieces = part.split(';').map(str::trim);
            let tag = pieces.next().filter(|tag| !tag.is_empty())?;
            let quality = pieces
                .find_map(|piece| piece.strip_prefix("q="))
                .map_or(Some(1.0), |q| q.trim().parse().ok())?;
            (quality > 0.0).then_some((tag, quality))
        })
        .collect();
    // The sort is stable: of equals, the one named first.
    wanted.sort_by(|a, b| b.1.total_cmp(&a.1));
    let find = |tag: &str| available.iter().position(|has| has.as_ref().eq_ignore_ascii_case(tag));
    wanted
        .into_iter()
        .find_map(|(tag, _)| match tag {
            "*" => Some(0),
            _ => find(tag).or_else(|| find(primary(tag))).or_else(|| {
                available
                    .iter()
                    .position(|has| primary(has.as_ref()).eq_ignore_ascii_case(primary(tag)))
            }),
        })
        .unwrap_or(0)
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

/// The text in `language`, or else in `fallback`, which every text has.
pub fn pick<'a, V>(texts: &'a BTreeMap<String, V>, language: &str, fallback: &str) -> Option<&'a V> {
    texts
        .get(language)
        .or_else(|| texts.get(fallback))
        .or_else(|| texts.values().next())
}

/// Like [`pick`], as an owned text.
pub fn text(texts: &Texts, language: &str, fallback: &str) -> String {
    pick(texts, language, fallback).cloned().unwrap_or_default()
}

/// A text as a search compares it: without case, and without the differences that keyboards of one language have.
pub fn folded(text: &str) -> String {
    text.chars()
        .filter(|&letter| letter != '\u{200c}')
        .flat_map(char::to_lowercase)
        .map(|letter| match letter {
            'ي' | 'ى' => 'ی',
            'ك' => 'ک',
            'ё' => 'е',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(asked: &str, expected: &str) {
        let available = ["en", "fa", "pt-BR"];
        assert_eq!(available[best_match(Some(asked), &available)], expected, "{asked}");
    }

    #[test]
    fn the_language_liked_best_is_found() {
        check("", "en");
        check("fa", "fa");
        check("fa-IR,fa;q=0.9,en;q=0.8", "fa");
        check("en;q=0.3, FA;q=0.7", "fa");
        check("de, *;q=0.1", "en");
        check("fa;q=0, en;q=0.1", "en");
        check("pt-PT", "pt-BR");
        check("xx;q=nonsense, fa", "fa");
    }

    #[test]
    fn keyboards_do_not_hide_a_word() {
        assert_eq!(folded("قهوه‌ي كوچك"), folded("قهوهی کوچک"));
        assert_eq!(folded("Ёлка COFFEE"), "елка coffee");
    }
}
