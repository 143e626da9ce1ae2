//! Debugging with the real gdb-multiarch: core files, and programs attached to.

mod attach;
mod core;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Case;
use crate::context::Context;
use crate::process::{self, Output};

const LIMIT: Duration = Duration::from_secs(60);

/// The tests.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    let dir = context.scratch("gdb")?;
    let mut cases = core::cases(context, &dir)?;
    cases.extend(attach::cases(context, &dir)?);
    Ok(cases)
}

/// Compiles a program of `tests/gdb` with debug information.
fn compile(context: &Context, dir: &Path, name: &str) -> Result<PathBuf> {
    let source = context.workspace.join("tests/gdb").join(name).with_extension("c");
    let out = dir.join(name);
    let mut gcc = Command::new("arm-linux-gnueabihf-gcc");
    gcc.args(["-g", "-O0", "-mfpu=neon", "-pthread", "-static", "-Wall", "-o"]).arg(&out).arg(source);
    let output = process::run(&mut gcc, Duration::from_secs(60))?;
    ensure!(output.success(), "{name} does not compile:\n{}", output.tail(10));
    Ok(out)
}

/// gdb without the user's settings, which stops at the end of its commands.
fn gdb() -> Command {
    let mut gdb = Command::new("gdb-multiarch");
    gdb.args(["-nx", "-batch", "-iex", "set debuginfod enabled off", "-iex", "set auto-load off"]);
    gdb
}

/// What gdb is to do, one after the other.
fn commands(gdb: &mut Command, commands: &[&str]) {
    for command in commands {
        gdb.args(["-ex", command]);
    }
}

/// Checks gdb's output, errors behind it, for each of `wanted`, in this order.
fn expect(output: &Output, wanted: &[&str]) -> Result<()> {
    ensure!(!output.timed_out, "gdb hangs:\n{}", output.tail(40));
    let text = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
    let mut rest = &*text;
    for words in wanted {
        let at = rest.find(words);
        let Some(at) = at else {
            anyhow::bail!("gdb does not say {words:?} here:\n{rest}\nall:\n{}", output.tail(80))
        };
        rest = &rest[at + words.len()..];
    }
    Ok(())
}
