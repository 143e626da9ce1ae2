//! The command `forearm`: `forearm [OPTIONS] PROGRAM [ARGUMENTS]`, and the interpreter of a binfmt_misc entry.

// Rust's own start-up would ignore SIGPIPE and take SIGSEGV; both belong to the guest.
#![no_main]

use forearm_runtime::{Limits, Start, run};
use std::ffi::{CStr, CString, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// AT_FLAGS_PRESERVE_ARGV0: started through a binfmt_misc entry with the P flag (include/uapi/linux/binfmts.h).
const PRESERVE_ARGV0: u64 = 1;

const USAGE: &str = "usage: forearm [OPTIONS] PROGRAM [ARGUMENTS]
  -L PREFIX        look for the program interpreter and libraries below PREFIX first
  -0 ARGV0         the program's argv[0]
  -E VAR=VALUE     set an environment variable (repeatable)
  -U VAR           unset an environment variable (repeatable)
  -r RELEASE       kernel release that uname reports
  -s BYTES         size of the main thread's stack
  -B ADDRESS       host address of guest address 0
  -strace          print system calls
  -version, -h     print this";

/// What is wrong with the command line.
struct Refused(String);

/// The entry point that C's start-up calls.
#[unsafe(no_mangle)]
extern "C" fn main(argc: i32, argv: *const *const libc::c_char) -> i32 {
    // SAFETY: the kernel's argument vector: argc strings, which stay.
    let args = (0..argc as usize).map(|n| unsafe { CStr::from_ptr(*argv.add(n)) }.to_owned()).collect();
    match parse(args) {
        Ok(Some(start)) => run(start),
        Ok(None) => {
            println!("forearm {}\n{USAGE}", env!("CARGO_PKG_VERSION"));
            0
        }
        Err(Refused(why)) => {
            eprintln!("forearm: {why}");
            1
        }
    }
}

fn parse(args: Vec<CString>) -> Result<Option<Start>, Refused> {
    let mut args = args.into_iter().skip(1);
    let mut start = Start::default();
    let mut env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    // SAFETY: reads the vector the kernel gave to this process.
    let (flags, exec_fd) = unsafe { (libc::getauxval(libc::AT_FLAGS), libc::getauxval(libc::AT_EXECFD)) };
    let preserved = flags & PRESERVE_ARGV0 != 0;
    // The program's descriptor is 0 only if it was started without a standard input.
    start.exec_fd = (exec_fd != 0).then_some(exec_fd as i32);

    let mut argv0 = None;
    let program = loop {
        let Some(arg) = args.next() else { return Err(Refused(USAGE.into())) };
        if preserved || !arg.to_bytes().starts_with(b"-") {
            break arg;
        }
        let name = arg.to_string_lossy().into_owned();
        let mut value = || args.next().ok_or_else(|| Refused(format!("option {name} needs a value")));
        match arg.to_bytes() {
            b"--" => break args.next().ok_or_else(|| Refused(USAGE.into()))?,
            b"-h" | b"-help" | b"--help" | b"-version" | b"--version" => return Ok(None),
            b"-L" => start.options.ld_prefix = Some(os(value()?).into()),
            b"-0" => argv0 = Some(value()?),
            b"-E" => {
                let pair = value()?.into_bytes();
                let at = pair.iter().position(|&b| b == b'=');
                let at = at.ok_or_else(|| Refused("option -E wants VAR=VALUE".into()))?;
                let (key, value) = (&pair[..at], &pair[at + 1..]);
                env.retain(|(k, _)| k.as_bytes() != key);
                env.push((OsString::from_vec(key.into()), OsString::from_vec(value.into())));
            }
            b"-U" => {
                let key = value()?;
                env.retain(|(k, _)| k.as_bytes() != key.to_bytes());
            }
            b"-r" => start.options.uname_release = Some(os(value()?)),
            b"-s" => start.options.stack_size = Some(number(&name, &value()?)?),
            b"-B" => start.options.guest_base = Some(number(&name, &value()?)?),
            b"-strace" => start.options.strace = true,
            // The three below are how one guest program starts another.
            b"-execfd" => start.exec_fd = Some(number(&name, &value()?)?),
            b"-selffd" => start.self_fd = Some(number(&name, &value()?)?),
            b"-limits" => {
                let limits = Limits::from_text(&value()?.to_string_lossy());
                start.limits =
                    limits.ok_or_else(|| Refused("option -limits wants RESOURCE:SOFT:HARD,...".into()))?;
            }
            _ => return Err(Refused(format!("unknown option {name}"))),
        }
    };
    start.args = args.collect();
    if preserved && !start.args.is_empty() {
        // The P flag: program, argv[0], the rest.
        argv0 = Some(start.args.remove(0));
    }
    start.args.insert(0, argv0.unwrap_or_else(|| program.clone()));
    start.program = program;
    start.env = env
        .into_iter()
        .filter_map(|(key, value)| {
            let pair = [key.into_vec(), value.into_vec()].join(&b'=');
            CString::new(pair).ok()
        })
        .collect();
    Ok(Some(start))
}

fn os(value: CString) -> OsString {
    OsString::from_vec(value.into_bytes())
}

/// A decimal or 0x number.
fn number<T: TryFrom<u64>>(option: &str, value: &CStr) -> Result<T, Refused> {
    let text = value.to_string_lossy();
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed
        .ok()
        .and_then(|n| T::try_from(n).ok())
        .ok_or_else(|| Refused(format!("option {option}: '{text}' is not a usable number")))
}
