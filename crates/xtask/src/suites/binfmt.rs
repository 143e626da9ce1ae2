//! `forearm register`, `unregister` and `status`, and the container image's `--install`, in a binfmt_misc of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::{Case, Outcome};
use crate::context::Context;
use crate::process::{self, Output};
use crate::sandbox::Sandbox;
use crate::{binfmt, tools};

const LIMIT: Duration = Duration::from_secs(20);

/// Prints `argv[0]` and the effective user.
const PROGRAM: &str = "#include <stdio.h>\n#include <unistd.h>\n\
    int main(int c, char **v) { (void)c; printf(\"%s %d\\n\", v[0], (int)geteuid()); return 5; }\n";

type Test = fn(&Place) -> Result<()>;

const TESTS: &[(&str, Test)] = &[
    ("register", register),
    ("flags", flags),
    ("set-user-id", set_user_id),
    ("another-handler", another_handler),
    ("persistent", persistent),
    ("image-root", image_root),
    ("refused", refused),
    ("switched-off", switched_off),
    ("container-image", container_image),
];

/// The tests.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    let dir = context.scratch("binfmt")?;
    let cases = TESTS.iter().map(move |&(name, test)| {
        let dir = dir.join(name);
        Case::new(format!("binfmt::{name}"), move || match Place::new(context, dir.clone()) {
            Ok(Some(place)) => test(&place).into(),
            Ok(None) => Outcome::Skipped("needs root, and Linux 6.7 for a binfmt_misc of its own".into()),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        })
    });
    Ok(cases.collect())
}

/// A sandbox with nothing registered, forearm, and an ARM program.
struct Place {
    sandbox: Sandbox,
    dir: PathBuf,
    forearm: PathBuf,
    program: PathBuf,
    qemu: PathBuf,
}

impl Place {
    fn new(context: &Context, dir: PathBuf) -> Result<Option<Self>> {
        if !tools::is_root() {
            return Ok(None);
        }
        let sandbox = Sandbox::new(None)?;
        if !sandbox.is_private() {
            return Ok(None);
        }
        std::fs::create_dir_all(&dir)?;
        let (source, program) = (dir.join("program.c"), dir.join("program"));
        std::fs::write(&source, PROGRAM)?;
        let mut gcc = Command::new("arm-linux-gnueabihf-gcc");
        let output = process::run(gcc.arg("-static").arg("-o").arg(&program).arg(&source), LIMIT)?;
        ensure!(output.success(), "does not compile:\n{}", output.tail(5));
        Ok(Some(Self { sandbox, dir, forearm: context.forearm(), program, qemu: context.qemu()? }))
    }

    fn forearm(&self, words: &[&str]) -> Result<Output> {
        process::run(self.sandbox.command(&self.forearm).args(words), LIMIT)
    }

    fn ok(&self, words: &[&str]) -> Result<String> {
        let output = self.forearm(words)?;
        ensure!(
            output.success(),
            "forearm {} ended with {}: {}",
            words.join(" "),
            output.end(),
            output.tail(3)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Status 1 and one line that says `why`.
    fn refuses(&self, words: &[&str], why: &str) -> Result<()> {
        one_line(&self.forearm(words)?, why).with_context(|| format!("forearm {}", words.join(" ")))
    }

    fn sh(&self, script: &str) -> Result<Output> {
        process::run(self.sandbox.command("sh").args(["-c", script]), LIMIT)
    }

    fn entry(&self, name: &str) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.sh(&format!("cat {}/{name}", binfmt::MOUNT))?.stdout).into_owned())
    }

    fn register_line(&self, line: &str) -> Result<()> {
        let script = format!("printf %s \"$1\" > {}/register", binfmt::MOUNT);
        let output = process::run(self.sandbox.command("sh").args(["-c", &script, "sh", line]), LIMIT)?;
        ensure!(output.success(), "cannot register {line}: {}", output.tail(2));
        Ok(())
    }

    /// What the program prints when the kernel starts it with another `argv[0]`.
    fn run_program(&self) -> Result<Output> {
        let script = format!("exec -a other {}", self.program.display());
        process::run(self.sandbox.command("bash").args(["-c", &script]), LIMIT)
    }
}

fn one_line(output: &Output, why: &str) -> Result<()> {
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(1), "{}, expected status 1: {text}", output.end());
    ensure!(text.lines().count() == 1 && text.contains(why), "expected one line with {why:?}, got: {text}");
    Ok(())
}

fn register(place: &Place) -> Result<()> {
    let before = place.forearm(&["status"])?;
    ensure!(before.status.code() == Some(1), "status without an entry: {}", before.end());
    ensure!(place.run_program()?.status.code() == Some(126), "the program runs without an entry");
    place.ok(&["register"])?;
    let entry = place.entry("qemu-arm")?;
    let expected = format!("enabled\ninterpreter {}\nflags: POCF\n", place.forearm.display());
    ensure!(entry.starts_with(&expected), "the entry is\n{entry}");
    let status = place.ok(&["status"])?;
    ensure!(status.contains(&format!("run under {}", place.forearm.display())), "status says\n{status}");
    let output = place.run_program()?;
    ensure!(
        output.status.code() == Some(5) && output.stdout == b"other 0\n",
        "{}: {}",
        output.end(),
        output.tail(2)
    );
    // A second time makes it anew.
    place.ok(&["register", "--flags", "OCF"])?;
    ensure!(place.entry("qemu-arm")?.contains("flags: OCF\n"), "the entry is not new");
    place.ok(&["unregister"])?;
    ensure!(place.entry("qemu-arm")?.is_empty(), "the entry is still there");
    place.refuses(&["unregister"], "qemu-arm is not registered")
}

fn flags(place: &Place) -> Result<()> {
    for (flags, shown, argv0) in
        [("POCF", "POCF", "other".to_owned()), ("F", "F", place.program.display().to_string())]
    {
        place.ok(&["register", "--name", "arm-test", "--flags", flags])?;
        let entry = place.entry("arm-test")?;
        ensure!(entry.contains(&format!("flags: {shown}\n")), "with {flags} the entry is\n{entry}");
        let output = place.run_program()?;
        ensure!(output.stdout == format!("{argv0} 0\n").as_bytes(), "with {flags}: {}", output.tail(2));
        place.ok(&["unregister", "--name", "arm-test"])?;
    }
    Ok(())
}

fn set_user_id(place: &Place) -> Result<()> {
    let program = place.program.display();
    place.sh(&format!("chmod 4755 {program}"))?;
    let as_nobody = format!("exec setpriv --reuid 65534 --regid 65534 --clear-groups {program}");
    for (flags, user) in [("POCF", " 0\n"), ("POF", " 65534\n")] {
        place.ok(&["register", "--flags", flags])?;
        let output = place.sh(&as_nobody)?;
        ensure!(
            output.stdout.ends_with(user.as_bytes()),
            "with {flags}, expected{user}got {}",
            output.tail(2)
        );
    }
    Ok(())
}

fn another_handler(place: &Place) -> Result<()> {
    place.register_line(&binfmt::entry("qemu-arm", &place.qemu))?;
    place.refuses(&["register"], &format!("qemu-arm is already registered, for {}", place.qemu.display()))?;
    place.refuses(&["unregister"], "not for forearm; it stays")?;
    let status = place.forearm(&["status"])?;
    ensure!(status.status.code() == Some(1), "status with QEMU's entry: {}", status.end());
    place.ok(&["register", "--replace"])?;
    ensure!(place.entry("qemu-arm")?.contains(&place.forearm.display().to_string()), "QEMU's entry stayed");
    // The newest entry is the one that counts.
    place.register_line(&binfmt::entry("aaa", &place.qemu))?;
    let status = place.forearm(&["status"])?;
    let text = String::from_utf8_lossy(&status.stdout);
    ensure!(
        status.status.code() == Some(1)
            && text.contains(&format!("run under {}", place.qemu.display()))
            && text.contains("aaa: "),
        "with another's entry before it status says\n{text}"
    );
    // Registered anew it is the newest.
    place.ok(&["register"])?;
    place.ok(&["status"]).map(drop)
}

/// The files of systemd-binfmt, in a mount namespace whose /etc is a copy.
fn persistent(place: &Place) -> Result<()> {
    let etc = place.dir.join("etc");
    let ours = etc.join("binfmt.d/qemu-arm.conf");
    std::fs::create_dir_all(etc.join("binfmt.d"))?;
    place.sandbox.mount(&["--bind", &etc.display().to_string(), "/etc"])?;
    place.ok(&["register", "--persistent"])?;
    let text = std::fs::read_to_string(&ours)?;
    let line = binfmt::entry("qemu-arm", &place.forearm);
    ensure!(text.lines().any(|l| l == line), "the file is\n{text}");
    let status = place.ok(&["status"])?;
    ensure!(status.contains("/etc/binfmt.d/qemu-arm.conf registers"), "status says\n{status}");
    if tools::find("/usr/lib/systemd/systemd-binfmt").is_some() {
        // What happens at boot.
        place.ok(&["unregister"])?;
        let output = process::run(&mut place.sandbox.command("/usr/lib/systemd/systemd-binfmt"), LIMIT)?;
        ensure!(output.success(), "systemd-binfmt ended with {}: {}", output.end(), output.tail(3));
        place.ok(&["status"])?;
    }
    place.ok(&["unregister", "--persistent"])?;
    ensure!(!ours.exists() && place.entry("qemu-arm")?.is_empty(), "something stayed");
    // Somebody else's file is not touched.
    std::fs::write(&ours, "# mine\n")?;
    place.refuses(&["register", "--persistent"], "not forearm's")?;
    ensure!(place.entry("qemu-arm")?.is_empty(), "half of it was done");
    place.refuses(&["unregister", "--persistent"], "not forearm's")?;
    ensure!(std::fs::read_to_string(&ours)? == "# mine\n", "the file changed");
    // A file that cannot be written: nothing is registered either.
    std::fs::remove_file(&ours)?;
    place.sandbox.mount(&["-o", "remount,bind,ro", "/etc"])?;
    place.refuses(&["register", "--persistent"], "read-only file system")?;
    ensure!(place.entry("qemu-arm")?.is_empty(), "half of it was done");
    Ok(())
}

fn image_root(place: &Place) -> Result<()> {
    let root = place.dir.join("root");
    let text = root.display().to_string();
    std::fs::create_dir_all(root.join("usr/bin"))?;
    place.refuses(&["register", "--root", &text], "usr/bin/forearm: no such file")?;
    std::fs::copy(&place.forearm, root.join("usr/bin/forearm"))?;
    place.ok(&["register", "--root", &text])?;
    let file = root.join("etc/binfmt.d/qemu-arm.conf");
    let line = binfmt::entry("qemu-arm", Path::new("/usr/bin/forearm"));
    ensure!(std::fs::read_to_string(&file)?.lines().any(|l| l == line), "the file is wrong");
    ensure!(place.entry("qemu-arm")?.is_empty(), "the kernel was not left alone");
    place.ok(&["status", "--root", &text])?;
    place.ok(&["unregister", "--root", &text])?;
    ensure!(!file.exists(), "the file stayed");
    place.refuses(&["register", "--root", "/no/such/directory"], "not a directory")
}

fn refused(place: &Place) -> Result<()> {
    place.refuses(&["register", "--flags", "POX"], "'X' is none of")?;
    place.refuses(&["register", "--name", "a/b"], "cannot be an entry's name")?;
    place.refuses(&["register", "--interpreter", "/no/such/file"], "/no/such/file: no such file")?;
    place.refuses(&["register", "--interpreter", "/etc/passwd"], "not executable")?;
    place.refuses(&["register", "--interpreter", "/etc"], "not a file")?;
    place.refuses(&["register", "--no-such-option"], "--no-such-option")?;
    place.refuses(&["register", "extra"], "extra")?;
    let forearm = place.forearm.display();
    let nobody = format!("setpriv --reuid 65534 --regid 65534 --clear-groups {forearm}");
    one_line(&place.sh(&format!("exec {nobody} register"))?, "needs root")?;
    place.sh(&format!("umount {}", binfmt::MOUNT))?;
    one_line(&place.sh(&format!("exec {nobody} register"))?, "not mounted")?;
    place.refuses(&["unregister"], "not mounted")?;
    // Root mounts it.
    place.ok(&["register"])?;
    place.ok(&["status"]).map(drop)
}

fn switched_off(place: &Place) -> Result<()> {
    place.sh(&format!("echo 0 > {}/status", binfmt::MOUNT))?;
    place.refuses(&["register"], "switched off")
}

/// As users of tonistiigi/binfmt call it.
fn container_image(place: &Place) -> Result<()> {
    let binfmt = place.dir.join("binfmt");
    std::os::unix::fs::symlink(&place.forearm, &binfmt)?;
    let run = |words: &[&str]| -> Result<(Output, serde_json::Value)> {
        let output = process::run(place.sandbox.command(&binfmt).args(words), LIMIT)?;
        let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Ok((output, report))
    };
    let lists = |report: &serde_json::Value, list: &str, name: &str| {
        report[list].as_array().is_some_and(|values| values.iter().any(|v| v == name))
    };
    let (output, report) = run(&[])?;
    ensure!(output.success() && lists(&report, "supported", "linux/amd64"), "the report is {report}");
    ensure!(!lists(&report, "supported", "linux/arm/v7"), "ARM before the installation: {report}");
    for names in ["arm", "linux/arm/v7", "all"] {
        let (output, report) = run(&["--install", names])?;
        ensure!(output.success(), "--install {names}: {}", output.tail(4));
        ensure!(
            lists(&report, "supported", "linux/arm/v7") && lists(&report, "emulators", "qemu-arm"),
            "the report is {report}"
        );
    }
    let output = place.run_program()?;
    ensure!(output.status.code() == Some(5), "the program ended with {}", output.end());
    let (output, _) = run(&["--install", "arm64,arm"])?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(
        !output.success() && text.contains("unsupported architecture: arm64") && text.contains("arm OK"),
        "--install arm64,arm says {text}"
    );
    let (output, report) = run(&["--uninstall", "qemu-arm"])?;
    ensure!(output.success() && !lists(&report, "emulators", "qemu-arm"), "{}", output.tail(4));
    // The same words work under the program's own name.
    let output = place.forearm(&["--install", "arm"])?;
    if !output.success() {
        bail!("forearm --install arm: {}", output.tail(3));
    }
    Ok(())
}
