//! The programs of the distribution that the commands need, and their installation.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::{context::Context, process, ui::Progress};

/// A program and the Debian package it comes in.
#[derive(Clone, Copy)]
pub struct Tool {
    /// What is looked for: a name on PATH, or an absolute path.
    pub program: &'static str,
    /// The Debian (and Ubuntu) package.
    pub package: &'static str,
}

const fn tool(program: &'static str, package: &'static str) -> Tool {
    Tool { program, package }
}

/// The cross-compilers for guest programs, and the oracle.
pub const CROSS: &[Tool] = &[
    tool("arm-linux-gnueabihf-gcc", "gcc-arm-linux-gnueabihf"),
    tool("arm-linux-gnueabihf-g++", "g++-arm-linux-gnueabihf"),
    tool("/usr/arm-linux-gnueabihf/include/stdio.h", "libc6-dev-armhf-cross"),
    tool("qemu-arm-static", "qemu-user-static"),
];

/// What debugs guest programs.
pub const GDB: &[Tool] = &[
    tool("arm-linux-gnueabihf-gcc", "gcc-arm-linux-gnueabihf"),
    tool("/usr/arm-linux-gnueabihf/include/stdio.h", "libc6-dev-armhf-cross"),
    tool("gdb-multiarch", "gdb-multiarch"),
];

/// What sets up an ARM root.
pub const ROOTS: &[Tool] = &[
    tool("debootstrap", "debootstrap"),
    tool("/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"),
    tool("nsenter", "util-linux"),
    tool("mount", "mount"),
    tool("qemu-arm-static", "qemu-user-static"),
];

/// What enters a root as a user without rights.
pub const SHELL: &[Tool] = &[
    tool("debootstrap", "debootstrap"),
    tool("/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"),
    tool("nsenter", "util-linux"),
    tool("mount", "mount"),
    tool("newuidmap", "uidmap"),
    tool("script", "bsdutils"),
    tool("pgrep", "procps"),
    tool("cc", "gcc"),
];

/// What the packages are tried with.
pub const DIST: &[Tool] = &[
    tool("arm-linux-gnueabihf-gcc", "gcc-arm-linux-gnueabihf"),
    tool("/usr/arm-linux-gnueabihf/include/stdio.h", "libc6-dev-armhf-cross"),
    tool("qemu-arm-static", "qemu-user-static"),
    tool("debootstrap", "debootstrap"),
    tool("/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"),
    tool("nsenter", "util-linux"),
    tool("mount", "mount"),
    tool("man", "man-db"),
    tool("strip", "binutils"),
    tool("podman", "podman"),
    tool("crun", "crun"),
];

/// What builds an image.
pub const PODMAN: &[Tool] = &[tool("podman", "podman"), tool("crun", "crun")];

/// Where a program is, searching PATH and the system folders PATH may lack.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|dir| dir.join(program)).find(|p| p.is_file())
}

/// The packages of `tools` that are not installed.
pub fn missing(tools: &[Tool]) -> Vec<&'static str> {
    let mut packages: Vec<_> =
        tools.iter().filter(|t| find(t.program).is_none()).map(|t| t.package).collect();
    packages.dedup();
    packages
}

/// Whether this process may administrate the machine.
pub fn is_root() -> bool {
    // SAFETY: geteuid always succeeds and touches no memory.
    unsafe { libc::geteuid() == 0 }
}

/// Installs what is missing of `tools` with apt-get, or says in the error what to install.
pub fn ensure(tools: &[Tool]) -> Result<()> {
    let packages = missing(tools);
    if packages.is_empty() {
        return Ok(());
    }
    if !is_root() || find("apt-get").is_none() {
        bail!("to install: apt-get install {}", packages.join(" "));
    }
    let progress = Progress::spinner("install");
    progress.line(&packages.join(" "));
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(&packages);
    for arguments in [&["update"][..], &install] {
        let output = process::run_lines(
            Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"),
            Duration::from_secs(900),
            |line| progress.message(line),
        )?;
        // A third-party source that does not answer fails `update`, and need not matter.
        if !output.success() && arguments[0] == "install" {
            bail!("apt-get {} ended with {}:\n{}", arguments.join(" "), output.end(), output.tail(15));
        }
    }
    match missing(tools).as_slice() {
        [] => Ok(()),
        left => bail!("still missing after apt-get install: {}", left.join(" ")),
    }
}

/// A program that comes as a crate of the same name: the machine's own, or one in the target directory, which is built
/// when it is missing.
pub fn of_crate(context: &Context, name: &str) -> Result<PathBuf> {
    let dir = context.target.join("tools");
    let installed = dir.join("bin").join(name);
    if let Some(path) = find(name).or_else(|| Some(installed.clone()).filter(|p| p.is_file())) {
        return Ok(path);
    }
    let progress = Progress::spinner("install");
    progress.line(name);
    let build = dir.join("build");
    let mut cargo = context.cargo();
    // It runs for seconds: to build it without optimisation and debug information is quickest.
    cargo.args(["install", "--locked", "--debug", name]).env("CARGO_PROFILE_DEV_DEBUG", "0");
    cargo.arg("--root").arg(&dir).arg("--target-dir").arg(&build);
    let output = process::run_lines(&mut cargo, Duration::from_secs(900), |l| progress.message(l.trim()))?;
    if !output.success() {
        bail!("cargo install {name} ended with {}:\n{}", output.end(), output.tail(15));
    }
    std::fs::remove_dir_all(&build)?;
    progress.line(&format!("{} in {}", installed.display(), crate::ui::seconds(output.elapsed)));
    Ok(installed)
}
