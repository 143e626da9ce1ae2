//! Guest programs: each file of `tests/guest` is compiled for ARM, run under forearm in each tier, and must print
//! and end as under the oracle.
//!
//! Comment lines at the head of a file, `// key: value`, say how:
//!
//! - `run: dynamic`: linked dynamically and started with `-L` (default: static)
//! - `cflags: ...`, `ldflags: ...`: for the compiler, before and after the file
//! - `args: ...`: for the program
//! - `oracle: none (reason)`: the oracle is wrong or has no answer; standard output is compared with `NAME.expected`
//! - `end: status 3`, `end: signal 11`: how it ends without the oracle (default: `status 0`)
//! - `modes: default`: slow, so only in the default tier policy
//! - `privileges: none`: run without capabilities, as an ordinary user is
//! - `stderr: any`: it may write to standard error
//! - `limit: 60`: the time limit in seconds (default: 30)

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::Case;
use crate::context::Context;
use crate::process;
use crate::tools;

/// Where the cross-compiler's libraries are, for dynamic programs.
const SYSROOT: &str = "/usr/arm-linux-gnueabihf";

/// The tier policies, as values of `$FOREARM_TIER`.
const MODES: [Option<&str>; 4] = [None, Some("interp"), Some("baseline"), Some("jit")];

/// A source file and what its head says.
struct Program {
    name: String,
    source: PathBuf,
    head: Head,
    /// Where it is built and run.
    dir: PathBuf,
    /// The compiled program and what it should do, worked out by the first test that needs it.
    prepared: OnceLock<Result<(PathBuf, Expected), String>>,
}

#[derive(Debug, PartialEq)]
struct Head {
    dynamic: bool,
    cflags: Vec<String>,
    ldflags: Vec<String>,
    args: Vec<String>,
    oracle: bool,
    end: String,
    all_modes: bool,
    any_stderr: bool,
    unprivileged: bool,
    limit: Duration,
}

struct Expected {
    stdout: Vec<u8>,
    end: String,
}

/// One test per program and tier policy.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    let dir = context.workspace.join("tests/guest");
    let scratch = context.scratch("guest")?;
    let mut sources: Vec<PathBuf> = std::fs::read_dir(&dir)
        .with_context(|| dir.display().to_string())?
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| ["c", "S", "cc"].iter().any(|x| e == *x)))
        .collect();
    sources.sort();
    let mut cases = Vec::new();
    for source in sources {
        let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let head =
            Head::parse(&std::fs::read_to_string(&source)?).with_context(|| source.display().to_string())?;
        let modes = if head.all_modes { &MODES[..] } else { &MODES[..1] };
        let dir = scratch.join(&name);
        let program = Arc::new(Program { name, source, head, dir, prepared: OnceLock::new() });
        for &mode in modes {
            let program = program.clone();
            let name = format!("guest::{}::{}", program.name, mode.unwrap_or("default"));
            cases.push(Case::new(name, move || program.test(context, mode)));
        }
    }
    Ok(cases)
}

impl Head {
    fn parse(text: &str) -> Result<Self> {
        let mut head = Self {
            dynamic: false,
            cflags: Vec::new(),
            ldflags: Vec::new(),
            args: Vec::new(),
            oracle: true,
            end: "status 0".to_owned(),
            all_modes: true,
            any_stderr: false,
            unprivileged: false,
            limit: Duration::from_secs(30),
        };
        let words = |value: &str| value.split_whitespace().map(str::to_owned).collect();
        for line in text.lines().take_while(|l| l.starts_with("//")) {
            let Some((key, value)) = line.trim_start_matches('/').trim().split_once(": ") else { continue };
            match (key, value.trim()) {
                ("run", "dynamic") => head.dynamic = true,
                ("run", "static") => {}
                ("cflags", v) => head.cflags = words(v),
                ("ldflags", v) => head.ldflags = words(v),
                ("args", v) => head.args = words(v),
                ("oracle", v) if v.starts_with("none (") => head.oracle = false,
                ("end", v) => head.end = v.to_owned(),
                ("modes", "default") => head.all_modes = false,
                ("modes", "all") => {}
                ("privileges", "none") => head.unprivileged = true,
                ("stderr", "any") => head.any_stderr = true,
                ("limit", v) => head.limit = Duration::from_secs(v.parse()?),
                ("run" | "oracle" | "modes" | "stderr" | "privileges", v) => {
                    bail!("`{key}: {v}` is not known")
                }
                _ => {}
            }
        }
        Ok(head)
    }
}

impl Program {
    fn test(&self, context: &Context, mode: Option<&str>) -> Result<()> {
        let prepared = self.prepared.get_or_init(|| self.prepare(context).map_err(|e| format!("{e:#}")));
        let (binary, expected) = prepared.as_ref().map_err(|e| anyhow::anyhow!("{e}"))?;
        let output = self.run(&context.forearm(), binary, mode)?;
        ensure!(
            output.end() == expected.end,
            "{}, expected {}\n{}",
            output.end(),
            expected.end,
            output.tail(12)
        );
        if output.stdout != expected.stdout {
            let (ours, theirs) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&expected.stdout));
            bail!("standard output differs\n{}", first_difference(&ours, &theirs));
        }
        if !self.head.any_stderr {
            ensure!(
                output.stderr.is_empty(),
                "wrote to standard error: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    }

    fn prepare(&self, context: &Context) -> Result<(PathBuf, Expected)> {
        std::fs::create_dir_all(&self.dir)?;
        let binary = self.dir.join(&self.name);
        let compiler = if self.source.extension().is_some_and(|e| e == "cc") { "g++" } else { "gcc" };
        let mut compile = Command::new(format!("arm-linux-gnueabihf-{compiler}"));
        compile.args(["-O1", "-Wall", "-o"]).arg(&binary);
        if !self.head.dynamic {
            compile.arg("-static");
        }
        compile.args(&self.head.cflags).arg(&self.source).args(&self.head.ldflags);
        let output = process::run(&mut compile, Duration::from_secs(120))?;
        ensure!(output.success(), "does not compile:\n{}", output.tail(20));
        let expected = if self.head.oracle {
            let qemu = context.qemu()?;
            let mut output = self.run(&qemu, &binary, None)?;
            if output.timed_out {
                // It has races of its own: a program that waits forever in it once usually ends the next time.
                output = self.run(&qemu, &binary, None)?;
            }
            ensure!(!output.timed_out, "the oracle hangs");
            Expected { end: output.end(), stdout: output.stdout }
        } else {
            let file = self.source.with_extension("expected");
            let stdout = std::fs::read(&file).with_context(|| file.display().to_string())?;
            Expected { end: self.head.end.clone(), stdout }
        };
        Ok((binary, expected))
    }

    /// Runs the program in a fresh directory with a small, fixed environment.
    fn run(&self, interpreter: &Path, binary: &Path, mode: Option<&str>) -> Result<process::Output> {
        let who = interpreter.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let dir = self.dir.join(format!("{who}-{}", mode.unwrap_or("default")));
        std::fs::create_dir_all(&dir)?;
        let mut command = if self.head.unprivileged && tools::is_root() {
            let mut setpriv = Command::new("setpriv");
            setpriv.args(["--inh-caps=-all", "--bounding-set=-all", "--"]).arg(interpreter);
            setpriv
        } else {
            Command::new(interpreter)
        };
        if self.head.dynamic {
            command.args(["-L", SYSROOT]);
        }
        command.arg(binary).args(&self.head.args).current_dir(&dir).env_clear();
        command.envs([("PATH", "/usr/bin:/bin"), ("HOME", "/"), ("LC_ALL", "C"), ("TZ", "UTC")]);
        if let Some(tier) = mode {
            command.env("FOREARM_TIER", tier);
        }
        process::run(&mut command, self.head.limit)
    }
}

/// The first line where two texts part, in diff's notation.
fn first_difference(ours: &str, theirs: &str) -> String {
    let (mut a, mut b) = (ours.lines(), theirs.lines());
    for number in 1.. {
        match (a.next(), b.next()) {
            (None, None) => break,
            (ours, theirs) if ours != theirs => {
                let show = |line: Option<&str>| {
                    line.map_or("(the end)".to_owned(), |l| l.chars().take(200).collect())
                };
                return format!("line {number}:\n< {}\n> {}", show(ours), show(theirs));
            }
            _ => {}
        }
    }
    "only in line ends".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_read_up_to_the_first_line_of_code() {
        let text = "// What it is: a test.\n// run: dynamic\n// cflags: -pthread -O2\n// oracle: none (wrong pc)\n\
                    // end: signal 11\n// modes: default\n// limit: 5\nint x;\n// args: no\n";
        let head = Head::parse(text).unwrap();
        assert!(head.dynamic && !head.oracle && !head.all_modes && head.args.is_empty());
        assert_eq!(
            (head.cflags.len(), head.end.as_str(), head.limit),
            (2, "signal 11", Duration::from_secs(5))
        );
        assert!(Head::parse("// oracle: none\n").is_err(), "a reason is wanted");
    }

    #[test]
    fn differences_name_the_line() {
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), "line 2:\n< b\n> c");
        assert_eq!(first_difference("a\n", "a\nc\n"), "line 2:\n< (the end)\n> c");
    }
}
