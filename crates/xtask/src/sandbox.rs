//! A private corner of the machine to run ARM roots in: mount and process namespaces and, from Linux 6.7 on,
//! a user namespace with a binfmt_misc of its own.
//!
//! Everything inside hangs on one process, the init of the process namespace, which dies with this program.
//! With it go the processes, the mounts and the private binfmt_misc, however this program ends. Only where the
//! kernel has one binfmt_misc for all is there something to undo: see [`crate::binfmt`].

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::binfmt::{self, Registration};
use crate::process;

/// Every user and group keeps its number inside the namespace.
const IDENTITY_MAP: &str = "0 0 4294967295\n";

/// All but the last two: container runtimes take the whole map for the machine itself, and try what a user namespace
/// refuses.
const VISIBLE_MAP: &str = "0 0 4294967293\n";

/// The namespaces, and the interpreter registered in them.
pub struct Sandbox {
    helper: Child,
    /// Its end tells the helper that this program is gone.
    _alive: ChildStdin,
    /// The init of the process namespace, as numbered outside.
    init: String,
    private: bool,
    registration: Option<Registration>,
    /// The file that collects what forearm compiles.
    training: Option<PathBuf>,
}

/// Where that file is in a root.
const TRAINING: &str = "/forearm-training";

impl Sandbox {
    /// Makes the namespaces. With `interpreter`, ARM programs started inside run under it, by an entry as the
    /// Debian package makes it (flags POCF). Needs root.
    pub fn new(interpreter: Option<&Path>) -> Result<Self> {
        let mut sandbox = Self::start(Some(IDENTITY_MAP)).or_else(|_| Self::start(None))?;
        if let Some(interpreter) = interpreter {
            sandbox.register(interpreter)?;
        }
        Ok(sandbox)
    }

    /// One with nothing registered and a binfmt_misc of its own, in which container runtimes can work.
    pub fn for_containers() -> Result<Self> {
        Self::start(Some(VISIBLE_MAP))
    }

    /// With `map` in a user namespace.
    fn start(map: Option<&str>) -> Result<Self> {
        let private = map.is_some();
        // This program, even if its file was built anew meanwhile.
        let mut helper = Command::new("/proc/self/exe")
            .args(["sandbox-init", if private { "private" } else { "shared" }])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let (Some(mut to), Some(from)) = (helper.stdin.take(), helper.stdout.take()) else {
            bail!("no pipes to the sandbox");
        };
        let mut from = BufReader::new(from);
        let result = (|| {
            expect(&mut from, "unshared")?;
            if let Some(map) = map {
                for file in ["uid_map", "gid_map"] {
                    std::fs::write(format!("/proc/{}/{file}", helper.id()), map).context(file)?;
                }
            }
            writeln!(to, "mapped")?;
            expect(&mut from, "init ")
        })();
        match result {
            Ok(init) => Ok(Self { helper, _alive: to, init, private, registration: None, training: None }),
            Err(error) => {
                drop(to);
                helper.wait()?;
                Err(error)
            }
        }
    }

    fn register(&mut self, interpreter: &Path) -> Result<()> {
        let interpreter = interpreter.canonicalize().with_context(|| interpreter.display().to_string())?;
        if self.private {
            let line = binfmt::entry("forearm", &interpreter);
            let script = format!("printf %s \"$1\" > {}/register", binfmt::MOUNT);
            let output =
                process::run(self.command("sh").args(["-c", &script, "sh", &line]), Duration::from_secs(10))?;
            ensure!(output.success(), "cannot register {}: {}", interpreter.display(), output.tail(3));
        } else {
            self.registration = Some(Registration::new(&interpreter)?);
        }
        Ok(())
    }

    /// forearm collects what it compiles in `file` from now on, in roots that [`Self::bind_training`] has seen.
    pub fn train(&mut self, file: &Path) {
        self.training = Some(file.to_owned());
    }

    /// Makes the file that collects code reachable in `root`, if there is one.
    pub fn bind_training(&self, root: &Path) -> Result<()> {
        let Some(file) = &self.training else { return Ok(()) };
        let inside = root.join(&TRAINING[1..]);
        std::fs::write(&inside, "")?;
        self.mount(&["--bind", &file.display().to_string(), &inside.display().to_string()])
    }

    /// Whether it has a binfmt_misc of its own.
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// A command that runs inside.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.init, "--mount", "--pid"]);
        if self.private {
            command.arg("--user");
        }
        command.arg("--").arg(program);
        command
    }

    /// A command that runs inside, in the root directory `root`, with a clean environment. The variables of
    /// forearm itself and those that name a proxy go in.
    pub fn chroot(&self, root: &Path, program: &str) -> Command {
        let mut command = self.command("chroot");
        command.arg(root).arg(program).env_clear();
        command.envs([
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("HOME", "/root"),
            ("TERM", "dumb"),
            ("LC_ALL", "C.UTF-8"),
            ("DEBIAN_FRONTEND", "noninteractive"),
        ]);
        command.envs(std::env::vars_os().filter(|(name, _)| {
            let name = name.to_string_lossy();
            name.starts_with("FOREARM_") || name.to_ascii_lowercase().ends_with("_proxy")
        }));
        command.envs(self.training.as_ref().map(|_| ("FOREARM_TRAIN", TRAINING)));
        command
    }

    /// Mounts what programs expect in a root: /proc, terminals and shared memory, and its resolver.
    pub fn prepare_root(&self, root: &Path) -> Result<()> {
        let at = |name: &str| root.join(name).display().to_string();
        std::fs::create_dir_all(at("dev/pts"))?;
        std::fs::create_dir_all(at("dev/shm"))?;
        if Path::new("/etc/resolv.conf").exists() {
            std::fs::copy("/etc/resolv.conf", at("etc/resolv.conf"))?;
        }
        self.mount(&["-t", "proc", "proc", &at("proc")])?;
        self.mount(&["--rbind", "/sys", &at("sys")])?;
        self.mount(&["-t", "devpts", "-o", "newinstance,mode=620,ptmxmode=666", "devpts", &at("dev/pts")])?;
        self.mount(&["-t", "tmpfs", "tmpfs", &at("dev/shm")])
    }

    /// Runs `mount` inside.
    pub fn mount(&self, arguments: &[&str]) -> Result<()> {
        let output = process::run(self.command("mount").args(arguments), Duration::from_secs(20))?;
        ensure!(output.success(), "mount {}: {}", arguments.join(" "), output.tail(2));
        Ok(())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The helper's death kills the init and all that is inside.
        let _ = self.helper.kill();
        let _ = self.helper.wait();
    }
}

/// podman in a sandbox, with all that it keeps in one directory.
pub struct Podman<'a> {
    sandbox: &'a Sandbox,
    dir: PathBuf,
}

impl<'a> Podman<'a> {
    /// Where it keeps the state of what runs: a path of the sandbox's own, as podman takes none longer than 50
    /// characters.
    const RUN: &'static str = "/mnt";

    pub fn new(sandbox: &'a Sandbox, dir: &Path) -> Result<Self> {
        sandbox.mount(&["-t", "tmpfs", "tmpfs", Self::RUN])?;
        Ok(Self { sandbox, dir: dir.to_owned() })
    }

    pub fn command(&self) -> Command {
        let mut podman = self.sandbox.command("podman");
        podman.arg("--root").arg(self.dir.join("storage"));
        podman.args(["--runroot", Self::RUN, "--storage-driver", "vfs"]);
        podman.env("_CONTAINERS_USERNS_CONFIGURED", "done").env("TMPDIR", &self.dir);
        podman
    }
}

/// Reads one line that starts with `word` and gives its rest.
fn expect(from: &mut impl BufRead, word: &str) -> Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    match line.trim_end().strip_prefix(word) {
        Some(rest) => Ok(rest.to_owned()),
        None => bail!("no sandbox: {}", if line.is_empty() { "it ended early" } else { line.trim_end() }),
    }
}

/// The hidden command `sandbox-init`: makes the namespaces from inside, then is their init until it is killed.
pub fn init(private: bool) -> Result<()> {
    let user = if private { libc::CLONE_NEWUSER } else { 0 };
    // SAFETY: integers only.
    check("unshare", unsafe { libc::unshare(user | libc::CLONE_NEWNS | libc::CLONE_NEWPID) })?;
    println!("unshared");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    ensure!(line == "mapped\n", "the parent left");
    // SAFETY: integers only; this process has one thread, so the child of fork may do anything.
    let init = unsafe {
        check("setresgid", libc::setresgid(0, 0, 0))?;
        check("setresuid", libc::setresuid(0, 0, 0))?;
        check("fork", libc::fork())?
    };
    if init != 0 {
        // The init dies with this process, and this process with the pipe.
        std::io::stdin().read_line(&mut line)?;
        return Ok(());
    }
    // SAFETY: integers only.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    let result = mount_inside(private);
    match &result {
        // The outer number of this process is what the first link of the outer /proc says, which is now
        // covered: the parent finds it through the helper.
        Ok(outer) => println!("init {outer}"),
        Err(error) => println!("{error:#}"),
    }
    result?;
    std::io::stdout().flush()?;
    loop {
        let mut status = 0;
        // SAFETY: `status` outlives the call; pause only waits.
        unsafe {
            if libc::waitpid(-1, &mut status, 0) < 0 {
                libc::usleep(20_000);
            }
        }
    }
}

/// Mounts the namespace's own /proc and binfmt_misc; gives this process's number outside.
fn mount_inside(private: bool) -> Result<String> {
    // /proc still shows the outer namespace here.
    let outer = std::fs::read_link("/proc/self")?.display().to_string();
    mount("none", "/", None, libc::MS_REC | libc::MS_PRIVATE)?;
    mount("proc", "/proc", Some("proc"), 0)?;
    if private {
        mount("binfmt_misc", binfmt::MOUNT, Some("binfmt_misc"), 0)?;
        ensure!(Path::new(binfmt::MOUNT).join("register").exists(), "binfmt_misc without register");
    }
    Ok(outer)
}

fn mount(source: &str, target: &str, kind: Option<&str>, flags: libc::c_ulong) -> Result<()> {
    let c = |text: &str| std::ffi::CString::new(text);
    let (source, path, kind) = (c(source)?, c(target)?, kind.map(c).transpose()?);
    let kind = kind.as_ref().map_or(std::ptr::null(), |k| k.as_ptr());
    // SAFETY: the strings end in zero and live through the call.
    check(target, unsafe { libc::mount(source.as_ptr(), path.as_ptr(), kind, flags, std::ptr::null()) })?;
    Ok(())
}

fn check(what: &str, result: i32) -> Result<i32> {
    if result < 0 {
        return Err(std::io::Error::last_os_error()).with_context(|| what.to_owned());
    }
    Ok(result)
}
