//! Kept code: what processes of a tree share, and an image in the program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Case;
use crate::context::Context;
use crate::process::{self, Output};

const LIMIT: Duration = Duration::from_secs(60);

/// Prints a number that much is computed for; with an argument, starts itself twice, one after the other.
const PROGRAM: &str = r#"
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
__attribute__((noinline)) unsigned work(unsigned n) {
    unsigned x = SEED;
    for (unsigned i = 0; i < n; i++) x = x % 7 ? x * 1664525 + 1013904223 : x / 3 + i;
    return x;
}
int main(int argc, char **argv) {
    if (argc < 2) return printf("%u\n", work(300)) < 0;
    for (int i = 0; i < 2; i++) {
        if (!fork()) execl(argv[0], argv[0], NULL);
        wait(0);
    }
    return 0;
}
"#;

/// The tests.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    let dir = context.scratch("image")?;
    // The same code but for one constant, at the same addresses.
    let [program, other] = ["1", "12345"].map(|seed| compile(&dir, seed));
    let (program, other) = (program?, other?);
    let shared = {
        let program = program.clone();
        Case::new("image::a_tree_shares".into(), move || a_tree_shares(context, &program))
    };
    let carried = Case::new("image::carried".into(), move || carried(context, &dir, &program, &other));
    Ok(vec![shared, carried])
}

fn compile(dir: &Path, seed: &str) -> Result<PathBuf> {
    let (source, program) = (dir.join("program.c"), dir.join(format!("program{seed}")));
    std::fs::write(&source, PROGRAM)?;
    let mut gcc = Command::new("arm-linux-gnueabihf-gcc");
    gcc.args(["-O1", "-static", &format!("-DSEED={seed}"), "-o"]).args([&program, &source]);
    let output = process::run(&mut gcc, LIMIT)?;
    ensure!(output.success(), "gcc: {}", output.tail(5));
    Ok(program)
}

fn run(command: &mut Command) -> Result<Output> {
    let output = process::run(command, LIMIT)?;
    ensure!(output.success(), "{}: {}", output.end(), output.tail(5));
    Ok(output)
}

/// What one child has compiled the next does not compile again.
fn a_tree_shares(context: &Context, program: &Path) -> Result<()> {
    let mut command = Command::new(context.forearm());
    let output =
        run(command.arg(program).arg("twice").envs([("FOREARM_STATS", "1"), ("FOREARM_TIER", "jit")]))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let ends = text
        .split("forearm: statistics of")
        .filter(|part| part.lines().next().is_some_and(|l| l.ends_with("at its exit")));
    let compiled: Vec<u64> = ends
        .flat_map(str::lines)
        .filter_map(|line| line.trim().strip_prefix("regions compiled ")?.trim().parse().ok())
        .collect();
    // The parent ends last.
    ensure!(compiled.len() == 3, "{} statistics:\n{text}", compiled.len());
    ensure!(compiled[0] > 0 && compiled[1] < compiled[0] / 10, "regions of the children: {compiled:?}");
    Ok(())
}

/// Code collected from a run is in the program built with it, is used, and only for the same guest code.
fn carried(context: &Context, dir: &Path, program: &Path, other: &Path) -> Result<()> {
    let plain = dir.join("plain");
    std::fs::copy(context.forearm(), &plain)?;
    let (file, image, whole) = (dir.join("collection"), dir.join("image"), dir.join("whole"));
    let train = || run(Command::new(&plain).arg(program).env("FOREARM_TRAIN", &file));
    train()?;
    run(Command::new(&plain).arg("-select").arg(format!("100000:{}", file.display())))?;
    train()?;
    train()?;
    let output = run(Command::new(&plain).arg("-image").arg(&file))?;
    ensure!(output.stdout.len() > 8192, "an image of {} bytes", output.stdout.len());
    std::fs::write(&image, &output.stdout)?;
    context.build(Some(&image))?;
    std::fs::copy(context.forearm(), &whole)?;
    context.build(None)?;

    let log = dir.join("log");
    // Without the image few loops of so short a run are compiled, by the baseline compiler.
    for (forearm, used) in [(&plain, false), (&whole, true)] {
        for program in [program, other] {
            let _ = std::fs::remove_file(&log);
            let expected = run(Command::new(context.qemu()?).arg(program))?.stdout;
            let mut command = Command::new(forearm);
            let got = run(command.args(["-d", "out_asm", "-D"]).arg(&log).arg(program))?.stdout;
            ensure!(got == expected, "{} under {}", program.display(), forearm.display());
            let regions = std::fs::read_to_string(&log)?.matches("OUT:").count();
            ensure!(
                (regions > 100) == used,
                "{regions} regions of {} under {}",
                program.display(),
                forearm.display()
            );
        }
    }
    Ok(())
}
