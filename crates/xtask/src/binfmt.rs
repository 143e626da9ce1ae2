//! The binfmt_misc entry for 32-bit ARM programs, and its registration on a kernel that has one for all.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context as _, Result};

/// Where binfmt_misc is mounted.
pub const MOUNT: &str = "/proc/sys/fs/binfmt_misc";

/// Magic and mask of the Debian package: a little-endian ELF32 executable or shared object for ARM.
pub const MAGIC: &str = r"\x7f\x45\x4c\x46\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x28\x00";
/// The bits of it that count.
pub const MASK: &str = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";

/// Entries of this program carry this prefix and a process number.
const PREFIX: &str = "forearm-xtask-";

/// What to undo if this process is interrupted.
static UNDO: Mutex<Option<Undo>> = Mutex::new(None);

struct Undo {
    ours: PathBuf,
    disabled: Vec<PathBuf>,
    mounted: bool,
}

/// The line that registers `interpreter` under `name`: `argv[0]` preserved, the file opened now and kept (so that
/// it works inside chroots), credentials taken from the program.
pub fn entry(name: &str, interpreter: &Path) -> String {
    format!(":{name}:M::{MAGIC}:{MASK}:{}:POCF", interpreter.display())
}

/// An entry in the machine's binfmt_misc under a temporary name. Other ARM handlers are off while it lasts.
pub struct Registration(());

impl Registration {
    /// Registers `interpreter`; mounts binfmt_misc where it is not.
    pub fn new(interpreter: &Path) -> Result<Self> {
        let dir = Path::new(MOUNT);
        let mounted = !dir.join("register").exists();
        if mounted {
            let status = std::process::Command::new("mount")
                .args(["-t", "binfmt_misc", "binfmt_misc", MOUNT])
                .status()?;
            anyhow::ensure!(status.success(), "cannot mount binfmt_misc on {MOUNT}");
        }
        let mut disabled = Vec::new();
        for file in std::fs::read_dir(dir)?.flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            if let Some(owner) = name.strip_prefix(PREFIX) {
                // Left by a run that was killed.
                if !Path::new("/proc").join(owner).exists() {
                    let _ = std::fs::write(file.path(), "-1");
                }
                continue;
            }
            let text = std::fs::read_to_string(file.path()).unwrap_or_default();
            if text.starts_with("enabled") && text.contains(&format!("magic {}", MAGIC.replace(r"\x", ""))) {
                std::fs::write(file.path(), "0")?;
                disabled.push(file.path());
            }
        }
        let name = format!("{PREFIX}{}", std::process::id());
        let undo = Undo { ours: dir.join(&name), disabled, mounted };
        *UNDO.lock().unwrap_or_else(|e| e.into_inner()) = Some(undo);
        let registration = Self(());
        std::fs::write(dir.join("register"), entry(&name, interpreter))
            .with_context(|| format!("cannot register {} in binfmt_misc", interpreter.display()))?;
        Ok(registration)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        undo();
    }
}

/// Removes our entry, if there is one, and brings the others back.
pub fn undo() {
    if let Some(undo) = UNDO.lock().unwrap_or_else(|e| e.into_inner()).take() {
        let _ = std::fs::write(&undo.ours, "-1");
        for other in &undo.disabled {
            let _ = std::fs::write(other, "1");
        }
        if undo.mounted {
            let _ = std::process::Command::new("umount").arg(MOUNT).status();
        }
    }
}
