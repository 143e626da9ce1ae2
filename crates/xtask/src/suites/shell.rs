//! `forearm shell` on a real root: as root, as a user with subordinate ids, as a user without, with nothing left behind.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Case, Outcome};
use crate::context::Context;
use crate::debian;
use crate::process::{self, Output};
use crate::sandbox::Sandbox;
use crate::ui::Progress;

const LIMIT: Duration = Duration::from_secs(600);

/// The user of the tests without root, who owns nothing on the machine.
const NOBODY: &str = "setpriv --reuid 65534 --regid 65534 --clear-groups";

type Test = fn(&Place) -> Result<()>;

const TESTS: &[(&str, Test)] = &[
    ("install-as-root", install_as_root),
    ("install-with-subordinate-ids", install_with_subordinate_ids),
    ("install-as-user", install_as_user),
    ("status", status),
    ("surroundings", surroundings),
    ("own-binfmt-misc", own_binfmt_misc),
    ("terminal", terminal),
    ("signals", signals),
    ("options", options),
    ("refused", refused),
];

/// The tests.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    let dir = context.scratch("shell")?;
    let cases = TESTS.iter().map(move |&(name, test)| {
        let dir = dir.join(name);
        Case::new(format!("shell::{name}"), move || {
            if let Err(why) = context.roots_usable() {
                return Outcome::Skipped(format!("{why:#}"));
            }
            Place::new(context, &dir)
                .and_then(|place| {
                    let result = test(&place);
                    let mounts = std::fs::read_to_string("/proc/self/mounts")?;
                    ensure!(!mounts.contains(&*place.dir.to_string_lossy()), "a mount is left:\n{mounts}");
                    if result.is_ok() {
                        std::fs::remove_dir_all(&place.dir)?;
                    }
                    result
                })
                .into()
        })
    });
    Ok(cases.collect())
}

/// A directory that a user can be in, with forearm in it, and a root to unpack.
struct Place {
    dir: PathBuf,
    tar: PathBuf,
}

impl Place {
    fn new(context: &Context, dir: &Path) -> Result<Self> {
        let forearm = context.forearm();
        let sandbox = Sandbox::new(Some(&forearm))?;
        let tar = context.store()?.base("armhf", &sandbox, &Progress::steps("base", 2))?;
        if dir.exists() {
            std::fs::remove_dir_all(dir)?;
        }
        std::fs::create_dir_all(dir)?;
        std::fs::copy(&forearm, dir.join("forearm")).context("forearm")?;
        std::os::unix::fs::chown(dir, Some(65534), Some(65534))?;
        Ok(Self { dir: dir.to_owned(), tar })
    }

    /// A script in a mount namespace where the directory is /mnt, which every user can reach, and `subordinate` is what
    /// /etc/subuid and /etc/subgid say.
    fn sh(&self, subordinate: &str, script: &str) -> Result<Output> {
        std::fs::write(self.dir.join("subuid"), subordinate)?;
        let script = format!(
            "set -e\ncd {dir}\nfor f in subuid subgid; do test -e /etc/$f || : > /etc/$f; \
             mount --bind subuid /etc/$f; done\nmount --bind . /mnt\ncd /mnt\n{script}",
            dir = self.dir.display()
        );
        process::run(Command::new("unshare").args(["--mount", "sh", "-c", &script]), LIMIT)
    }

    /// The root, unpacked in `root` by root itself.
    fn unpacked(&self) -> Result<PathBuf> {
        let root = self.dir.join("root");
        std::fs::create_dir_all(&root)?;
        let mut tar = Command::new("tar");
        let output =
            process::run(tar.args(["--numeric-owner", "-xpf"]).arg(&self.tar).arg("-C").arg(&root), LIMIT)?;
        ensure!(output.success(), "tar: {}", output.tail(3));
        Ok(root)
    }

    fn shell(&self, words: &[&str]) -> Result<Output> {
        process::run(Command::new(self.dir.join("forearm")).arg("shell").args(words), LIMIT)
    }
}

/// What is run in each root, followed by a daemon that must not survive.
const INSTALL: &str = "set -e; apt-get update; \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends figlet; \
    figlet -f banner up > /banner; dpkg -s figlet | grep ^Status; uname -m; id -u; \
    setsid sleep 3163 > /dev/null 2>&1 & exit 9";

fn installed(place: &Place, output: &Output) -> Result<()> {
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.code() == Some(9), "{}, expected status 9:\n{}", output.end(), output.tail(20));
    ensure!(text.contains("Status: install ok installed\narmv7l\n0\n"), "it ends with\n{}", output.tail(8));
    ensure!(std::fs::metadata(place.dir.join("root/banner"))?.len() > 50, "figlet wrote nothing");
    ensure!(debian::error_lines(&text).next().is_none(), "the log speaks of errors:\n{}", output.tail(30));
    let left = process::run(Command::new("pgrep").args(["-f", "sleep 3163"]), LIMIT)?;
    ensure!(left.stdout.is_empty(), "a process is left");
    for directory in ["proc", "sys", "dev/pts"] {
        let left = std::fs::read_dir(place.dir.join("root").join(directory)).map_or(0, |d| d.count());
        ensure!(left == 0, "{directory} is not empty");
    }
    Ok(())
}

fn install_as_root(place: &Place) -> Result<()> {
    let root = place.unpacked()?;
    // As on systems with systemd-resolved: a link to a file that only a running system has.
    let resolver = root.join("etc/resolv.conf");
    let _ = std::fs::remove_file(&resolver);
    let target = Path::new("../run/systemd/resolve/stub-resolv.conf");
    std::os::unix::fs::symlink(target, &resolver)?;
    let output = place.shell(&[&root.display().to_string(), "sh", "-c", INSTALL])?;
    installed(place, &output)?;
    ensure!(std::fs::read_link(&resolver)? == target, "/etc/resolv.conf changed");
    Ok(())
}

fn install_with_subordinate_ids(place: &Place) -> Result<()> {
    // Owners beyond the user's own need the user's own user namespace to be unpacked.
    std::os::unix::fs::symlink(&place.tar, place.dir.join("root.tar"))?;
    let script = format!(
        "exec 3< {tar}; mkdir root; chown 65534:65534 root\n\
         {NOBODY} unshare --user --map-root-user --map-auto tar --numeric-owner -xpf - -C root <&3\n\
         exec {NOBODY} ./forearm shell root sh -c 'id -u _apt; test $(stat -c %G /etc/shadow) = shadow; {INSTALL}'",
        tar = place.tar.display()
    );
    let output = place.sh("nobody:200000:65536\n", &script)?;
    installed(place, &output)?;
    use std::os::unix::fs::MetadataExt;
    let owner = |file: &str| std::fs::metadata(place.dir.join("root").join(file)).map(|m| (m.uid(), m.gid()));
    ensure!(owner("banner")? == (65534, 65534), "root inside is not the user outside");
    let (user, group) = owner("etc/shadow")?;
    ensure!(user == 65534 && group > 200000, "/etc/shadow belongs to {user}:{group}");
    Ok(())
}

fn install_as_user(place: &Place) -> Result<()> {
    let script = format!(
        "exec 3< {tar}; mkdir root; chown 65534:65534 root\n\
         {NOBODY} tar --no-same-owner -xpf - -C root <&3\n\
         rm -f root/etc/resolv.conf; rmdir root/sys\n\
         exec {NOBODY} ./forearm shell root sh -c '{INSTALL}'",
        tar = place.tar.display()
    );
    let output = place.sh("", &script)?;
    installed(place, &output)?;
    for made in ["sys", "etc/resolv.conf"] {
        ensure!(!place.dir.join("root").join(made).exists(), "{made} is left");
    }
    Ok(())
}

fn status(place: &Place) -> Result<()> {
    let root = place.unpacked()?.display().to_string();
    std::fs::write(place.dir.join("root/tmp/data"), "x")?;
    for (script, expected, why) in [
        (&["true"][..], 0, ""),
        (&["sh", "-c", "exit 7"], 7, ""),
        (&["sh", "-c", "kill -9 $$"], 137, ""),
        (&["no-such-program"], 127, "no-such-program: not found"),
        (&["/no/such/program"], 127, "/no/such/program"),
        (&["/tmp/data"], 126, "/tmp/data"),
        (&["/tmp"], 126, "/tmp"),
    ] {
        let output = place.shell(&[&[&root[..]], script].concat())?;
        let text = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(expected), "{script:?}: {}: {text}", output.end());
        ensure!(
            text.contains(why) && text.lines().count() == usize::from(!why.is_empty()),
            "{script:?}: {text}"
        );
    }
    Ok(())
}

fn surroundings(place: &Place) -> Result<()> {
    let root = place.unpacked()?.display().to_string();
    let script = "set -e; test $$ -lt 10; test -c /dev/null; test -c /dev/tty; test -c /dev/ptmx; test -d /dev/shm; \
        head -c 4 /dev/urandom | wc -c; echo x > /dev/shm/x; test -e /proc/self/exe; test -d /sys/class; \
        ! touch /sys/x 2>/dev/null; test -s /etc/resolv.conf; ls /proc/self/fd; \
        perl -MSocket -e 'socketpair(A,B,AF_UNIX,SOCK_STREAM,0) or die; open(P,\"+<\",\"/dev/ptmx\") or die'; \
        echo \"$HOME|$USER|$PATH|$LANG|$TERM|$SHELL|$SECRET|$PWD|$FOREARM_TIER|$A\"";
    let mut command = Command::new(place.dir.join("forearm"));
    command.args(["shell", "--env", "A=b=c", &root, "sh", "-c", script]);
    command.envs([("TERM", "vt100"), ("SECRET", "x"), ("FOREARM_TIER", "interp"), ("LANG", "de_DE.UTF-8")]);
    let output = process::run(&mut command, LIMIT)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let expected = format!("/root|root|{path}|C.UTF-8|vt100|/bin/bash||/|interp|b=c\n");
    ensure!(output.success() && output.stderr.is_empty(), "{}: {}", output.end(), output.tail(5));
    // No descriptor but those that were open before.
    let host = process::run(Command::new("ls").arg("/proc/self/fd"), LIMIT)?;
    let descriptors = String::from_utf8_lossy(&host.stdout).into_owned();
    ensure!(text == format!("4\n{descriptors}{expected}"), "it says\n{text}");
    Ok(())
}

/// Where each user namespace has a binfmt_misc, x86 programs inside can start ARM programs too.
fn own_binfmt_misc(place: &Place) -> Result<()> {
    let root = place.unpacked()?.display().to_string();
    let source = place.dir.join("starter.c");
    let starter = place.dir.join("starter");
    std::fs::write(
        &source,
        "#include <unistd.h>\nint main(int c, char **v) { (void)c; return execv(v[1], v + 1); }\n",
    )?;
    let output = process::run(Command::new("cc").arg("-static").arg("-o").arg(&starter).arg(&source), LIMIT)?;
    ensure!(output.success(), "cc: {}", output.tail(3));
    let bind = format!("{}:/usr/local/bin/starter", starter.display());
    let words = ["--user-namespace", "--ephemeral", "--bind", &bind, &root, "starter", "/bin/uname", "-m"];
    let output = place.shell(&words)?;
    if Sandbox::new(None)?.is_private() {
        ensure!(output.stdout == b"armv7l\n", "{}: {}", output.end(), output.tail(3));
    }
    ensure!(!place.dir.join("root/usr/local/bin/starter").exists(), "the root changed");
    Ok(())
}

fn terminal(place: &Place) -> Result<()> {
    let root = place.unpacked()?;
    let inner = format!("{} shell {}", place.dir.join("forearm").display(), root.display());
    // The interactive shell reads what is typed; the outer one still has the terminal after it.
    let script = format!(
        "printf 'tty\\nset -o | grep monitor\\nexit 3\\n' | script -qec '{inner}; echo after $?' /dev/null"
    );
    let output = process::run(Command::new("sh").args(["-c", &script]), LIMIT)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let job_control = text.lines().any(|l| l.contains("monitor ") && l.trim_end().ends_with("on"));
    ensure!(text.contains("/dev/console") && job_control, "no terminal inside:\n{text}");
    ensure!(text.contains("after 3"), "the outer shell does not go on:\n{text}");
    Ok(())
}

fn signals(place: &Place) -> Result<()> {
    place.unpacked()?;
    let inner = "trap 'echo got it; exit 4' TERM; echo ready; while :; do sleep 0.1; done";
    let script = format!(
        "./forearm shell root sh -c \"{inner}\" > out & p=$!; \
         until grep -q ready out; do sleep 0.05; done; kill -TERM $p; wait $p"
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(&place.dir);
    let output = process::run(&mut command, Duration::from_secs(30))?;
    ensure!(output.status.code() == Some(4), "{}: {}", output.end(), output.tail(3));
    ensure!(std::fs::read_to_string(place.dir.join("out"))?.ends_with("got it\n"), "TERM did not arrive");
    // Killed itself, it takes everything inside along.
    let script = "./forearm shell root sleep 3164 & p=$!; until pgrep -f 'sleep 3164$' | grep -qv $p; do sleep 0.05; done; \
        sleep 0.3; kill -KILL $p; wait $p; n=0; while pgrep -f 'sleep 3164$'; do sleep 0.1; n=$((n+1)); test $n -lt 50 || exit 1; done";
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(&place.dir);
    let output = process::run(&mut command, Duration::from_secs(30))?;
    ensure!(output.success(), "after SIGKILL processes are left: {}", output.tail(3));
    Ok(())
}

fn options(place: &Place) -> Result<()> {
    let root = place.unpacked()?;
    let text = root.display().to_string();
    std::fs::create_dir_all(place.dir.join("shown"))?;
    std::fs::write(place.dir.join("shown/file"), "from outside\n")?;
    let bind = format!("{}:/srv/new/place", place.dir.join("shown").display());
    let script = "cat /srv/new/place/file; echo changed > /etc/hostname; rm /bin/ls; cat /etc/hostname";
    let before = std::fs::read(root.join("etc/hostname")).ok();
    let output = place.shell(&["--ephemeral", "--bind", &bind, &text, "sh", "-c", script])?;
    ensure!(output.stdout == b"from outside\nchanged\n", "{}: {}", output.end(), output.tail(4));
    ensure!(std::fs::read(root.join("etc/hostname")).ok() == before, "the root changed");
    ensure!(root.join("bin/ls").exists() && !root.join("srv/new").exists(), "the root changed");
    Ok(())
}

fn refused(place: &Place) -> Result<()> {
    let foreign = place.dir.join("foreign");
    std::fs::create_dir_all(foreign.join("bin"))?;
    std::fs::copy("/proc/self/exe", foreign.join("bin/sh"))?;
    let empty = place.dir.join("empty");
    std::fs::create_dir_all(&empty)?;
    let link = place.unpacked()?;
    std::fs::remove_dir_all(link.join("proc"))?;
    std::os::unix::fs::symlink("/tmp", link.join("proc"))?;
    let [foreign, empty, link] = [foreign, empty, link].map(|p| p.display().to_string());
    for (words, why) in [
        (&["/no/such/directory"][..], "/no/such/directory: no such file"),
        (&["/etc/passwd"], "/etc/passwd: not a directory"),
        (&["/"], "running system"),
        (&[&foreign], "another architecture"),
        (&[&empty], "there is no /bin/sh in it"),
        (&[&link, "true"], "/proc is not a directory"),
        (&["--no-such-option", &empty], "--no-such-option"),
        (&["--bind", "/no/such/file", &empty], "/no/such/file"),
        (&["--env", "x", &empty], "VAR=VALUE"),
        (&[], "no directory given"),
    ] {
        let output = place.shell(words)?;
        let text = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(1), "{words:?}: {}: {text}", output.end());
        ensure!(text.lines().count() == 1 && text.contains(why), "{words:?}: {text}");
    }
    // Where no user namespace may be made.
    let script =
        "echo 0 > /proc/sys/user/max_user_namespaces; exec ./forearm shell --user-namespace root true";
    let mut command = Command::new("unshare");
    let command = command.args(["--user", "--map-root-user", "sh", "-c", script]).current_dir(&place.dir);
    let output = process::run(command, LIMIT)?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.code() == Some(1) && text.contains("max_user_namespaces"),
        "{}: {text}",
        output.end()
    );
    Ok(())
}
