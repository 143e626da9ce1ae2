//! Guest calls and returns as host calls and returns, which the processor predicts.
//!
//! Compiled code runs on a stack of return addresses alone; its frame is elsewhere. A guest call calls. Behind the call is a landing:
//! a return comes there with the guest address that it goes to, and if that is not the one behind the guest's call, the guest has
//! returned to somewhere else, which is looked up as for any indirect jump. So whatever the guest does, a return that does not fit
//! costs time and nothing else: the stack is a prediction. Host code that has been placed stays (see [`crate::cache::native`]), so
//! an address on the stack is good as long as the engine is.
//!
//! The stack ends in a page that is not there: who calls deeper starts anew. Its top is the address of a landing that knows nothing.

use crate::cache::native::LinkSlot;
use crate::enter;
use crate::state::CpuState;
use std::mem::offset_of;
use std::ptr::NonNull;

/// Calls that a stack has room for.
const DEPTH: usize = 7679;
/// The page below.
const GUARD: usize = 4096;
const SIZE: usize = GUARD + (DEPTH + 1) * size_of::<u64>();

/// A thread's stack of return addresses.
#[derive(Debug)]
pub(crate) struct ReturnStack(NonNull<u8>);

impl ReturnStack {
    /// An empty stack.
    pub fn new() -> ReturnStack {
        let (prot, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
        );
        // SAFETY: a fresh mapping, and within it.
        let at = unsafe {
            let p = libc::mmap(std::ptr::null_mut(), SIZE, prot, flags, -1, 0);
            (p != libc::MAP_FAILED && libc::mprotect(p, GUARD, libc::PROT_NONE) == 0)
                .then_some(p.cast::<u8>())
        };
        let Some(at) = at.and_then(NonNull::new) else {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<[u8; SIZE]>())
        };
        let stack = ReturnStack(at);
        // SAFETY: the topmost word of the mapping.
        unsafe { (stack.top() as *mut u64).write(enter::unknown_landing_address()) };
        stack
    }

    /// The stack pointer of an empty stack.
    pub fn top(&self) -> u64 {
        self.0.as_ptr() as u64 + (SIZE - size_of::<u64>()) as u64
    }

    /// Is the address where the stack ends?
    fn is_end(&self, address: u64) -> bool {
        address.wrapping_sub(self.0.as_ptr() as u64) < GUARD as u64
    }
}

impl Drop for ReturnStack {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own.
        unsafe { libc::munmap(self.0.as_ptr().cast(), SIZE) };
    }
}

/// A fault at `address` of code that runs with stack pointer `sp`: has it called too deep? Then it starts anew.
pub(crate) fn recover(cpu: &CpuState, address: u64, sp: &mut i64) -> bool {
    let stack = cpu.host.return_stack.as_ref().filter(|s| s.is_end(address));
    if let Some(stack) = stack {
        *sp = stack.top() as i64;
    }
    stack.is_some()
}

/// Where a guest function returns to: the guest address, with the Thumb bit, and the number of the region's exit that leads there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Landing {
    pub address: u32,
    pub exit: u32,
}

/// How compiled code goes where a jump at the end of a region leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// Calls that the region has taken in, and that the guest is still inside of, the outermost first: whoever comes behind returns
    /// from them.
    pub inside: Vec<Landing>,
    /// It is a call.
    pub call: Option<Landing>,
    /// It is a return, with the address in RSI.
    pub returns: bool,
}

impl Way {
    /// Is it a plain jump?
    pub fn is_plain(&self) -> bool {
        *self == Way::default()
    }

    /// Appends the code of `jump`, a jump through memory or to a register, gone in this way, and to `slots` the places of 32-bit
    /// references to link slots with the numbers of the exits.
    pub fn emit(&self, jump: &[u8], code: &mut Vec<u8>, slots: &mut Vec<(u32, u32)>) {
        for landing in &self.inside {
            code.extend_from_slice(&[0xe8, LANDING, 0, 0, 0]); // call, over the landing
            landing.emit(code, slots);
        }
        if self.returns {
            code.push(0xc3);
            return;
        }
        let start = code.len();
        code.extend_from_slice(jump);
        let Some(landing) = self.call else { return };
        // REX, FF, ModRM: /4 is a jump, /2 a call.
        let modrm = start + if jump[0] == 0xff { 1 } else { 2 };
        code[modrm] = code[modrm] & 0xc7 | 2 << 3;
        landing.emit(code, slots);
    }
}

/// Bytes of a landing.
const LANDING: u8 = 27;

impl Landing {
    fn emit(self, code: &mut Vec<u8>, slots: &mut Vec<(u32, u32)>) {
        const { assert!(offset_of!(CpuState, thumb) < 128 && offset_of!(LinkSlot, code) == 0) };
        let start = code.len();
        code.extend_from_slice(&[0x81, 0xfe]); // cmp esi, address
        code.extend_from_slice(&self.address.to_le_bytes());
        code.extend_from_slice(&[0x75, 13]); // jne over what follows but the last
        code.extend_from_slice(&[0xc6, 0x47, offset_of!(CpuState, thumb) as u8, (self.address & 1) as u8]);
        code.extend_from_slice(&[0x48, 0x8d, 0x35]); // lea rsi, [slot]
        slots.push((code.len() as u32, self.exit));
        code.extend_from_slice(&[0, 0, 0, 0, 0xff, 0x26]); // jmp [rsi]
        code.extend_from_slice(&[0xff, 0xa7]); // jmp [rdi + indirect]
        code.extend_from_slice(&(offset_of!(CpuState, host.indirect) as u32).to_le_bytes());
        debug_assert_eq!(code.len() - start, LANDING.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_becomes_a_call_with_its_landing() {
        let landing = |address, exit| Landing { address, exit };
        let (mut code, mut slots) = (Vec::new(), Vec::new());
        let way = Way { inside: vec![landing(0x2001, 1)], call: Some(landing(0x1004, 3)), returns: false };
        way.emit(&[0xff, 0x26], &mut code, &mut slots);
        assert_eq!(code.len(), 5 + 27 + 2 + 27);
        assert_eq!(code[..11], [0xe8, 27, 0, 0, 0, 0x81, 0xfe, 1, 0x20, 0, 0]);
        assert_eq!(code[32..40], [0xff, 0x16, 0x81, 0xfe, 4, 0x10, 0, 0]);
        assert_eq!(slots, [(5 + 15, 1), (34 + 15, 3)]);
        code.clear();
        Way { call: Some(landing(0, 0)), ..Way::default() }.emit(&[0x41, 0xff, 0xe2], &mut code, &mut slots);
        assert_eq!(code[..3], [0x41, 0xff, 0xd2]); // call r10
        code.clear();
        Way { returns: true, ..Way::default() }.emit(&[0xff, 0xe6], &mut code, &mut slots);
        assert_eq!(code, [0xc3]);
    }

    #[test]
    fn a_stack_that_is_full_starts_anew() {
        let mut cpu = CpuState::default();
        let stack = ReturnStack::new();
        let (top, end) = (stack.top(), stack.0.as_ptr() as u64);
        cpu.host.return_stack = Some(stack);
        let mut sp = end as i64 + 4096;
        assert!(!recover(&cpu, end + 4096, &mut sp) && !recover(&cpu, end - 8, &mut sp));
        assert!(recover(&cpu, end + 4088, &mut sp));
        assert_eq!(sp, top as i64);
    }
}
