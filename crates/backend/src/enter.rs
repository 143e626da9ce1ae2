//! Into translated code and out of it: callee-saved registers, the stack pointers and MXCSR.
//!
//! While compiled code runs the stack pointer is that of its return addresses, see [`crate::returns`]; whatever needs a stack goes
//! back to the thread's.

use crate::fp::trap;
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
    "or dword ptr [rbx + {mxcsr}], {masked}",
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
    // rdi: state, rsi: body of a region. The frame is every region's (see `codegen::Frame`), rbp points into it.
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
    "lea rbp, [rsp + {bias}]",
    "mov [rdi + {frame_at}], rsp",
    "mov rsp, [rdi + {returns}]",
    "cmp dword ptr [rdi + {unmask}], 0",
    "jne 4f",
    "jmp rsi",
    "4:",
    "call 5f",
    "jmp rsi",
    // rdi: state. Has floating point trap, see `fp::trap`; keeps all but rax, rcx and the flags.
    "5:",
    "mov dword ptr [rdi + {unmask}], 0",
    "stmxcsr [rdi + {control}]",
    "mov eax, [rdi + {control}]",
    // Invalid is IOC, Underflow is UFC.
    "mov ecx, eax",
    "and ecx, 1",
    "or [rdi + {fpscr}], ecx",
    "mov ecx, eax",
    "and ecx, 0x10",
    "shr ecx, 1",
    "or [rdi + {fpscr}], ecx",
    "and eax, {unmasked}",
    "mov [rdi + {control}], eax",
    "ldmxcsr [rdi + {control}]",
    "ret",
    // `helpers::call` and `interp::one` for compiled code. rdi: state
    ".global forearm_helper",
    "forearm_helper:",
    "mov [rdi + {returns}], rsp",
    "mov rsp, [rdi + {frame_at}]",
    "push rdi",
    "sub rsp, 8",
    "call {call}",
    "6:",
    "add rsp, 8",
    "pop rdi",
    "mov rsp, [rdi + {returns}]",
    "cmp dword ptr [rdi + {unmask}], 0",
    "jne 5b",
    "ret",
    ".global forearm_interpret",
    "forearm_interpret:",
    "mov [rdi + {returns}], rsp",
    "mov rsp, [rdi + {frame_at}]",
    "push rdi",
    "sub rsp, 8",
    "call {one}",
    "jmp 6b",
    // rdi: state, rsi: offset of a function in the table of `crypto::functions`, xmm0 to xmm2: its operands
    ".global forearm_crypto",
    "forearm_crypto:",
    "mov [rdi + {returns}], rsp",
    "mov rsp, [rdi + {frame_at}]",
    "push rdi",
    "sub rsp, 8",
    "mov rax, [rdi + {crypto}]",
    "call [rax + rsi]",
    "add rsp, 8",
    "pop rdi",
    "mov rsp, [rdi + {returns}]",
    "ret",
    // rdi: state, rsi: what `native` returns
    "forearm_leave:",
    "mov rax, rsi",
    "mov [rdi + {returns}], rsp",
    "mov rsp, [rdi + {frame_at}]",
    "add rsp, {frame}",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    // rdi: state, esi: guest address with the Thumb bit. One stub for all: the processor tells its targets apart by the path that
    // led here.
    ".global forearm_indirect",
    "forearm_indirect:",
    "mov ecx, esi",
    "and ecx, 1",
    "mov [rdi + {thumb}], ecx",
    "imul eax, esi, {jump_factor}",
    "shr eax, {jump_shift}",
    "and eax, [rdi + {jump_mask}]",
    "add rax, [rdi + {jumps}]",
    "cmp [rax + 8], esi",
    "jne 3f",
    "jmp [rax]",
    "3:",
    // !3 for A32, !1 for Thumb: bit 1 is kept where bit 0 is set.
    "lea ecx, [rcx + rcx - 4]",
    "and ecx, esi",
    "mov [rdi + {pc}], ecx",
    "xor esi, esi",
    "jmp forearm_leave",
    // The landing at the top of the stack of return addresses, where it stays.
    ".global forearm_unknown",
    "forearm_unknown:",
    "sub rsp, 8",
    "jmp forearm_indirect",
    // rdi: state, rsi: a helper's operation. Keeps all registers.
    ".global forearm_rare_helper",
    "forearm_rare_helper:",
    "mov [rdi + {returns}], rsp",
    "mov rsp, [rdi + {frame_at}]",
    "push rax",
    "push rcx",
    "push rdx",
    "push rsi",
    "push rdi",
    "push r8",
    "push r9",
    "push r10",
    "push r11",
    "sub rsp, 264",
    "movaps [rsp + 0], xmm0",
    "movaps [rsp + 16], xmm1",
    "movaps [rsp + 32], xmm2",
    "movaps [rsp + 48], xmm3",
    "movaps [rsp + 64], xmm4",
    "movaps [rsp + 80], xmm5",
    "movaps [rsp + 96], xmm6",
    "movaps [rsp + 112], xmm7",
    "movaps [rsp + 128], xmm8",
    "movaps [rsp + 144], xmm9",
    "movaps [rsp + 160], xmm10",
    "movaps [rsp + 176], xmm11",
    "movaps [rsp + 192], xmm12",
    "movaps [rsp + 208], xmm13",
    "movaps [rsp + 224], xmm14",
    "movaps [rsp + 240], xmm15",
    "call {call}",
    "mov rdi, [rsp + 296]",
    "cmp dword ptr [rdi + {unmask}], 0",
    "je 7f",
    "call 5b",
    "7:",
    "movaps xmm0, [rsp + 0]",
    "movaps xmm1, [rsp + 16]",
    "movaps xmm2, [rsp + 32]",
    "movaps xmm3, [rsp + 48]",
    "movaps xmm4, [rsp + 64]",
    "movaps xmm5, [rsp + 80]",
    "movaps xmm6, [rsp + 96]",
    "movaps xmm7, [rsp + 112]",
    "movaps xmm8, [rsp + 128]",
    "movaps xmm9, [rsp + 144]",
    "movaps xmm10, [rsp + 160]",
    "movaps xmm11, [rsp + 176]",
    "movaps xmm12, [rsp + 192]",
    "movaps xmm13, [rsp + 208]",
    "movaps xmm14, [rsp + 224]",
    "movaps xmm15, [rsp + 240]",
    "add rsp, 264",
    "pop r11",
    "pop r10",
    "pop r9",
    "pop r8",
    "pop rdi",
    "pop rsi",
    "pop rdx",
    "pop rcx",
    "pop rax",
    "mov rsp, [rdi + {returns}]",
    "ret",
    unmask = const offset_of!(CpuState, host.unmask),
    fpscr = const offset_of!(CpuState, fpscr),
    masked = const crate::fp::MXCSR_DEFAULT,
    unmasked = const !(trap::MASKS | trap::FLAGS) as i32,
    call = sym crate::codegen::helpers::call,
    one = sym crate::interp::one,
    returns = const offset_of!(CpuState, host.returns),
    frame_at = const offset_of!(CpuState, host.frame),
    control = const offset_of!(CpuState, host.control),
    crypto = const offset_of!(CpuState, host.crypto),
    bias = const crate::codegen::FRAME_BIAS,
    thumb = const offset_of!(CpuState, thumb),
    pc = const offset_of!(CpuState, r) + 60,
    jump_factor = const crate::cache::JUMP_FACTOR as i32,
    jump_shift = const crate::cache::JUMP_SHIFT - crate::cache::ENTRY_BITS,
    jump_mask = const offset_of!(CpuState, host.native_mask),
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
    fn forearm_rare_helper();
    fn forearm_helper();
    fn forearm_interpret();
    fn forearm_crypto();
    fn forearm_unknown();
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
    assert!(&raw const *cpu as u32 != 0, "compiled code would not see requests to leave");
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
/// Called below [`enter`] with the body of a placed region, for a state that has a stack of return addresses.
pub unsafe fn native(cpu: &mut CpuState, body: u64) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { forearm_native(cpu, body) }
}

/// Address that compiled code leaves through.
pub fn leave_address() -> u64 {
    forearm_leave as *const () as u64
}

/// Address of the landing at the top of a stack of return addresses.
pub fn unknown_landing_address() -> u64 {
    forearm_unknown as *const () as u64
}

/// Address of the function that compiled code calls those of `crypto` through.
pub fn crypto_address() -> u64 {
    forearm_crypto as *const () as u64
}

/// Address that compiled code jumps to for a guest address in a register.
pub fn indirect_address() -> u64 {
    forearm_indirect as *const () as u64
}

/// Address of the function that compiled code calls rare helpers through.
pub fn rare_helper_address() -> u64 {
    forearm_rare_helper as *const () as u64
}

/// Address of the function that compiled code calls helpers through.
pub fn helper_address() -> u64 {
    forearm_helper as *const () as u64
}

/// Address of the function that compiled code has the interpreter's handlers called by.
pub fn interpret_address() -> u64 {
    forearm_interpret as *const () as u64
}
