//! From the arguments and the environment to what is to run.

use crate::VERSION;
use crate::options::{self, OPTIONS, Opt, Print, Settings, VARIABLES};
use forearm_runtime::{Start, code_image, code_store, perf, process};
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;

/// AT_FLAGS_PRESERVE_ARGV0: started through a binfmt_misc entry with the P flag (include/uapi/linux/binfmts.h).
const PRESERVE_ARGV0: u64 = 1;

/// QEMU's version whose options these are.
const QEMU_VERSION: &str = "10.0.0";

/// What the kernel says about this process beside its arguments.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kernel {
    /// AT_FLAGS.
    pub flags: u64,
    /// AT_EXECFD: the program, opened by binfmt_misc.
    pub exec_fd: Option<i32>,
    /// AT_SECURE: a set-user-id program, or one with capabilities, runs with more than its caller's rights.
    pub secure: bool,
}

impl Kernel {
    /// Of this process.
    pub fn of_process() -> Kernel {
        // SAFETY: reads the vector the kernel gave to this process.
        let value = |kind| unsafe { libc::getauxval(kind) };
        let exec_fd = value(libc::AT_EXECFD);
        Kernel {
            flags: value(libc::AT_FLAGS),
            // The program's descriptor is 0 only if it was started without a standard input.
            exec_fd: (exec_fd != 0).then_some(exec_fd as i32),
            secure: value(libc::AT_SECURE) != 0,
        }
    }
}

/// What to do.
#[derive(Debug)]
pub enum Command {
    /// Run a program.
    Run(Box<Start>),
    /// Print this to standard output.
    Print(String),
    /// Write these bytes to standard output.
    Write(Vec<u8>),
}

/// The names of QEMU's that this program answers to.
const QEMU_NAMES: [&str; 4] = ["qemu-arm-static", "qemu-arm", "arm-binfmt-P", "qemu-armhf"];

/// The name in front of messages: how the program was called if that is a name it knows.
pub fn name(argv0: Option<&CString>) -> &'static str {
    let name = argv0.map_or(&[][..], |a| a.to_bytes().rsplit(|&b| b == b'/').next().unwrap_or_default());
    QEMU_NAMES.into_iter().find(|n| n.as_bytes() == name).unwrap_or("forearm")
}

/// Is it a variable that changes what forearm does?
pub fn is_ours(name: &OsStr) -> bool {
    [&b"QEMU_"[..], b"FOREARM_"].iter().any(|prefix| name.as_bytes().starts_with(prefix))
}

/// Reads arguments and environment. Nothing has been done when this fails.
///
/// # Errors
/// One line for the user.
pub fn parse(args: Vec<CString>, env: Vec<(OsString, OsString)>, kernel: Kernel) -> Result<Command, String> {
    let name = name(args.first());
    let mut args = args.into_iter().skip(1).peekable();
    let mut s = Settings::default();
    s.start.exec_fd = kernel.exec_fd;
    s.env = env.clone();
    for o in OPTIONS.iter().filter(|o| !o.env.is_empty()) {
        if let Some((_, value)) = env.iter().find(|(name, _)| name == o.env) {
            o.apply(&mut s, value, o.env)?;
        }
    }
    for v in VARIABLES {
        if let Some((_, value)) = env.iter().find(|(name, _)| name == v.name) {
            v.apply(&mut s, value)?;
        }
    }
    let preserved = kernel.flags & PRESERVE_ARGV0 != 0 || name == "arm-binfmt-P";
    // From binfmt_misc come no options: a program's own name may begin with a dash.
    let from_kernel = preserved || kernel.exec_fd.is_some();
    while !from_kernel && let Some(arg) = args.next_if(|a| a.to_bytes().starts_with(b"-")) {
        if arg.to_bytes() == b"--" {
            break;
        }
        let word = arg.to_bytes();
        let word = word.strip_prefix(b"--").unwrap_or(&word[1..]);
        let given = format!("option {}", arg.to_string_lossy());
        let Some(o) = Opt::find(word) else { return Err(format!("unknown {given} (-h shows the options)")) };
        let value = if o.argument.is_empty() {
            OsString::new()
        } else {
            os(args.next().ok_or_else(|| format!("{given} needs a value"))?)
        };
        o.apply(&mut s, &value, &given)?;
    }
    if let Some(what) = s.print {
        return Ok(Command::Print(match what {
            Print::Help => options::help(name),
            Print::Version => version(name),
            Print::Cpus => options::cpus(),
            Print::LogItems => options::log_items_help(),
        }));
    }
    if let Some((file, blocks)) = s.select {
        let store = std::fs::OpenOptions::new().read(true).write(true).open(&file);
        let store = store.map_err(|e| format!("{}: {e}", file.to_string_lossy()))?;
        let store = code_store::Store::shared(store.as_raw_fd());
        let store = store.ok_or_else(|| format!("{}: no collected code", file.to_string_lossy()))?;
        return Ok(Command::Print(format!("{}\n", store.select(blocks))));
    }
    if let Some(file) = s.image {
        let image = std::fs::OpenOptions::new().read(true).write(true).open(&file);
        let image = image.and_then(|file| code_image::compact(&file));
        return image.map(Command::Write).map_err(|e| format!("{}: {e}", file.to_string_lossy()));
    }
    let Some(program) = args.next() else { return Err("no program given (-h shows the options)".into()) };
    let mut args: Vec<CString> = args.collect();
    if preserved {
        // Program, argv[0], the rest.
        if args.is_empty() {
            return Err(format!("{name} as a binfmt_misc interpreter with flag P needs PROGRAM and ARGV0"));
        }
        let argv0 = args.remove(0);
        s.argv0.get_or_insert(argv0);
    }
    args.insert(0, s.argv0.unwrap_or_else(|| program.clone()));
    if let (Some(pattern), None) = (&s.log_file, s.start.options.log.fd) {
        s.start.options.log.fd = Some(open_log(&options::log_file_name(pattern, std::process::id()))?);
    }
    if let Some(format) = s.start.options.perf {
        perf::start(format)?;
    }
    let env = s.env.into_iter().filter_map(|(key, value)| {
        let pair = [key.into_vec(), value.into_vec()].join(&b'=');
        CString::new(pair).ok()
    });
    Ok(Command::Run(Box::new(Start { program, args, env: env.collect(), ..s.start })))
}

/// Opens the log file anew, out of the guest's way.
fn open_log(path: &OsStr) -> Result<i32, String> {
    // Programs that the guest starts write to the same file, each at its end.
    let mut options = std::fs::OpenOptions::new();
    let file = options.append(true).create(true).custom_flags(libc::O_TRUNC).mode(0o666).open(path);
    let file = file.map_err(|e| format!("cannot write log file {}: {e}", path.to_string_lossy()))?;
    Ok(process::hide(file.into_raw_fd()))
}

fn version(name: &str) -> String {
    match name {
        "forearm" => format!("forearm {VERSION}\n"),
        _ => format!("qemu-arm version {QEMU_VERSION} (forearm {VERSION})\n"),
    }
}

fn os(value: CString) -> OsString {
    OsString::from_vec(value.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use forearm_runtime::log::Items;

    fn parse_in(words: &str, env: &[(&str, &str)], kernel: Kernel) -> Result<Start, String> {
        let args = words.split(' ').map(|w| CString::new(w).expect("no NUL")).collect();
        let env = env.iter().map(|(k, v)| (k.into(), v.into())).collect();
        match parse(args, env, kernel)? {
            Command::Run(start) => Ok(*start),
            Command::Print(text) => Err(format!("prints {text}")),
            Command::Write(_) => Err("writes".into()),
        }
    }

    fn parse_words(words: &str) -> Result<Start, String> {
        parse_in(words, &[], Kernel::default())
    }

    fn strings(list: &[CString]) -> Vec<&str> {
        list.iter().map(|s| s.to_str().expect("UTF-8")).collect()
    }

    #[test]
    fn options_end_at_the_program() {
        let start = parse_words("forearm -L /root -s 1M -r 5.4 -- -odd -s x").expect("valid");
        assert_eq!(strings(&start.args), ["-odd", "-s", "x"]);
        assert_eq!(start.options.stack_size, Some(1 << 20));
        assert_eq!(start.options.uname_release, Some("5.4".into()));
        assert_eq!(start.options.ld_prefix, Some("/root".into()));
        let start = parse_words("forearm --strace -0 name prog -strace").expect("valid");
        assert!(start.options.strace);
        assert_eq!(strings(&start.args), ["name", "-strace"]);
        assert_eq!(start.program.as_c_str(), c"prog");
    }

    #[test]
    fn the_command_line_wins_over_the_environment() {
        let env =
            [("QEMU_CPU", "cortex-a15"), ("QEMU_LOG", "in_asm"), ("QEMU_SET_ENV", "A=1,B=2"), ("A", "0")];
        let start = parse_in("qemu-arm -cpu cortex-a7 -E B=3 -U QEMU_LOG p", &env, Kernel::default());
        let start = start.expect("valid");
        assert_eq!(start.options.cpu.map(|c| c.name), Some("cortex-a7"));
        assert_eq!(start.options.log.items, Items::IN_ASM);
        let expected = ["QEMU_CPU=cortex-a15", "QEMU_SET_ENV=A=1,B=2", "A=1", "B=3"];
        assert_eq!(strings(&start.env), expected);
    }

    #[test]
    fn variables_have_values() {
        let with = |name, value| parse_in("forearm p", &[(name, value)], Kernel::default());
        assert!(with("FOREARM_STATS", "1").expect("valid").options.stats);
        assert!(!with("FOREARM_STATS", "0").expect("valid").options.stats);
        for (name, value) in [("FOREARM_STATS", "yes"), ("FOREARM_TIER", "fast"), ("FOREARM_OPT", "no-such")]
        {
            let error = with(name, value).expect_err(value);
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }

    #[test]
    fn variables_of_the_translator_have_its_names() {
        assert!(["QEMU_STRACE", "FOREARM_TIER"].iter().all(|name| is_ours(name.as_ref())));
        assert!(!["PATH", "MY_QEMU_X", "QEMU"].iter().any(|name| is_ours(name.as_ref())));
    }

    #[test]
    fn the_kernel_gives_no_options() {
        let opened = Kernel { exec_fd: Some(5), ..Kernel::default() };
        let start = parse_in("forearm -strace -x", &[], opened).expect("valid");
        assert_eq!(strings(&start.args), ["-strace", "-x"]);
        let preserved = Kernel { flags: PRESERVE_ARGV0, ..Kernel::default() };
        for (words, kernel) in
            [("forearm /bin/x name a", preserved), ("/q/arm-binfmt-P /bin/x name a", Kernel::default())]
        {
            let start = parse_in(words, &[], kernel).expect("valid");
            assert_eq!((start.program.to_str(), strings(&start.args)), (Ok("/bin/x"), vec!["name", "a"]));
        }
        assert!(parse_words("arm-binfmt-P /bin/x").is_err());
    }

    #[test]
    fn errors_name_the_option_and_the_value() {
        for (words, expected) in [
            ("forearm", "no program"),
            ("forearm -", "unknown option -"),
            ("forearm -nonsense p", "-nonsense"),
            ("forearm -s", "-s needs a value"),
            ("forearm -s 12q p", "12q"),
            ("forearm -s 0 p", "'0'"),
            ("forearm -cpu z80 p", "z80"),
            ("forearm -d sound p", "sound"),
            ("forearm -d tid p", "one log"),
            ("forearm -dfilter 5 p", "'5'"),
            ("forearm -D /no/such/dir/log p", "/no/such/dir/log"),
            ("forearm -D %x p", "%x"),
            ("forearm -E novalue p", "novalue"),
            ("forearm -U a=b p", "a=b"),
            ("forearm -p 5000 p", "power of two"),
            ("forearm -R 5 p", "'5'"),
            ("forearm -B x p", "'x'"),
            ("forearm -seed -1 p", "'-1'"),
            ("forearm -plugin x p", "code generator"),
            ("forearm -g  p", "empty"),
        ] {
            let error = parse_words(words).expect_err(words);
            assert!(error.contains(expected) && error.lines().count() == 1, "{words}: {error}");
        }
    }

    #[test]
    fn the_version_is_that_of_the_name() {
        let version = |name: &str| parse_words(&format!("{name} -version")).expect_err("prints");
        assert_eq!(version("/usr/bin/forearm"), format!("prints forearm {VERSION}\n"));
        assert!(version("/usr/bin/qemu-arm-static").starts_with("prints qemu-arm version 10."));
        assert!(parse_words("qemu-arm -h").expect_err("prints").starts_with("prints usage: qemu-arm "));
        assert!(parse_words("forearm -cpu help").expect_err("prints").contains("cortex-a53"));
        assert!(parse_words("forearm -d help").expect_err("prints").contains("in_asm"));
    }
}
