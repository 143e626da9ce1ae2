//! Into translated code and out of it: callee-saved registers, the stack pointer and MXCSR.

use crate::interp::Slot;
use crate::state::CpuState;
use std::arch::global_asm;
use std::cell::Cell;
use std::mem::offset_of;

global_asm!(
    ".global forearm_enter",
    ".global forearm_abandon",
    // rdi: state, rsi: argument, rdx: function(state, argument)
    "forearm_enter:",
    "push rbp",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "sub rsp, 8",
    "mov [rdi + {sp}], rsp",
    "stmxcsr [rsp]",
    "ldmxcsr [rdi + {mxcsr}]",
    "mov rbx, rdi",
    "mov dword ptr [rdi + {in_guest}], 1",
    "call rdx",
    "2:",
    "mov dword ptr [rbx + {in_guest}], 0",
    "stmxcsr [rbx + {mxcsr}]",
    "ldmxcsr [rsp]",
    "add rsp, 8",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    // rdi: state; from any depth below forearm_enter
    "forearm_abandon:",
    "mov rbx, rdi",
    "mov rsp, [rdi + {sp}]",
    "jmp 2b",
    // rdi: state, rsi: body of a region. The frame is every region's (see `codegen::Frame`).
    ".global forearm_native",
    ".global forearm_leave",
    "forearm_native:",
    "push rbp",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "sub rsp, {frame}",
    "jmp rsi",
    // rdi: state, rsi: what `native` returns
    "forearm_leave:",
    "mov rax, rsi",
    "add rsp, {frame}",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    // rdi: state, esi: guest address with the Thumb bit, which r15 and the state have too. One stub for all: the
    // processor tells its targets apart by the path that led here.
    ".global forearm_indirect",
    "forearm_indirect:",
    "mov eax, esi",
    "mov ecx, esi",
    "shr eax, 1",
    "shr ecx, 12",
    "xor eax, ecx",
    "and eax, {jump_mask}",
    "shl eax, 4",
    "add rax, [rdi + {jumps}]",
    "cmp [rax + 8], esi",
    "jne 3f",
    "mov rax, [rax]",
    "xor esi, esi",
    "jmp [rax]",
    "3:",
    "xor esi, esi",
    "jmp forearm_leave",
    jump_mask = const crate::cache::NATIVE_JUMP_MASK,
    jumps = const offset_of!(CpuState, host.native_jumps),
    frame = const crate::codegen::FRAME + 8,
    sp = const offset_of!(CpuState, host.sp),
    in_guest = const offset_of!(CpuState, host.in_guest),
    mxcsr = const offset_of!(CpuState, mxcsr),
);

// Both sides are ours: the assembly only uses the three offsets above.
#[allow(improper_ctypes)]
unsafe extern "C" {
    fn forearm_enter(
        cpu: *mut CpuState,
        slot: *const Slot,
        run: unsafe extern "C" fn(&mut CpuState, *const Slot),
    );
    fn forearm_abandon(cpu: *mut CpuState) -> !;
    fn forearm_native(cpu: *mut CpuState, body: u64) -> u64;
    fn forearm_leave();
    fn forearm_indirect();
}

thread_local! {
    /// The state that this host thread runs, for the fault handler. A vfork child shares its parent's variable while
    /// the parent is suspended, hence set anew on every entry.
    static CURRENT: Cell<*mut CpuState> = const { Cell::new(std::ptr::null_mut()) };
}

/// Runs slots from `slot` under the guest's MXCSR until one leaves.
///
/// # Safety
/// `slot` is of a live block, and `cpu.host.engine` is set.
pub unsafe fn enter(cpu: &mut CpuState, slot: *const Slot) {
    CURRENT.set(cpu);
    // SAFETY: the caller's promise.
    unsafe { forearm_enter(cpu, slot, crate::interp::run) }
}

/// Leaves translated code from any depth, dropping nothing.
///
/// # Safety
/// Called below [`enter`] for this state, with no value on the stack between that needs a drop.
pub unsafe fn abandon(cpu: &mut CpuState) -> ! {
    // SAFETY: the caller's promise.
    unsafe { forearm_abandon(cpu) }
}

/// The state whose translated code this host thread is in. Async-signal-safe.
pub fn current() -> Option<&'static mut CpuState> {
    let cpu = CURRENT.get();
    // SAFETY: set by `enter` on this thread; in_guest says that the entry has not returned, so it is alive.
    let cpu = unsafe { cpu.as_mut()? };
    (cpu.host.in_guest != 0).then_some(cpu)
}

/// Address that [`abandon`] continues at, for the fault handler, which passes the state in rdi.
pub fn abandon_address() -> i64 {
    forearm_abandon as *const () as i64
}

/// What [`native`] returns when the exit has been set for the runtime. 0: r15 and the Thumb state are to be looked up;
/// anything else is the link slot of a direct exit.
pub const TO_RUNTIME: u64 = 1;

/// Runs compiled code until it leaves.
///
/// # Safety
/// Called below [`enter`] with the body of a placed region.
pub unsafe fn native(cpu: &mut CpuState, body: u64) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { forearm_native(cpu, body) }
}

/// Address that compiled code leaves through.
pub fn leave_address() -> u64 {
    forearm_leave as *const () as u64
}

/// Address that compiled code jumps to for a guest address in a register.
pub fn indirect_address() -> u64 {
    forearm_indirect as *const () as u64
}
