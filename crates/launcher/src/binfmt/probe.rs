//! What ARM programs really run under: starts a tiny one and looks.

use super::reason;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Machine code that waits for a signal for ever, in the instruction set of an ELF machine.
struct Waiting {
    machine: u16,
    code: &'static [u32],
}

/// `mov r7, #29 (pause); svc #0; b .-8`.
const ARM: Waiting = Waiting { machine: 40, code: &[0xe3a0_701d, 0xef00_0000, 0xeaff_fffc] };

/// `mov eax, 29 (pause); int 0x80; jmp .-9`.
const I386: Waiting = Waiting { machine: 3, code: &[0x0000_1db8, 0xeb80_cd00, 0x0000_00f7] };

/// The interpreter that the kernel chooses for ARM programs.
///
/// # Errors
/// It chooses none.
pub fn runs_under() -> Result<PathBuf, String> {
    run(&ARM)
}

/// Does the kernel run i386 programs?
pub fn runs_i386() -> bool {
    run(&I386).is_ok()
}

fn run(program: &Waiting) -> Result<PathBuf, String> {
    // Not close-on-exec: a handler without the O flag opens the path.
    // SAFETY: a constant name.
    let fd = unsafe { libc::memfd_create(c"forearm-probe".as_ptr(), 0) };
    if fd < 0 {
        return Err(reason(&std::io::Error::last_os_error()));
    }
    // SAFETY: the descriptor is new and ours.
    let mut file = unsafe { File::from_raw_fd(fd) };
    file.write_all(&elf(program)).map_err(|e| reason(&e))?;
    let mut command = Command::new(format!("/proc/self/fd/{}", file.as_raw_fd()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // The child has executed the file when this returns, or the error of that is here.
    let mut child = command.spawn().map_err(|e| reason(&e))?;
    let interpreter = std::fs::read_link(format!("/proc/{}/exe", child.id())).map_err(|e| reason(&e));
    let _ = child.kill();
    let _ = child.wait();
    interpreter
}

/// An ELF file for `program`: header, one program header, the code, loaded at 1 MiB.
fn elf(program: &Waiting) -> Vec<u8> {
    const BASE: u32 = 0x10_0000;
    const HEADERS: u32 = 52 + 32;
    let size = HEADERS + 4 * program.code.len() as u32;
    let mut file = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half = |file: &mut Vec<u8>, values: &[u16]| values.iter().for_each(|v| file.extend(v.to_le_bytes()));
    let word = |file: &mut Vec<u8>, values: &[u32]| values.iter().for_each(|v| file.extend(v.to_le_bytes()));
    half(&mut file, &[2, program.machine]);
    // Version, entry, program headers' and sections' offset, flags (the EABI's version 5, which i386 ignores).
    word(&mut file, &[1, BASE + HEADERS, 52, 0, 0x0500_0000]);
    half(&mut file, &[52, 32, 1, 0, 0, 0]);
    // PT_LOAD, read and execute.
    word(&mut file, &[1, 0, BASE, BASE, size, size, 5, 0x1000]);
    word(&mut file, program.code);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_one_that_the_loader_takes() {
        let file = elf(&ARM);
        assert_eq!(file.len(), 96);
        assert!(forearm_runtime::loader::is_arm(&file));
    }
}
