//! Debian roots: where the packages come from, the first stage of debootstrap kept between runs, and the
//! scenario every root goes through: second stage, update, install.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::process::{self, Output, Usage};
use crate::sandbox::Sandbox;
use crate::ui::Progress;

/// Longer than any step takes under the slowest interpreter.
const STEP_LIMIT: Duration = Duration::from_secs(1500);

/// A package source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// The URL debootstrap takes.
    pub url: String,
    /// The code name of the release.
    pub suite: String,
}

impl Mirror {
    /// The machine's own Debian mirror, from its apt sources.
    pub fn of_host() -> Result<Self> {
        let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
        if let Ok(dir) = std::fs::read_dir("/etc/apt/sources.list.d") {
            files.extend(dir.flatten().map(|e| e.path()));
        }
        files.sort();
        let texts = files.iter().filter_map(|f| std::fs::read_to_string(f).ok());
        texts
            .flat_map(|text| parse_sources(&text))
            .find(|m| m.url.trim_end_matches('/').ends_with("/debian"))
            .context("no Debian mirror in the apt sources of this machine; name one with --mirror URL")
    }
}

/// The archives with a `main` component that a sources file (one-line or deb822) names, in order.
fn parse_sources(text: &str) -> Vec<Mirror> {
    let mut mirrors = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.first() != Some(&"deb") {
            continue;
        }
        // deb [option=value ...] URL SUITE COMPONENT...
        let skip = if words.get(1).is_some_and(|w| w.starts_with('[')) {
            words.iter().position(|w| w.ends_with(']')).map_or(words.len(), |i| i + 1)
        } else {
            1
        };
        if let [url, suite, components @ ..] = &words[skip.min(words.len())..]
            && components.contains(&"main")
        {
            mirrors.push(Mirror { url: (*url).to_owned(), suite: (*suite).to_owned() });
        }
    }
    for stanza in text.split("\n\n") {
        let field = |name: &str| {
            stanza
                .lines()
                .find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))
                .unwrap_or("")
                .split_whitespace()
        };
        if field("Types").any(|t| t == "deb")
            && field("Components").any(|c| c == "main")
            && let (Some(url), Some(suite)) = (field("URIs").next(), field("Suites").next())
        {
            mirrors.push(Mirror { url: url.to_owned(), suite: suite.to_owned() });
        }
    }
    mirrors
}

/// What the scenario installs: with their dependencies, well over a hundred packages.
#[rustfmt::skip]
pub const PACKAGES: &[&str] = &[
    "bash", "dash", "perl", "python3", "gcc", "g++", "libc6-dev", "make", "git", "gnupg", "openssl", "sqlite3",
    "xz-utils", "zstd", "bzip2", "openssh-client", "locales", "man-db", "nginx-light", "curl", "ca-certificates",
    "file", "less", "procps", "psmisc", "rsync", "bc", "gawk", "jq", "wget", "unzip", "zip", "pkg-config", "luajit",
    "musl-tools", "busybox-static", "systemd", "dbus", "cron", "sudo", "tree", "patch", "m4", "groff-base", "manpages",
    "netcat-openbsd", "socat", "lsof", "acl", "attr", "cpio", "pigz", "nodejs",
];

/// The folder of everything kept between runs.
pub struct Store {
    dir: PathBuf,
    mirror: Mirror,
}

/// A step of the scenario.
pub struct Step {
    /// Its name.
    pub name: &'static str,
    /// Wall-clock time.
    pub elapsed: Duration,
    /// What it used.
    pub usage: Usage,
}

/// A root that went through the scenario.
pub struct Installed {
    /// The root directory.
    pub root: PathBuf,
    /// The steps and their times.
    pub steps: Vec<Step>,
    /// Lines of the logs that speak of an error.
    pub errors: Vec<String>,
    /// `dpkg -l` at the end.
    pub packages: String,
    /// How many packages `install` added.
    pub added: usize,
}

impl Store {
    /// A store in `dir`, which is made.
    pub fn new(dir: PathBuf, mirror: Mirror) -> Result<Self> {
        std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        Ok(Self { dir, mirror })
    }

    /// A path in the store.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The first stage of a minimal root for `arch` as a tar file, made once.
    pub fn first_stage(&self, arch: &str, progress: &Progress) -> Result<PathBuf> {
        let tar = self.path(&format!("first-stage-{}-{arch}.tar", self.mirror.suite));
        if tar.exists() {
            return Ok(tar);
        }
        let root = self.path(&format!("first-stage-{arch}"));
        let debs = self.path(&format!("debs-{arch}"));
        std::fs::create_dir_all(&debs)?;
        remove(&root)?;
        let mut command = Command::new("debootstrap");
        command
            .args(["--foreign", "--variant=minbase", &format!("--arch={arch}")])
            .arg(format!("--cache-dir={}", debs.display()))
            .args([&self.mirror.suite, &root.display().to_string(), &self.mirror.url]);
        let output = process::run_lines(&mut command, STEP_LIMIT, |l| progress.message(l))?;
        ensure!(output.success(), "debootstrap for {arch} ended with {}:\n{}", output.end(), output.tail(12));
        let part = tar.with_extension("part");
        pack(&root, &part, &[])?;
        std::fs::rename(&part, &tar)?;
        remove(&root)?;
        Ok(tar)
    }

    /// A fresh root `name` for `arch` after the first stage.
    pub fn fresh_root(&self, arch: &str, name: &str, progress: &Progress) -> Result<PathBuf> {
        let tar = self.first_stage(arch, progress)?;
        progress.message("unpack the first stage");
        let root = self.path(name);
        remove(&root)?;
        std::fs::create_dir_all(&root)?;
        let output = process::run(
            Command::new("tar").args(["--numeric-owner", "-xpf"]).arg(&tar).arg("-C").arg(&root),
            STEP_LIMIT,
        )?;
        ensure!(output.success(), "tar: {}", output.tail(3));
        Ok(root)
    }

    /// A minimal root for `arch` after second stage and update, as a tar file without devices, made once. `sandbox`
    /// runs the programs of `arch`.
    pub fn base(&self, arch: &str, sandbox: &Sandbox, progress: &Progress) -> Result<PathBuf> {
        let tar = self.path(&format!("base-{}-{arch}.tar", self.mirror.suite));
        if tar.exists() {
            return Ok(tar);
        }
        let root = self.fresh_root(arch, &format!("base-{arch}"), progress)?;
        let mut run = Run { sandbox, root: &root, progress, steps: Vec::new(), errors: Vec::new() };
        run.step("second stage", SECOND_STAGE)?;
        self.configure(&root)?;
        sandbox.prepare_root(&root)?;
        run.step("update", &["apt-get", "update"])?;
        let part = tar.with_extension("part");
        pack_for_image(&root, &part)?;
        std::fs::rename(&part, &tar)?;
        remove(&root)?;
        Ok(tar)
    }

    /// Second stage, update and install of `packages` in a fresh root, in `sandbox`.
    pub fn install(
        &self,
        sandbox: &Sandbox,
        arch: &str,
        name: &str,
        packages: &[&str],
        progress: &Progress,
    ) -> Result<Installed> {
        let root = self.fresh_root(arch, name, progress)?;
        sandbox.bind_training(&root)?;
        let mut run = Run { sandbox, root: &root, progress, steps: Vec::new(), errors: Vec::new() };
        run.step("second stage", SECOND_STAGE)?;
        self.configure(&root)?;
        sandbox.prepare_root(&root)?;
        let archives = self.path(&format!("archives-{arch}"));
        std::fs::create_dir_all(archives.join("partial"))?;
        let inside = root.join("var/cache/apt/archives");
        sandbox.mount(&["--bind", &archives.display().to_string(), &inside.display().to_string()])?;

        let before = run.count()?;
        run.step("update", &["apt-get", "update"])?;
        let install = ["apt-get", "install", "-y", "--no-install-recommends"];
        run.step("fetch", &[&install[..], &["--download-only"], packages].concat())?;
        run.step("install", &[&install[..], packages].concat())?;
        run.step("check", &["sh", "-c", "apt-get check && test -z \"$(dpkg --audit)\""])?;
        let after = run.count()?;
        let packages = String::from_utf8_lossy(&run.quiet(&["dpkg", "-l"])?.stdout).into_owned();
        let (steps, errors) = (run.steps, run.errors);
        std::fs::write(root.join(COMPLETE), "")?;
        Ok(Installed { steps, errors, packages, added: after.saturating_sub(before), root })
    }

    /// Whether the root `name` went through the scenario, in this run or an earlier one.
    pub fn complete(&self, name: &str) -> bool {
        self.path(name).join(COMPLETE).exists()
    }

    fn configure(&self, root: &Path) -> Result<()> {
        let Mirror { url, suite } = &self.mirror;
        let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
        let signed =
            if root.join(&keyring[1..]).exists() { format!("[signed-by={keyring}] ") } else { String::new() };
        std::fs::write(root.join("etc/apt/sources.list"), format!("deb {signed}{url} {suite} main\n"))?;
        // No service starts in a chroot, and the packages stay for the next run.
        let policy = root.join("usr/sbin/policy-rc.d");
        std::fs::write(&policy, "#!/bin/sh\nexit 101\n")?;
        std::fs::set_permissions(&policy, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        std::fs::write(
            root.join("etc/apt/apt.conf.d/90keep"),
            "Binary::apt-get::APT::Keep-Downloaded-Packages \"true\";\nAPT::Keep-Downloaded-Packages \"true\";\n",
        )?;
        std::fs::write(root.join("etc/dpkg/dpkg.cfg.d/unsafe-io"), "force-unsafe-io\n")?;
        Ok(())
    }
}

/// In a user namespace no device can be made; debootstrap knows that of LXC. The first stage made them all.
const SECOND_STAGE: &[&str] = &["sh", "-c", "container=lxc exec /debootstrap/debootstrap --second-stage"];

/// The mark of a root that went through the scenario.
const COMPLETE: &str = "forearm-scenario-complete";

/// The steps of one scenario.
struct Run<'a> {
    sandbox: &'a Sandbox,
    root: &'a Path,
    progress: &'a Progress,
    steps: Vec<Step>,
    errors: Vec<String>,
}

impl Run<'_> {
    fn step(&mut self, name: &'static str, command: &[&str]) -> Result<()> {
        let start = Instant::now();
        self.progress.message(name);
        let errors = &mut self.errors;
        let output = process::run_lines(
            self.sandbox.chroot(self.root, command[0]).args(&command[1..]),
            STEP_LIMIT,
            |line| {
                self.progress.message(&format!("{name}: {line}"));
                if is_error(line) {
                    errors.push(format!("{name}: {line}"));
                }
            },
        )?;
        ensure!(output.success(), "{name} ended with {}:\n{}", output.end(), output.tail(25));
        self.progress.line(&format!("{name}: {}", crate::ui::seconds(start.elapsed())));
        self.progress.advance();
        self.steps.push(Step { name, elapsed: start.elapsed(), usage: output.usage });
        Ok(())
    }

    fn quiet(&self, command: &[&str]) -> Result<Output> {
        let output =
            process::run(self.sandbox.chroot(self.root, command[0]).args(&command[1..]), STEP_LIMIT)?;
        ensure!(output.success(), "{} ended with {}:\n{}", command.join(" "), output.end(), output.tail(5));
        Ok(output)
    }

    fn count(&self) -> Result<usize> {
        let output = self.quiet(&["dpkg-query", "-W", "-f", "${db:Status-Abbrev}\n"])?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().filter(|l| l.starts_with("ii")).count())
    }
}

/// Whether a line of apt, dpkg or a maintainer script reports a fault.
fn is_error(line: &str) -> bool {
    let start = ["E: ", "W: ", "dpkg: error", "forearm: ", "qemu: ", "tar: "];
    let inside = [
        "egmentation fault",
        "llegal instruction",
        "Aborted",
        "core dumped",
        "Traceback (",
        "subprocess returned",
    ];
    // In a user namespace debootstrap cannot mount sysfs, and says it does not matter.
    let harmless = ["mount -t sysfs sysfs /sys", "debootstrap.log for details"];
    (start.iter().any(|s| line.starts_with(s)) || inside.iter().any(|s| line.contains(s)))
        && !harmless.iter().any(|h| line.contains(h))
}

/// The lines of a log that report a fault.
pub fn error_lines(log: &str) -> impl Iterator<Item = &str> {
    log.lines().filter(|line| is_error(line))
}

/// Packs a root, owners by number, without its devices and mounts, which a user namespace could not unpack.
pub fn pack_for_image(root: &Path, tar: &Path) -> Result<()> {
    pack(root, tar, &["--exclude=./dev/*", "--one-file-system"])
}

fn pack(root: &Path, tar: &Path, options: &[&str]) -> Result<()> {
    let mut command = Command::new("tar");
    command.args(options).args(["--numeric-owner", "-cf"]).arg(tar).arg("-C").arg(root).arg(".");
    let output = process::run(&mut command, STEP_LIMIT)?;
    ensure!(output.success(), "tar: {}", output.tail(3));
    Ok(())
}

/// Removes a root. Nothing is mounted there outside a sandbox; if something is, it refuses.
pub fn remove(root: &Path) -> Result<()> {
    if !root.exists() {
        return Ok(());
    }
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let prefix = format!("{}/", root.canonicalize()?.display());
    if let Some(mount) = mounts.lines().filter_map(|l| l.split(' ').nth(1)).find(|m| m.starts_with(&prefix)) {
        bail!("{mount} is mounted: not removing {}", root.display());
    }
    std::fs::remove_dir_all(root).with_context(|| root.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror(url: &str, suite: &str) -> Mirror {
        Mirror { url: url.into(), suite: suite.into() }
    }

    #[test]
    fn both_forms_of_sources_are_read() {
        let line = "# c\ndeb [arch=amd64 signed-by=/k] http://m.example/debian trixie main contrib\ndeb http://x.example/ a other\n";
        assert_eq!(parse_sources(line), [mirror("http://m.example/debian", "trixie")]);
        let deb822 = "Types: deb\n# c\nURIs: http://m.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n\n\
                      Types: deb-src\nURIs: http://s.example/debian\nSuites: bookworm\nComponents: main\n";
        assert_eq!(parse_sources(deb822), [mirror("http://m.example/debian", "bookworm")]);
        assert_eq!(parse_sources("deb [arch=amd64\n"), []);
    }

    #[test]
    fn error_lines_are_told_from_others() {
        assert!(is_error("E: Sub-process /usr/bin/dpkg returned an error code (1)"));
        assert!(is_error("Segmentation fault"));
        assert!(!is_error("Setting up libgpg-error0:armhf (1.46-1) ..."));
    }
}
