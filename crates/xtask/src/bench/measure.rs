//! The hidden command `measure`: runs a program in a root several times and says what each run took. It is this
//! static binary itself that enters the root, so that nothing of the guest's is in the measured path.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::process::{self, Usage};

/// One run of a program.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// Wall-clock seconds.
    pub elapsed: f64,
    /// Processor seconds of it and its children, user and system.
    pub cpu: f64,
    /// Peak resident memory in KiB of the largest process. No less than that of the measuring process, about 3 MiB.
    pub memory: u64,
    /// Hash of its standard output.
    pub output: u64,
}

/// Enters `root` and runs `command` (the words of a program started directly) `runs` times.
pub fn measure(root: &Path, runs: u32, command: &[String]) -> Result<Vec<Sample>> {
    std::os::unix::fs::chroot(root).with_context(|| root.display().to_string())?;
    std::env::set_current_dir("/bench")?;
    let [program, arguments @ ..] = command else { bail!("no program") };
    (0..runs).map(|_| once(program, arguments)).collect()
}

fn once(program: &str, arguments: &[String]) -> Result<Sample> {
    let start = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let mut output = Vec::new();
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_end(&mut output)?;
    }
    let (status, usage) = process::wait(child)?;
    let elapsed = start.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{program} ended with {}", process::describe(status));
    }
    Ok(Sample { elapsed, cpu: usage.cpu.as_secs_f64(), memory: usage.memory, output: hash([&output]) })
}

/// A hash of the parts of an output.
pub fn hash(parts: impl IntoIterator<Item = impl Hash>) -> u64 {
    let mut hash = DefaultHasher::new();
    parts.into_iter().for_each(|part| part.hash(&mut hash));
    hash.finish()
}

impl Sample {
    /// What a command took, with the hash of what came out.
    pub fn of_step(elapsed: Duration, usage: Usage, output: u64) -> Self {
        Self { elapsed: elapsed.as_secs_f64(), cpu: usage.cpu.as_secs_f64(), memory: usage.memory, output }
    }
}
