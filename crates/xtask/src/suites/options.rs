//! The options of docs/compatibility.md, each by its word and by its environment variable, with good and bad values; and
//! what looks inside: the log, statistics, perf.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::{Case, Outcome};
use crate::context::Context;
use crate::process::{self, Output};
use crate::tools;

const LIMIT: Duration = Duration::from_secs(60);

/// Prints what options change. Its work is enough to be compiled under `FOREARM_TIER=jit`.
const PROBE: &str = r#"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
__attribute__((noinline)) unsigned work(unsigned n) {
    unsigned x = 1;
    double d = 0;
    for (unsigned i = 0; i < n; i++) { x = x * 1664525 + 1013904223; if (x & 4) d += x; }
    return x ^ (unsigned)(long long)d;
}
int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    struct utsname u;
    uname(&u);
    if (!strcmp(what, "env")) for (char **e = environ; *e; e++) puts(*e);
    if (!strcmp(what, "args")) for (int i = 0; i < argc; i++) puts(argv[i]);
    if (!strcmp(what, "uname")) printf("%s %s\n", u.release, u.machine);
    if (!strcmp(what, "auxv")) printf("%lx %lx %s\n", getauxval(AT_HWCAP), getauxval(AT_HWCAP2), (char *)getauxval(AT_PLATFORM));
    if (!strcmp(what, "random")) for (int i = 0; i < 16; i++) printf("%02x", ((unsigned char *)getauxval(AT_RANDOM))[i]);
    if (!strcmp(what, "file")) {
        char line[400];
        FILE *f = fopen(argv[2], "r");
        while (f && fgets(line, sizeof line, f)) fputs(line, stdout);
    }
    if (!strcmp(what, "work")) printf("%u\n", work(20000));
    if (!strcmp(what, "fork")) { if (!fork()) _exit(3); wait(0); }
    if (!strcmp(what, "abort")) abort();
    if (!strcmp(what, "kill")) kill(getpid(), SIGTERM);
    if (!strcmp(what, "exec")) execl(argv[0], argv[0], argv[2], NULL);
    fflush(stdout);
    return 0;
}
"#;

/// Rounds of the loop in [`TRACED`], and the instructions that it executes altogether.
const ROUNDS: u64 = 1000;
const TRACED_INSTRUCTIONS: u64 = 14 + 2 + 3 * ROUNDS + 4 + 2 + 3;

/// A program whose every register is known from its second block on, but for the stack pointer.
const TRACED: &str = r#"
.syntax unified
.arm
.global _start
_start:
    mov r0, #0; mov r1, #0; mov r2, #0; mov r3, #0; mov r4, #0; mov r5, #0; mov r6, #0
    mov r8, #0; mov r9, #0; mov r10, #0; mov r11, #0; mov r12, #0; mov r7, #0
    b 1f
1:  mov r1, #1000
    vmov.f64 d1, #1.0
2:  add r0, r0, r1
    subs r1, r1, #1
    bne 2b
    vadd.f64 d2, d1, d1
    adds r2, r0, r0, lsl #12
    vcvt.s32.f64 s6, d2
    bl function
    mov r0, #0
    mov r7, #1
    svc #0
.type function, %function
function:
    rsbs r3, r2, #3
    bx lr
.size function, . - function
"#;

/// The tests.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    let dir = context.scratch("options")?;
    let document = std::fs::read_to_string(context.workspace.join("docs/compatibility.md"))?;
    let rows = rows(&document)?;
    let mut cases = vec![Case::new("options::build".into(), {
        let dir = dir.clone();
        move || build(&dir)
    })];
    let words: Vec<String> = rows.iter().map(|r| r.word.clone()).collect();
    cases.push(Case::new("options::every-check-is-in-the-table".into(), move || {
        let known = |word: &str| words.iter().any(|w| w == word);
        let stray: Vec<_> = CHECKS.iter().map(|c| c.0).filter(|word| !known(word)).collect();
        ensure!(stray.is_empty(), "not in docs/compatibility.md: {stray:?}");
        Ok(())
    }));
    for row in rows {
        let dir = dir.clone();
        cases.push(Case::new(format!("options::{}", row.word), move || check(context, &dir, &row)));
    }
    let mut add = |name: &str, run: fn(&Context, &Path) -> Outcome| {
        let dir = dir.clone();
        cases.push(Case::new(format!("options::{name}"), move || run(context, &dir)));
    };
    add("names", |c, d| names(c, d).into());
    add("set-user-id", set_user_id);
    add("inherited", |c, d| inherited(c, d).into());
    add("log-items", |c, d| log_items(c, d).into());
    add("log-as-the-oracle", |c, d| log_as_the_oracle(c, d).into());
    add("statistics", |c, d| statistics(c, d).into());
    add("statistics-at-every-end", |c, d| statistics_at_every_end(c, d).into());
    add("switches", |c, d| switches(c, d).into());
    add("own-variables", |c, d| own_variables(c, d).into());
    Ok(cases)
}

/// A row of the table.
struct Row {
    word: String,
    has_argument: bool,
    env: Option<String>,
    state: String,
}

fn rows(document: &str) -> Result<Vec<Row>> {
    let table = document.split("<!-- options -->").nth(1).context("docs/compatibility.md has no table")?;
    let rows = table.lines().filter(|l| l.starts_with("| `-")).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [option, env, _, state] = cells[..] else { bail!("not four cells: {line}") };
        let (word, argument) = option.trim_matches('`').trim_start_matches('-').split_once(' ').map_or_else(
            || (option.trim_matches('`').trim_start_matches('-'), ""),
            |(word, argument)| (word, argument),
        );
        Ok(Row {
            word: word.to_owned(),
            has_argument: !argument.is_empty(),
            env: Some(env.trim_matches('`').to_owned()).filter(|e| !e.is_empty()),
            state: state.to_owned(),
        })
    });
    rows.collect()
}

/// Builds the programs, once: the first case to come here does it.
fn build(dir: &Path) -> Result<()> {
    static BUILT: std::sync::Mutex<bool> = std::sync::Mutex::new(false);
    let mut built = BUILT.lock().unwrap_or_else(|e| e.into_inner());
    if *built {
        return Ok(());
    }
    let gcc = |name: &str, source: &str, extension: &str, flags: &[&str]| -> Result<()> {
        let (file, out) = (dir.join(name).with_extension(extension), dir.join(name));
        std::fs::write(&file, source)?;
        let mut gcc = Command::new("arm-linux-gnueabihf-gcc");
        let output = process::run(gcc.args(flags).arg("-o").arg(&out).arg(&file), LIMIT)?;
        ensure!(output.success(), "{name} does not compile:\n{}", output.tail(10));
        Ok(())
    };
    gcc("probe", PROBE, "c", &["-O1", "-static"])?;
    gcc("dynamic", PROBE, "c", &["-O1"])?;
    gcc("traced", TRACED, "S", &["-nostdlib", "-static", "-mfpu=neon-vfpv4"])?;
    *built = true;
    Ok(())
}

/// An option given by its word or by its variable.
struct Given<'a> {
    context: &'a Context,
    dir: &'a Path,
    row: &'a Row,
    by_variable: bool,
}

impl Given<'_> {
    /// Runs `program` with the option set to `value`, behind other options.
    fn run(&self, value: &str, before: &[&str], program: &[&str]) -> Result<Output> {
        let mut command = Command::new(self.context.forearm());
        command.current_dir(self.dir).args(before);
        match &self.row.env {
            Some(env) if self.by_variable => {
                command.env(env, value);
            }
            _ => {
                command.arg(format!("-{}", self.row.word));
                if self.row.has_argument {
                    command.arg(value);
                }
            }
        }
        process::run(command.args(program).env("TEST_HOME", "/"), LIMIT)
    }

    /// As [`run`](Self::run) with `./probe`; its standard output.
    fn probe(&self, value: &str, before: &[&str], what: &str) -> Result<String> {
        let output = self.run(value, before, &["./probe", what])?;
        ensure!(output.success(), "{value}: {}: {}", output.end(), output.tail(3));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// As [`probe`](Self::probe); the log on standard error.
    fn log(&self, value: &str, before: &[&str], what: &str) -> Result<String> {
        let output = self.run(value, before, &["./probe", what])?;
        ensure!(output.success(), "{value}: {}: {}", output.end(), output.tail(3));
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Does an option that works do its work?
type Check = fn(&Given<'_>) -> Result<()>;

/// Options with what they do and with values that they refuse. `g` is tested with a real gdb, in a suite of its own.
const CHECKS: &[(&str, Check, &[&str])] = &[
    ("h", |g| prints(g, "usage: forearm"), &[]),
    ("help", |g| prints(g, "usage: forearm"), &[]),
    ("version", |g| prints(g, "forearm "), &[]),
    ("g", |_| Ok(()), &[""]),
    ("L", sysroot, &[""]),
    ("s", stack, &["0", "x", "1T", "2G"]),
    ("cpu", cpu, &["z80", "cortex-m4", ""]),
    ("E", |g| variables(g, "TEST_A=1,TEST_B=2=3", &["TEST_A=1", "TEST_B=2=3"], &[]), &["NAME", "=1", ""]),
    ("U", |g| variables(g, "TEST_HOME,NONE", &[], &["TEST_HOME"]), &["A=1", ""]),
    ("0", |g| same(&g.probe("zero", &[], "args")?, "zero\nargs\n"), &[]),
    ("r", |g| same(&g.probe("5.4.0-test", &[], "uname")?, "5.4.0-test armv7l\n"), &[]),
    ("B", guest_base, &["x", "-1"]),
    ("R", |g| g.probe("0xf7000000", &[], "").map(drop), &["5", "5G", "x"]),
    ("t", |g| g.probe("32 40 4,40 33 1", &[], "").map(drop), &["1 2 3", "32 32", "32 33 99"]),
    ("d", |g| has(&g.log("in_asm", &[], "")?, "IN: main"), &["nonsense", "", "tid"]),
    ("dfilter", filter, &["5", "0x10+0", "9..8", ""]),
    ("D", log_file, &["", "%s", "%d%d", "/no/such/directory/log"]),
    ("p", |g| g.probe("65536", &[], "").map(drop), &["5000", "0", "x"]),
    ("one-insn-per-tb", one_instruction, &[]),
    ("singlestep", one_instruction, &[]),
    ("tb-size", |g| g.probe("32", &[], "").map(drop), &["x"]),
    ("strace", |g| has(&g.log("1", &[], "args")?, "exit_group(0)"), &[]),
    ("seed", seed, &["x", "-1"]),
    ("perfmap", perf_map, &[]),
    ("jitdump", jitdump, &[]),
];

fn check(context: &Context, dir: &Path, row: &Row) -> Result<()> {
    build(dir)?;
    let ways = [false, true];
    for by_variable in ways.into_iter().filter(|by_variable| !by_variable || row.env.is_some()) {
        let given = Given { context, dir, row, by_variable };
        let way = if by_variable { "by its variable" } else { "by its word" };
        check_given(&given).with_context(|| way.to_owned())?;
    }
    Ok(())
}

fn check_given(given: &Given<'_>) -> Result<()> {
    let row = given.row;
    if let Some(why) = row.state.strip_prefix("refused: ") {
        let output = given.run("x", &[], &["./probe", "args"])?;
        return refused(&output, why);
    }
    let known = row.state == "works" || row.state.starts_with("checked, no effect: ");
    ensure!(known, "unknown state '{}'", row.state);
    let check = CHECKS.iter().find(|c| c.0 == row.word);
    let (_, check, bad) = check.with_context(|| format!("-{} has no test", row.word))?;
    check(given)?;
    for value in *bad {
        let output = given.run(value, &[], &["./probe", "args"])?;
        refused(&output, value).with_context(|| format!("value '{value}'"))?;
    }
    Ok(())
}

/// One line on standard error that has `words`, status 1, and nothing else.
fn refused(output: &Output, words: &str) -> Result<()> {
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(1), "{}, expected status 1: {text}", output.end());
    ensure!(output.stdout.is_empty(), "writes to standard output");
    ensure!(text.lines().count() == 1, "expected one line, got:\n{text}");
    ensure!(text.contains(words), "does not say '{words}': {text}");
    Ok(())
}

fn has(text: &str, words: &str) -> Result<()> {
    ensure!(text.contains(words), "'{words}' is missing in:\n{}", &text[..text.floor_char_boundary(2000)]);
    Ok(())
}

fn same(text: &str, expected: &str) -> Result<()> {
    ensure!(text == expected, "expected {expected:?}, got {text:?}");
    Ok(())
}

fn prints(g: &Given<'_>, words: &str) -> Result<()> {
    let output = g.run("1", &[], &["./probe", "args"])?;
    ensure!(output.success() && output.stderr.is_empty(), "{}: {}", output.end(), output.tail(3));
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(text.starts_with(words) && !text.contains("./probe\n"), "prints {text}");
    Ok(())
}

fn sysroot(g: &Given<'_>) -> Result<()> {
    let output = g.run("/usr/arm-linux-gnueabihf", &[], &["./dynamic", "args"])?;
    ensure!(output.success(), "{}: {}", output.end(), output.tail(3));
    same(&String::from_utf8_lossy(&output.stdout), "./dynamic\nargs\n")
}

fn stack(g: &Given<'_>) -> Result<()> {
    for (value, bytes) in [("1M", 1 << 20), ("0x300000", 3 << 20), ("512k", 512 << 10)] {
        let output = g.run(value, &[], &["./probe", "file", "/proc/self/maps"])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find(|l| l.ends_with("[stack]")).context("no stack in maps")?;
        let (start, end) = line.split(' ').next().and_then(|r| r.split_once('-')).context("no range")?;
        let size = u64::from_str_radix(end, 16)? - u64::from_str_radix(start, 16)?;
        ensure!(size == bytes, "{value}: a stack of {size} bytes");
    }
    Ok(())
}

fn cpu(g: &Given<'_>) -> Result<()> {
    for (model, auxv, machine) in [
        ("max", "37b0d7 1f v7l\n", "armv7l"),
        ("cortex-a53", "37b0d7 1f v7l\n", "armv7l"),
        ("cortex-a7", "3fb0d7 0 v7l\n", "armv7l"),
        ("cortex-a15", "3fb0d7 0 v7l\n", "armv7l"),
        ("arm1176", "80d7 0 v6l\n", "armv6l"),
    ] {
        // Bit 19 (vfpd32) and 21 (evtstrm) may differ between models of one architecture: what counts is the rest.
        let mask = |text: &str| -> Result<(u64, String)> {
            let (hwcap, rest) = text.split_once(' ').context("no hwcap")?;
            Ok((u64::from_str_radix(hwcap, 16)? & !(1 << 19 | 1 << 21), rest.to_owned()))
        };
        let seen = g.probe(model, &[], "auxv")?;
        ensure!(mask(&seen)? == mask(auxv)?, "{model}: hwcap, hwcap2 and platform are {seen}");
        let uname = g.probe(model, &[], "uname")?;
        ensure!(uname.trim_end().ends_with(machine), "{model}: uname says {uname}");
        let output = g.run(model, &[], &["./probe", "file", "/proc/cpuinfo"])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let features = text.lines().find(|l| l.starts_with("Features")).context("no Features line")?;
        for (feature, from) in [(" neon", 7), (" thumb", 6), (" sha2", 8)] {
            let level = if auxv.contains(" 1f ") {
                8
            } else if machine == "armv7l" {
                7
            } else {
                6
            };
            ensure!(features.contains(feature) == (level >= from), "{model}: {features}");
        }
    }
    prints_list(g, "cortex-a53")
}

fn prints_list(g: &Given<'_>, words: &str) -> Result<()> {
    let output = g.run("help", &[], &[])?;
    ensure!(output.success(), "help: {}", output.end());
    has(&String::from_utf8_lossy(&output.stdout), words)
}

fn variables(g: &Given<'_>, value: &str, set: &[&str], unset: &[&str]) -> Result<()> {
    let text = g.probe(value, &[], "env")?;
    let env: Vec<&str> = text.lines().collect();
    for line in set {
        ensure!(env.contains(line), "{line} is missing");
    }
    for name in unset {
        ensure!(!env.iter().any(|l| l.split('=').next() == Some(name)), "{name} is there");
    }
    Ok(())
}

fn guest_base(g: &Given<'_>) -> Result<()> {
    has(&g.log("0x100000000000", &["-d", "page"], "")?, "guest_base  0x100000000000\n")
}

fn filter(g: &Given<'_>) -> Result<()> {
    let all = g.log("0..0xffffffff", &["-d", "in_asm"], "")?;
    let main = all.split("IN: main\n0x").nth(1).and_then(|t| t.get(..8)).context("no main")?;
    for range in [format!("0x{main}+4"), format!("0x{main}-1"), format!("0..1,0x{main}..0x{main}")] {
        let some = g.log(&range, &["-d", "in_asm"], "")?;
        ensure!(some.matches("IN: ").count() == 1 && some.contains("IN: main\n"), "{range} shows {some}");
    }
    Ok(())
}

fn log_file(g: &Given<'_>) -> Result<()> {
    let at = g.dir.join(format!("logs.{}", g.by_variable));
    if at.exists() {
        std::fs::remove_dir_all(&at)?;
    }
    std::fs::create_dir_all(&at)?;
    let name = at.join("log.%d");
    let output =
        g.run(&name.to_string_lossy(), &["-d", "in_asm", "-strace"], &["./probe", "exec", "args"])?;
    ensure!(output.success() && output.stderr.is_empty(), "{}: {}", output.end(), output.tail(3));
    let mut files = std::fs::read_dir(&at)?.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
    ensure!(files.len() == 1, "{} files", files.len());
    let file = files.remove(0);
    let number = file.extension().and_then(|e| e.to_str()).unwrap_or_default();
    ensure!(number.parse::<u32>().is_ok(), "{}", file.display());
    // What the program executes writes there too.
    let text = std::fs::read_to_string(&file)?;
    ensure!(text.matches("IN: _start\n").count() == 2, "_start is not there twice");
    has(&text, "exit_group(0)")
}

fn one_instruction(g: &Given<'_>) -> Result<()> {
    let text = g.log("1", &["-d", "in_asm"], "")?;
    let blocks: Vec<usize> =
        text.split("IN: ").skip(1).map(|b| b.lines().filter(|l| l.starts_with("0x")).count()).collect();
    ensure!(blocks.len() > 1000 && blocks.iter().all(|&n| n == 1), "blocks of {:?}", blocks.iter().max());
    Ok(())
}

fn seed(g: &Given<'_>) -> Result<()> {
    let maps = |value| -> Result<String> {
        let output = g.run(value, &[], &["./probe", "file", "/proc/self/maps"])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().filter(|l| l.ends_with(']')).collect::<Vec<_>>().join("\n"))
    };
    let random = |value| g.probe(value, &[], "random");
    ensure!(random("7")? == random("7")?, "AT_RANDOM differs under one seed");
    ensure!(random("7")? != random("8")?, "AT_RANDOM is the same under two seeds");
    let (first, second) = (maps("7")?, maps("7")?);
    ensure!(first == second, "the layout differs under one seed:\n{first}\n{second}");
    Ok(())
}

/// Runs the probe with everything compiled, so that there is something to see; the number of its process.
fn run_jit(g: &Given<'_>) -> Result<u32> {
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$; exec env FOREARM_TIER=jit \"$@\"", "sh"]).current_dir(g.dir);
    match &g.row.env {
        Some(env) if g.by_variable => command.arg(format!("{env}=1")).arg(g.context.forearm()),
        _ => command.arg(g.context.forearm()).arg(format!("-{}", g.row.word)),
    };
    let output = process::run(command.args(["./probe", "work"]), LIMIT)?;
    ensure!(output.success(), "{}: {}", output.end(), output.tail(3));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().next().unwrap_or_default().parse()?)
}

fn perf_map(g: &Given<'_>) -> Result<()> {
    let path = format!("/tmp/perf-{}.map", run_jit(g)?);
    let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    std::fs::remove_file(&path)?;
    let mut end = 0;
    let mut names = Vec::new();
    for line in text.lines() {
        let [start, size, name] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { bail!("line {line}") };
        let (start, size) = (u64::from_str_radix(start, 16)?, u64::from_str_radix(size, 16)?);
        ensure!(size > 0 && start >= end, "{line}: overlaps the one before");
        end = start + size;
        names.push(name);
    }
    ensure!(names.contains(&"main"), "main is missing");
    ensure!(names.iter().any(|n| n.starts_with("work+0x")), "no region within work");
    Ok(())
}

fn jitdump(g: &Given<'_>) -> Result<()> {
    let pid = run_jit(g)?;
    let path = g.dir.join(format!("jit-{pid}.dump"));
    let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
    std::fs::remove_file(&path)?;
    let word = |at: usize| -> Result<u32> {
        let word = bytes.get(at..at + 4).context("the file is cut short")?;
        Ok(u32::from_ne_bytes(word.try_into()?))
    };
    let long = |at: usize| -> Result<u64> { Ok(u64::from(word(at)?) | u64::from(word(at + 4)?) << 32) };
    ensure!((word(0)?, word(4)?, word(12)?) == (0x4a69_5444, 1, 62), "not a jitdump of x86-64");
    ensure!(word(20)? == pid, "it says process {}", word(20)?);
    let (mut at, mut time, mut names) = (word(8)? as usize, 0, Vec::new());
    while at < bytes.len() {
        let (kind, size, stamp) = (word(at)?, word(at + 4)? as usize, long(at + 8)?);
        ensure!(kind == 0 && stamp >= time, "record {} of kind {kind} at time {stamp}", names.len());
        ensure!(long(at + 48)? == names.len() as u64, "the records are not counted");
        let record = bytes.get(at..at + size).context("a record is cut short")?;
        let length = long(at + 40)? as usize;
        let name = &record[56..size - length - 1];
        ensure!(long(at + 24)? == long(at + 32)? && length > 0 && record[56 + name.len()] == 0, "bad record");
        names.push(String::from_utf8_lossy(name).into_owned());
        (at, time) = (at + size, stamp);
    }
    ensure!(names.iter().any(|n| n == "main"), "main is missing among {} names", names.len());
    ensure!(names.iter().any(|n| n.starts_with("work+0x")), "no region within work");
    Ok(())
}

/// QEMU's names for the program.
fn names(context: &Context, dir: &Path) -> Result<()> {
    build(dir)?;
    for name in ["qemu-arm-static", "qemu-arm", "qemu-armhf", "arm-binfmt-P"] {
        let link = dir.join(name);
        if !link.exists() {
            std::os::unix::fs::symlink(context.forearm(), &link)?;
        }
        let run =
            |arguments: &[&str]| process::run(Command::new(&link).args(arguments).current_dir(dir), LIMIT);
        if name == "arm-binfmt-P" {
            let output = run(&["./probe", "-called", "args"])?;
            same(&String::from_utf8_lossy(&output.stdout), "-called\nargs\n")?;
            refused(&run(&["./probe"])?, "arm-binfmt-P: ")?;
        } else {
            let output = run(&["-version"])?;
            has(&String::from_utf8_lossy(&output.stdout), "qemu-arm version ")?;
            refused(&run(&["-no-such", "./probe"])?, &format!("{name}: unknown option -no-such"))?;
            let output = run(&["-0", "called", "./probe", "args"])?;
            same(&String::from_utf8_lossy(&output.stdout), "called\nargs\n")?;
        }
    }
    Ok(())
}

/// A set-user-id copy of forearm, run by somebody else.
fn set_user_id(context: &Context, dir: &Path) -> Outcome {
    if !tools::is_root() {
        return Outcome::Skipped("needs root".into());
    }
    let test = || -> Result<Option<String>> {
        build(dir)?;
        // The caller may have no way through the directories above.
        let at = std::env::temp_dir().join(format!("forearm-setuid-{}", std::process::id()));
        std::fs::create_dir_all(&at)?;
        std::fs::set_permissions(&at, PermissionsExt::from_mode(0o755))?;
        let (copy, probe) = (at.join("forearm"), at.join("probe"));
        std::fs::copy(context.forearm(), &copy)?;
        std::fs::copy(dir.join("probe"), &probe)?;
        std::fs::set_permissions(&probe, PermissionsExt::from_mode(0o755))?;
        let run = |mode: u32| {
            std::fs::set_permissions(&copy, PermissionsExt::from_mode(mode))?;
            let mut command = Command::new(&copy);
            command.env("QEMU_STRACE", "1").env("FOREARM_STATS", "1").env("QEMU_CPU", "no-such").uid(65534);
            process::run(command.args(["-cpu", "max"]).arg(&probe).arg("env").current_dir("/"), LIMIT)
        };
        let (plain, secure) = (run(0o755), run(0o4755));
        std::fs::remove_dir_all(&at)?;
        refused(&plain?, "no-such")?;
        let secure = secure?;
        let text = String::from_utf8_lossy(&secure.stdout).into_owned();
        if secure.status.code() == Some(1) && String::from_utf8_lossy(&secure.stderr).contains("no-such") {
            return Ok(Some("set-user-id files have no effect here (nosuid)".into()));
        }
        ensure!(secure.success() && secure.stderr.is_empty(), "{}: {}", secure.end(), secure.tail(3));
        ensure!(!text.contains("QEMU_") && !text.contains("FOREARM_"), "the program sees {text}");
        has(&text, "PATH=")?;
        Ok(None)
    };
    match test() {
        Ok(Some(why)) => Outcome::Skipped(why),
        Ok(None) => Outcome::Passed,
        Err(e) => Outcome::Failed(format!("{e:#}")),
    }
}

/// What a program executes has the same options.
fn inherited(context: &Context, dir: &Path) -> Result<()> {
    build(dir)?;
    let run = |options: &[&str], program: &[&str]| -> Result<Output> {
        let mut command = Command::new(context.forearm());
        let output = process::run(command.args(options).args(program).current_dir(dir), LIMIT)?;
        ensure!(output.success(), "{options:?}: {}: {}", output.end(), output.tail(3));
        Ok(output)
    };
    let options = ["-cpu", "arm1176", "-r", "4.4.4"];
    let output = run(&options, &["./probe", "exec", "uname"])?;
    same(&String::from_utf8_lossy(&output.stdout), "4.4.4 armv6l\n")?;
    let output = run(&["-seed", "9"], &["./probe", "random"])?;
    let again = run(&["-seed", "9"], &["./probe", "exec", "random"])?;
    ensure!(output.stdout == again.stdout, "the seed is not inherited");
    let output = run(&["-strace"], &["./probe", "exec", "args"])?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    has(&text, "exit_group(0)")
}

/// Runs `traced` or another program with items logged to a file; the log.
fn logged(interpreter: &Path, dir: &Path, items: &str, tier: &str, program: &[&str]) -> Result<String> {
    let file = dir.join(format!(
        "log-{}-{}",
        items.replace(',', "-"),
        interpreter.file_name().unwrap_or_default().display()
    ));
    let mut command = Command::new(interpreter);
    command.current_dir(dir).env("FOREARM_TIER", tier).args(["-d", items, "-D"]).arg(&file).args(program);
    let output = process::run(&mut command, LIMIT)?;
    ensure!(output.success() && output.stderr.is_empty(), "-d {items}: {}: {}", output.end(), output.tail(3));
    Ok(std::fs::read_to_string(&file)?)
}

fn log_items(context: &Context, dir: &Path) -> Result<()> {
    build(dir)?;
    let log = |items: &str| logged(&context.forearm(), dir, items, "jit", &["./traced"]);
    for (items, words) in [
        ("in_asm", ["IN: function\n0x", "e0902600  adds     r2, r0, r0, lsl #12"].as_slice()),
        ("in_asm", &["bx       lr", "svc      #0", "vadd.f64 d2, d1, d1"]),
        ("op", &["OP:\n ---- ", "function u0:", "return_call_indirect"]),
        ("ir", &["OP:\n ---- "]),
        ("clif", &["OP:\n ---- "]),
        ("op_opt", &["OP after optimization:\n ---- ", "return_call_indirect"]),
        ("out_asm", &["OUT: [size=", "-- guest addr 0x", "jmpq *(%rsi)"]),
        ("int", &["Taking exception 2 [SVC] on CPU "]),
        (
            "page",
            &["start    end      size     prot\n", "00010000-00011000 00001000 r-x\n", "entry       0x"],
        ),
        ("strace", &["exit(0)"]),
    ] {
        let text = log(items)?;
        for word in words {
            has(&text, word).with_context(|| format!("-d {items}"))?;
        }
    }
    let both = log("in_asm,out_asm")?;
    has(&both, "IN: ")?;
    has(&both, "OUT: ")?;
    let unimp = logged(&context.forearm(), dir, "unimp", "jit", &["./probe", "args"])?;
    // rseq, which glibc tries.
    has(&unimp, "Unsupported syscall: 398\n")
}

/// Each block with its registers, as under QEMU.
fn log_as_the_oracle(context: &Context, dir: &Path) -> Result<()> {
    build(dir)?;
    let items = "exec,cpu,fpu,nochain";
    let blocks = |text: &str| -> Vec<String> {
        let lines = text.lines().filter_map(|line| {
            if line.starts_with("Trace ") {
                return Some(format!("block {}", line.split('/').nth(1)?));
            }
            let register = ["R0", "R1", "PSR", "s", "FPSCR"].iter().any(|r| line.starts_with(r));
            // The stack lies elsewhere.
            let line = match line.find("R13=") {
                Some(at) => format!("{}{}", &line[..at], &line[at + 12..]),
                None => line.to_owned(),
            };
            register.then_some(line)
        });
        // Before the second block, registers are as the kernel and QEMU leave them.
        lines.skip(1).skip_while(|line| !line.starts_with("block")).collect()
    };
    let ours = blocks(&logged(&context.forearm(), dir, items, "jit", &["./traced"])?);
    let theirs = blocks(&logged(&context.qemu()?, dir, items, "jit", &["./traced"])?);
    ensure!(
        theirs.iter().filter(|l| l.starts_with("block")).count() as u64 > ROUNDS,
        "the oracle logs little"
    );
    for (k, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        ensure!(ours == theirs, "line {k}: {ours}, the oracle has {theirs}");
    }
    ensure!(ours.len() == theirs.len(), "{} lines, the oracle has {}", ours.len(), theirs.len());
    Ok(())
}

/// The reports on standard error: heading and numbers by name.
fn reports(output: &Output) -> Result<Vec<(String, BTreeMap<String, u64>)>> {
    let mut reports: Vec<(String, BTreeMap<String, u64>)> = Vec::new();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        if let Some(heading) = line.strip_prefix("forearm: statistics of ") {
            reports.push((heading.to_owned(), BTreeMap::new()));
        } else if let (Some((_, numbers)), Some(line)) = (reports.last_mut(), line.strip_prefix("  ")) {
            let (name, n) = line.rsplit_once(' ').with_context(|| line.to_owned())?;
            numbers.insert(name.trim().to_owned(), n.parse()?);
        } else {
            bail!("unexpected line: {line}");
        }
    }
    Ok(reports)
}

fn with_statistics(context: &Context, dir: &Path, tier: &str, program: &[&str]) -> Result<Output> {
    let mut command = Command::new(context.forearm());
    command.current_dir(dir).env("FOREARM_TIER", tier).env("FOREARM_STATS", "1").args(program);
    process::run(&mut command, LIMIT)
}

fn statistics(context: &Context, dir: &Path) -> Result<()> {
    build(dir)?;
    for (tier, compiled) in [("interp", 0), ("jit", TRACED_INSTRUCTIONS)] {
        let output = with_statistics(context, dir, tier, &["./traced"])?;
        ensure!(output.success(), "{}", output.end());
        let reports = reports(&output)?;
        let [(_, numbers)] = &reports[..] else { bail!("{} reports", reports.len()) };
        let number = |name: &str| numbers.get(name).copied().with_context(|| format!("no '{name}'"));
        let expect = |name: &str, expected: u64| -> Result<()> {
            let n = number(name)?;
            ensure!(n == expected, "tier {tier}: {name}: {n}, expected {expected}");
            Ok(())
        };
        expect("instructions compiled", compiled)?;
        expect("instructions interpreted", TRACED_INSTRUCTIONS - compiled)?;
        expect("system call 1: exit", 1)?;
        expect("dispatcher: system call", 1)?;
        let regions = number("regions compiled")?;
        ensure!((regions > 0) == (compiled > 0), "tier {tier}: {regions} regions");
        ensure!((number("cache: bytes of host code")? > 0) == (compiled > 0), "tier {tier}: code size");
        ensure!((number("compile time, ns")? > 0) == (compiled > 0), "tier {tier}: compile time");
        ensure!(number("blocks decoded")? >= 5, "tier {tier}: too few blocks");
        ensure!(
            number("cache: blocks")? <= number("blocks decoded")?,
            "tier {tier}: more blocks than decoded"
        );
    }
    let output = process::run(
        Command::new(context.forearm()).current_dir(dir).env("FOREARM_STATS", "0").arg("./traced"),
        LIMIT,
    )?;
    ensure!(output.success() && output.stderr.is_empty(), "FOREARM_STATS=0 prints {}", output.tail(3));
    Ok(())
}

fn statistics_at_every_end(context: &Context, dir: &Path) -> Result<()> {
    build(dir)?;
    for (what, signal, ends) in [
        (["args", ""], None, &["at its exit"][..]),
        (["fork", ""], None, &["at its exit", "at its exit"]),
        (["abort", ""], Some(libc::SIGABRT), &["killed by a signal"]),
        (["kill", ""], Some(libc::SIGTERM), &["killed by a signal"]),
        (["exec", "args"], None, &["before exec", "at its exit"]),
    ] {
        let output = with_statistics(context, dir, "100", &["./probe", what[0], what[1]])?;
        ensure!(output.status.signal() == signal, "{what:?}: {}", output.end());
        let reports = reports(&output)?;
        let seen: Vec<&str> =
            reports.iter().map(|(h, _)| h.rsplit(", ").next().unwrap_or_default()).collect();
        ensure!(seen == ends, "{what:?}: reports {seen:?}, expected {ends:?}");
        for (heading, numbers) in &reports {
            ensure!(heading.contains("/probe, "), "{heading}");
            ensure!(numbers.get("instructions interpreted").is_some_and(|&n| n > 0), "{what:?}: {heading}");
        }
        if what[0] == "fork" {
            // The child ends first, with its own calls alone.
            let write = |k: usize| reports[k].1.get("system call 120: clone").copied();
            ensure!((write(0), write(1)) == (None, Some(1)), "the child counts its parent's calls");
        }
    }
    Ok(())
}

/// Each optimisation off: the same result.
fn switches(context: &Context, dir: &Path) -> Result<()> {
    build(dir)?;
    let document = std::fs::read_to_string(context.workspace.join("docs/performance.md"))?;
    let table = document.split("`FOREARM_OPT=no-WORD").nth(1).context("no table of switches")?;
    let rows = table.lines().skip_while(|l| !l.starts_with("| `")).take_while(|l| l.starts_with("| `"));
    let words: Vec<&str> = rows.filter_map(|l| l.split('`').nth(1)).collect();
    ensure!(words.len() > 10, "only {words:?}");
    let run = |off: &str, tier: &str| {
        let mut command = Command::new(context.forearm());
        command.current_dir(dir).env("FOREARM_OPT", off).env("FOREARM_TIER", tier);
        process::run(command.args(["./probe", "work"]), LIMIT)
    };
    let expected = run("", "interp")?;
    ensure!(expected.success(), "{}", expected.end());
    let mut lists: Vec<String> = words.iter().map(|w| format!("no-{w}")).collect();
    lists.push(lists.join(","));
    for off in &lists {
        for tier in ["50", "jit"] {
            let output = run(off, tier)?;
            ensure!(output.success(), "{off}, tier {tier}: {}: {}", output.end(), output.tail(3));
            ensure!(output.stdout == expected.stdout, "{off}, tier {tier}: another result");
        }
    }
    refused(&run("no-such", "jit")?, "no-such")?;
    refused(&run(words[0], "jit")?, words[0])
}

/// Unusable values of forearm's own variables.
fn own_variables(context: &Context, dir: &Path) -> Result<()> {
    build(dir)?;
    for (name, value) in [
        ("FOREARM_TIER", "fast"),
        ("FOREARM_TIER", "-1"),
        ("FOREARM_STATS", "yes"),
        ("FOREARM_OPT", "loops"),
        ("FOREARM_PERF", "both"),
    ] {
        let mut command = Command::new(context.forearm());
        let output =
            process::run(command.current_dir(dir).env(name, value).args(["./probe", "args"]), LIMIT)?;
        refused(&output, value).with_context(|| format!("{name}={value}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_table_are_read() {
        let document = "text\n<!-- options -->\n| option | environment | does | state |\n|---|---|---|---|\n\
            | `-g PORT\\|SOCKET` | `QEMU_GDB` | waits | works |\n| `-h` |  | help | refused: no |\n| item | x |\n";
        let rows = rows(document).expect("a table");
        let seen: Vec<_> = rows
            .iter()
            .map(|r| (r.word.as_str(), r.has_argument, r.env.as_deref(), r.state.as_str()))
            .collect();
        assert_eq!(seen, [("g", true, Some("QEMU_GDB"), "works"), ("h", false, None, "refused: no")]);
        assert!(super::rows("nothing").is_err());
    }
}
