//! Every English text of the wallet is read with ease: by a child of twelve, by someone of eighty, by someone to whom
//! English is foreign.

use std::fs;

use serde_json::Value;

/// A sentence is no longer than this, in words.
const WORDS: usize = 15;

/// A text of some length needs no more school than this, in years: the Flesch-Kincaid grade (Kincaid and others, 1975),
/// 0.39 × words a sentence + 11.8 × syllables a word - 15.59.
const GRADE: f64 = 8.0;

/// Shorter texts are labels, to which the formula says nothing.
const LABEL: usize = 10;

/// What only somebody who runs a programme says.
const JARGON: [&str; 11] = [
    "accru", "adjust", "authent", "eligib", "enrol", "pending", "qualif", "redeem", "redempt", "reserv", "transact",
];

#[test]
fn every_english_text_is_easy_to_read() -> Result<(), Box<dyn std::error::Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/locales/en.json");
    let texts: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let mut found = Vec::new();
    collect("", &texts, &mut found);
    assert!(found.len() > 200, "the texts were found");
    let hard: Vec<String> = found.iter().filter_map(|(key, text)| complaint(key, text)).collect();
    assert!(hard.is_empty(), "{}", hard.join("\n"));
    Ok(())
}

#[test]
fn what_is_hard_to_read_is_found() {
    let long = "When you bring back what you have bought then we shall take back every point that it gave you.";
    let learned = "Membership eligibility verification necessitates identification documentation, regrettably without any exception whatsoever.";
    for hard in [long, learned, "Redeem your points."] {
        assert!(complaint("key", hard).is_some(), "{hard}");
    }
    assert_eq!(
        complaint("key", "Your points are safe. Try again in a minute, or call the shop."),
        None
    );
}

fn collect(key: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((key.to_owned(), text.clone())),
        Value::Object(inner) => inner
            .iter()
            .for_each(|(name, value)| collect(&format!("{key}.{name}"), value, found)),
        _ => {}
    }
}

/// Why a text is hard to read, if it is.
fn complaint(key: &str, text: &str) -> Option<String> {
    // What is put in for `{name}` counts as a short word, and an address as none.
    let words: Vec<&str> = text.split_whitespace().filter(|word| !word.contains('@')).collect();
    let mut sentences: Vec<usize> = Vec::new();
    let mut length = 0;
    for word in &words {
        length += 1;
        if word.ends_with(['.', '!', '?', ':']) {
            sentences.push(std::mem::take(&mut length));
        }
    }
    sentences.extend(Some(length).filter(|length| *length > 0));

    let lower = text.to_lowercase();
    if let Some(word) = JARGON.iter().find(|word| lower.contains(**word)) {
        return Some(format!("{key}: “{word}…” is jargon: {text}"));
    }
    let longest = sentences.iter().copied().max().unwrap_or(0);
    if longest > WORDS {
        return Some(format!("{key}: a sentence of {longest} words: {text}"));
    }
    if words.len() < LABEL {
        return None;
    }
    let syllables: usize = words.iter().map(|word| syllables(word)).sum();
    let count = words.len() as f64;
    let grade = 0.39 * count / sentences.len() as f64 + 11.8 * syllables as f64 / count - 15.59;
    (grade > GRADE).then(|| format!("{key}: grade {grade:.1}: {text}"))
}

/// About how many syllables a word has: its groups of vowels, without a silent e at its end.
fn syllables(word: &str) -> usize {
    if word.contains('{') {
        return 1;
    }
    let letters: Vec<char> = word.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect();
    let is_vowel = |letter: &char| "aeiouy".contains(*letter);
    let groups = letters
        .chunk_by(|a, b| is_vowel(a) == is_vowel(b))
        .filter(|group| group.first().is_some_and(is_vowel));
    let groups = groups.count();
    let is_silent = letters.ends_with(&['e']) && !letters.ends_with(&['l', 'e']) && groups > 1;
    (groups - usize::from(is_silent)).max(1)
}
