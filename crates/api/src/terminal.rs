//! What a command says to whoever typed it.

use chrono::SecondsFormat;

use crate::clock::from_millis;

/// Tells what was asked for, on standard output; everything else goes to the log.
#[expect(clippy::print_stdout, reason = "the answer of a command belongs on standard output")]
pub fn say(line: &str) {
    println!("{line}");
}

/// Tells something beside the answer, where a program that reads the answer does not see it.
pub fn remark(line: &str) {
    eprintln!("{line}");
}

/// Tells rows below their headings, each column as wide as it must be.
pub fn say_table<const COLUMNS: usize>(headings: [&str; COLUMNS], rows: Vec<[String; COLUMNS]>) {
    let mut lines = vec![headings.map(str::to_owned)];
    lines.extend(rows);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| width(column).unwrap_or_default());
    for line in &lines {
        let cells: Vec<String> = line
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        say(cells.join("  ").trim_end());
    }
}

/// An instant of the database, to the second.
pub fn instant(millis: i64) -> String {
    from_millis(millis).to_rfc3339_opts(SecondsFormat::Secs, true)
}
