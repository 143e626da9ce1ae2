//! From a command line to a running guest.

use crate::errno::Errno;
use crate::gdb;
use crate::loader::{self, LoadError, Program};
use crate::log;
use crate::process::{self, Options, Process};
use crate::signals::deliver;
use crate::signals::host::{self, Disposition};
use crate::signals::{SigAction, SigActions, TAKEN};
use crate::stats;
use crate::store;
use crate::syscalls::{exec, resource::Limits, signal};
use crate::threads::{Host, Thread};
use crate::tuning::{self, Optimisations};
use forearm_backend::CpuState;
use forearm_backend::engine::Policy;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::os::fd::{FromRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Page faults, each of which makes up to 64 KiB of the image accessible, after which a process drops what it has looked at of it from its
/// page tables: fewer cost more time than they save memory.
const RESIDENT: u64 = 190;

/// A program to run.
#[derive(Debug, Default)]
pub struct Start {
    /// Options, which programs started by the guest inherit.
    pub options: Options,
    /// Path of the program, as execve got it.
    pub program: CString,
    /// The program already opened: binfmt_misc's O flag (AT_EXECFD), or an exec by a guest.
    pub exec_fd: Option<RawFd>,
    /// A descriptor of the translator's own file, from the guest that started this one.
    pub self_fd: Option<RawFd>,
    /// The file of compiled code that the guest that started this one shares.
    pub store_fd: Option<RawFd>,
    /// Compiled code that is part of the program: a store's image.
    pub image: Option<&'static [u8]>,
    /// Limits of memory that the guest that started this one has set.
    pub limits: Limits,
    /// argv, `argv[0]` included.
    pub args: Vec<CString>,
    /// envp.
    pub env: Vec<CString>,
}

/// The status of a shell that cannot start a program: not found, found but not to be run, or no memory for it.
fn status(errno: Errno) -> i32 {
    match errno.0 {
        libc::ENOENT => 127,
        libc::ENOMEM => 1,
        _ => 126,
    }
}

/// Runs the program; the process ends as the guest does. When it cannot start, one line says why.
pub fn run(start: Start) -> ! {
    let listener = match start.options.gdb.as_deref().map(gdb::listen).transpose() {
        Ok(listener) => listener,
        Err(why) => {
            eprintln!("forearm: {why}");
            std::process::exit(1)
        }
    };
    let name = start.program.clone();
    match prepare(start, listener) {
        Ok(mut thread) => {
            let status = thread.run();
            thread.exit_group(status)
        }
        Err(e) => {
            eprintln!("forearm: {}: {e}", name.to_string_lossy());
            std::process::exit(status(e.errno))
        }
    }
}

/// Is translation itself to be seen? Then nothing is taken that another process has translated, and code is put where perf
/// looks for its symbols. Host code alone is shown wherever it comes from.
fn watches_translation(options: &Options) -> bool {
    use log::Items;
    let items = Items::IN_ASM | Items::OP | Items::OP_OPT | Items::EXEC | Items::CPU;
    options.log.items.intersects(items) || options.one_insn_per_tb || options.perf.is_some()
}

fn prepare(start: Start, listener: Option<gdb::Listener>) -> Result<Thread, LoadError> {
    let Start { options, program: path, exec_fd, self_fd, store_fd, image: code, limits, args, mut env } =
        start;
    if listener.is_some() {
        // Programs that this one starts would wait for a gdb each, at the same place.
        env.retain(|variable| !variable.to_bytes().starts_with(b"QEMU_GDB="));
    }
    log::start(&options.log);
    tuning::switch_off(options.switched_off);
    if options.stats {
        stats::start();
    }
    if options.one_insn_per_tb {
        Policy::one_insn_per_block();
    }
    let (file, path, args) = open(path, exec_fd, args)?;
    let exe = exec::absolute_path(&file, &path);
    set_name(&path);
    let Program { memory, image, entry, sigpage, personality } =
        loader::load(file, &path, exe, &args, &env, &options)?;

    crate::procfs::describe(&image, memory.base());
    if log::wants(log::Items::PAGE) {
        crate::procfs::log_pages(&memory, &image, entry);
    }

    let mut actions = SigActions::default();
    host::look_at_syscall();
    for signal in TAKEN {
        // What was inherited must be asked before the handler hides it.
        actions.set(signal, SigAction { handler: actions.get(signal).handler, ..SigAction::default() });
        host::set_disposition(signal, Disposition::Catch, 0)?;
    }
    memory.engine().use_traps();
    if crate::coredump::limit() != 0 || options.stats || listener.is_some() {
        deliver::watch_defaults(&actions);
    }
    let own_exe = match self_fd {
        Some(fd) => process::hide(fd),
        None => process::open_own_exe(),
    };
    let store = store::inherit_or_create(store_fd);
    if !watches_translation(&options) && tuning::on(Optimisations::SHARE) {
        let engine = memory.engine();
        if let Some(code) = code {
            // SAFETY: `Start::image` is there for this alone.
            unsafe { engine.use_image(code, RESIDENT) };
        }
        engine.use_shared(store);
    }
    let process = Process {
        store: store.into(),
        engine: memory.engine().clone(),
        memory: Arc::new(memory),
        sigactions: Mutex::new(actions),
        options: Arc::new(options),
        personality: personality.into(),
        own_exe: own_exe.into(),
        limits,
        directories: Default::default(),
        sigpage,
        halt: Default::default(),
        debugger: listener.as_ref().map(gdb::Listener::debugger),
        image: Arc::new(image),
    };
    let mut cpu = Box::new(CpuState::default());
    cpu.r[13] = process.image.start_stack;
    cpu.r[15] = entry & !1;
    cpu.thumb = entry & 1;
    let mut thread = Thread::new(cpu, Arc::new(process), Host::First);
    // SAFETY: a plain system call.
    thread.tid = unsafe { libc::gettid() };
    thread.process.halt.add(thread.tid, &thread.halted);
    // The first thread's lasts as long as the process.
    std::mem::forget(host::HandlerStack::new());
    thread.inbox.enter();
    thread.inbox.set_mask(signal::inherited_mask());
    if let Some(listener) = listener {
        listener.serve(thread.process.clone()).map_err(Errno::from)?;
    }
    Ok(thread)
}

/// Opens the program; a script's interpreter takes its place, as in exec.
fn open(
    path: CString,
    exec_fd: Option<RawFd>,
    args: Vec<CString>,
) -> Result<(File, CString, Vec<CString>), LoadError> {
    if let Some(fd) = exec_fd {
        // SAFETY: whoever started this process gave us the descriptor.
        return Ok((unsafe { File::from_raw_fd(fd) }, path, args));
    }
    let target =
        exec::resolve(libc::AT_FDCWD, path.clone(), args, 0).map_err(|errno| explain(&path, errno))?;
    let file = target.file.ok_or(Errno(libc::EACCES))?;
    Ok((file, target.path, target.args))
}

/// An errno of execve for the user, who knows the file but not the kernel's ways.
fn explain(path: &CStr, errno: Errno) -> LoadError {
    let path = Path::new(OsStr::from_bytes(path.to_bytes()));
    let reason = match errno.0 {
        libc::EACCES if path.is_dir() => "Is a directory".to_owned(),
        // The file is there: what is not is the interpreter its first line names.
        libc::ENOENT => exec::interpreter_of(path)
            .map_or(String::new(), |name| format!("script interpreter {}: {errno}", name.to_string_lossy())),
        _ => String::new(),
    };
    LoadError { errno, reason }
}

/// The thread's name is the program's, as after an exec.
fn set_name(path: &CStr) {
    let name = path.to_bytes().rsplit(|&b| b == b'/').next().unwrap_or_default();
    let mut comm = [0u8; 16];
    let len = name.len().min(15);
    comm[..len].copy_from_slice(&name[..len]);
    // SAFETY: a NUL-terminated name.
    unsafe { libc::prctl(libc::PR_SET_NAME, comm.as_ptr()) };
}
