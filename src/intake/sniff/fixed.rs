//! Text in columns of fixed width: every line as wide as the others, and where columns begin.
//!
//! A column begins behind a position that is blank in every line, or where every line goes over to the same other kind of
//! character (a name behind a code, a month behind a name). Two columns that touch and are of one kind can not be told apart:
//! what is proposed is then one column, for a person to part.

use encoding_rs::{Encoding, GB18030, UTF_8};

use crate::intake::sniff::delimiter;
use crate::intake::sniff::opening::Head;

/// Lines that are looked at.
const LINES: usize = 400;
/// Lines that tell something.
const LEAST_LINES: usize = 3;
/// Lines above the rows.
const TITLES: usize = 5;
/// Widest line: the language of adapters has no wider one.
const WIDEST: usize = 64 << 10;

/// What stands at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Blank,
    Ascii,
    Other,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Widths count characters, not bytes.
    pub by_characters: bool,
    /// Lines above the rows, that of the headings included.
    pub titles: usize,
    /// Headings and widths, from left to right.
    pub columns: Vec<(String, usize)>,
    /// Whether the headings are the file's.
    pub are_named: bool,
}

/// Finds columns of fixed width; `knows` says whether a text is a heading that departments use.
pub fn find(head: &Head, knows: &dyn Fn(&str) -> bool) -> Option<Found> {
    let encoding = if head.charset == Some("gb18030") {
        GB18030
    } else {
        UTF_8
    };
    let lines = lines(head, encoding)?;
    if delimiter::is_regular(&lines) {
        return None;
    }
    [false, true]
        .into_iter()
        .find_map(|by_characters| of_unit(&lines, encoding, by_characters, knows))
}

fn lines(head: &Head, encoding: &'static Encoding) -> Option<Vec<String>> {
    let bytes = head
        .bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(&head.bytes);
    let mut lines = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n').take(LINES) {
        let Some(line) = line.strip_suffix(b"\n") else {
            // The end of what was looked at, or of a file whose last line has no end.
            break;
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > WIDEST {
            return None;
        }
        let text = encoding.decode_without_bom_handling_and_without_replacement(line)?;
        lines.push(text.into_owned());
    }
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    Some(lines)
}

fn of_unit(
    lines: &[String],
    encoding: &'static Encoding,
    by_characters: bool,
    knows: &dyn Fn(&str) -> bool,
) -> Option<Found> {
    let marked: Vec<Vec<Mark>> = lines
        .iter()
        .map(|line| marks(line, encoding, by_characters))
        .collect();
    // The middle of a file is made of rows.
    let width = marked.get(lines.len() / 2)?.len();
    let first = marked.iter().position(|line| line.len() == width)?;
    let mut rows = &marked[first..];
    if rows.last().is_some_and(|line| line.len() != width) {
        rows = &rows[..rows.len() - 1];
    }
    let is_regular = rows.iter().all(|line| line.len() == width);
    if first > TITLES || rows.len() < LEAST_LINES || !is_regular {
        return None;
    }
    // The first line may hold the headings.
    let below = places(&rows[1..]);
    let pieces = cut(&lines[first], &below, encoding, by_characters);
    let known = pieces.iter().filter(|piece| knows(piece)).count();
    let are_named = rows.len() > LEAST_LINES && known >= 2 && known * 2 >= pieces.len();
    let (places, titles) = if are_named {
        (below, first + 1)
    } else {
        (places(rows), first)
    };
    if places.len() < 2 {
        return None;
    }
    let mut columns: Vec<(String, usize)> = Vec::new();
    for (at, (from, to)) in places.iter().enumerate() {
        let heading = pieces
            .get(at)
            .filter(|piece| are_named && !piece.is_empty())
            .filter(|piece| columns.iter().all(|(other, _)| other != *piece))
            .cloned()
            .unwrap_or_else(|| format!("列{}", at + 1));
        columns.push((heading, to - from));
    }
    Some(Found {
        by_characters,
        titles,
        columns,
        are_named,
    })
}

fn marks(line: &str, encoding: &'static Encoding, by_characters: bool) -> Vec<Mark> {
    let mut marks = Vec::with_capacity(line.len());
    for c in line.chars() {
        let mark = match c {
            c if c.is_whitespace() => Mark::Blank,
            c if c.is_ascii() => Mark::Ascii,
            _ => Mark::Other,
        };
        let width = if by_characters { 1 } else { bytes(c, encoding) };
        marks.extend(std::iter::repeat_n(mark, width));
    }
    marks
}

fn bytes(c: char, encoding: &'static Encoding) -> usize {
    if c.is_ascii() || encoding == UTF_8 {
        return c.len_utf8();
    }
    encoding.encode(c.encode_utf8(&mut [0; 4])).0.len()
}

/// Where columns begin and end.
fn places(rows: &[Vec<Mark>]) -> Vec<(usize, usize)> {
    let width = rows.first().map_or(0, Vec::len);
    let all = |at: usize, mark: Mark| rows.iter().all(|row| row[at] == mark);
    let mut starts = vec![0];
    for at in 1..width {
        let is_behind_blank = all(at - 1, Mark::Blank) && !all(at, Mark::Blank);
        let goes_over = |mark: Mark| all(at, mark) && rows.iter().all(|row| row[at - 1] != mark);
        if is_behind_blank || goes_over(Mark::Ascii) || goes_over(Mark::Other) {
            starts.push(at);
        }
    }
    // Blanks at the beginning of every line belong to the first column.
    if starts.len() > 1 && (0..starts[1]).all(|at| all(at, Mark::Blank)) {
        starts.remove(1);
    }
    let ends = starts.iter().skip(1).copied().chain([width]);
    starts.iter().copied().zip(ends).collect()
}

fn cut(
    line: &str,
    places: &[(usize, usize)],
    encoding: &'static Encoding,
    by_characters: bool,
) -> Vec<String> {
    let mut pieces = vec![String::new(); places.len()];
    let mut at = 0;
    for c in line.chars() {
        let column = places
            .iter()
            .position(|(from, to)| (*from..*to).contains(&at));
        if let Some(column) = column {
            pieces[column].push(c);
        }
        at += if by_characters { 1 } else { bytes(c, encoding) };
    }
    pieces
        .into_iter()
        .map(|piece| piece.trim().to_owned())
        .collect()
}
