//! What the command finds: its environment, and the way it is started.

use super::Options;
use super::mounts::APT_CONFIG;
use super::namespaces::Ids;
use crate::binfmt::reason;
use forearm_runtime::syscalls::exec;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Becomes the command. Returns only if that fails, with the status a shell would give and the reason.
pub fn execute(options: &Options, ids: Ids, own: OwnedFd) -> (i32, String) {
    let root = Root::read();
    let (argv0, program, arguments) = match options.command.split_first() {
        Some((name, arguments)) => match find(name) {
            Ok(program) => (name.clone(), program, arguments),
            Err(failure) => return failure,
        },
        // A login shell, which a leading - says.
        None => {
            let name = root.shell.rsplit('/').next().unwrap_or("sh");
            (OsString::from(format!("-{name}")), root.shell.clone().into(), &[][..])
        }
    };
    let environment: Vec<CString> = environment(options, ids, &root)
        .into_iter()
        .filter_map(|(name, value)| c(&[name.as_bytes(), b"=", value.as_bytes()].concat()))
        .collect();
    let given: Vec<CString> = [&argv0].into_iter().chain(arguments).filter_map(|a| c(a.as_bytes())).collect();
    let Some(path) = c(program.as_bytes()) else { return (126, "a name with a NUL".into()) };
    let native =
        matches!(exec::resolve(libc::AT_FDCWD, path.clone(), given.clone(), 0), Ok(target) if !target.arm);
    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let env = pointers(&environment);
    if native {
        // SAFETY: NULL-terminated arrays of strings that live through the call.
        unsafe { libc::execve(path.as_ptr(), pointers(&given).as_ptr(), env.as_ptr()) };
    } else {
        let mut command = vec![c"forearm".to_owned(), c"-0".to_owned()];
        command.push(given.first().cloned().unwrap_or_default());
        command.extend([c"--".to_owned(), path]);
        command.extend(given.into_iter().skip(1));
        // SAFETY: as above; an open descriptor and an empty path.
        unsafe {
            libc::syscall(
                libc::SYS_execveat,
                own.as_raw_fd(),
                c"".as_ptr(),
                pointers(&command).as_ptr(),
                env.as_ptr(),
                libc::AT_EMPTY_PATH,
            )
        };
    }
    (126, format!("{}: {}", program.to_string_lossy(), reason(&io::Error::last_os_error())))
}

fn c(bytes: &[u8]) -> Option<CString> {
    CString::new(bytes).ok()
}

/// Searches PATH as a shell does.
fn find(name: &OsStr) -> Result<OsString, (i32, String)> {
    if name.as_bytes().contains(&b'/') {
        return Ok(name.to_owned());
    }
    let mut refused = false;
    for directory in PATH.split(':') {
        let path = [directory.as_bytes(), b"/", name.as_bytes()].concat();
        let Some(string) = c(&path) else { break };
        match exec::resolve(libc::AT_FDCWD, string, Vec::new(), 0).map_err(|e| e.0) {
            Err(libc::ENOENT | libc::ENOTDIR) => {}
            Err(libc::EACCES) => refused = true,
            _ => return Ok(OsString::from_vec(path)),
        }
    }
    let name = name.to_string_lossy();
    Err(if refused {
        (126, format!("{name}: permission denied"))
    } else {
        (127, format!("{name}: not found"))
    })
}

/// The root user of the system inside.
struct Root {
    home: String,
    shell: String,
}

impl Root {
    fn read() -> Self {
        Self::parse(&std::fs::read_to_string("/etc/passwd").unwrap_or_default(), |shell| {
            exec::resolve(libc::AT_FDCWD, c(shell.as_bytes()).unwrap_or_default(), Vec::new(), 0).is_ok()
        })
    }

    fn parse(passwd: &str, usable: impl Fn(&str) -> bool) -> Self {
        let line: Vec<&str> = passwd
            .lines()
            .map(|l| l.split(':').collect::<Vec<_>>())
            .find(|fields| fields.len() == 7 && fields[2] == "0")
            .unwrap_or_default();
        let field = |n: usize, other: &str| {
            line.get(n).copied().filter(|f| !f.is_empty()).unwrap_or(other).to_owned()
        };
        let shell = field(6, "/bin/sh");
        Self { home: field(5, "/root"), shell: if usable(&shell) { shell } else { "/bin/sh".into() } }
    }
}

/// A clean one: of the host's only the terminal, proxies, and what forearm and QEMU read.
fn environment(options: &Options, ids: Ids, root: &Root) -> Vec<(OsString, OsString)> {
    let mut environment: Vec<(OsString, OsString)> = [
        ("PATH", PATH),
        ("HOME", &root.home),
        ("USER", "root"),
        ("LOGNAME", "root"),
        ("SHELL", &root.shell),
        // glibc and musl have this locale without any file.
        ("LANG", "C.UTF-8"),
        ("TERM", "dumb"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    if ids == Ids::Root {
        environment.push(("APT_CONFIG".into(), APT_CONFIG.into()));
    }
    let host = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        name == "TERM"
            || name == "COLORTERM"
            || name.starts_with("FOREARM_")
            || name.starts_with("QEMU_")
            || name.to_ascii_lowercase().ends_with("_proxy")
    });
    for (name, value) in host.chain(options.env.iter().cloned()) {
        environment.retain(|(other, _)| *other != name);
        environment.push((name, value));
    }
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_users_shell_and_home() {
        let root = Root::parse("daemon:x:1:1::/:\nroot:x:0:0:root:/home/r:/bin/zsh\n", |s| s == "/bin/zsh");
        assert_eq!((&*root.home, &*root.shell), ("/home/r", "/bin/zsh"));
        let root = Root::parse("root:x:0:0:root:/root:/bin/zsh\n", |_| false);
        assert_eq!(root.shell, "/bin/sh");
        assert_eq!(Root::parse("", |_| true).home, "/root");
    }
}
