//! The table of options. Parsing, `-h` and docs/compatibility.md are made from it.

use crate::values;
use forearm_runtime::cpu::{Cpu, MODELS};
use forearm_runtime::log::Items;
use forearm_runtime::perf::Format;
use forearm_runtime::{Limits, Start, code_store, tuning};
use std::ffi::{CString, OsStr, OsString};
use std::fmt::Write;
use std::os::fd::IntoRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;

/// What the command line and the environment ask for, while they are read.
#[derive(Debug, Default)]
pub struct Settings {
    /// What to run.
    pub start: Start,
    /// `-0`.
    pub argv0: Option<CString>,
    /// The program's environment.
    pub env: Vec<(OsString, OsString)>,
    /// `-D`: the log file.
    pub log_file: Option<OsString>,
    /// Print this and end.
    pub print: Option<Print>,
    /// `-image`: a file of `FOREARM_TRAIN`'s whose image to print.
    pub image: Option<OsString>,
    /// `-select`: such a file, and how many blocks its image is to have.
    pub select: Option<(OsString, usize)>,
}

/// What an option prints instead of running a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Print {
    /// `-h`.
    Help,
    /// `-version`.
    Version,
    /// `-cpu help`.
    Cpus,
    /// `-d help`.
    LogItems,
}

/// How far an option does what QEMU's does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It does.
    Works,
    /// Its value is checked and that is all; why.
    NoEffect(&'static str),
    /// It is an error; why.
    Refused(&'static str),
    /// How one guest program starts another; not for users.
    Internal,
}

use State::{Internal, NoEffect, Refused, Works};

/// Takes an option's value; the error says what is wrong with it.
type Take = fn(&mut Settings, &OsStr) -> Result<(), String>;

/// An option.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    /// The word behind the dash.
    pub word: &'static str,
    /// The environment variable with the same meaning; empty: none.
    pub env: &'static str,
    /// What its argument is called; empty: it has none.
    pub argument: &'static str,
    /// What it does.
    pub help: &'static str,
    /// How far.
    pub state: State,
    take: Take,
}

const fn opt(
    word: &'static str,
    env: &'static str,
    argument: &'static str,
    help: &'static str,
    state: State,
    take: Take,
) -> Opt {
    Opt { word, env, argument, help, state, take }
}

/// The options. The environment is read in this order too.
#[rustfmt::skip]
pub const OPTIONS: &[Opt] = &[
    opt("h", "", "", "print this help", Works, |s, _| print(s, Print::Help)),
    opt("help", "", "", "print this help", Works, |s, _| print(s, Print::Help)),
    opt("version", "QEMU_VERSION", "", "print the version and end", Works, |s, _| print(s, Print::Version)),
    opt("g", "QEMU_GDB", "PORT|SOCKET", "wait for gdb at this TCP port or Unix socket", Works, |s, v| non_empty(v).map(|v| s.start.options.gdb = Some(v))),
    opt("L", "QEMU_LD_PREFIX", "PATH", "look for program interpreter and libraries below PATH first", Works, |s, v| non_empty(v).map(|v| s.start.options.ld_prefix = Some(v.into()))),
    opt("s", "QEMU_STACK_SIZE", "SIZE", "size of the main thread's stack in bytes (k, M behind it)", Works, stack_size),
    opt("cpu", "QEMU_CPU", "MODEL", "processor that the program is told about (help: list)", Works, cpu),
    opt("E", "QEMU_SET_ENV", "VAR=VALUE,...", "set environment variables of the program", Works, set_env),
    opt("U", "QEMU_UNSET_ENV", "VAR,...", "unset environment variables of the program", Works, unset_env),
    opt("0", "QEMU_ARGV0", "ARGV0", "the program's argv[0]", Works, |s, v| c_string(v).map(|v| s.argv0 = Some(v))),
    opt("r", "QEMU_UNAME", "RELEASE", "kernel release that uname reports", Works, |s, v| { s.start.options.uname_release = Some(v.into()); Ok(()) }),
    opt("B", "QEMU_GUEST_BASE", "ADDRESS", "host address of guest address 0", Works, |s, v| values::integer(v).map(|n| s.start.options.guest_base = Some(n))),
    opt("R", "QEMU_RESERVED_VA", "SIZE", "reserve SIZE bytes of address space", NoEffect("a guest always has the whole 4 GiB"), |_, v| reserved_va(v)),
    opt("t", "QEMU_RTSIG_MAP", "TSIG HSIG N,...", "map real-time signals", NoEffect("every guest signal has its own number on the host; none is missing"), |_, v| rtsig_map(v)),
    opt("d", "QEMU_LOG", "ITEM,...", "log these items (help: list)", Works, log_items),
    opt("dfilter", "QEMU_DFILTER", "RANGE,...", "log code in these ranges only: START+LENGTH, START-LENGTH, START..END", Works, |s, v| values::ranges(v).map(|r| s.start.options.log.filter = r)),
    opt("D", "QEMU_LOG_FILENAME", "FILE", "write the log to FILE; %d becomes the process's number", Works, |s, v| log_file(v).map(|v| s.log_file = Some(v))),
    opt("p", "QEMU_PAGESIZE", "SIZE", "host page size", NoEffect("host and guest pages are both 4096 bytes"), |_, v| page_size(v)),
    opt("one-insn-per-tb", "QEMU_ONE_INSN_PER_TB", "", "one instruction a block, interpreted", Works, one_insn),
    opt("singlestep", "QEMU_SINGLESTEP", "", "older name of -one-insn-per-tb", Works, one_insn),
    opt("tb-size", "QEMU_TB_SIZE", "SIZE", "size of the translation cache", NoEffect("the cache grows as it is used"), |_, v| values::integer::<u64>(v).map(drop)),
    opt("strace", "QEMU_STRACE", "", "log system calls", Works, |s, _| { s.start.options.strace = true; Ok(()) }),
    opt("seed", "QEMU_RAND_SEED", "NUMBER", "seed of AT_RANDOM and of the address layout", Works, |s, v| values::integer(v).map(|n| s.start.options.seed = Some(n))),
    opt("trace", "QEMU_TRACE", "PATTERN", "trace events inside QEMU", Refused("they are QEMU's own; see -strace and -d"), |_, _| Ok(())),
    opt("plugin", "QEMU_PLUGIN", "FILE", "load a TCG plugin", Refused("a plugin calls into QEMU's code generator, which is not here"), |_, _| Ok(())),
    opt("perfmap", "QEMU_PERFMAP", "", "write /tmp/perf-PID.map for perf", Works, |s, _| { s.start.options.perf = Some(Format::Map); Ok(()) }),
    opt("jitdump", "QEMU_JITDUMP", "", "write jit-PID.dump for perf", Works, |s, _| { s.start.options.perf = Some(Format::Jitdump); Ok(()) }),
    opt("execfd", "", "FD", "the program, opened", Internal, |s, v| values::integer(v).map(|n: i32| s.start.exec_fd = Some(n))),
    opt("selffd", "", "FD", "forearm's own file", Internal, |s, v| values::integer(v).map(|n: i32| s.start.self_fd = Some(n))),
    opt("storefd", "", "FD", "shared compiled code", Internal, |s, v| values::integer(v).map(|n: i32| s.start.store_fd = Some(n))),
    opt("select", "", "BLOCKS:FILE", "choose what an image is to have", Internal, |s, v| select(v).map(|v| s.select = Some(v))),
    opt("image", "", "FILE", "print the image of collected code", Internal, |s, v| { s.image = Some(v.into()); Ok(()) }),
    opt("logfd", "", "FD", "the log file, opened", Internal, |s, v| values::integer(v).map(|n: i32| s.start.options.log.fd = Some(n))),
    opt("limits", "", "LIST", "limits of memory", Internal, |s, v| Limits::from_text(&v.to_string_lossy()).map(|l| s.start.limits = l).ok_or_else(|| "wants RESOURCE:SOFT:HARD,...".into())),
];

/// An item of `-d`.
#[derive(Clone, Copy, Debug)]
pub struct LogItem {
    /// Its word.
    pub word: &'static str,
    /// What is logged; `None`: it is refused.
    pub items: Option<Items>,
    /// What it shows, or why it is refused.
    pub help: &'static str,
}

const fn item(word: &'static str, items: Items, help: &'static str) -> LogItem {
    LogItem { word, items: Some(items), help }
}

/// The items of `-d`.
#[rustfmt::skip]
pub const LOG_ITEMS: &[LogItem] = &[
    item("out_asm", Items::OUT_ASM, "host code of each compiled region"),
    item("in_asm", Items::IN_ASM, "guest code of each block when it is first decoded"),
    item("op", Items::OP, "Cranelift's intermediate code of each region"),
    item("ir", Items::OP, "the same as op"),
    item("clif", Items::OP, "the same as op"),
    item("op_opt", Items::OP_OPT, "the same after optimisation"),
    item("op_ind", Items::empty(), "nothing: there is no such pass"),
    item("int", Items::INT, "exceptions: why translated code was left"),
    item("exec", Items::EXEC, "each block before it is executed; blocks are interpreted one by one"),
    item("cpu", Items::CPU, "registers before each block; blocks are interpreted one by one"),
    item("fpu", Items::FPU, "with cpu: VFP registers too"),
    item("mmu", Items::empty(), "nothing: a process has no MMU of its own"),
    item("pcall", Items::empty(), "nothing: x86 only"),
    item("cpu_reset", Items::empty(), "nothing: there is no reset"),
    item("unimp", Items::UNIMP, "system calls that are not implemented"),
    item("guest_errors", Items::empty(), "nothing: there are no devices"),
    item("page", Items::PAGE, "the mappings when the program starts"),
    item("nochain", Items::empty(), "nothing more: exec and cpu are always complete"),
    item("strace", Items::STRACE, "system calls"),
    LogItem { word: "plugin", items: None, help: "there are no plugins" },
    LogItem { word: "tid", items: None, help: "a process has one log" },
];

/// An environment variable that is forearm's own.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The values it may have.
    pub values: &'static str,
    /// What it does.
    pub help: &'static str,
    take: Take,
}

const fn variable(name: &'static str, values: &'static str, help: &'static str, take: Take) -> Variable {
    Variable { name, values, help, take }
}

/// The environment variables that QEMU does not have.
#[rustfmt::skip]
pub const VARIABLES: &[Variable] = &[
    variable("FOREARM_TIER", "interp, baseline, jit or a number", "never compile, compile at once (plainly or by Cranelift), or by Cranelift after so many executions", |_, v| tier(v)),
    variable("FOREARM_STATS", "0 or 1", "print statistics to standard error when the process ends", |s, v| flag(v).map(|on| s.start.options.stats = on)),
    variable("FOREARM_PERF", "map or jitdump", "as -perfmap and -jitdump", perf),
    variable("FOREARM_TRAIN", "FILE", "collect the compiled code of all that runs in FILE", |s, v| open_training(v).map(|fd| s.start.store_fd = Some(fd))),
    variable("FOREARM_OPT", "no-WORD,...", "switch optimisations off, see performance.md", |s, v| tuning::parse(&v.to_string_lossy()).map(|off| s.start.options.switched_off = off)),
];

impl Variable {
    /// Takes the value.
    ///
    /// # Errors
    /// One line for the user.
    pub fn apply(&self, settings: &mut Settings, value: &OsStr) -> Result<(), String> {
        (self.take)(settings, value).map_err(|e| format!("{}: {e}", self.name))
    }
}

impl Opt {
    /// The option of that word.
    pub fn find(word: &[u8]) -> Option<&'static Opt> {
        OPTIONS.iter().find(|o| o.word.as_bytes() == word)
    }

    /// Takes the value; the error names the option as the user gave it.
    ///
    /// # Errors
    /// One line for the user.
    pub fn apply(&self, settings: &mut Settings, value: &OsStr, given: &str) -> Result<(), String> {
        match self.state {
            Refused(why) => Err(format!("{given} is not supported: {why}")),
            _ => (self.take)(settings, value).map_err(|e| format!("{given}: {e}")),
        }
    }

    /// In words, for the document.
    fn state_text(&self) -> String {
        match self.state {
            Works => "works".into(),
            NoEffect(why) => format!("checked, no effect: {why}"),
            Refused(why) => format!("refused: {why}"),
            Internal => "internal".into(),
        }
    }
}

fn print(s: &mut Settings, what: Print) -> Result<(), String> {
    s.print.get_or_insert(what);
    Ok(())
}

/// The engine reads it itself.
fn tier(value: &OsStr) -> Result<(), String> {
    match value.to_str() {
        Some("interp" | "baseline" | "jit") => Ok(()),
        Some(n) if n.parse::<u32>().is_ok() => Ok(()),
        _ => Err(format!("'{}' is none of interp, baseline, jit and no number", value.to_string_lossy())),
    }
}

fn perf(s: &mut Settings, value: &OsStr) -> Result<(), String> {
    s.start.options.perf = match value.to_str() {
        Some("map") => Some(Format::Map),
        Some("jitdump") => Some(Format::Jitdump),
        _ => return Err(format!("'{}' is neither map nor jitdump", value.to_string_lossy())),
    };
    Ok(())
}

fn flag(value: &OsStr) -> Result<bool, String> {
    match value.as_bytes() {
        b"" | b"0" => Ok(false),
        b"1" => Ok(true),
        _ => Err(format!("'{}' is neither 0 nor 1", value.to_string_lossy())),
    }
}

fn non_empty(value: &OsStr) -> Result<OsString, String> {
    if value.is_empty() { Err("the value is empty".into()) } else { Ok(value.into()) }
}

fn c_string(value: &OsStr) -> Result<CString, String> {
    CString::new(value.as_bytes()).map_err(|e| e.to_string())
}

fn stack_size(s: &mut Settings, value: &OsStr) -> Result<(), String> {
    let bytes = values::size(value)?;
    let fits = u32::try_from(bytes).ok().filter(|&n| n != 0 && n <= 1 << 30);
    let bytes =
        fits.ok_or_else(|| format!("'{}' is not between 1 byte and 1 GiB", value.to_string_lossy()))?;
    s.start.options.stack_size = Some(bytes);
    Ok(())
}

fn cpu(s: &mut Settings, value: &OsStr) -> Result<(), String> {
    let name = value.to_string_lossy();
    if matches!(&*name, "help" | "?") {
        return print(s, Print::Cpus);
    }
    let model =
        Cpu::find(&name).ok_or_else(|| format!("unknown processor '{name}' (-cpu help lists them)"))?;
    s.start.options.cpu = Some(model);
    Ok(())
}

fn set_env(s: &mut Settings, value: &OsStr) -> Result<(), String> {
    for (name, value) in values::assignments(value)? {
        s.env.retain(|(k, _)| *k != name);
        s.env.push((name, value));
    }
    Ok(())
}

fn unset_env(s: &mut Settings, value: &OsStr) -> Result<(), String> {
    let names = values::names(value)?;
    s.env.retain(|(k, _)| !names.contains(k));
    Ok(())
}

fn reserved_va(value: &OsStr) -> Result<(), String> {
    let bytes = values::size(value)?;
    if bytes % 4096 == 0 && bytes <= 1 << 32 {
        Ok(())
    } else {
        Err(format!("'{}' is not whole pages up to 4 GiB", value.to_string_lossy()))
    }
}

fn rtsig_map(value: &OsStr) -> Result<(), String> {
    let text = value.to_string_lossy();
    let valid = |triple: &str| {
        let numbers: Vec<u64> = triple.split_whitespace().filter_map(values::number).collect();
        let [tsig, hsig, n] = numbers[..] else { return false };
        n > 0 && [tsig, hsig].iter().all(|&first| first >= 32 && first.saturating_add(n) <= 65)
    };
    if text.split(',').all(valid) { Ok(()) } else { Err(format!("'{text}' is not TSIG HSIG N,...")) }
}

fn log_items(s: &mut Settings, value: &OsStr) -> Result<(), String> {
    if value == "help" || value == "?" {
        return print(s, Print::LogItems);
    }
    let items = values::items(value, LOG_ITEMS)?;
    s.start.options.log.items = items;
    s.start.options.strace |= items.contains(Items::STRACE);
    Ok(())
}

/// At most one `%d` and no other directive.
fn log_file(value: &OsStr) -> Result<OsString, String> {
    let parts: Vec<&[u8]> = value.as_bytes().split(|&b| b == b'%').collect();
    let valid = !value.is_empty() && parts.len() <= 2 && parts[1..].iter().all(|p| p.starts_with(b"d"));
    if valid { Ok(value.into()) } else { Err(format!("bad log file name '{}'", value.to_string_lossy())) }
}

fn select(value: &OsStr) -> Result<(OsString, usize), String> {
    let text = value.to_string_lossy();
    let (blocks, file) = text.split_once(':').ok_or("wants BLOCKS:FILE")?;
    Ok((file.into(), blocks.parse().map_err(|_| "wants a number of blocks")?))
}

/// Opens the file that collects compiled code; the first process makes it.
fn open_training(path: &OsStr) -> Result<i32, String> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = file.and_then(|file| {
        if file.metadata()?.len() == 0 {
            code_store::lay_out(&file, true)?;
        }
        Ok(file.into_raw_fd())
    });
    file.map_err(|e| format!("cannot write {}: {e}", path.to_string_lossy()))
}

/// The file name for a process.
pub fn log_file_name(pattern: &OsStr, pid: u32) -> OsString {
    let bytes = pattern.as_bytes();
    let Some(at) = bytes.iter().position(|&b| b == b'%') else { return pattern.into() };
    OsString::from_vec([&bytes[..at], pid.to_string().as_bytes(), &bytes[at + 2..]].concat())
}

fn page_size(value: &OsStr) -> Result<(), String> {
    match values::integer::<u32>(value)? {
        n if n.is_power_of_two() => Ok(()),
        _ => Err(format!("'{}' is not a power of two", value.to_string_lossy())),
    }
}

fn one_insn(s: &mut Settings, _: &OsStr) -> Result<(), String> {
    s.start.options.one_insn_per_tb = true;
    Ok(())
}

/// What `-h` prints for a program called `name`.
pub fn help(name: &str) -> String {
    let mut text =
        format!("usage: {name} [OPTIONS] PROGRAM [ARGUMENTS]\nRuns a 32-bit ARM Linux program.\n\n");
    let mut line = |option: &str, env: &str, help: &str| {
        writeln!(text, "{option:<20} {env:<20} {help}").expect("to a string");
    };
    line("Option", "Environment", "");
    for o in OPTIONS.iter().filter(|o| o.state != Internal) {
        let help = match o.state {
            NoEffect(_) => format!("{} (no effect here)", o.help),
            Refused(_) => format!("{} (refused)", o.help),
            _ => o.help.into(),
        };
        line(format!("-{} {}", o.word, o.argument).trim_end(), o.env, &help);
    }
    for v in VARIABLES {
        line("", v.name, &format!("{} ({})", v.help, v.values));
    }
    text.push_str("\n-E and -U may be given several times. The command line wins over the environment.\n");
    if name == "forearm" {
        text.push('\n');
        text.push_str(&crate::commands::help());
    }
    text
}

/// What `-cpu help` prints.
pub fn cpus() -> String {
    MODELS.iter().fold("Available CPUs:\n".into(), |text, cpu| text + "  " + cpu.name + "\n")
}

/// What `-d help` prints.
pub fn log_items_help() -> String {
    let mut text = String::from("Log items (comma separated):\n");
    for i in LOG_ITEMS {
        let refused = if i.items.is_none() { "refused: " } else { "" };
        writeln!(text, "{:<15} {refused}{}", i.word, i.help).expect("to a string");
    }
    text
}

/// The tables of docs/compatibility.md.
pub fn markdown() -> String {
    let mut text = String::from("| option | environment | does | state |\n|---|---|---|---|\n");
    for o in OPTIONS.iter().filter(|o| o.state != Internal) {
        let escape = |s: &str| s.replace('|', "\\|");
        let option = escape(format!("-{} {}", o.word, o.argument).trim_end());
        let env = if o.env.is_empty() { String::new() } else { format!("`{}`", o.env) };
        writeln!(text, "| `{option}` | {env} | {} | {} |", o.help, o.state_text()).expect("to a string");
    }
    text.push_str("\n| item of `-d` | shows |\n|---|---|\n");
    for i in LOG_ITEMS {
        let refused = if i.items.is_none() { "refused: " } else { "" };
        writeln!(text, "| `{}` | {refused}{} |", i.word, i.help).expect("to a string");
    }
    text.push_str("\n| variable of forearm's own | values | does |\n|---|---|---|\n");
    for Variable { name, values, help, .. } in VARIABLES {
        writeln!(text, "| `{name}` | {values} | {help} |").expect("to a string");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn words_and_variables_are_given_once() {
        let words: BTreeSet<_> = OPTIONS.iter().map(|o| o.word).collect();
        assert_eq!(words.len(), OPTIONS.len());
        let env: Vec<_> = OPTIONS.iter().map(|o| o.env).filter(|e| !e.is_empty()).collect();
        assert_eq!(env.iter().collect::<BTreeSet<_>>().len(), env.len());
    }

    #[test]
    fn items_are_handed_down_by_words_that_are_known() {
        for (name, items) in Items::all().iter_names() {
            let word = name.to_ascii_lowercase();
            assert_eq!(values::items(word.as_ref(), LOG_ITEMS), Ok(items), "{word}");
        }
    }

    #[test]
    fn log_files_have_one_directive() {
        let name = |s: &str| log_file(s.as_ref()).map(|f| log_file_name(&f, 7)).ok();
        assert_eq!(name("/tmp/a.%d.log"), Some("/tmp/a.7.log".into()));
        assert_eq!(name("a"), Some("a".into()));
        assert_eq!(["", "%", "%s", "%d%d", "100%"].map(name), [const { None }; 5]);
    }

    #[test]
    fn the_document_has_the_tables() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compatibility.md");
        let document = std::fs::read_to_string(path).expect("docs/compatibility.md");
        let (begin, end) = ("<!-- options -->\n", "<!-- end of options -->\n");
        let from = document.find(begin).expect("begin mark") + begin.len();
        let to = document.find(end).expect("end mark");
        if std::env::var_os("FOREARM_BLESS").is_some() {
            let blessed = format!("{}{}{}", &document[..from], markdown(), &document[to..]);
            std::fs::write(path, blessed).expect("docs/compatibility.md");
            return;
        }
        assert_eq!(&document[from..to], markdown(), "FOREARM_BLESS=1 cargo test -p forearm rewrites it");
    }
}
