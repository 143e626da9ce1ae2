//! `forearm shell ROOT [COMMAND...]`: enters an ARM system as `chroot` would, with all that programs expect there.
//!
//! Three processes. The first makes the process namespace (and, without root, the user namespace), waits, and tidies
//! up. The second is the namespace's init: it makes a mount namespace, mounts, and moves into the root. The third
//! becomes the command. When the command ends the init ends, and with it the kernel ends every process and removes
//! every mount inside: nothing stays, however it ends.

use crate::binfmt::reason;
use crate::commands::{Answer, Command};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

mod mounts;
mod namespaces;
mod session;
mod supervise;

use namespaces::Ids;

/// What the command line says.
struct Options {
    /// Absolute, without links.
    root: PathBuf,
    ephemeral: bool,
    user_namespace: bool,
    /// Host path and path in the root.
    binds: Vec<(PathBuf, PathBuf)>,
    env: Vec<(OsString, OsString)>,
    command: Vec<OsString>,
}

/// `forearm shell`.
pub fn run(command: &Command, parser: lexopt::Parser) -> Answer {
    let Some(options) = parse(command, parser)? else {
        print!("{}", command.help());
        return Ok(0);
    };
    let root =
        File::open(&options.root).map_err(|e| format!("{}: {}", options.root.display(), reason(&e)))?;
    check_root(&options, &root)?;
    let own = own_exe().map_err(|e| format!("cannot open this program's file: {}", reason(&e)))?;
    let interpreter = crate::binfmt::own_file()?;

    let terminal = supervise::Terminal::current();
    let mask = supervise::block_signals();
    let ids = namespaces::enter(options.user_namespace)?;
    // Looked at before the mounts hide them.
    let made = mounts::missing_places(&root);
    // SAFETY: this process has one thread, so its child may do anything.
    let init = match unsafe { libc::fork() } {
        -1 => return Err(format!("cannot start a process: {}", reason(&io::Error::last_os_error()))),
        0 => std::process::exit(init(&options, ids, &interpreter, own, mask)),
        pid => pid,
    };
    let status = supervise::until_end(init);
    terminal.take_back();
    if !options.ephemeral {
        mounts::remove_places(&root, &made);
    }
    Ok(status)
}

fn parse(command: &Command, mut parser: lexopt::Parser) -> Result<Option<Options>, String> {
    let text = |e: lexopt::Error| e.to_string();
    let (mut ephemeral, mut user_namespace) = (false, false);
    let (mut binds, mut env) = (Vec::new(), Vec::new());
    let root: PathBuf = loop {
        match parser.next().map_err(text)? {
            Some(Long("ephemeral")) => ephemeral = true,
            Some(Long("user-namespace")) => user_namespace = true,
            Some(Long("bind")) => binds.push(bind(&parser.value().map_err(text)?)?),
            Some(Long("env")) => {
                let value = parser.value().map_err(text)?;
                env.push(split(&value, b'=').ok_or("--env wants VAR=VALUE")?);
            }
            Some(Short('h') | Long("help")) => return Ok(None),
            Some(Value(root)) => break root.into(),
            Some(other) => return Err(command.unexpected(other)),
            None => return Err("no directory given: forearm shell ROOT [COMMAND...]".into()),
        }
    };
    let canonical = root.canonicalize().map_err(|e| format!("{}: {}", root.display(), reason(&e)))?;
    if !canonical.is_dir() {
        return Err(format!("{}: not a directory", root.display()));
    }
    if canonical == Path::new("/") {
        return Err("/: this is the running system".into());
    }
    // The rest is the command's, options and all.
    let command = parser.raw_args().map_err(text)?.collect();
    Ok(Some(Options { root: canonical, ephemeral, user_namespace, binds, env, command }))
}

/// `PATH[:INSIDE]`.
fn bind(value: &OsString) -> Result<(PathBuf, PathBuf), String> {
    let (host, inside) = split(value, b':').unwrap_or_else(|| (value.clone(), value.clone()));
    let host = PathBuf::from(host);
    let host = host.canonicalize().map_err(|e| format!("--bind: {}: {}", host.display(), reason(&e)))?;
    let inside = if inside == *value { host.clone() } else { inside.into() };
    if !inside.is_absolute() {
        return Err(format!("--bind: {}: not an absolute path", inside.display()));
    }
    Ok((host, inside))
}

fn split(value: &OsString, at: u8) -> Option<(OsString, OsString)> {
    let bytes = value.as_bytes();
    let position = bytes.iter().position(|&b| b == at)?;
    let part = |bytes: &[u8]| std::ffi::OsStr::from_bytes(bytes).to_owned();
    (position > 0).then(|| (part(&bytes[..position]), part(&bytes[position + 1..])))
}

/// The first thing that would run must be an ARM program (or a script, whose interpreter execve will look at).
fn check_root(options: &Options, root: &File) -> Result<(), String> {
    let shown = options.root.display();
    let first = match options.command.first() {
        Some(command) if command.as_bytes().starts_with(b"/") => Path::new(command),
        _ => Path::new("/bin/sh"),
    };
    let start = mounts::open_in_root(root, first, libc::O_RDONLY).and_then(|file| {
        let mut start = [0; 20];
        let len = std::os::unix::fs::FileExt::read_at(&file, &mut start, 0)?;
        Ok(start[..len].to_vec())
    });
    match start {
        Ok(start) if start.starts_with(b"\x7fELF") && !forearm_runtime::loader::is_arm(&start) => {
            Err(format!("{shown}: not an ARM system: its {} is for another architecture", first.display()))
        }
        Ok(_) => Ok(()),
        // The command is looked for again inside, with the status that a shell gives.
        Err(_) if first != Path::new("/bin/sh") => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            Err(format!("{shown}: not an ARM system: there is no /bin/sh in it"))
        }
        Err(e) => Err(format!("{shown}: {}: {}", first.display(), reason(&e))),
    }
}

/// A descriptor of this program's file: it is executed again inside, where there is no path to it.
fn own_exe() -> io::Result<OwnedFd> {
    // SAFETY: a constant path.
    let fd = unsafe { libc::open(c"/proc/self/exe".as_ptr(), libc::O_PATH | libc::O_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and ours.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The init of the process namespace. Gives its exit status.
fn init(options: &Options, ids: Ids, interpreter: &Path, own: OwnedFd, mask: libc::sigset_t) -> i32 {
    // SAFETY: integers only. The init is not to outlive the process that waits for it.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    if let Err(why) = mounts::prepare(options, ids, interpreter) {
        eprintln!("forearm: shell: {why}");
        return 1;
    }
    // SAFETY: as before, one thread.
    match unsafe { libc::fork() } {
        -1 => {
            eprintln!("forearm: shell: cannot start a process: {}", reason(&io::Error::last_os_error()));
            1
        }
        0 => {
            supervise::restore_signals(&mask);
            let (status, why) = session::execute(options, ids, own);
            eprintln!("forearm: shell: {why}");
            std::process::exit(status)
        }
        command => supervise::until_end(command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_split_at_the_first_sign() {
        let pair = |a: &str, b: &str| Some((a.into(), b.into()));
        assert_eq!(split(&"A=b=c".into(), b'='), pair("A", "b=c"));
        assert_eq!(split(&"A=".into(), b'='), pair("A", ""));
        assert_eq!(split(&"A".into(), b'='), None);
        assert_eq!(split(&"=x".into(), b'='), None);
        assert_eq!(bind(&"/tmp:/mnt".into()), Ok(("/tmp".into(), "/mnt".into())));
        assert_eq!(bind(&"/".into()), Ok(("/".into(), "/".into())));
        assert!(bind(&"/tmp:mnt".into()).is_err() && bind(&"/no/such/file".into()).is_err());
    }
}
