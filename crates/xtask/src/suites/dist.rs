//! What `cargo xtask dist` makes, put to use: the package by dpkg in a Debian root, the image by podman, and so on.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Case, Outcome};
use crate::context::Context;
use crate::dist::archive::Item;
use crate::dist::table::Table;
use crate::dist::{self, Made, deb, oci};
use crate::process::{self, Output};
use crate::sandbox::{Podman, Sandbox};
use crate::ui::Progress;
use crate::{binfmt, tools};

/// A busy disk takes minutes to unpack a root.
const LIMIT: Duration = Duration::from_secs(600);

type Test = fn(&Place) -> Result<()>;

/// Name, whether it registers something, and the test.
const TESTS: &[(&str, bool, Test)] = &[
    ("package", true, package),
    ("package-beside-qemu-user-static", true, package_beside_qemu),
    ("package-with-binfmt-support", true, package_with_binfmt_support),
    ("tarball", false, tarball),
    ("container-image", true, container_image),
    ("man-page", false, man_page),
    ("completions", false, completions),
];

/// The tests.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    let dir = context.scratch("dist")?;
    let made: &'static OnceLock<Result<Made, String>> = Box::leak(Box::default());
    let cases = TESTS.iter().map(move |&(name, needs_binfmt_misc, test)| {
        let dir = dir.clone();
        Case::new(format!("dist::{name}"), move || {
            if let Err(why) = context.roots_usable() {
                return Outcome::Skipped(format!("{why:#}"));
            }
            if needs_binfmt_misc && !Sandbox::new(None).is_ok_and(|sandbox| sandbox.is_private()) {
                return Outcome::Skipped("needs Linux 6.7 for a binfmt_misc of its own".into());
            }
            let made = match made.get_or_init(|| make(context, &dir).map_err(|e| format!("{e:#}"))) {
                Ok(made) => made,
                Err(why) => return Outcome::Failed(why.clone()),
            };
            let place = Place { context, made, dir: dir.join(name) };
            (|| {
                if place.dir.exists() {
                    std::fs::remove_dir_all(&place.dir)?;
                }
                std::fs::create_dir_all(&place.dir)?;
                test(&place)?;
                Ok(std::fs::remove_dir_all(&place.dir)?)
            })()
            .into()
        })
    });
    Ok(cases.collect())
}

/// Packs the program under test without its debug information.
fn make(context: &Context, dir: &Path) -> Result<Made> {
    let stripped = dir.join("forearm");
    let output = process::run(Command::new("strip").arg("-o").arg(&stripped).arg(context.forearm()), LIMIT)?;
    ensure!(output.success(), "strip: {}", output.tail(3));
    dist::make(context, &stripped, dir)
}

struct Place<'a> {
    context: &'a Context,
    made: &'a Made,
    dir: PathBuf,
}

/// A Debian amd64 root in a sandbox with a binfmt_misc of its own, and an ARM program in it.
struct Machine {
    sandbox: Sandbox,
    root: PathBuf,
}

impl Machine {
    fn new(place: &Place) -> Result<Self> {
        let sandbox = Sandbox::new(None)?;
        let tar = place.context.store()?.base("amd64", &sandbox, &Progress::steps("base", 2))?;
        let root = place.dir.join("root");
        std::fs::create_dir_all(&root)?;
        let mut unpack = Command::new("tar");
        unpack.args(["--numeric-owner", "-xpf"]).arg(tar).arg("-C").arg(&root);
        let output = process::run(&mut unpack, LIMIT)?;
        ensure!(output.success(), "tar: {}", output.tail(3));
        sandbox.prepare_root(&root)?;
        let inside = format!("{}{}", root.display(), binfmt::MOUNT);
        sandbox.mount(&["-t", "binfmt_misc", "binfmt_misc", &inside])?;
        // The container's images have no devices: a sandbox cannot make any.
        std::fs::write(root.join("dev/null"), "")?;
        sandbox.mount(&["--bind", "/dev/null", &root.join("dev/null").display().to_string()])?;
        let source = place.dir.join("arm.c");
        std::fs::write(&source, "int main(void) { return 5; }\n")?;
        let mut gcc = Command::new("arm-linux-gnueabihf-gcc");
        let output = process::run(gcc.arg("-static").arg("-o").arg(root.join("arm")).arg(&source), LIMIT)?;
        ensure!(output.success(), "does not compile:\n{}", output.tail(5));
        std::fs::copy(&place.made.deb, root.join("forearm.deb"))?;
        Ok(Self { sandbox, root })
    }

    fn sh(&self, script: &str) -> Result<Output> {
        process::run(self.sandbox.chroot(&self.root, "sh").args(["-c", script]), LIMIT)
    }

    /// Runs a script that must succeed; gives what it prints.
    fn ok(&self, script: &str) -> Result<String> {
        let output = self.sh(&format!("set -e; {script}"))?;
        ensure!(output.success(), "{script}: {}:\n{}", output.end(), output.tail(15));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Do ARM programs run, and under what?
    fn runs(&self, interpreter: Option<&str>) -> Result<()> {
        let status = self.sh("/arm")?.status.code();
        let Some(interpreter) = interpreter else {
            ensure!(status == Some(126), "ARM programs still run: {status:?}");
            return Ok(());
        };
        ensure!(status == Some(5), "the ARM program ended with {status:?}");
        let entries = self.ok(&format!("cat {}/*arm*", binfmt::MOUNT))?;
        ensure!(
            entries.contains(&format!("interpreter {interpreter}\n")),
            "expected {interpreter}, the entries are\n{entries}"
        );
        Ok(())
    }

    /// After the removal nothing of the package is left.
    fn clean(&self) -> Result<()> {
        let left = self.ok(
            "find /usr /etc /var/lib/binfmts -name '*forearm*' 2>/dev/null | grep -v /var/lib/dpkg || true",
        )?;
        ensure!(left.is_empty(), "left over:\n{left}");
        let diverted = self.ok("dpkg-divert --list 'forearm*'; dpkg-divert --list '*qemu*'")?;
        ensure!(diverted.is_empty(), "still diverted: {diverted}");
        Ok(())
    }
}

fn package(place: &Place) -> Result<()> {
    let machine = Machine::new(place)?;
    machine.runs(None)?;
    machine.ok("dpkg -i /forearm.deb; dpkg --verify forearm; test -z \"$(dpkg --audit)\"")?;
    machine.runs(Some("/usr/bin/forearm"))?;
    let status = machine.ok("forearm status")?;
    ensure!(
        status.contains("/etc/binfmt.d/qemu-arm.conf registers /usr/bin/forearm"),
        "status says\n{status}"
    );
    let version = machine.ok("qemu-arm-static -version; readlink -f /usr/bin/qemu-arm-static")?;
    ensure!(
        version.contains("(forearm ") && version.ends_with("/usr/bin/forearm\n"),
        "qemu-arm-static is {version}"
    );
    machine
        .ok("test -s /usr/share/man/man1/forearm.1.gz || grep -q path-exclude /etc/dpkg/dpkg.cfg.d/*; \
         bash -n /usr/share/bash-completion/completions/forearm")?;
    // An upgrade: the entry is the new file's.
    machine.ok("dpkg -i /forearm.deb")?;
    machine.runs(Some("/usr/bin/forearm"))?;
    machine
        .ok("dpkg -r forearm; ! test -e /etc/binfmt.d/qemu-arm.conf; ! test -e /usr/bin/qemu-arm-static")?;
    machine.runs(None)?;
    machine.clean()
}

/// A package with the name and those files of qemu-user-static that matter here.
fn qemu_package(place: &Place) -> Result<Vec<u8>> {
    let qemu = std::fs::read(place.context.qemu()?)?;
    let interpreter = "/usr/libexec/qemu-binfmt/arm-binfmt-P";
    let line = binfmt::entry("qemu-arm", Path::new(interpreter)).replace(":POCF", ":OPF");
    let [magic, mask] = [binfmt::MAGIC, binfmt::MASK];
    let items = [
        Item::program("usr/bin/qemu-arm-static", qemu),
        Item::link(&interpreter[1..], "../../bin/qemu-arm-static"),
        Item::file("usr/lib/binfmt.d/qemu-arm.conf", line + "\n"),
        Item::file(
            "usr/share/binfmts/qemu-arm",
            format!(
                "package qemu-user-static\ninterpreter {interpreter}\nmagic {magic}\noffset 0\nmask {mask}\n\
                 credentials no\nfix_binary yes\npreserve yes\n"
            ),
        ),
    ];
    let control = "Package: qemu-user-static\nVersion: 1:7.2+test\nArchitecture: amd64\nMaintainer: test <test@test.invalid>\n\
                   Provides: qemu-user-binfmt\nConflicts: qemu-user-binfmt\nDescription: files of QEMU for a test\n";
    deb::Package { control, scripts: &[], items: &items }.build()
}

fn package_beside_qemu(place: &Place) -> Result<()> {
    let machine = Machine::new(place)?;
    std::fs::write(machine.root.join("qemu.deb"), qemu_package(place)?)?;
    let register = format!("cat /usr/lib/binfmt.d/qemu-arm.conf > {}/register", binfmt::MOUNT);
    machine.ok(&format!("dpkg -i /qemu.deb; {register}"))?;
    machine.runs(Some("/usr/libexec/qemu-binfmt/arm-binfmt-P"))?;
    let version = "qemu-arm-static -version | head -1";
    machine.ok("dpkg -i /forearm.deb; dpkg --verify forearm")?;
    machine.runs(Some("/usr/bin/forearm"))?;
    ensure!(machine.ok(version)?.contains("forearm"), "qemu-arm-static is still QEMU");
    // QEMU stays within reach.
    let choose = "update-alternatives --quiet --set qemu-arm-static";
    let chosen = machine.ok(&format!("{choose} /usr/bin/qemu-arm-static.qemu; {version}"))?;
    ensure!(!chosen.contains("forearm"), "the alternative was not taken: {chosen}");
    machine.ok(&format!("{choose} /usr/bin/forearm"))?;
    // QEMU's package installed anew does not take the name or the entry back.
    machine.ok("dpkg -i /qemu.deb")?;
    ensure!(machine.ok(version)?.contains("forearm"), "QEMU has taken the name back");
    machine.runs(Some("/usr/bin/forearm"))?;
    machine.ok("dpkg -r forearm; dpkg --verify qemu-user-static; ! test -L /usr/bin/qemu-arm-static")?;
    ensure!(!machine.ok(version)?.contains("forearm"), "QEMU does not have its name back");
    machine.ok(&format!("test -e {}/qemu-arm || {register}", binfmt::MOUNT))?;
    machine.runs(Some("/usr/libexec/qemu-binfmt/arm-binfmt-P"))?;
    machine.clean()?;
    // The other order: forearm first.
    machine.ok("dpkg -r qemu-user-static; dpkg -i /forearm.deb; dpkg -i /qemu.deb; test -e /usr/bin/qemu-arm-static.qemu")?;
    let alternatives = machine.ok("update-alternatives --list qemu-arm-static")?;
    ensure!(
        alternatives == "/usr/bin/forearm\n/usr/bin/qemu-arm-static.qemu\n",
        "the alternatives are\n{alternatives}"
    );
    machine.runs(Some("/usr/bin/forearm"))
}

fn package_with_binfmt_support(place: &Place) -> Result<()> {
    let machine = Machine::new(place)?;
    machine.ok("apt-get update; apt-get install -y --no-install-recommends binfmt-support")?;
    machine.ok("dpkg -i /forearm.deb")?;
    let shown = machine.ok("update-binfmts --display forearm")?;
    ensure!(shown.starts_with("forearm (enabled)"), "update-binfmts says\n{shown}");
    ensure!(machine.sh("/arm")?.status.code() == Some(5), "ARM programs do not run");
    let status = machine.ok("forearm status")?;
    ensure!(status.contains("run under /usr/bin/forearm"), "status says\n{status}");
    machine.ok("dpkg -r forearm")?;
    machine.runs(None)?;
    machine.clean()
}

fn tarball(place: &Place) -> Result<()> {
    let mut tar = Command::new("tar");
    let output = process::run(tar.arg("-xf").arg(&place.made.tarball).arg("-C").arg(&place.dir), LIMIT)?;
    ensure!(output.success(), "tar: {}", output.tail(3));
    let entry = std::fs::read_dir(&place.dir)?.flatten().next().context("an empty tar file")?.path();
    let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let archive = place.made.tarball.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ensure!(archive == format!("{name}.tar.xz") && name.ends_with("-x86_64"), "it holds {name}");
    for file in ["forearm.1", "completions/_forearm", "README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        ensure!(entry.join(file).is_file(), "{file} is missing");
    }
    // Static: it runs where there is nothing else.
    let output = process::run(Command::new("chroot").arg(&entry).args(["/forearm", "-version"]), LIMIT)?;
    ensure!(output.stdout.starts_with(b"forearm "), "{}: {}", output.end(), output.tail(2));
    Ok(())
}

fn container_image(place: &Place) -> Result<()> {
    let sandbox = Sandbox::for_containers()?;
    // crun does not take the two hierarchies that some machines have side by side.
    let unified = "/sys/fs/cgroup/unified";
    if Path::new(unified).exists() {
        sandbox.mount(&["--bind", unified, "/sys/fs/cgroup"])?;
    }
    let podman = Podman::new(&sandbox, &place.dir)?;
    let podman = |words: &[&str]| -> Result<Output> {
        let mut podman = podman.command();
        podman
            .args(["--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", "crun"])
            .args(words);
        process::run(&mut podman, LIMIT)
    };
    let output = podman(&["load", "--input", &place.made.image.display().to_string()])?;
    let loaded = String::from_utf8_lossy(&output.stdout);
    ensure!(output.success() && loaded.contains(oci::NAME), "podman load: {}", output.tail(5));
    let run = |words: &[&str]| {
        let start = ["run", "--privileged", "--rm", "--network=none", "--cgroups=disabled", oci::NAME];
        podman(&[&start[..], words].concat())
    };
    let lists = |output: &Output, name: &str| -> Result<bool> {
        let report: serde_json::Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("no report: {}", output.tail(5)))?;
        Ok(report["emulators"].as_array().is_some_and(|list| list.iter().any(|e| e == name)))
    };
    ensure!(!lists(&run(&[])?, "qemu-arm")?, "registered before the installation");
    let output = run(&["--install", "arm"])?;
    ensure!(output.success() && lists(&output, "qemu-arm")?, "{}: {}", output.end(), output.tail(5));
    // The container is gone; its program still runs ARM programs.
    let (source, arm) = (place.dir.join("arm.c"), place.dir.join("arm"));
    std::fs::write(&source, "int main(void) { return 5; }\n")?;
    let mut gcc = Command::new("arm-linux-gnueabihf-gcc");
    process::run(gcc.arg("-static").arg("-o").arg(&arm).arg(&source), LIMIT)?;
    let output = process::run(&mut sandbox.command(&arm), LIMIT)?;
    ensure!(
        output.status.code() == Some(5),
        "the ARM program ended with {}: {}",
        output.end(),
        output.tail(2)
    );
    let output = run(&["--uninstall", "qemu-arm"])?;
    ensure!(output.success() && !lists(&output, "qemu-arm")?, "{}: {}", output.end(), output.tail(5));
    Ok(())
}

fn man_page(place: &Place) -> Result<()> {
    let mut man = Command::new("man");
    man.args(["-l", "--warnings=all"])
        .arg(&place.made.manual)
        .env("MANWIDTH", "200")
        .env("LC_ALL", "C.UTF-8");
    let output = process::run(&mut man, LIMIT)?;
    ensure!(output.success() && output.stderr.is_empty(), "man --warnings: {}", output.tail(5));
    let text = String::from_utf8_lossy(&output.stdout).replace('\u{2010}', "-");
    let table = Table::of(&place.context.forearm())?;
    let options = table.options.iter().map(|o| format!("-{} {}", o.word, o.argument));
    let commands = table.commands.iter().map(|c| format!("{} {}", c.name, c.arguments));
    let flags =
        table.commands.iter().flat_map(|c| &c.flags).map(|[name, value, _]| format!("{name} {value}"));
    for words in options.chain(commands).chain(flags) {
        ensure!(text.contains(words.trim_end()), "{words} is not in the man page:\n{text}");
    }
    if tools::find("mandoc").is_some() {
        let output = process::run(
            Command::new("mandoc").args(["-T", "lint", "-W", "error"]).arg(&place.made.manual),
            LIMIT,
        )?;
        ensure!(output.success(), "mandoc: {}", output.tail(5));
    }
    Ok(())
}

fn completions(place: &Place) -> Result<()> {
    let [bash, zsh, fish] = &place.made.completions;
    for (shell, file) in [("bash", bash), ("zsh", zsh), ("fish", fish)] {
        if tools::find(shell).is_some() {
            let output = process::run(Command::new(shell).arg("-n").arg(file), LIMIT)?;
            ensure!(output.success() && output.stderr.is_empty(), "{shell} -n: {}", output.tail(5));
        }
    }
    // What bash would offer.
    let script = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); compopt() { echo \"opt $*\"; }; \
                  _forearm; printf '%s\\n' \"${COMPREPLY[@]}\"";
    for (words, offered, not) in [
        (&["forearm", "sh"][..], "shell", "register"),
        (&["forearm", "reg"], "register", "shell"),
        (&["forearm", "shell", "--e"], "--ephemeral", "--bind"),
        (&["forearm", "register", "--p"], "--persistent", "--flags"),
        (&["forearm", "-str"], "-strace", "-cpu"),
        (&["forearm", "-L", "/x", "-c"], "-cpu", "-strace"),
        (&["forearm", "register", "--flags", ""], "opt -o default", "--name"),
        (&["forearm", "./program", "-"], "opt -o default", "-strace"),
    ] {
        let mut command = Command::new("bash");
        let output = process::run(command.args(["-c", script, "bash"]).arg(bash).args(words), LIMIT)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let has = |word: &str| text.lines().any(|line| line == word);
        ensure!(has(offered) && !has(not), "{words:?}: bash offers\n{}", output.tail(20));
    }
    Ok(())
}
