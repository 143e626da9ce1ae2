//! The process namespace and, without root, the user namespace with the users it has.

use crate::binfmt::reason;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// The users and groups there are inside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ids {
    /// The machine's; no user namespace.
    Host,
    /// In a user namespace, with a range of subordinate ones or all of the machine's.
    Many,
    /// In a user namespace, root alone: files cannot belong to anybody else.
    Root,
}

/// Moves this process into the user namespace, and its future children into a process namespace.
pub fn enter(user_namespace: bool) -> Result<Ids, String> {
    // SAFETY: integers only.
    let root = unsafe { libc::geteuid() } == 0;
    if root && !user_namespace && unshare(libc::CLONE_NEWPID).is_ok() {
        return Ok(Ids::Host);
    }
    // Root of a container may lack the right; a user namespace may still be had.
    let (reader, mut writer) = io::pipe().map_err(|e| reason(&e))?;
    let pid = std::process::id();
    // The maps are written from outside. SAFETY: one thread, so the child may do anything.
    let helper = match unsafe { libc::fork() } {
        -1 => return Err(format!("cannot start a process: {}", reason(&io::Error::last_os_error()))),
        0 => {
            drop(writer);
            std::process::exit(map_when_told(reader, pid))
        }
        helper => helper,
    };
    drop(reader);
    let unshared = unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWPID);
    if unshared.is_ok() {
        let _ = writer.write_all(b"1");
    }
    drop(writer);
    let mut status = 0;
    // SAFETY: our child, and room for its status.
    unsafe { libc::waitpid(helper, &mut status, 0) };
    unshared.map_err(|e| match e.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => "needs root: user namespaces are not permitted here (sysctl \
             kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)"
            .to_owned(),
        Some(libc::ENOSPC) => {
            "needs root: no user namespace can be made (sysctl user.max_user_namespaces)".into()
        }
        _ => format!("cannot make a user namespace: {}", reason(&e)),
    })?;
    let ids = match libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)) {
        Some(0) => Ids::Many,
        Some(1) => Ids::Root,
        _ => return Err("the users of the user namespace cannot be set (uid_map)".into()),
    };
    // SAFETY: integers, and no groups.
    unsafe {
        libc::setresgid(0, 0, 0);
        libc::setresuid(0, 0, 0);
        if ids == Ids::Many {
            libc::setgroups(0, std::ptr::null());
        }
    }
    Ok(ids)
}

fn unshare(flags: i32) -> io::Result<()> {
    // SAFETY: integers only.
    if unsafe { libc::unshare(flags) } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The helper: its exit status says what users there are, 0 many, 1 one, 2 none.
fn map_when_told(mut pipe: io::PipeReader, pid: u32) -> i32 {
    if pipe.read_exact(&mut [0]).is_err() {
        return 2;
    }
    // SAFETY: integers only.
    let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    let write = |file: &str, text: &str| std::fs::write(format!("/proc/{pid}/{file}"), text).is_ok();
    if uid == 0 && all_ids().is_some_and(|ids| write("uid_map", &ids[0]) && write("gid_map", &ids[1])) {
        return 0;
    }
    if subordinate(pid, uid, gid).is_some() {
        return 0;
    }
    let one = write("setgroups", "deny")
        && write("uid_map", &format!("0 {uid} 1\n"))
        && write("gid_map", &format!("0 {gid} 1\n"));
    if one { 1 } else { 2 }
}

/// Each of this namespace's users and groups as itself.
fn all_ids() -> Option<[String; 2]> {
    let identity = |file: &str| -> Option<String> {
        let map = std::fs::read_to_string(file).ok()?;
        let lines = map.lines().map(|line| {
            let mut numbers = line.split_whitespace();
            let (inside, _, count) = (numbers.next()?, numbers.next()?, numbers.next()?);
            Some(format!("{inside} {inside} {count}\n"))
        });
        lines.collect()
    };
    Some([identity("/proc/self/uid_map")?, identity("/proc/self/gid_map")?])
}

/// The user as root, and the subordinate users and groups that /etc/subuid and /etc/subgid give. The set-user-id
/// programs newuidmap and newgidmap check and write them.
fn subordinate(pid: u32, uid: u32, gid: u32) -> Option<()> {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = user_name(&passwd, uid);
    for (program, file, id) in [("newuidmap", "/etc/subuid", uid), ("newgidmap", "/etc/subgid", gid)] {
        let ranges = ranges(&std::fs::read_to_string(file).ok()?, name, uid);
        if ranges.is_empty() {
            return None;
        }
        let mut next = 1;
        let mut command = Command::new(program);
        command.arg(pid.to_string()).args(["0", &id.to_string(), "1"]);
        for (start, count) in ranges {
            command.args([next, start, count].map(|n| n.to_string()));
            next += count;
        }
        let command = command.stdin(Stdio::null()).stderr(Stdio::null());
        if !command.status().is_ok_and(|s| s.success()) {
            return None;
        }
    }
    Some(())
}

fn user_name(passwd: &str, uid: u32) -> Option<&str> {
    passwd.lines().find(|l| l.split(':').nth(2) == Some(&uid.to_string())).and_then(|l| l.split(':').next())
}

/// The ranges of subuid(5): `name-or-number:start:count`.
fn ranges(file: &str, name: Option<&str>, uid: u32) -> Vec<(u64, u64)> {
    let number = uid.to_string();
    let of_user = |line: &&str| line.split(':').next().is_some_and(|who| who == number || Some(who) == name);
    let range = |line: &str| {
        let mut fields = line.split(':').skip(1).map(|f| f.trim().parse().ok());
        Some((fields.next()??, fields.next()??))
    };
    file.lines().filter(of_user).filter_map(range).filter(|&(_, count)| count > 0).collect()
}

/// Has this process its own binfmt_misc to mount (Linux 6.7 and later give one to each user namespace)? Mounts it on
/// `dir` if so.
pub fn own_binfmt_misc(ids: Ids, dir: &Path) -> bool {
    ids != Ids::Host && crate::binfmt::mount_at(dir).is_ok() && dir.join("register").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subordinate_ranges_are_found_by_name_and_number() {
        let file = "root:1:2\nann:100000:65536\n1000:300000:10\n# ann:5:5\nann:x:1\nann:7:0\n";
        assert_eq!(ranges(file, Some("ann"), 1000), [(100000, 65536), (300000, 10)]);
        assert_eq!(ranges(file, None, 5), []);
        let passwd = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000:::\n";
        assert_eq!(user_name(passwd, 1000), Some("ann"));
        assert_eq!(user_name(passwd, 100), None);
    }

    #[test]
    fn the_identity_map_covers_this_process() {
        let [users, groups] = all_ids().unwrap();
        assert!(users.starts_with("0 0 ") && groups.starts_with("0 0 "));
    }
}
