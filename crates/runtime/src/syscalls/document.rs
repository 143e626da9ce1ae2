//! Tests that hold the table, the kernel's list of numbers and `docs/system-calls.md` together.

use super::table::TABLE;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Number and name of every call of the EABI (arch/arm/tools/syscall.tbl, without the lines marked `oabi`), and the
/// ARM private ones (asm/unistd.h).
const NUMBERS: &str = include_str!("numbers.txt");

/// The table's source: comments are not data, but they are the reasons the document gives.
const SOURCE: &str = include_str!("table.rs");

/// Where the document lies.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/system-calls.md");

/// A line of the table as its source has it.
struct Line {
    number: u32,
    handler: String,
    /// The comment above it, if it is not the heading of a section.
    note: String,
    /// Lines of a section are together, without blank lines.
    section: usize,
}

impl Line {
    /// What the call does, in a word.
    fn state(&self) -> &'static str {
        match self.handler.as_str() {
            "enosys" => "ENOSYS",
            "refused" => "EPERM",
            "seccomp" => "EINVAL",
            _ => "implemented",
        }
    }
}

/// The lines of `SOURCE`, in its order.
fn lines() -> Vec<Line> {
    let (mut lines, mut comment, mut section): (Vec<Line>, Vec<&str>, usize) = Default::default();
    let mut after_blank = true;
    let mut after_line = false;
    for line in SOURCE.lines().skip_while(|line| !line.starts_with("pub static TABLE")).skip(1) {
        let line = line.trim();
        if line.is_empty() {
            (after_blank, after_line) = (true, false);
            section += 1;
            comment.clear();
        } else if let Some(text) = line.strip_prefix("// ") {
            if after_line {
                comment.clear();
            }
            if !after_blank {
                comment.push(text);
            }
            (after_blank, after_line) = (false, false);
        } else if let Some((call, handler)) = line.split_once(" => ") {
            let number = call.split(' ').next().and_then(number).expect("a number");
            let handler = handler.trim_end_matches(';').rsplit("::").next().expect("a name").to_string();
            // One reason may stand above several lines that are refused alike; other notes are of one line.
            let shared = lines.last().is_some_and(|before| after_line && before.handler == handler);
            if after_line && !shared {
                comment.clear();
            }
            lines.push(Line { number, handler, note: comment.join(" "), section });
            (after_blank, after_line) = (false, true);
        }
    }
    lines
}

/// A decimal or hexadecimal literal.
fn number(literal: &str) -> Option<u32> {
    match literal.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(&hex.replace('_', ""), 16).ok(),
        None => literal.parse().ok(),
    }
}

/// The kernel's list.
fn numbers() -> BTreeMap<u32, &'static str> {
    NUMBERS
        .lines()
        .map(|line| {
            let (number, name) = line.split_once(' ').expect("number and name");
            (number.parse().expect("a number"), name)
        })
        .collect()
}

#[test]
fn every_call_of_the_kernel_has_one_line_and_no_other_has() {
    let numbers = numbers();
    let table: BTreeMap<u32, &str> = TABLE.iter().map(|call| (call.number, call.name)).collect();
    assert_eq!(table.len(), TABLE.len(), "a number has two lines");
    let missing: Vec<_> = numbers.iter().filter(|(number, _)| !table.contains_key(number)).collect();
    assert!(missing.is_empty(), "without a line: {missing:?}");
    let wrong: Vec<_> = table.iter().filter(|(number, name)| numbers.get(number) != Some(name)).collect();
    assert!(wrong.is_empty(), "not the kernel's number or name: {wrong:?}");
}

#[test]
fn sections_are_sorted_and_refusals_have_a_reason() {
    let lines = lines();
    assert_eq!(
        lines.iter().map(|line| line.number).collect::<Vec<_>>(),
        TABLE.iter().map(|call| call.number).collect::<Vec<_>>(),
        "the source was read wrongly"
    );
    for pair in lines.windows(2) {
        assert!(
            pair[0].section != pair[1].section || pair[0].number < pair[1].number,
            "{} is not sorted",
            pair[1].number
        );
    }
    for line in lines {
        assert!(line.state() == "implemented" || !line.note.is_empty(), "{}: no reason", line.number);
    }
}

/// `docs/system-calls.md` as the table makes it.
fn document() -> String {
    let lines: BTreeMap<u32, Line> = lines().into_iter().map(|line| (line.number, line)).collect();
    let implemented = lines.values().filter(|line| line.state() == "implemented").count();
    let mut text = format!(
        "# System calls\n\n\
         Every number of the ARM EABI (`arch/arm/tools/syscall.tbl`), made from `crates/runtime/src/syscalls/table.rs`: \
         {} are implemented, {} are refused on purpose, with the error and for the reason given. \
         A number that is not here belongs to the old ABI alone or to nobody, and answers ENOSYS as on ARM.\n\n\
         `FOREARM_BLESS=1 cargo test -p forearm-runtime document` writes this file anew; without the variable the \
         test fails when the file and the table differ.\n\n\
         | Number | Name | State | Note |\n|---:|---|---|---|\n",
        implemented,
        lines.len() - implemented,
    );
    for (number, name) in numbers() {
        let line = &lines[&number];
        let number = if number >= 0xf_0000 { format!("{number:#x}") } else { number.to_string() };
        writeln!(text, "| {number} | {name} | {} | {} |", line.state(), line.note).expect("to a string");
    }
    text
}

#[test]
fn document_is_in_step() {
    let text = document();
    if std::env::var_os("FOREARM_BLESS").is_some() {
        std::fs::create_dir_all(std::path::Path::new(DOCUMENT).parent().expect("in docs")).expect("docs/");
        std::fs::write(DOCUMENT, &text).expect("docs/system-calls.md");
    }
    let written = std::fs::read_to_string(DOCUMENT).unwrap_or_default();
    assert!(
        written == text,
        "docs/system-calls.md differs from the table: run this test with FOREARM_BLESS=1"
    );
}
