//! Programs of this workspace that test forearm from outside: a package may declare in its `Cargo.toml`
//!
//! ```toml
//! [[package.metadata.xtask.test]]
//! name = "random"
//! run = ["randomtest", "--count", "20000", "--forearm", "{forearm}"]
//! ```
//!
//! and the binary it names is run from the workspace, with `{forearm}` and `{qemu}` replaced by the two interpreters.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::Case;
use crate::context::Context;
use crate::process;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    metadata: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Declared {
    name: String,
    run: Vec<String>,
}

/// One test per declaration.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    let output = process::run(
        context.cargo().args(["metadata", "--format-version=1", "--no-deps"]),
        Duration::from_secs(60),
    )?;
    ensure!(output.success(), "cargo metadata: {}", output.tail(5));
    let mut cases = Vec::new();
    for declared in declarations(&output.stdout)? {
        let name = format!("programs::{}", declared.name);
        cases.push(Case::new(name, move || run(context, &declared.run)));
    }
    Ok(cases)
}

fn declarations(metadata: &[u8]) -> Result<Vec<Declared>> {
    let metadata: Metadata = serde_json::from_slice(metadata)?;
    let mut all = Vec::new();
    for package in metadata.packages {
        if let Some(tests) = package.metadata.and_then(|m| m.pointer("/xtask/test").cloned()) {
            all.extend(
                serde_json::from_value::<Vec<Declared>>(tests).context("package.metadata.xtask.test")?,
            );
        }
    }
    Ok(all)
}

fn run(context: &Context, words: &[String]) -> Result<()> {
    let [program, arguments @ ..] = words else { anyhow::bail!("an empty command") };
    let path = context.built(program).with_context(|| format!("{program} was not built"))?;
    let mut command = Command::new(path);
    let (forearm, qemu) = (context.forearm(), context.qemu()?);
    let fill = |word: &String| {
        word.replace("{forearm}", &forearm.to_string_lossy()).replace("{qemu}", &qemu.to_string_lossy())
    };
    command.args(arguments.iter().map(fill)).current_dir(&context.workspace);
    let output = process::run(&mut command, Duration::from_secs(600))?;
    ensure!(output.success(), "{} ended with {}:\n{}", words.join(" "), output.end(), output.tail(30));
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn declarations_are_read_from_cargo_metadata() {
        let text = br#"{"packages":[{"metadata":null},{"metadata":{"xtask":{"test":[{"name":"r","run":["x","-n"]}]}}}]}"#;
        let all = super::declarations(text).unwrap();
        assert_eq!((all[0].name.as_str(), all[0].run.join(" ").as_str()), ("r", "x -n"));
    }
}
