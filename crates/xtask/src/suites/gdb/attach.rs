//! `-g`: the real gdb attaches to a program and does what one does with it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::{LIMIT, commands, compile, expect, gdb};
use crate::context::Context;
use crate::process::{self, describe};
use crate::suites::Case;

/// What a session is: argument of the program, gdb's commands, what it must say, how the program must end.
struct Session {
    name: &'static str,
    argument: &'static str,
    commands: &'static [&'static str],
    wanted: &'static [&'static str],
    end: &'static str,
}

#[rustfmt::skip]
const SESSIONS: &[Session] = &[
    Session {
        name: "breakpoints", argument: "",
        commands: &[
            "info registers pc", "break work", "continue", "bt", "info args", "p counter", "next", "p counter", "finish",
            "delete", "break write_it if counter == 6", "continue", "stepi", "x/i $pc", "info breakpoints", "tbreak finished", "handle SIGUSR1 nostop",
            "continue", "break *0x10", "continue",
        ],
        wanted: &[
            "<_start>", "Breakpoint 1, work (n=1)", "#1  0x", "in main (argc=1", "n = 1", "$1 = 0", "$2 = 1", "Value returned is $3 = 2",
            "Breakpoint 2, write_it ()", "=> 0x", "breakpoint already hit 1 time", "finished (sum=3)", "Breakpoint 4 at 0x10",
            "Cannot insert breakpoint 4",
        ],
        end: "status 7",
    },
    Session {
        name: "watchpoints", argument: "",
        commands: &[
            "handle SIGUSR1 nostop", "break main", "continue", "watch watched", "continue", "x/i $pc - 2", "delete", "continue",
        ],
        wanted: &[
            "Hardware watchpoint 2: watched", "hit Hardware watchpoint 2: watched", "Old value = 0", "New value = 42", "write_it ()",
            // The instruction before, no earlier one.
            ":\tstr\tr", "exited with code 07",
        ],
        end: "status 7",
    },
    Session {
        name: "read-watchpoints", argument: "",
        commands: &["handle SIGUSR1 nostop", "break main", "continue", "rwatch watched", "continue", "x/i $pc - 2", "delete", "continue"],
        wanted: &[
            "Hardware read watchpoint 2: watched", "hit Hardware read watchpoint 2: watched", "Value = 42", "finished (sum=3)", ":\tldr\tr",
            "exited with code 07",
        ],
        end: "status 7",
    },
    Session {
        name: "access-watchpoints", argument: "",
        commands: &[
            "handle SIGUSR1 nostop", "break touch", "continue", "awatch words[3]", "continue", "x/i $pc - 4", "continue", "x/i $pc - 4",
            "set var $d17 = 1.0", "continue", "x/i $pc - 4", "continue", "x/i $pc - 4", "continue", "x/i $pc - 4", "continue",
        ],
        wanted: &[
            "Hardware access (read/write) watchpoint 2: words[3]", "hit Hardware access (read/write) watchpoint 2", "Value = 0", ":\tldmia",
            "Value = 0", ":\tldrd", "Old value = 0", "New value = 1072693248", ":\tvst1.32", "Value = 1072693248", ":\tldrex",
            "Old value = 1072693248", "New value = 1072693249", ":\tstrex", "exited with code 07",
        ],
        end: "status 7",
    },
    Session {
        name: "registers", argument: "",
        commands: &[
            "break vector", "continue", "set var $d9 = 2.5", "set var $r4 = 0x1234", "set var $fpscr = 0x400000", "p $d9", "p/x $r4", "p/x $fpscr",
            "set var $fpscr = 0", "set var $q15.u32 = {1, 2, 3, 4}", "p $d31", "next", "p/x $q8.u32[3]", "p/x $q4.u64[0]", "info registers cpsr",
            "info registers tpidruro", "set var text = \"after\"", "x/s text", "p work(100)", "p $lr == 0", "set var handled = 90", "detach",
        ],
        wanted: &[
            "vector ()", "= 2.5", "= 0x1234", "= 0x400000", "= 8.4", "= 0x55", "= 0x3ff8000000000000", "cpsr           0x", "tpidruro       0x",
            "\"after\"", "= 200", "= 0", "detached",
        ],
        end: "status 7",
    },
    Session {
        name: "threads", argument: "",
        commands: &[
            "handle SIGUSR1 nostop", "break write_it", "continue", "info threads", "thread apply all bt", "thread 3", "p p", "set scheduler-locking on", "stepi", "stepi",
            "thread 2", "stepi", "set scheduler-locking off", "thread 1", "delete", "continue",
        ],
        wanted: &[
            "hit Breakpoint 1, write_it ()", "* 1 ", "write_it ()", "  2 ", "  3 ", "in spinner (p=0x0)", "in sleeper (p=0x0)",
            "in main (argc=1", "Switching to thread 3", "= (void *) 0x0", "Switching to thread 2", "Switching to thread 1", "exited with code 07",
        ],
        end: "status 7",
    },
    Session {
        name: "signals", argument: "",
        commands: &["continue", "bt 3", "break handler", "continue", "p signal", "delete", "continue"],
        wanted: &[
            "received signal SIGUSR1, User defined signal 1", "in raise ()", "Breakpoint 1, handler (signal=10)", "= 10", "exited with code 07",
        ],
        end: "status 7",
    },
    Session {
        name: "fault", argument: "crash",
        commands: &["continue", "bt", "continue"],
        wanted: &["received signal SIGSEGV", "in main (argc=2", "Program terminated with signal SIGSEGV"],
        end: "signal 11",
    },
    Session {
        name: "process", argument: "",
        commands: &["break main", "continue", "info proc mappings", "info auxv", "info proc exe", "kill"],
        wanted: &[
            "Breakpoint 1, main (argc=1", "Mapped address spaces", "0x10000 ", "r-xp", "gdb/session", "[heap]", "[sigpage]", "[stack]", "[vectors]",
            "AT_HWCAP2 ", "AT_EXECFN ", "exe = '/", "killed",
        ],
        end: "signal 9",
    },
];

/// The program, compiled by the first test that needs it.
type Program = Arc<OnceLock<Result<PathBuf, String>>>;

/// A test that gets the suite's directory and the program.
type Test = fn(&Context, &Path, &Path) -> Result<()>;

/// One test per session, and those that need more than commands.
pub fn cases<'a>(context: &'a Context, dir: &Path) -> Result<Vec<Case<'a>>> {
    let program = Program::default();
    let compiled = |program: &Program, dir: &Path| {
        let made = program.get_or_init(|| compile(context, dir, "session").map_err(|e| format!("{e:#}")));
        made.clone().map_err(|e| anyhow::anyhow!("{e}"))
    };
    let mut cases = Vec::new();
    for session in SESSIONS {
        let (program, dir) = (program.clone(), dir.to_owned());
        cases.push(Case::new(format!("gdb::{}", session.name), move || {
            session.run(context, &dir, &compiled(&program, &dir)?)
        }));
    }
    let more: &[(&str, Test)] = &[
        ("port", port),
        ("interrupt", interrupt),
        ("reads-files-through-the-connection", files),
        ("refused", refused),
        ("connection-lost", connection_lost),
    ];
    for &(name, test) in more {
        let (program, dir) = (program.clone(), dir.to_owned());
        cases
            .push(Case::new(format!("gdb::{name}"), move || test(context, &dir, &compiled(&program, &dir)?)));
    }
    Ok(cases)
}

/// A program under forearm that waits for gdb; killed when it is dropped.
struct Waiting(Child);

impl Waiting {
    fn start(context: &Context, place: &str, program: &Path, argument: &str) -> Result<Waiting> {
        let mut command = Command::new(context.forearm());
        command.args(["-g", place]).arg(program).args(Some(argument).filter(|a| !a.is_empty()));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Waiting(child))
    }

    /// As [`start`](Self::start), at a socket that is there when this returns.
    fn at_socket(context: &Context, socket: &Path, program: &Path, argument: &str) -> Result<Waiting> {
        let waiting = Waiting::start(context, &socket.to_string_lossy(), program, argument)?;
        let deadline = Instant::now() + LIMIT;
        while !socket.exists() {
            ensure!(Instant::now() < deadline, "no socket at {}", socket.display());
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(waiting)
    }

    /// How it ends, within the limit.
    fn end(mut self) -> Result<String> {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(describe(status));
            }
            ensure!(Instant::now() < deadline, "the program hangs");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// gdb with the program, attached at `place`.
fn attached(program: &Path, place: &str) -> Command {
    let mut gdb = gdb();
    commands(gdb.arg(program), &["set pagination off", &format!("target remote {place}")]);
    gdb
}

fn socket(dir: &Path, name: &str) -> Result<PathBuf> {
    let socket = dir.join(format!("{name}.socket"));
    if socket.exists() {
        std::fs::remove_file(&socket)?;
    }
    Ok(socket)
}

impl Session {
    fn run(&self, context: &Context, dir: &Path, program: &Path) -> Result<()> {
        let socket = socket(dir, self.name)?;
        let waiting = Waiting::at_socket(context, &socket, program, self.argument)?;
        let mut gdb = attached(program, &socket.to_string_lossy());
        commands(&mut gdb, self.commands);
        expect(&process::run(&mut gdb, LIMIT)?, self.wanted)?;
        let end = waiting.end()?;
        ensure!(end == self.end, "the program ended with {end}, expected {}", self.end);
        ensure!(!socket.exists(), "the socket stays");
        Ok(())
    }
}

/// A free port of this host.
fn free_port() -> Result<(std::net::TcpListener, String)> {
    let listener = std::net::TcpListener::bind(("0.0.0.0", 0))?;
    let port = listener.local_addr()?.port().to_string();
    Ok((listener, port))
}

fn port(context: &Context, _: &Path, program: &Path) -> Result<()> {
    let (listener, port) = free_port()?;
    drop(listener);
    let mut command = Command::new(context.forearm());
    // The variable does what the option does.
    command.arg(program).env("QEMU_GDB", &port).stdout(Stdio::null());
    let waiting = Waiting(command.spawn()?);
    let mut gdb = attached(program, &format!("localhost:{port}"));
    commands(
        &mut gdb,
        &["handle SIGUSR1 nostop", "break finished", "continue", "p watched", "p inherited", "continue"],
    );
    gdb.args(["-iex", "set tcp connect-timeout 20"]);
    expect(&process::run(&mut gdb, LIMIT)?, &["finished (sum=3)", "= 42", "= 0x0", "exited with code 07"])?;
    let end = waiting.end()?;
    ensure!(end == "status 7", "the program ended with {end}");
    Ok(())
}

fn interrupt(context: &Context, dir: &Path, program: &Path) -> Result<()> {
    let socket = socket(dir, "interrupt")?;
    let waiting = Waiting::at_socket(context, &socket, program, "forever")?;
    // gdb gets a SIGINT a second after it has let the program go, as from ^C.
    let script = "gdb=$$; (sleep 2; kill -INT $gdb) & exec \"$@\"";
    let gdb = attached(program, &socket.to_string_lossy());
    let mut shell = Command::new("bash");
    shell.args(["-c", script, "bash"]).arg(gdb.get_program()).args(gdb.get_args());
    commands(&mut shell, &["continue", "thread 1", "bt", "p counter > 0", "kill"]);
    let wanted = ["received signal SIGINT, Interrupt", "in main (argc=2", "= 1", "killed"];
    expect(&process::run(&mut shell, LIMIT)?, &wanted)?;
    let end = waiting.end()?;
    ensure!(end == "signal 9", "the program ended with {end}");
    Ok(())
}

/// gdb has no file of its own: it reads the program by its name through the connection.
fn files(context: &Context, dir: &Path, program: &Path) -> Result<()> {
    let socket = socket(dir, "files")?;
    let waiting = Waiting::at_socket(context, &socket, program, "")?;
    let mut gdb = gdb();
    commands(&mut gdb, &[&format!("target remote {}", socket.display())]);
    commands(&mut gdb, &["break work", "continue", "bt", "info files", "detach"]);
    let wanted = ["Reading", "from remote target", "Breakpoint 1, work (n=1)", "in main (argc=1", "detached"];
    expect(&process::run(&mut gdb, LIMIT)?, &wanted)?;
    let end = waiting.end()?;
    ensure!(end == "status 7", "the program ended with {end}");
    Ok(())
}

/// What cannot be had is refused with one line and status 1, before the program starts.
fn refused(context: &Context, dir: &Path, program: &Path) -> Result<()> {
    let (_taken, port) = free_port()?;
    let file = dir.join("a-file");
    std::fs::write(&file, "")?;
    let places = [&port, "0", "99999", "/no/such/directory/socket", &*file.to_string_lossy()];
    for place in places {
        let mut command = Command::new(context.forearm());
        let output = process::run(command.args(["-g", place]).arg(program), LIMIT)?;
        let text = String::from_utf8_lossy(&output.stderr);
        ensure!(output.end() == "status 1", "{place}: {}, expected status 1", output.end());
        ensure!(output.stdout.is_empty(), "{place}: the program ran");
        ensure!(text.lines().count() == 1 && text.contains(place), "{place}: says {text:?}");
    }
    ensure!(std::fs::read(&file)?.is_empty(), "the file is changed");
    Ok(())
}

/// The program goes on by itself when gdb is gone, breakpoints and all.
fn connection_lost(context: &Context, dir: &Path, program: &Path) -> Result<()> {
    let socket = socket(dir, "lost")?;
    let waiting = Waiting::at_socket(context, &socket, program, "")?;
    let mut gdb = attached(program, &socket.to_string_lossy());
    commands(&mut gdb, &["break work", "watch watched", "continue", "bt", "shell kill -9 $PPID"]);
    let output = process::run(&mut gdb, LIMIT)?;
    ensure!(!output.success(), "gdb survived");
    expect(&output, &["work (n=1)"]).context("before it was killed")?;
    let end = waiting.end()?;
    ensure!(end == "status 7", "the program ended with {end}");
    Ok(())
}
