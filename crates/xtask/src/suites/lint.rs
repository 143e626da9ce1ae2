//! What can be said of the sources without running them.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Case, Outcome};
use crate::context::Context;
use crate::{process, tools};

const LIMIT: Duration = Duration::from_secs(1200);

/// The tests.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    let clippy = &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"][..];
    Ok(vec![
        Case::new("lint::format".into(), move || cargo(context, &["fmt", "--check"])),
        Case::new("lint::clippy".into(), move || cargo(context, clippy)),
        Case::new("lint::rustdoc".into(), move || cargo(context, &["doc", "--no-deps", "--workspace"])),
        // To run them needs a nightly compiler; to see that they fit `crates/fuzz` does not, nor libFuzzer itself, which is
        // C++. They are a workspace of their own, and would have a target directory of their own.
        Case::new("lint::fuzz-targets".into(), move || {
            let mut check = context.cargo();
            check.args(["check", "--manifest-path", "fuzz/Cargo.toml", "--target-dir"]).arg(&context.target);
            run(check.env("CUSTOM_LIBFUZZER_PATH", "/nothing/is/linked"))
        }),
        Case::new("lint::deny".into(), move || deny(context, &["check", "licenses", "bans", "sources"])),
        Case::new("lint::advisories".into(), move || match deny(context, &["fetch", "db"]) {
            Outcome::Failed(why) => {
                let reason = why.lines().last().unwrap_or_default();
                Outcome::Skipped(format!("the database cannot be fetched: {reason}"))
            }
            Outcome::Skipped(why) => Outcome::Skipped(why),
            Outcome::Passed => deny(context, &["check", "advisories"]),
        }),
    ])
}

/// cargo-deny, by deny.toml.
fn deny(context: &Context, words: &[&str]) -> Outcome {
    match tools::of_crate(context, "cargo-deny") {
        Ok(program) => {
            let mut command = Command::new(program);
            command.current_dir(&context.workspace).arg("--workspace").args(words);
            run(&mut command).into()
        }
        Err(why) => Outcome::Skipped(format!("{why:#}")),
    }
}

fn cargo(context: &Context, words: &[&str]) -> Result<()> {
    run(context.cargo().args(words).env("RUSTDOCFLAGS", "-D warnings"))
}

fn run(command: &mut Command) -> Result<()> {
    let output = process::run(command, LIMIT)?;
    ensure!(output.success(), "{command:?} ended with {}:\n{}", output.end(), output.tail(40));
    Ok(())
}
