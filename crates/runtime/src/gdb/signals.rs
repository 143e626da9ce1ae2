//! Signal numbers of gdb's protocol (include/gdb/signals.def) and of Linux.

use gdbstub::common::Signal;

/// gdb's signals for Linux's 1 to 31.
const CLASSIC: [Signal; 31] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGILL,
    Signal::SIGTRAP,
    Signal::SIGABRT,
    Signal::SIGBUS,
    Signal::SIGFPE,
    Signal::SIGKILL,
    Signal::SIGUSR1,
    Signal::SIGSEGV,
    Signal::SIGUSR2,
    Signal::SIGPIPE,
    Signal::SIGALRM,
    Signal::SIGTERM,
    // SIGSTKFLT is unknown to gdb.
    Signal::UNKNOWN,
    Signal::SIGCHLD,
    Signal::SIGCONT,
    Signal::SIGSTOP,
    Signal::SIGTSTP,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
    Signal::SIGURG,
    Signal::SIGXCPU,
    Signal::SIGXFSZ,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGWINCH,
    Signal::SIGIO,
    Signal::SIGPWR,
    Signal::SIGSYS,
];

/// Real-time signals of gdb: 33 to 63 begin at 45, 32 and 64 came later.
const RT33: u8 = 45;
const RT32: u8 = 77;
const RT64: u8 = 78;

/// gdb's number for a signal of Linux.
pub fn to_gdb(signal: i32) -> Signal {
    match signal {
        1..=31 => CLASSIC[signal as usize - 1],
        32 => Signal(RT32),
        33..=63 => Signal(RT33 + (signal - 33) as u8),
        64 => Signal(RT64),
        _ => Signal::UNKNOWN,
    }
}

/// Linux's number for a signal of gdb; `None` for those Linux does not have.
pub fn from_gdb(signal: Signal) -> Option<i32> {
    (1..=64).find(|&n| n != libc::SIGSTKFLT && to_gdb(n) == signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_survive_the_way_to_gdb_and_back() {
        for signal in (1..=64).filter(|&s| s != libc::SIGSTKFLT) {
            assert_eq!(from_gdb(to_gdb(signal)), Some(signal));
        }
        assert_eq!(to_gdb(libc::SIGUSR1), Signal::SIGUSR1);
        assert_eq!(to_gdb(34), Signal::SIG34);
        assert_eq!(from_gdb(Signal::SIGZERO), None);
    }
}
