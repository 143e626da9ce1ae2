//! The mounts of the root: /proc, /sys, /dev, the resolver; and the move into it.

use super::Options;
use super::namespaces::{Ids, own_binfmt_misc};
use crate::binfmt::{DEFAULT_FLAGS, Entry, NAME, reason};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Devices that every system has and every user may use.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// For apt where root is the only user: it would run its downloads as the user `_apt`.
pub const APT_CONFIG: &str = "/dev/forearm-apt.conf";

/// What a root needs to be mounted on, and whether it is a directory.
const PLACES: [(&CStr, bool); 4] =
    [(c"proc", true), (c"sys", true), (c"dev", true), (c"etc/resolv.conf", false)];

/// Those of [`PLACES`] that are not there, and will be made.
pub fn missing_places(root: &File) -> Vec<(&'static CStr, bool)> {
    let exists = |path: &CStr| {
        let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
        let flags = libc::AT_SYMLINK_NOFOLLOW;
        // SAFETY: an open directory, a path, and room for the answer.
        unsafe { libc::fstatat(root.as_raw_fd(), path.as_ptr(), stat.as_mut_ptr(), flags) == 0 }
    };
    PLACES.into_iter().filter(|(path, _)| !exists(path)).collect()
}

/// Removes those that were made and are still empty.
pub fn remove_places(root: &File, made: &[(&'static CStr, bool)]) {
    for &(path, directory) in made {
        let mut stat = std::mem::MaybeUninit::<libc::stat>::zeroed();
        // SAFETY: an open directory, a path, room for the answer; zeroed, or filled by the kernel.
        unsafe {
            libc::fstatat(root.as_raw_fd(), path.as_ptr(), stat.as_mut_ptr(), libc::AT_SYMLINK_NOFOLLOW);
            if directory || stat.assume_init().st_size == 0 {
                let flags = if directory { libc::AT_REMOVEDIR } else { 0 };
                libc::unlinkat(root.as_raw_fd(), path.as_ptr(), flags);
            }
        }
    }
}

/// Makes the mount namespace and its mounts and makes the root this process's. The caller is the init of a process
/// namespace.
pub fn prepare(options: &Options, ids: Ids, interpreter: &Path) -> Result<(), String> {
    // SAFETY: integers only.
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } < 0 {
        return Err(format!("cannot make a mount namespace: {}", reason(&io::Error::last_os_error())));
    }
    mount("none", Path::new("/"), None, libc::MS_REC | libc::MS_PRIVATE, "").map_err(named("/"))?;
    let base = if options.ephemeral { overlay(&options.root, ids) } else { bind_itself(&options.root) };
    let base = base.map_err(named(&options.root.display().to_string()))?;
    for directory in ["proc", "sys", "dev"] {
        place(&base, directory)?;
    }
    process_files(&base, ids, interpreter)?;
    system_files(&base.join("sys")).map_err(named("/sys"))?;
    devices(&base.join("dev"), ids)?;
    resolver(&base)?;
    for (host, inside) in &options.binds {
        bind_inside(&base, host, inside)
            .map_err(|e| format!("--bind: {}: {}", inside.display(), reason(&e)))?;
    }
    enter(&base).map_err(named(&options.root.display().to_string()))
}

fn named(what: &str) -> impl Fn(io::Error) -> String {
    move |error| format!("cannot mount {what}: {}", reason(&error))
}

/// pivot_root needs a mount to move to.
fn bind_itself(root: &Path) -> io::Result<PathBuf> {
    bind(root, root)?;
    Ok(root.to_owned())
}

/// The root below, a file system in memory above.
fn overlay(root: &Path, ids: Ids) -> io::Result<PathBuf> {
    // Kept open: the next mount hides it.
    let lower = File::open(root)?;
    mount("tmpfs", root, Some("tmpfs"), 0, "mode=755")?;
    let [upper, work, merged] = ["upper", "work", "root"].map(|name| root.join(name));
    for directory in [&upper, &work, &merged] {
        std::fs::create_dir(directory)?;
    }
    // The directory of the upper layer is the one that shows.
    let permissions = lower.metadata()?.permissions();
    std::fs::set_permissions(&upper, permissions)?;
    std::env::set_current_dir(root)?;
    let mut data = format!("lowerdir=/proc/self/fd/{},upperdir=upper,workdir=work", lower.as_raw_fd());
    if ids != Ids::Host {
        // Inside a user namespace overlayfs may not use trusted attributes.
        data += ",userxattr";
    }
    mount("overlay", &merged, Some("overlay"), 0, &data)?;
    Ok(merged)
}

/// A directory to mount on. A symbolic link would lead out of the root.
fn place(base: &Path, name: &str) -> Result<(), String> {
    let path = base.join(name);
    match std::fs::symlink_metadata(&path) {
        Ok(meta) if meta.is_dir() => Ok(()),
        Ok(_) => Err(format!("its /{name} is not a directory")),
        Err(_) => std::fs::create_dir(&path).map_err(|e| format!("its /{name}: {}", reason(&e))),
    }
}

/// /proc of the process namespace, with a binfmt_misc of its own where the kernel has that: then programs that are not
/// forearm's guests find ARM programs runnable as well, whatever the machine has registered.
fn process_files(base: &Path, ids: Ids, interpreter: &Path) -> Result<(), String> {
    let proc = base.join("proc");
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    // In a container whose own /proc is partly hidden no new one can be had.
    mount("proc", &proc, Some("proc"), flags, "")
        .or_else(|_| bind(Path::new("/proc"), &proc))
        .map_err(named("/proc"))?;
    let binfmt = proc.join("sys/fs/binfmt_misc");
    if own_binfmt_misc(ids, &binfmt)
        && let Ok(entry) = Entry::ours(NAME, interpreter, DEFAULT_FLAGS)
    {
        // Without it guests still start guests.
        let _ = std::fs::write(binfmt.join("register"), entry.line());
    }
    Ok(())
}

/// The host's /sys, to look at.
fn system_files(sys: &Path) -> io::Result<()> {
    bind(Path::new("/sys"), sys)?;
    let attributes =
        libc::mount_attr { attr_set: libc::MOUNT_ATTR_RDONLY, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let path = c(sys)?;
    // Linux 5.12; before that it stays writable for those who may. SAFETY: a path, a structure and its size.
    unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_RECURSIVE,
            &attributes,
            size_of_val(&attributes),
        )
    };
    Ok(())
}

/// A /dev of its own with the harmless devices, terminals and shared memory.
fn devices(dev: &Path, ids: Ids) -> Result<(), String> {
    let link = std::os::unix::fs::symlink;
    let failed = |what: &str| {
        let what = format!("/dev/{what}");
        move |e: io::Error| format!("{what}: {}", reason(&e))
    };
    mount("tmpfs", dev, Some("tmpfs"), libc::MS_NOSUID, "mode=755").map_err(named("/dev"))?;
    for device in DEVICES {
        let host = Path::new("/dev").join(device);
        if host.exists() {
            File::create(dev.join(device))
                .and_then(|_| bind(&host, &dev.join(device)))
                .map_err(failed(device))?;
        }
    }
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
        ("ptmx", "pts/ptmx"),
    ] {
        link(target, dev.join(name)).map_err(failed(name))?;
    }
    for directory in ["pts", "shm", "mqueue"] {
        std::fs::create_dir(dev.join(directory)).map_err(failed(directory))?;
    }
    let terminals = "newinstance,ptmxmode=0666,mode=0620";
    // Group 5, tty, is not there when root is the only one.
    let flags = libc::MS_NOSUID | libc::MS_NOEXEC;
    mount("devpts", &dev.join("pts"), Some("devpts"), flags, &format!("{terminals},gid=5"))
        .or_else(|_| mount("devpts", &dev.join("pts"), Some("devpts"), flags, terminals))
        .map_err(named("/dev/pts"))?;
    let flags = libc::MS_NOSUID | libc::MS_NODEV;
    mount("tmpfs", &dev.join("shm"), Some("tmpfs"), flags, "mode=1777").map_err(named("/dev/shm"))?;
    // ttyname() searches /dev for the terminal, which the new /dev/pts does not have.
    if let Some(terminal) = terminal() {
        let console = dev.join("console");
        let _ = File::create(&console).and_then(|_| bind(&terminal, &console));
    }
    if ids == Ids::Root {
        let path = dev.join(APT_CONFIG.trim_start_matches("/dev/"));
        std::fs::write(path, "APT::Sandbox::User \"root\";\n").map_err(failed("forearm-apt.conf"))?;
    }
    Ok(())
}

/// The terminal that standard input is.
fn terminal() -> Option<PathBuf> {
    // SAFETY: an integer.
    if unsafe { libc::isatty(0) } == 0 {
        return None;
    }
    std::fs::read_link("/proc/self/fd/0").ok().filter(|path| path.starts_with("/dev"))
}

/// The host's resolv.conf in place of the root's. The root's is often a symbolic link to nowhere: the mount goes on the
/// link itself.
fn resolver(base: &Path) -> Result<(), String> {
    let Ok(host) = Path::new("/etc/resolv.conf").canonicalize() else { return Ok(()) };
    let etc = base.join("etc");
    let target = etc.join("resolv.conf");
    if !std::fs::symlink_metadata(&etc).is_ok_and(|m| m.is_dir()) {
        return Ok(());
    }
    match std::fs::symlink_metadata(&target) {
        Ok(meta) if meta.is_dir() => return Ok(()),
        Ok(_) => {}
        // A root that cannot be written to has to do without.
        Err(_) if File::create(&target).is_err() => return Ok(()),
        Err(_) => {}
    }
    const OPEN_TREE_CLONE: u32 = 1;
    const MOVE_MOUNT_F_EMPTY_PATH: u32 = 4;
    let (from, to) = (c(&host).map_err(named("resolv.conf"))?, c(&target).map_err(named("resolv.conf"))?);
    // SAFETY: paths that live through the calls, a descriptor that is ours.
    let moved = unsafe {
        let flags = OPEN_TREE_CLONE | libc::O_CLOEXEC as u32;
        let tree = libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, from.as_ptr(), flags) as i32;
        let flags = MOVE_MOUNT_F_EMPTY_PATH;
        let moved =
            libc::syscall(libc::SYS_move_mount, tree, c"".as_ptr(), libc::AT_FDCWD, to.as_ptr(), flags) == 0;
        if tree >= 0 {
            libc::close(tree);
        }
        moved
    };
    if !moved && std::fs::symlink_metadata(&target).is_ok_and(|m| m.is_file()) {
        bind(&host, &target).map_err(named("/etc/resolv.conf"))?;
    }
    Ok(())
}

/// `--bind`: the place inside is made if it is not there, and may not lead out of the root.
fn bind_inside(base: &Path, host: &Path, inside: &Path) -> io::Result<()> {
    let root = File::open(base)?;
    let flags = libc::O_PATH;
    let place = match open_in_root(&root, inside, flags) {
        Ok(place) => place,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let relative = inside.strip_prefix("/").unwrap_or(inside);
            let parent = relative.parent().unwrap_or(Path::new(""));
            if !parent.as_os_str().is_empty() {
                std::fs::create_dir_all(base.join(parent))?;
            }
            let directory = open_in_root(&root, parent, flags | libc::O_DIRECTORY)?;
            let directory = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
            let name = directory.join(relative.file_name().ok_or(io::ErrorKind::InvalidInput)?);
            if host.is_dir() {
                std::fs::create_dir(name)?
            } else {
                File::create(name).map(drop)?
            }
            open_in_root(&root, inside, flags)?
        }
        Err(e) => return Err(e),
    };
    bind(host, &PathBuf::from(format!("/proc/self/fd/{}", place.as_raw_fd())))
}

/// Opens a path with `root` as its root directory: links stay inside (openat2, Linux 5.6).
pub fn open_in_root(root: &File, path: &Path, flags: i32) -> io::Result<File> {
    // SAFETY: a structure of integers.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (flags | libc::O_CLOEXEC) as u64;
    how.resolve = libc::RESOLVE_IN_ROOT;
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let path = c(path)?;
    // SAFETY: an open directory, a path, a structure and its size.
    let fd = unsafe {
        libc::syscall(libc::SYS_openat2, root.as_raw_fd(), path.as_ptr(), &how, size_of_val(&how)) as i32
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and ours.
    Ok(unsafe { File::from_raw_fd(fd) })
}

/// Makes `base` the root, and lets go of the old one.
fn enter(base: &Path) -> io::Result<()> {
    std::env::set_current_dir(base)?;
    // SAFETY: constant paths. The old root is mounted over the new one and is what `.` then is (pivot_root(2)).
    unsafe {
        if libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) == 0 {
            libc::umount2(c".".as_ptr(), libc::MNT_DETACH);
        } else if libc::chroot(c".".as_ptr()) < 0 {
            // The initial ramfs cannot be moved away.
            return Err(io::Error::last_os_error());
        }
    }
    std::env::set_current_dir("/")
}

/// With what is mounted below, as a user namespace must not look under mounts.
fn bind(source: &Path, target: &Path) -> io::Result<()> {
    let source = source.to_str().ok_or(io::ErrorKind::InvalidInput)?;
    mount(source, target, None, libc::MS_BIND | libc::MS_REC, "")
}

fn mount(
    source: &str,
    target: &Path,
    kind: Option<&str>,
    flags: libc::c_ulong,
    data: &str,
) -> io::Result<()> {
    let (source, target, data) = (CString::new(source)?, c(target)?, CString::new(data)?);
    let kind = kind.map(CString::new).transpose()?;
    let kind = kind.as_ref().map_or(std::ptr::null(), |k| k.as_ptr());
    // SAFETY: strings that live through the call.
    let result = unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind, flags, data.as_ptr().cast()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn c(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}
