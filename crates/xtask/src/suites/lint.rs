//! What can be said of the sources without running them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Case, Outcome};
use crate::context::Context;
use crate::{process, tools};

const LIMIT: Duration = Duration::from_secs(1200);

/// The licences of deny.toml, for where cargo-deny is not installed.
const LICENCES: [&str; 8] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// The tests.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    let clippy = &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"][..];
    Ok(vec![
        Case::new("lint::format".into(), move || cargo(context, &["fmt", "--check"])),
        Case::new("lint::clippy".into(), move || cargo(context, clippy)),
        Case::new("lint::rustdoc".into(), move || cargo(context, &["doc", "--no-deps", "--workspace"])),
        Case::new("lint::licences-and-sources".into(), move || licences_and_sources(context)),
        Case::new("lint::deny".into(), move || {
            if tools::find("cargo-deny").is_none() && !in_cargo_home("cargo-deny") {
                return Outcome::Skipped("cargo-deny is not installed (cargo install cargo-deny)".into());
            }
            cargo(context, &["deny", "--workspace", "check", "licenses", "bans", "sources"]).into()
        }),
    ])
}

fn in_cargo_home(program: &str) -> bool {
    let home = std::env::var_os("CARGO_HOME").map(std::path::PathBuf::from);
    let home = home.or_else(|| Some(std::path::PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    home.is_some_and(|home| home.join("bin").join(program).is_file())
}

fn cargo(context: &Context, words: &[&str]) -> Result<()> {
    let mut cargo = context.cargo();
    cargo.args(words).env("RUSTDOCFLAGS", "-D warnings");
    let output = process::run(&mut cargo, LIMIT)?;
    ensure!(output.success(), "cargo {} ended with {}:\n{}", words.join(" "), output.end(), output.tail(40));
    Ok(())
}

/// What cargo-deny checks of licences and sources, from `cargo metadata`.
fn licences_and_sources(context: &Context) -> Result<()> {
    let mut cargo = context.cargo();
    cargo.args(["metadata", "--format-version", "1", "--filter-platform", crate::context::TARGET]);
    let output = process::run(&mut cargo, LIMIT)?;
    ensure!(output.success(), "cargo metadata: {}", output.tail(5));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let resolved: std::collections::BTreeSet<&str> = metadata["resolve"]["nodes"]
        .as_array()
        .context("no nodes")?
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    let packages = metadata["packages"].as_array().context("no packages")?;
    let mut wrong = Vec::new();
    for package in packages.iter().filter(|p| p["id"].as_str().is_some_and(|id| resolved.contains(id))) {
        let name = package["name"].as_str().unwrap_or("?");
        let licence = package["license"].as_str().unwrap_or("");
        if !allowed(licence) {
            wrong.push(format!("{name}: licence {licence:?}"));
        }
        // A package of the workspace has none.
        if let Some(source) = package["source"].as_str()
            && source != "registry+https://github.com/rust-lang/crates.io-index"
        {
            wrong.push(format!("{name}: from {source}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Is one alternative of an SPDX expression made of licences on the list? `AND` binds tighter than `OR`.
fn allowed(expression: &str) -> bool {
    let flat = expression.replace('/', " OR ").replace(['(', ')'], "");
    // With a parenthesis around alternatives all of them are looked at, which is stricter.
    let strict = expression.contains('(');
    let known = |licence: &str| LICENCES.contains(&licence.trim());
    let all = |part: &str| part.split(" AND ").all(known);
    if strict { flat.split(" OR ").all(all) } else { flat.split(" OR ").any(all) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "MIT/Apache-2.0",
            "Apache-2.0 WITH LLVM-exception",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
        ] {
            assert!(allowed(good), "{good}");
        }
        for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND GPL-3.0"] {
            assert!(!allowed(bad), "{bad}");
        }
    }

    #[test]
    fn the_list_is_that_of_deny_toml() {
        let file = include_str!("../../../../deny.toml");
        let list = file.split("allow = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
        let listed: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
        assert_eq!(listed, LICENCES);
    }
}
