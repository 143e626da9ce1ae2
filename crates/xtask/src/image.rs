//! The image: code that forearm has compiled beforehand and carries in its own file, see `docs/code-cache.md`.
//!
//! forearm is built, runs a list of programs and an installation while it collects what it compiles, and is built again
//! with the collection in it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::bench;
use crate::context::Context;
use crate::debian;
use crate::process;
use crate::sandbox::Sandbox;
use crate::ui::{self, Progress};

/// What is run, a command line each.
const TRAINING: &str = include_str!("../../../benches/training.txt");
/// How often: later rounds find the entries into code that earlier ones have compiled.
const ROUNDS: usize = 3;
/// Blocks whose code is worth most, and is taken.
const BLOCKS: usize = 320_000;
/// Longer than any line of it takes.
const LIMIT: Duration = Duration::from_secs(600);

/// A forearm with an image, and the one without that it was made from.
pub struct Built {
    /// Without.
    pub plain: PathBuf,
    /// With.
    pub whole: PathBuf,
}

/// Builds forearm with an image. What was collected is used again as long as forearm is the same.
pub fn build(context: &Context) -> Result<Built> {
    context.build(None)?;
    let dir = context.target.join("image").join(&context.profile);
    std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
    let (plain, image, whole) = (dir.join("plain"), dir.join("image"), dir.join("forearm"));
    let same = std::fs::read(&plain).ok() == Some(std::fs::read(context.forearm())?);
    if !same || !image.exists() {
        let _ = std::fs::remove_file(&image);
        std::fs::copy(context.forearm(), &plain)?;
        collect(context, &plain, &image)?;
    }
    context.build(Some(&image))?;
    std::fs::copy(context.forearm(), &whole)?;
    Ok(Built { plain, whole })
}

/// Runs the list and an installation, and writes the image of what was compiled.
fn collect(context: &Context, forearm: &Path, image: &Path) -> Result<()> {
    let start = Instant::now();
    let file = image.with_extension("collection");
    std::fs::write(&file, "")?;
    let store = context.store()?;
    let root = bench::arm_root(context, &store)?;
    std::fs::copy(context.workspace.join("benches/training.c"), root.join("bench/training.c"))?;
    let run = |rounds: usize| -> Result<()> {
        let programs = programs();
        let progress = Progress::steps("image", programs.len() * rounds);
        let mut sandbox = Sandbox::new(Some(forearm))?;
        sandbox.train(&file);
        sandbox.prepare_root(&root)?;
        sandbox.bind_training(&root)?;
        for line in (0..rounds).flat_map(|_| &programs) {
            progress.message(line);
            let script = format!("cd /bench; {line}");
            let output = process::run(sandbox.chroot(&root, "/bin/sh").args(["-c", &script]), LIMIT)?;
            ensure!(output.exited(), "{line}: {}", output.end());
            progress.advance();
        }
        drop(sandbox);
        let progress = Progress::steps("image", 5);
        let mut sandbox = Sandbox::new(Some(forearm))?;
        sandbox.train(&file);
        store.install(&sandbox, "armhf", "training", debian::PACKAGES, &progress)?;
        drop(sandbox);
        debian::remove(&store.path("training"))
    };
    // First what is executed how often, then what of it is worth having.
    run(1)?;
    let selection = format!("{BLOCKS}:{}", file.display());
    let output = process::run(std::process::Command::new(forearm).args(["-select", &selection]), LIMIT)?;
    ensure!(output.success(), "{}", output.tail(1));
    run(ROUNDS)?;

    let progress = Progress::spinner("image");
    // Larger than what is collected of other programs.
    let mut command = std::process::Command::new(forearm);
    let part = std::fs::File::create(image)?;
    let status = command.arg("-image").arg(&file).stdout(part).status()?;
    if !status.success() {
        std::fs::remove_file(image)?;
        bail!("forearm -image {} ended with {status}", file.display());
    }
    std::fs::remove_file(&file)?;
    let size = std::fs::metadata(image)?.len() >> 20;
    progress.line(&format!("{size} MiB of compiled code in {}", ui::seconds(start.elapsed())));
    Ok(())
}

/// The command lines; one that ends inside quotes or a here-document goes on in the next line.
fn programs() -> Vec<String> {
    let mut programs: Vec<String> = Vec::new();
    let mut open = false;
    for line in TRAINING.lines().filter(|l| !l.starts_with("# ")) {
        match programs.last_mut() {
            Some(last) if open => *last = format!("{last}\n{line}"),
            _ => programs.push(line.to_owned()),
        }
        open ^= line.matches('\'').count() % 2 == 1;
    }
    programs
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_hold_lines_together() {
        let programs = super::programs();
        assert!(programs.iter().any(|p| p.starts_with("python3 -c 'import json") && p.ends_with('\'')));
        assert!(programs.iter().all(|p| p.matches('\'').count() % 2 == 0));
        assert!(programs.iter().any(|p| p.starts_with("true; ")));
    }
}
