//! The ARM EABI table: a line a number. Families keep their lines together so that each is read beside its file.

use super::{Kind, Syscall, enosys};

macro_rules! syscalls {
    ($($number:literal $name:ident($($arg:ident),*) => $run:path;)*) => {
        &[$(Syscall { number: $number, name: stringify!($name), args: &[$(Kind::$arg),*], run: $run }),*]
    };
}

/// Every system call, by number.
pub static TABLE: &[Syscall] = syscalls! {
    0 restart_syscall() => enosys;
};
