//! One entry of binfmt_misc: its registration line, its file, and the file system it is in.
//! The format is that of Documentation/admin-guide/binfmt-misc.rst.

use super::{is_forearm, reason};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where binfmt_misc is mounted.
pub const MOUNT: &str = "/proc/sys/fs/binfmt_misc";

/// P: the program sees its own `argv[0]`. O: forearm gets the program opened, so that it may be one it cannot read.
/// C: set-user-id programs have their effect. F: forearm's file is opened now, and works in any root.
pub const DEFAULT_FLAGS: &str = "POCF";

/// The first 20 bytes of an ARM program: ELF, 32 bits, little endian, version 1, any OSABI; ET_EXEC; EM_ARM.
const MAGIC: [u8; 20] = [0x7f, b'E', b'L', b'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0x28, 0];

/// The bits of them that count. Bit 0 of e_type does not: ET_DYN is 3.
const MASK: [u8; 20] = {
    let mut mask = [0xff; 20];
    mask[7] = 0;
    mask[16] = 0xfe;
    mask
};

/// A registered handler.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file's name in binfmt_misc.
    pub name: String,
    /// The program that is started.
    pub interpreter: PathBuf,
    flags: String,
    enabled: bool,
    offset: usize,
    magic: Vec<u8>,
    mask: Vec<u8>,
}

impl Entry {
    /// The entry for ARM programs.
    ///
    /// # Errors
    /// A path that a registration line cannot hold.
    pub fn ours(name: &str, interpreter: &Path, flags: &str) -> Result<Self, String> {
        let text = interpreter.to_str().ok_or_else(|| format!("{}: not UTF-8", interpreter.display()))?;
        // The line may have 1920 bytes (MAX_REGISTER_LENGTH), and systemd reads up to its end.
        if text.contains('\n') || text.len() > 1700 {
            return Err(format!("{text:?}: binfmt_misc cannot take such a path"));
        }
        let (magic, mask) = (MAGIC.to_vec(), MASK.to_vec());
        let (name, flags) = (name.to_owned(), flags.to_owned());
        Ok(Self { name, interpreter: interpreter.to_owned(), flags, enabled: true, offset: 0, magic, mask })
    }

    /// The line that makes it.
    pub fn line(&self) -> String {
        let escaped = |bytes: &[u8]| bytes.iter().map(|b| format!("\\x{b:02x}")).collect::<String>();
        let interpreter = self.interpreter.to_string_lossy();
        let used = |d: &char| interpreter.contains(*d) || self.name.contains(*d);
        // Any character may separate the fields that occurs in none of them.
        let d = [':', ',', ';', '|', '!', '%', '\u{1}'].into_iter().find(|d| !used(d)).unwrap_or(':');
        let Self { name, offset, flags, .. } = self;
        let offset = if *offset == 0 { String::new() } else { offset.to_string() };
        let (magic, mask) = (escaped(&self.magic), escaped(&self.mask));
        format!("{d}{name}{d}M{d}{offset}{d}{magic}{d}{mask}{d}{interpreter}{d}{flags}")
    }

    /// Makes it in the kernel.
    pub fn register(&self) -> Result<(), String> {
        std::fs::write(Path::new(MOUNT).join("register"), self.line()).map_err(|e| {
            let name = &self.name;
            match e.raw_os_error() {
                Some(libc::EEXIST) => format!("{name} is already registered"),
                Some(libc::EACCES | libc::EPERM) => format!("{name}: needs root"),
                Some(libc::EINVAL) => {
                    format!("{name}: the kernel refuses this name, path or flags ({})", self.flags)
                }
                // With the F flag it opens the interpreter.
                _ => format!("{}: {}", self.interpreter.display(), reason(&e)),
            }
        })
    }

    /// Takes the entry of that name away.
    pub fn remove(name: &str) -> Result<(), String> {
        std::fs::write(Path::new(MOUNT).join(name), "-1").map_err(|e| match e.raw_os_error() {
            Some(libc::EACCES | libc::EPERM) => "needs root".into(),
            _ => format!("{name}: {}", reason(&e)),
        })
    }

    /// The entry of that name.
    pub fn read(name: &str) -> Option<Self> {
        Self::parse(name, &std::fs::read_to_string(Path::new(MOUNT).join(name)).ok()?)
    }

    /// All that have a magic.
    pub fn all() -> Vec<Self> {
        let names = std::fs::read_dir(MOUNT).into_iter().flatten().flatten();
        names.filter_map(|f| Self::read(f.file_name().to_str()?)).collect()
    }

    fn parse(name: &str, text: &str) -> Option<Self> {
        let field = |key: &str| text.lines().find_map(|l| l.strip_prefix(key)).map(|v| v.trim());
        let magic = bytes(field("magic ")?)?;
        Some(Self {
            name: name.to_owned(),
            interpreter: field("interpreter ")?.into(),
            flags: field("flags:")?.to_owned(),
            enabled: text.starts_with("enabled"),
            offset: field("offset ")?.parse().ok()?,
            mask: field("mask ").and_then(bytes).unwrap_or_else(|| vec![0xff; magic.len()]),
            magic,
        })
    }

    /// Does it start forearm?
    pub fn is_ours(&self) -> bool {
        is_forearm(&self.interpreter)
    }

    /// Does it match ARM programs?
    pub fn is_for_arm(&self) -> bool {
        let start = MAGIC.get(self.offset..).unwrap_or_default();
        let matches = |((a, b), m): ((&u8, &u8), &u8)| (a ^ b) & m == 0;
        self.magic.len() <= start.len() && start.iter().zip(&self.magic).zip(&self.mask).all(matches)
    }

    /// Is it on?
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// For the status report.
    pub fn describe(&self) -> String {
        let state = if self.enabled { "enabled" } else { "disabled" };
        format!("{}: {}, flags {}, {state}", self.name, self.interpreter.display(), self.flags)
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

/// A name that can be a file of binfmt_misc's.
pub fn check_name(name: &str) -> Result<(), String> {
    let usable = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    let taken = ["register", "status"].contains(&name);
    if name.is_empty() || name.starts_with('.') || taken || name.len() > 200 || !name.chars().all(usable) {
        return Err(format!("--name: '{name}' cannot be an entry's name"));
    }
    Ok(())
}

/// Letters that the kernel knows, none twice.
pub fn check_flags(flags: &str) -> Result<(), String> {
    for (at, flag) in flags.char_indices() {
        if !"POCF".contains(flag) {
            return Err(format!("--flags: '{flag}' is none of P, O, C and F"));
        }
        if flags[..at].contains(flag) {
            return Err(format!("--flags: {flag} is there twice"));
        }
    }
    Ok(())
}

/// Makes sure that binfmt_misc is there and on; with `mount` tries to mount it.
pub fn reach(mount: bool) -> Result<(), String> {
    let dir = Path::new(MOUNT);
    if !dir.join("status").exists() {
        if !mount {
            return Err(format!("not mounted on {MOUNT}"));
        }
        if !dir.exists() {
            // A module that is loaded makes the directory.
            let _ = std::process::Command::new("modprobe").arg("-q").arg("binfmt_misc").status();
        }
        mount_at(dir)?;
    }
    match std::fs::read_to_string(dir.join("status")) {
        Ok(text) if text.trim() == "enabled" => Ok(()),
        Ok(_) => Err(format!("binfmt_misc is switched off (echo 1 > {MOUNT}/status switches it on)")),
        Err(e) => Err(format!("{MOUNT}/status: {}", reason(&e))),
    }
}

/// Mounts binfmt_misc.
pub fn mount_at(dir: &Path) -> Result<(), String> {
    let kind: &CStr = c"binfmt_misc";
    let mut target = OsStr::as_bytes(dir.as_os_str()).to_vec();
    target.push(0);
    // SAFETY: strings that end in NUL; the type takes no options.
    let failed =
        unsafe { libc::mount(kind.as_ptr(), target.as_ptr().cast(), kind.as_ptr(), 0, std::ptr::null()) } < 0;
    if !failed {
        return Ok(());
    }
    let error = std::io::Error::last_os_error();
    Err(match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            format!("binfmt_misc is not mounted on {}: needs root", dir.display())
        }
        Some(libc::ENODEV | libc::ENOENT) => "this kernel has no binfmt_misc (CONFIG_BINFMT_MISC)".into(),
        _ => format!("cannot mount binfmt_misc on {}: {}", dir.display(), reason(&error)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_that_of_debian_but_for_interpreter_and_flags() {
        let entry = Entry::ours("qemu-arm", Path::new("/usr/bin/forearm"), "POCF").unwrap();
        assert_eq!(
            entry.line(),
            r":qemu-arm:M::\x7f\x45\x4c\x46\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x28\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/forearm:POCF"
        );
        assert!(Entry::ours("a", Path::new("/a:b"), "").unwrap().line().starts_with(",a,M,"));
        assert!(Entry::ours("a", Path::new("/a\nb"), "").is_err());
    }

    #[test]
    fn what_the_kernel_shows_is_read() {
        let shown = "enabled\ninterpreter /usr/bin/forearm\nflags: POCF\noffset 0\n\
                     magic 7f454c4601010100000000000000000002002800\nmask ffffffffffffff00fffffffffffffffffeffffff\n";
        let entry = Entry::parse("qemu-arm", shown).unwrap();
        assert_eq!(entry, Entry::ours("qemu-arm", Path::new("/usr/bin/forearm"), "POCF").unwrap());
        assert!(entry.is_for_arm() && entry.is_enabled() && entry.is_ours());
        let aarch64 = Entry::parse("q", &shown.replace("02002800", "0200b700")).unwrap();
        assert!(!aarch64.is_for_arm());
        // Without a mask, and shorter than ours.
        let any = "disabled\ninterpreter /x\nflags: \noffset 0\nmagic 7f454c4601\n";
        assert!(Entry::parse("any", any).unwrap().is_for_arm());
        assert_eq!(Entry::parse("status", "enabled"), None);
    }

    #[test]
    fn names_and_flags_are_checked() {
        assert!(check_name("qemu-arm").is_ok());
        for bad in ["", "a/b", ".", "..", "register", "status", "a:b", "a b"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert!(check_flags("FCOP").is_ok() && check_flags("").is_ok());
        assert!(check_flags("POX").is_err() && check_flags("PP").is_err());
    }
}
