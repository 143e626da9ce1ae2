//! Waiting for a child while passing signals on to it, as an init must.

use std::mem::MaybeUninit;

/// What is waited for instead of acted upon.
const SIGNALS: [i32; 7] =
    [libc::SIGCHLD, libc::SIGTERM, libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGUSR1, libc::SIGUSR2];

fn set() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset makes it a set, and the numbers are signals.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in SIGNALS {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

/// Blocks them; gives the mask of before.
pub fn block_signals() -> libc::sigset_t {
    let mut old = MaybeUninit::uninit();
    // SAFETY: sets that outlive the calls. A SIGCHLD that is ignored would never come, and no status either.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        libc::sigprocmask(libc::SIG_BLOCK, &set(), old.as_mut_ptr());
        old.assume_init()
    }
}

/// The mask of before, for the command.
pub fn restore_signals(old: &libc::sigset_t) {
    // SAFETY: a set.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, old, std::ptr::null_mut()) };
}

/// Waits until the child ends; reaps every other process that ends. Gives the status as shells do: 128 and the number
/// for a signal.
pub fn until_end(child: i32) -> i32 {
    let set = set();
    loop {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        // SAFETY: a set, and room for what comes.
        let signal = unsafe { libc::sigwaitinfo(&set, info.as_mut_ptr()) };
        if signal < 0 {
            continue;
        }
        if signal == libc::SIGCHLD {
            if let Some(status) = reap(child) {
                return status;
            }
            continue;
        }
        // SAFETY: zeroed, or filled by the kernel.
        let by_terminal = unsafe { info.assume_init() }.si_code > 0;
        // What the terminal sends goes to the whole foreground group, and so to the child already.
        if !by_terminal {
            // SAFETY: integers only.
            unsafe { libc::kill(child, signal) };
        }
    }
}

fn reap(child: i32) -> Option<i32> {
    loop {
        let mut status = 0;
        // SAFETY: room for the status.
        let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
        if pid <= 0 {
            return None;
        }
        if pid == child {
            let signal = libc::WTERMSIG(status);
            return Some(if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + signal });
        }
    }
}

/// The terminal's foreground process group, which an interactive shell takes and, from inside a process namespace,
/// cannot give back.
pub struct Terminal(Option<i32>);

impl Terminal {
    /// As it is now.
    pub fn current() -> Self {
        // SAFETY: integers only.
        let (foreground, own) = unsafe { (libc::tcgetpgrp(0), libc::getpgrp()) };
        Self((foreground == own).then_some(own))
    }

    /// Gives the terminal back to whom it belonged.
    pub fn take_back(&self) {
        if let Self(Some(group)) = *self {
            // SAFETY: integers and a constant disposition; a background process that sets the group would be stopped.
            unsafe {
                let old = libc::signal(libc::SIGTTOU, libc::SIG_IGN);
                libc::tcsetpgrp(0, group);
                libc::signal(libc::SIGTTOU, old);
            }
        }
    }
}
