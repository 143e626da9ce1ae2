//! `cargo test --workspace`, its counts taken into the report.

use std::time::Duration;

use anyhow::Result;

use super::{Outcome, Report};
use crate::context::Context;
use crate::process;
use crate::tools;
use crate::ui::Progress;

/// Runs the unit tests whose names contain `filter`.
pub fn run(context: &Context, filter: &str, report: &mut Report) -> Result<()> {
    // The loader is tested with programs that the compiler for ARM makes.
    if let Err(why) = tools::ensure(tools::CROSS) {
        report.add("unit::real programs".to_owned(), Outcome::Skipped(format!("{why:#}")));
    }
    let progress = Progress::spinner("unit");
    let mut cargo = context.cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast"]);
    if !filter.is_empty() {
        cargo.arg(filter);
    }
    let mut counted = 0;
    let mut ran = 0;
    let output = process::run_lines(&mut cargo, Duration::from_secs(1500), |line| {
        progress.message(line.trim());
        if let Some((name, result)) = test_line(line) {
            ran += 1;
            match result {
                "ok" => report.add(name.to_owned(), Outcome::Passed),
                "FAILED" => {
                    counted += 1;
                    report.add(format!("unit::{name}"), Outcome::Failed("see above".to_owned()));
                }
                why => report.add(format!("unit::{name}"), Outcome::Skipped(why.to_owned())),
            }
        }
    })?;
    if !output.success() {
        progress.line(&output.tail(60));
        // It did not build, or a test took its whole process down.
        if counted == 0 {
            report.add("unit".to_owned(), Outcome::Failed(format!("cargo test ended with {}", output.end())));
        }
    }
    progress.line(&format!("{ran} run, {counted} failed"));
    Ok(())
}

/// Name and result of a line such as `test a::b ... ok` or `test c ... ignored, slow`.
fn test_line(line: &str) -> Option<(&str, &str)> {
    let (name, result) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let known = result == "ok" || result == "FAILED" || result.starts_with("ignored");
    known.then_some((name, result))
}

#[cfg(test)]
mod tests {
    use super::test_line;

    #[test]
    fn lines_of_cargo_test() {
        assert_eq!(test_line("test a::b ... ok"), Some(("a::b", "ok")));
        assert_eq!(test_line("test c ... ignored, slow"), Some(("c", "ignored, slow")));
        assert_eq!(test_line("test result: ok. 3 passed"), None);
        assert_eq!(test_line("running 3 tests"), None);
    }
}
