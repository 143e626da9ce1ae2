//! The command `forearm`: `forearm [OPTIONS] PROGRAM [ARGUMENTS]`, and the interpreter of a binfmt_misc entry.

// Rust's own start-up would ignore SIGPIPE and take SIGSEGV; both belong to the guest.
#![no_main]

mod image;

use forearm_launcher::command_line::{self, Command, Kernel};
use forearm_launcher::commands;
use forearm_runtime::run;
use std::ffi::{CStr, CString};
use std::io::Write;

/// The entry point that C's start-up calls.
#[unsafe(no_mangle)]
extern "C" fn main(argc: i32, argv: *const *const libc::c_char) -> i32 {
    // SAFETY: the kernel's argument vector: argc strings, which stay.
    let args: Vec<CString> =
        (0..argc as usize).map(|n| unsafe { CStr::from_ptr(*argv.add(n)) }.to_owned()).collect();
    let kernel = Kernel::of_process();
    if kernel.secure {
        // The caller must not steer a program with more rights than its own, nor what that program starts.
        for (name, _) in std::env::vars_os().filter(|(name, _)| command_line::is_ours(name)) {
            // SAFETY: there is one thread.
            unsafe { std::env::remove_var(name) };
        }
    }
    if let Some(status) = commands::dispatch(&args, kernel) {
        return status;
    }
    let name = command_line::name(args.first());
    match command_line::parse(args, std::env::vars_os().collect(), kernel) {
        Ok(Command::Run(mut start)) => {
            start.image = image::IMAGE;
            run(*start)
        }
        Ok(Command::Print(text)) => print(text.as_bytes()),
        Ok(Command::Write(bytes)) => print(&bytes),
        Err(why) => {
            eprintln!("{name}: {why}");
            1
        }
    }
}

/// Writes all to standard output: nobody else empties its buffer at the end. The exit status.
fn print(bytes: &[u8]) -> i32 {
    let mut out = std::io::stdout();
    out.write_all(bytes).and_then(|()| out.flush()).map_or(1, |()| 0)
}
