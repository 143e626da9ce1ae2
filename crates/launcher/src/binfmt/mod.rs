//! binfmt_misc: `forearm register`, `unregister` and `status`.
//!
//! The entry has the name, magic and mask of Debian's `qemu-user-static`, `qemu-arm`. Docker's and image builders'
//! checks look for that name, and `/etc/binfmt.d/qemu-arm.conf` takes the place of the file of the same name that
//! Debian's package has in `/usr/lib/binfmt.d` (binfmt.d(5)), so that after a boot too there is one entry and it is ours.

use crate::commands::{Answer, Command};
use lexopt::prelude::*;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

mod entry;
pub mod image;
mod probe;

pub use entry::{DEFAULT_FLAGS, Entry, MOUNT, mount_at};

/// The name of the entry unless another is asked for.
pub const NAME: &str = "qemu-arm";

/// Where systemd-binfmt looks, the first file of a name wins.
const CONFIGURATION: [&str; 4] =
    ["etc/binfmt.d", "run/binfmt.d", "usr/local/lib/binfmt.d", "usr/lib/binfmt.d"];

/// What the command line says.
struct Options {
    name: String,
    flags: String,
    interpreter: Option<PathBuf>,
    replace: bool,
    persistent: bool,
    root: Option<PathBuf>,
}

impl Options {
    /// `None`: the help is wanted, and printed.
    fn parse(command: &Command, mut parser: lexopt::Parser) -> Result<Option<Self>, String> {
        let mut options = Self {
            name: NAME.into(),
            flags: DEFAULT_FLAGS.into(),
            interpreter: None,
            replace: false,
            persistent: false,
            root: None,
        };
        let text = |e: lexopt::Error| e.to_string();
        while let Some(argument) = parser.next().map_err(text)? {
            match argument {
                Short('h') | Long("help") => {
                    print!("{}", command.help());
                    return Ok(None);
                }
                Long(name) if !command.flags.iter().any(|f| f.name[2..] == *name) => {
                    return Err(command.unexpected(argument));
                }
                Long("name") => options.name = parser.value().and_then(|v| v.string()).map_err(text)?,
                Long("flags") => options.flags = parser.value().and_then(|v| v.string()).map_err(text)?,
                Long("interpreter") => options.interpreter = Some(parser.value().map_err(text)?.into()),
                Long("replace") => options.replace = true,
                Long("persistent") => options.persistent = true,
                Long("root") => options.root = Some(parser.value().map_err(text)?.into()),
                other => return Err(command.unexpected(other)),
            }
        }
        entry::check_name(&options.name)?;
        entry::check_flags(&options.flags)?;
        if let Some(root) = &options.root
            && !root.is_dir()
        {
            return Err(format!("{}: not a directory", root.display()));
        }
        Ok(Some(options))
    }

    /// `NAME.conf` where an administrator's files are.
    fn configuration(&self) -> PathBuf {
        let root = self.root.as_deref().unwrap_or(Path::new("/"));
        root.join(CONFIGURATION[0]).join(format!("{}.conf", self.name))
    }

    /// The first file that systemd-binfmt would read for the name.
    fn at_boot(&self) -> Option<PathBuf> {
        let root = self.root.as_deref().unwrap_or(Path::new("/"));
        CONFIGURATION
            .iter()
            .map(|dir| root.join(dir).join(format!("{}.conf", self.name)))
            .find(|f| f.exists())
    }
}

/// `forearm register`.
pub fn register(command: &Command, parser: lexopt::Parser) -> Answer {
    let Some(options) = Options::parse(command, parser)? else { return Ok(0) };
    let entry = Entry::ours(&options.name, &interpreter(&options)?, &options.flags)?;
    if options.persistent || options.root.is_some() {
        writable_configuration(&options)?;
    }
    if options.root.is_none() {
        install(&entry, options.replace)?;
    }
    if options.persistent || options.root.is_some() {
        let file = options.configuration();
        write_configuration(&file, &entry).inspect_err(|_| {
            // Nothing is left half done.
            if options.root.is_none() {
                let _ = Entry::remove(&entry.name);
            }
        })?;
        println!("{} written", file.display());
    }
    Ok(0)
}

/// Makes the entry in the running kernel and makes sure that it is the one that counts.
pub fn install(entry: &Entry, replace: bool) -> Result<(), String> {
    entry::reach(true)?;
    let before = Entry::read(&entry.name);
    if let Some(old) = &before {
        if !old.is_ours() && !replace {
            return Err(format!(
                "{} is already registered, for {}; --replace takes its place",
                old.name,
                old.interpreter.display()
            ));
        }
        Entry::remove(&old.name)?;
    }
    let made = entry.register().and_then(|()| match probe::runs_under() {
        Ok(other) if !same_file(&other, &entry.interpreter) => Err(format!(
            "{} is registered, but ARM programs run under {}: an entry before it has the same magic{}",
            entry.name,
            other.display(),
            others(&entry.name).first().map_or(String::new(), |e| format!(" ({})", e.name))
        )),
        // Where the test program cannot be made or started there is nothing to say against the entry.
        _ => Ok(()),
    });
    if made.is_err() {
        let _ = Entry::remove(&entry.name);
        if let Some(old) = before {
            let _ = old.register();
        }
    }
    made
}

/// `forearm unregister`.
pub fn unregister(command: &Command, parser: lexopt::Parser) -> Answer {
    let Some(options) = Options::parse(command, parser)? else { return Ok(0) };
    let file = options.configuration();
    let on_disk = file.exists();
    let persistent = options.persistent || options.root.is_some();
    if persistent && on_disk && !written_by_us(&file) {
        return Err(format!("{} is not forearm's; it stays", file.display()));
    }
    if options.root.is_none() {
        match remove_ours(&options.name) {
            // One of the two is enough.
            Err(_) if persistent && on_disk && Entry::read(&options.name).is_none() => {}
            result => result?,
        }
    }
    if persistent {
        match std::fs::remove_file(&file) {
            Ok(()) => println!("{} removed", file.display()),
            Err(e) if e.kind() == ErrorKind::NotFound && options.root.is_none() => {}
            Err(e) => return Err(format!("{}: {}", file.display(), reason(&e))),
        }
    } else if on_disk && written_by_us(&file) {
        println!("{} stays, and brings the entry back at boot; --persistent removes it", file.display());
    }
    Ok(0)
}

/// Removes the entry of that name, if it is forearm's.
pub fn remove_ours(name: &str) -> Result<(), String> {
    entry::reach(false)?;
    match Entry::read(name) {
        None => Err(format!("{name} is not registered")),
        Some(entry) if !entry.is_ours() => Err(format!(
            "{name} is registered for {}, not for forearm; it stays",
            entry.interpreter.display()
        )),
        Some(_) => Entry::remove(name),
    }
}

/// `forearm status`.
pub fn status(command: &Command, parser: lexopt::Parser) -> Answer {
    let Some(options) = Options::parse(command, parser)? else { return Ok(0) };
    let line = |what: &str, text: String| println!("{what:<14} {text}");
    let boot = options.at_boot();
    let at_boot = match &boot {
        None => "no binfmt.d file".into(),
        Some(file) => match configured_interpreter(file) {
            Some(interpreter) => format!("{} registers {interpreter}", file.display()),
            None => format!("{} registers nothing", file.display()),
        },
    };
    if options.root.is_some() {
        line("at boot", at_boot);
        return Ok(i32::from(!boot.is_some_and(|file| written_by_us(&file))));
    }
    let usable = entry::reach(false);
    line("binfmt_misc", usable.as_ref().err().cloned().unwrap_or_else(|| format!("on, at {MOUNT}")));
    line(
        "entry",
        Entry::read(&options.name).map_or(format!("{} is not there", options.name), |e| e.describe()),
    );
    for other in others(&options.name) {
        line("also for ARM", other.describe());
    }
    let (text, ours) = match probe::runs_under() {
        Ok(interpreter) => (format!("run under {}", interpreter.display()), is_forearm(&interpreter)),
        Err(why) => (format!("do not run: {why}"), false),
    };
    line("ARM programs", text);
    line("at boot", at_boot);
    Ok(i32::from(!ours))
}

/// The other entries that match ARM programs.
fn others(name: &str) -> Vec<Entry> {
    Entry::all().into_iter().filter(|e| e.name != name && e.is_for_arm()).collect()
}

/// The file to register: absolute and, for the running kernel, there and executable.
fn interpreter(options: &Options) -> Result<PathBuf, String> {
    let installed = Path::new("/usr/bin/forearm");
    let path = match (&options.interpreter, &options.root) {
        (Some(path), _) => std::path::absolute(path).map_err(|e| reason(&e))?,
        (None, Some(_)) => installed.into(),
        (None, None) => own_file()?,
    };
    let seen = match &options.root {
        Some(root) => root.join(path.strip_prefix("/").unwrap_or(&path)),
        None => path.clone(),
    };
    match std::fs::metadata(&seen) {
        Ok(meta) if !meta.is_file() => Err(format!("{}: not a file", seen.display())),
        Ok(meta) if std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o111 == 0 => {
            Err(format!("{}: not executable", seen.display()))
        }
        Ok(_) => Ok(path),
        Err(e) => Err(format!("{}: {}", seen.display(), reason(&e))),
    }
}

/// This program's file.
pub fn own_file() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|e| format!("cannot tell where this program's file is: {}", reason(&e)))
}

/// The file's directory must be there, and a file that somebody else wrote stays.
fn writable_configuration(options: &Options) -> Result<(), String> {
    let file = options.configuration();
    if file.exists() && !written_by_us(&file) && !options.replace {
        return Err(format!("{} is there and not forearm's; --replace takes its place", file.display()));
    }
    let directory = file.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(directory).map_err(|e| format!("{}: {}", directory.display(), reason(&e)))
}

/// The first line of the files that `--persistent` writes.
const MARK: &str = "# Written by forearm register --persistent; see binfmt.d(5).";

fn write_configuration(file: &Path, entry: &Entry) -> Result<(), String> {
    let new = file.with_extension("conf.new");
    std::fs::write(&new, format!("{MARK}\n{}\n", entry.line()))
        .and_then(|()| std::fs::rename(&new, file))
        .map_err(|e| {
            let _ = std::fs::remove_file(&new);
            format!("{}: {}", file.display(), reason(&e))
        })
}

fn written_by_us(file: &Path) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| text.starts_with(MARK))
}

/// The interpreter in the registration line of a binfmt.d file.
fn configured_interpreter(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|l| !l.trim_start().starts_with(['#', ';']) && !l.trim().is_empty())?;
    let delimiter = line.chars().next()?;
    line[delimiter.len_utf8()..].split(delimiter).nth(5).map(str::to_owned)
}

/// Is it forearm, whatever the link to it is called?
fn is_forearm(path: &Path) -> bool {
    let file = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    file.file_name().is_some_and(|name| name == "forearm") || same_file(&file, Path::new("/proc/self/exe"))
}

fn same_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (std::fs::metadata(a), std::fs::metadata(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => a == b,
    }
}

/// The kernel's words for an error, without Rust's number.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpreter_of_a_configuration_file_is_found() {
        let dir = std::env::temp_dir().join(format!("forearm-binfmt-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("a.conf");
        let entry = Entry::ours("x", Path::new("/usr/bin/forearm"), "POCF").unwrap();
        write_configuration(&file, &entry).unwrap();
        assert!(written_by_us(&file));
        assert_eq!(configured_interpreter(&file).as_deref(), Some("/usr/bin/forearm"));
        std::fs::write(&file, "; a comment\n\n,n,M,,\\x7f,\\xff,/opt/a:b,OC\n").unwrap();
        assert!(!written_by_us(&file));
        assert_eq!(configured_interpreter(&file).as_deref(), Some("/opt/a:b"));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
