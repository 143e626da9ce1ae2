//! Runs one command in a process group of its own, with a time limit, and collects what it leaves.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// A command that writes more than this to one stream is taken for a runaway and killed.
const OUTPUT_LIMIT: usize = 64 << 20;

/// The process groups now running, for [`kill_all`].
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// What a finished command leaves.
#[derive(Debug)]
pub struct Output {
    /// Exit code or signal.
    pub status: ExitStatus,
    /// Everything written to standard output.
    pub stdout: Vec<u8>,
    /// Everything written to standard error.
    pub stderr: Vec<u8>,
    /// The time limit passed (or the output limit), and the group was killed.
    pub timed_out: bool,
    /// Wall-clock time from start to exit.
    pub elapsed: Duration,
    /// What it and the children it waited for used.
    pub usage: Usage,
}

/// Resources that a process and those of its descendants used whose parents waited for them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Processor time, user and system.
    pub cpu: Duration,
    /// Peak resident memory of the largest process, in KiB.
    pub memory: u64,
}

/// Waits for a child that has not been waited for.
pub fn wait(child: Child) -> Result<(ExitStatus, Usage)> {
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: both results outlive the call; the child is ours and not yet waited for.
    while unsafe { libc::wait4(child.id() as i32, &mut status, 0, usage.as_mut_ptr()) } < 0 {
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error).context("wait4");
        }
    }
    // SAFETY: the call succeeded and filled it; all zeroes would be valid too.
    let usage = unsafe { usage.assume_init() };
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    let usage = Usage { cpu: time(usage.ru_utime) + time(usage.ru_stime), memory: usage.ru_maxrss as u64 };
    Ok((ExitStatus::from_raw(status), usage))
}

impl Output {
    /// Exit status zero and within the limits.
    pub fn success(&self) -> bool {
        self.status.success() && !self.timed_out
    }

    /// An exit status, whichever, and within the limits.
    pub fn exited(&self) -> bool {
        self.status.code().is_some() && !self.timed_out
    }

    /// The end in words: `status 1`, `signal 11`, `time limit`.
    pub fn end(&self) -> String {
        if self.timed_out { format!("time limit after {:.0?}", self.elapsed) } else { describe(self.status) }
    }

    /// The last `n` lines of both streams, for a failure report.
    pub fn tail(&self, n: usize) -> String {
        let text = [&self.stdout[..], &self.stderr[..]].map(String::from_utf8_lossy).concat();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(n)..].join("\n")
    }
}

/// An exit status as this program writes it: `status 3` or `signal 11`.
pub fn describe(status: ExitStatus) -> String {
    match status.signal() {
        Some(signal) => format!("signal {signal}"),
        None => format!("status {}", status.code().unwrap_or(-1)),
    }
}

/// Kills every running process group: the answer to Ctrl-C.
pub fn kill_all() {
    for &group in GROUPS.lock().unwrap_or_else(|e| e.into_inner()).iter() {
        kill_group(group);
    }
}

fn kill_group(group: i32) {
    // SAFETY: kill takes two integers and touches no memory of ours.
    unsafe { libc::kill(-group, libc::SIGKILL) };
}

/// Runs `command` without standard input; when `limit` passes its whole group is killed.
pub fn run(command: &mut Command, limit: Duration) -> Result<Output> {
    run_lines(command, limit, |_| {})
}

/// As [`run`], and calls `line` for each line of standard output or error as it comes.
pub fn run_lines(command: &mut Command, limit: Duration, mut line: impl FnMut(&str)) -> Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
    let group = child.id() as i32;
    GROUPS.lock().unwrap_or_else(|e| e.into_inner()).insert(group);

    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        bail!("{program}: no pipes");
    };
    let mut streams = [Stream::new(OwnedFd::from(out))?, Stream::new(OwnedFd::from(err))?];
    let ended = pidfd(group)?;
    let mut timed_out = false;
    loop {
        let left = limit.saturating_sub(start.elapsed());
        let mut fds = [
            poll_fd(ended.as_raw_fd()),
            poll_fd(streams[0].poll_target()),
            poll_fd(streams[1].poll_target()),
        ];
        // SAFETY: `fds` is an array of three valid pollfd.
        unsafe { libc::poll(fds.as_mut_ptr(), 3, left.as_millis().min(60_000) as i32 + 1) };
        for stream in &mut streams {
            stream.drain(&mut line);
        }
        if fds[0].revents != 0 {
            break;
        }
        if start.elapsed() >= limit || streams.iter().any(|s| s.data.len() > OUTPUT_LIMIT) {
            timed_out = true;
            break;
        }
    }
    let elapsed = start.elapsed();
    // The leader is a zombie or about to be one: its number is still ours, and so is the group's.
    kill_group(group);
    let (status, usage) = wait(child)?;
    GROUPS.lock().unwrap_or_else(|e| e.into_inner()).remove(&group);
    for stream in &mut streams {
        stream.drain(&mut line);
        stream.finish(&mut line);
    }
    let [out, err] = streams.map(|s| s.data);
    Ok(Output { status, stdout: out, stderr: err, timed_out, elapsed, usage })
}

/// One output pipe of the child, read without blocking.
struct Stream {
    pipe: std::fs::File,
    open: bool,
    data: Vec<u8>,
    /// Where the line not yet reported begins in `data`.
    line_start: usize,
}

impl Stream {
    fn new(fd: OwnedFd) -> Result<Self> {
        // SAFETY: fcntl on a descriptor we own.
        if unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) } != 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        Ok(Self { pipe: fd.into(), open: true, data: Vec::new(), line_start: 0 })
    }

    /// The descriptor to poll, or -1, which poll ignores, once the pipe is at its end.
    fn poll_target(&self) -> i32 {
        if self.open { self.pipe.as_raw_fd() } else { -1 }
    }

    fn drain(&mut self, line: &mut impl FnMut(&str)) {
        let mut buffer = [0; 16384];
        while self.open && self.data.len() <= OUTPUT_LIMIT {
            match self.pipe.read(&mut buffer) {
                Ok(0) => self.open = false,
                Ok(n) => self.data.extend_from_slice(&buffer[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(_) => self.open = false,
            }
        }
        while let Some(length) = self.data[self.line_start..].iter().position(|&b| b == b'\n' || b == b'\r') {
            let end = self.line_start + length;
            line(&String::from_utf8_lossy(&self.data[self.line_start..end]));
            self.line_start = end + 1;
        }
    }

    fn finish(&mut self, line: &mut impl FnMut(&str)) {
        if self.line_start < self.data.len() {
            line(&String::from_utf8_lossy(&self.data[self.line_start..]));
        }
    }
}

fn poll_fd(fd: i32) -> libc::pollfd {
    libc::pollfd { fd, events: libc::POLLIN, revents: 0 }
}

fn pidfd(pid: i32) -> Result<OwnedFd> {
    // SAFETY: the call takes integers and returns a new descriptor or -1.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) } as i32;
    if fd < 0 {
        return Err(std::io::Error::last_os_error()).context("pidfd_open");
    }
    // SAFETY: `fd` is a fresh descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Output {
        run(Command::new("sh").args(["-c", script]), limit).unwrap()
    }

    #[test]
    fn collects_both_streams_and_the_status() {
        let output = sh("echo out; echo err >&2; exit 3", Duration::from_secs(10));
        assert_eq!(output.stdout, b"out\n");
        assert_eq!(output.stderr, b"err\n");
        assert_eq!(output.end(), "status 3");
        assert!(!output.success());
    }

    #[test]
    fn a_time_limit_kills_the_whole_group() {
        let output = sh("sleep 60 & echo $!; wait", Duration::from_millis(300));
        assert!(output.timed_out && output.elapsed < Duration::from_secs(5));
        let pid = String::from_utf8(output.stdout).unwrap();
        let stat = format!("/proc/{}/stat", pid.trim());
        for _ in 0..100 {
            match std::fs::read_to_string(&stat) {
                Ok(text) if !text.contains(") Z ") => std::thread::sleep(Duration::from_millis(20)),
                _ => return,
            }
        }
        panic!("the sleep survived its group");
    }

    #[test]
    fn a_stray_child_that_holds_the_pipe_does_not_hang_us() {
        let output = sh("setsid sleep 5 & exit 0", Duration::from_secs(4));
        assert!(output.success() && output.elapsed < Duration::from_secs(3));
    }

    #[test]
    fn output_without_a_newline_is_a_line() {
        let mut lines = Vec::new();
        run_lines(Command::new("printf").arg("a\nb"), Duration::from_secs(5), |l| lines.push(l.to_owned()))
            .unwrap();
        assert_eq!(lines, ["a", "b"]);
    }
}
