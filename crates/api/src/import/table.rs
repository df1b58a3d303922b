//! A CSV file as it is read: line by line in bounded memory, whatever is in it.
//!
//! Nothing that is imported has a line break in it. So each line is a row of its own, and what is wrong in one of them,
//! such as a quote that is not closed, spoils no other.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use csv_core::{ReadRecordResult, Reader};
use sha2::{Digest, Sha256};

use super::Reason;
use crate::failure::Failure;

/// The most bytes that a line may have, far above any that is right.
const LONGEST_LINE: usize = 16 * 1024;

/// How much of the file is read at once.
const BUFFER: usize = 64 * 1024;

/// One row of the file.
#[derive(Debug)]
pub struct Record {
    /// Its line in the file, counted from 1.
    pub line: i64,
    /// What stands in the columns that were asked for, in their order; or why it cannot be read.
    pub cells: Result<Vec<String>, Reason>,
}

/// A file with a header, behind which it is read.
pub struct Table {
    path: PathBuf,
    lines: Lines,
    reader: Reader,
    /// Where the columns that were asked for stand in the file; `None` for one that it does not have.
    places: Vec<Option<usize>>,
    /// How many columns it has.
    width: usize,
}

impl Table {
    /// Opens the file, and finds each of the columns in its header, and each of the others that is there.
    ///
    /// # Errors
    /// [`Failure`] where the file cannot be read, or its header does not name exactly these.
    pub fn open(path: &Path, columns: &[&str], others: &[&str]) -> Result<Self, Failure> {
        let mut table = Self {
            path: path.to_owned(),
            lines: Lines::open(path).map_err(|error| unreadable(path, &error))?,
            reader: Reader::new(),
            places: vec![],
            width: 0,
        };
        let wrong = |problem: &str| {
            let columns = columns.join(",");
            let others: String = others.iter().map(|other| format!(", and perhaps {other}")).collect();
            Failure::new(format!(
                "{}: {problem}. The first line is to be {columns}{others}, in any order.",
                path.display()
            ))
        };
        if !table.advance()? {
            return Err(wrong("the file is empty"));
        }
        let text = table
            .lines
            .text()
            .map_err(|reason| wrong(&format!("the header {reason}")))?;
        let found = cells(&mut table.reader, text.trim_start_matches('\u{feff}'));
        let is_known = |name: &str| columns.contains(&name) || others.contains(&name);
        if let Some(other) = found.iter().find(|name| !is_known(name)) {
            return Err(wrong(&format!("{other:?} is no column of it")));
        }
        table.width = found.len();
        for column in columns.iter().chain(others) {
            let mut places = (0..).zip(&found).filter(|(_, name)| name == column);
            match (places.next(), places.next()) {
                (Some((place, _)), None) => table.places.push(Some(place)),
                (None, _) if others.contains(column) => table.places.push(None),
                (None, _) => return Err(wrong(&format!("the column {column} is missing"))),
                (Some(_), Some(_)) => return Err(wrong(&format!("the column {column} is there twice"))),
            }
        }
        Ok(table)
    }

    /// The last line that was read.
    pub fn line(&self) -> i64 {
        self.lines.number
    }

    /// Goes on behind that line.
    ///
    /// # Errors
    /// [`Failure`] where the file cannot be read.
    pub fn skip_to(&mut self, line: i64) -> Result<(), Failure> {
        while self.line() < line && self.advance()? {}
        Ok(())
    }

    /// The next row; `None` at the end. Empty lines are none.
    ///
    /// # Errors
    /// [`Failure`] where the file cannot be read.
    pub fn next(&mut self) -> Result<Option<Record>, Failure> {
        while self.advance()? {
            if !self.lines.is_blank() {
                let cells = self.read();
                let line = self.line();
                return Ok(Some(Record { line, cells }));
            }
        }
        Ok(None)
    }

    /// The hash of everything that was read.
    pub fn fingerprint(self) -> String {
        hex(self.lines.hash)
    }

    fn advance(&mut self) -> Result<bool, Failure> {
        self.lines.next().map_err(|error| unreadable(&self.path, &error))
    }

    fn read(&mut self) -> Result<Vec<String>, Reason> {
        let text = self.lines.text()?;
        let mut found = cells(&mut self.reader, text);
        let (there, wanted) = (found.len(), self.width);
        if there != wanted {
            return Err(format!("it has {there} fields and not {wanted}"));
        }
        Ok(self
            .places
            .iter()
            .map(|place| place.map(|place| std::mem::take(&mut found[place])).unwrap_or_default())
            .collect())
    }
}

/// The cells of one line, by the rules of RFC 4180.
fn cells(reader: &mut Reader, line: &str) -> Vec<String> {
    reader.reset();
    let mut text = vec![0; line.len()];
    let mut ends = vec![0; line.len() + 1];
    let (mut input, mut written, mut count) = (line.as_bytes(), 0, 0);
    loop {
        let (result, read, wrote, ended) = reader.read_record(input, &mut text[written..], &mut ends[count..]);
        (written, count) = (written + wrote, count + ended);
        // Both buffers hold whatever a line of this length can have, so they are never full; an empty input is its end.
        if result != ReadRecordResult::InputEmpty {
            break;
        }
        input = &input[read..];
    }
    let begins = [0].into_iter().chain(ends.iter().copied());
    begins
        .zip(&ends[..count])
        .map(|(begin, &end)| String::from_utf8_lossy(&text[begin..end]).into_owned())
        .collect()
}

/// A file's lines, hashed as they are read.
struct Lines {
    input: BufReader<File>,
    hash: Sha256,
    /// Of the present line, counted from 1.
    number: i64,
    /// Without its end, and no more of it than a line may have.
    line: Vec<u8>,
    is_too_long: bool,
}

impl Lines {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            input: BufReader::with_capacity(BUFFER, File::open(path)?),
            hash: Sha256::new(),
            number: 0,
            line: vec![],
            is_too_long: false,
        })
    }

    /// Reads the next line; false at the end of the file.
    fn next(&mut self) -> io::Result<bool> {
        self.line.clear();
        self.is_too_long = false;
        let mut is_there = false;
        loop {
            let chunk = match self.input.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                chunk => chunk?,
            };
            if chunk.is_empty() {
                break;
            }
            is_there = true;
            let end = chunk.iter().position(|&byte| byte == b'\n');
            let read = end.map_or(chunk.len(), |end| end + 1);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = LONGEST_LINE - self.line.len();
            self.is_too_long |= part.len() > room;
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            self.hash.update(&chunk[..read]);
            self.input.consume(read);
            if end.is_some() {
                break;
            }
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        self.number += i64::from(is_there);
        Ok(is_there)
    }

    fn is_blank(&self) -> bool {
        self.line.is_empty() && !self.is_too_long
    }

    /// The line as text that can be taken apart.
    fn text(&self) -> Result<&str, Reason> {
        if self.is_too_long {
            return Err(format!("it has more than {LONGEST_LINE} bytes"));
        }
        let text = std::str::from_utf8(&self.line).map_err(|_| "it is not UTF-8")?;
        if text.contains(char::is_control) {
            return Err("it has a control character in it".into());
        }
        if self.line.iter().filter(|&&byte| byte == b'"').count() % 2 == 1 {
            return Err("a quote in it is not closed".into());
        }
        Ok(text)
    }
}

/// The hash of a whole file.
///
/// # Errors
/// [`Failure`] where it cannot be read.
pub fn fingerprint(path: &Path) -> Result<String, Failure> {
    let failed = |error: io::Error| unreadable(path, &error);
    let mut input = BufReader::with_capacity(BUFFER, File::open(path).map_err(failed)?);
    let mut hash = Sha256::new();
    loop {
        let chunk = match input.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            chunk => chunk.map_err(failed)?,
        };
        if chunk.is_empty() {
            return Ok(hex(hash));
        }
        hash.update(chunk);
        let read = chunk.len();
        input.consume(read);
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unreadable(path: &Path, error: &dyn fmt::Display) -> Failure {
    Failure::new(format!("{} cannot be read: {error}.", path.display()))
}
