//! What every command needs to know: the paths, the binary under test, the package source.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::debian::{Installed, Mirror, PACKAGES, Store};
use crate::process;
use crate::sandbox::Sandbox;
use crate::tools;
use crate::ui::Progress;

/// The Rust target of the workspace, as `.cargo/config.toml` sets it.
pub const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Paths and choices of one run of this program.
pub struct Context {
    /// The workspace.
    pub workspace: PathBuf,
    /// Cargo's target directory.
    pub target: PathBuf,
    /// The cargo profile that is built, `release` or `dist`.
    pub profile: String,
    /// A package source given by hand.
    pub mirror: Option<Mirror>,
    forearm_root: OnceLock<Result<Installed, String>>,
}

impl Context {
    /// The context of this checkout.
    pub fn new(mirror: Option<Mirror>) -> Self {
        let workspace =
            Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned();
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
        Self { workspace, target, profile: "release".into(), mirror, forearm_root: OnceLock::new() }
    }

    /// The interpreter under test: `$FOREARM`, or what was built.
    pub fn forearm(&self) -> PathBuf {
        match std::env::var_os("FOREARM") {
            Some(path) => std::path::absolute(&path).unwrap_or_else(|_| path.into()),
            None => self.target.join(TARGET).join(&self.profile).join("forearm"),
        }
    }

    /// A program of this workspace built by [`Context::build`], if it is there.
    pub fn built(&self, name: &str) -> Option<PathBuf> {
        Some(self.target.join(TARGET).join(&self.profile).join(name)).filter(|p| p.is_file())
    }

    /// The oracle.
    pub fn qemu(&self) -> Result<PathBuf> {
        tools::find("qemu-arm-static").context("qemu-arm-static is not installed (package qemu-user-static)")
    }

    /// A scratch directory of that name, emptied.
    pub fn scratch(&self, name: &str) -> Result<PathBuf> {
        let dir = self.target.join("xtask").join(name);
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        Ok(dir)
    }

    /// Roots, packages and first stages kept between runs; `$FOREARM_ROOTS` moves it.
    pub fn store(&self) -> Result<Store> {
        let mirror = match &self.mirror {
            Some(mirror) => mirror.clone(),
            None => Mirror::of_host()?,
        };
        let dir = std::env::var_os("FOREARM_ROOTS").map_or_else(|| self.target.join("roots"), PathBuf::from);
        Store::new(dir, mirror)
    }

    /// Builds forearm, with an image if there is one, and the test tools of the workspace.
    pub fn build(&self, image: Option<&Path>) -> Result<()> {
        let progress = Progress::spinner("build");
        let mut cargo = self.cargo();
        cargo.args(["build", "--profile", &self.profile, "--workspace", "--exclude", "xtask", "--bins"]);
        cargo.env_remove("FOREARM_IMAGE").envs(image.map(|image| ("FOREARM_IMAGE", image)));
        let output =
            process::run_lines(&mut cargo, Duration::from_secs(1500), |l| progress.message(l.trim()))?;
        ensure!(output.success(), "cargo build ended with {}:\n{}", output.end(), output.tail(40));
        let forearm = self.forearm();
        ensure!(forearm.is_file(), "{} is missing", forearm.display());
        progress.line(&format!("{} in {}", forearm.display(), crate::ui::seconds(output.elapsed)));
        Ok(())
    }

    /// Cargo, in the workspace.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.workspace).env("CARGO_TERM_PROGRESS_WHEN", "never");
        cargo
    }

    /// The root in which forearm ran the apt scenario in this process, which happens on the first call.
    pub fn forearm_root(&self) -> Result<&Installed> {
        let result = self.forearm_root.get_or_init(|| {
            let forearm = self.forearm();
            self.scenario("forearm", &forearm).map_err(|e| format!("{e:#}"))
        });
        result.as_ref().map_err(|e| anyhow::anyhow!("{e}"))
    }

    /// A root for the application tests: of this run if the scenario ran, else of an earlier one, else made now.
    pub fn any_forearm_root(&self) -> Result<PathBuf> {
        if self.forearm_root.get().is_none() {
            let store = self.store()?;
            if store.complete("forearm") {
                return Ok(store.path("forearm"));
            }
        }
        Ok(self.forearm_root()?.root.clone())
    }

    /// The apt scenario under `interpreter`, in a root called `name`.
    pub fn scenario(&self, name: &str, interpreter: &Path) -> Result<Installed> {
        self.roots_usable()?;
        let progress = Progress::steps(name, 5);
        let sandbox = Sandbox::new(Some(interpreter))?;
        self.store()?.install(&sandbox, "armhf", name, PACKAGES, &progress)
    }

    /// Says why roots cannot be made here, if so.
    pub fn roots_usable(&self) -> Result<()> {
        if !tools::is_root() {
            bail!("needs root (chroot, mount)");
        }
        match tools::missing(tools::ROOTS).as_slice() {
            [] => Ok(()),
            packages => bail!("to install: apt-get install {}", packages.join(" ")),
        }
    }
}
