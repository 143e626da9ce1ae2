//! Signal frames on the guest's stack (arch/arm/kernel/signal.c, arch/arm/include/asm/{sigcontext,ucontext}.h).

use super::{SigAction, SigSet, sa, siginfo};
use crate::errno::Errno;
use crate::memory::kuser::{TRAMPOLINES, sigpage};
use crate::threads::registers::Registers;
use crate::threads::{AltStack, FaultState, Thread};
use forearm_backend::CpuState;
use forearm_backend::state::cpsr;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `struct sigcontext`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
struct SigContext {
    trap_no: u32,
    error_code: u32,
    oldmask: u32,
    r: [u32; 16],
    cpsr: u32,
    fault_address: u32,
}

/// `struct vfp_sigframe`: user_vfp and user_vfp_exc.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
struct VfpFrame {
    magic: u32,
    size: u32,
    fpregs: [u64; 32],
    fpscr: u32,
    pad: u32,
    fpexc: u32,
    fpinst: u32,
    fpinst2: u32,
    pad2: u32,
}

const VFP_MAGIC: u32 = 0x5646_5001;
/// FPEXC.EN.
const FPEXC_EN: u32 = 1 << 30;

/// `stack_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
pub struct Stack {
    /// Lowest address.
    pub sp: u32,
    /// SS_* flags.
    pub flags: u32,
    /// Bytes.
    pub size: u32,
}

/// `struct sigframe`: ucontext with the VFP registers in `uc_regspace`, and a copy of the trampoline.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
struct SigFrame {
    uc_flags: u32,
    uc_link: u32,
    uc_stack: Stack,
    uc_mcontext: SigContext,
    uc_sigmask: [u32; 2],
    unused: [u32; 30],
    vfp: VfpFrame,
    /// `end_magic` (0) and what is left of uc_regspace.
    rest: [u32; 56],
    retcode: [u32; 4],
}

/// `struct rt_sigframe`.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
struct RtSigFrame {
    info: [u8; siginfo::SIZE],
    sig: SigFrame,
}

const UCONTEXT_SIZE: usize = 744;
const _: () = assert!(size_of::<VfpFrame>() == 288);
const _: () = assert!(size_of::<SigFrame>() == UCONTEXT_SIZE + 16);
const _: () = assert!(std::mem::offset_of!(SigFrame, vfp) == 232);

/// uc_flags of a frame that has no siginfo: no value that a trap number would take (kernel's comment).
const PLAIN_FRAME: u32 = 0x5ac3_c35a;

fn save(cpu: &CpuState, mask: SigSet, fault: FaultState, stack: AltStack) -> SigFrame {
    let registers = Registers::of(cpu);
    SigFrame {
        uc_flags: 0,
        uc_link: 0,
        uc_stack: Stack { sp: stack.sp, flags: stack.reported_flags(cpu.r[13]), size: stack.size },
        uc_mcontext: SigContext {
            trap_no: fault.trap_no,
            error_code: fault.error_code,
            oldmask: mask.0 as u32,
            r: registers.r,
            cpsr: registers.cpsr,
            fault_address: fault.address,
        },
        uc_sigmask: [mask.0 as u32, (mask.0 >> 32) as u32],
        unused: [0; 30],
        vfp: VfpFrame {
            magic: VFP_MAGIC,
            size: size_of::<VfpFrame>() as u32,
            fpregs: registers.d,
            fpscr: registers.fpscr,
            pad: 0,
            fpexc: FPEXC_EN,
            fpinst: 0,
            fpinst2: 0,
            pad2: 0,
        },
        rest: [0; 56],
        retcode: [0; 4],
    }
}

/// Makes the thread enter `action`'s handler for `info`; `saved` is the mask that sigreturn restores.
///
/// # Errors
/// EFAULT when the stack cannot take the frame: the kernel sends SIGSEGV then.
pub fn enter(
    thread: &mut Thread,
    info: &libc::siginfo_t,
    action: SigAction,
    saved: SigSet,
) -> Result<(), Errno> {
    let rt = action.flags & sa::SIGINFO != 0;
    let thumb = action.handler & 1 != 0;
    let (trampoline, index) = match (rt, thumb) {
        (false, false) => (sigpage::SIGRETURN_ARM, 0),
        (false, true) => (sigpage::SIGRETURN_THUMB, 2),
        (true, false) => (sigpage::RT_SIGRETURN_ARM, 3),
        (true, true) => (sigpage::RT_SIGRETURN_THUMB, 5),
    };
    let mut frame = save(&thread.cpu, saved, thread.fault, thread.altstack);
    let lr = if action.flags & sa::RESTORER != 0 {
        action.restorer
    } else {
        frame.retcode[0] = TRAMPOLINES[index];
        frame.retcode[1] = TRAMPOLINES.get(index + 1).copied().unwrap_or(0);
        thread.process.sigpage + trampoline + u32::from(thumb)
    };

    let mut sp = thread.cpu.r[13];
    if action.flags & sa::ONSTACK != 0 && thread.altstack.size != 0 && !thread.altstack.holds(sp) {
        sp = thread.altstack.sp.wrapping_add(thread.altstack.size);
    }
    let size = if rt { size_of::<RtSigFrame>() } else { size_of::<SigFrame>() };
    let sp = sp.wrapping_sub(size as u32) & !7;
    if rt {
        thread.mem.write(sp, &RtSigFrame { info: siginfo::to_guest(info), sig: frame })?;
        if thread.altstack.flags & AltStack::AUTODISARM != 0 {
            thread.altstack = AltStack::default();
        }
    } else {
        frame.uc_flags = PLAIN_FRAME;
        frame.uc_stack = Stack::default();
        thread.mem.write(sp, &frame)?;
    }

    let cpu = &mut thread.cpu;
    cpu.r[0] = info.si_signo as u32;
    if rt {
        cpu.r[1] = sp;
        cpu.r[2] = sp + siginfo::SIZE as u32;
    }
    cpu.r[13] = sp;
    cpu.r[14] = lr;
    cpu.r[15] = action.handler & if thumb { !1 } else { !3 };
    // N, Z, C, V, Q and ITSTATE are cleared; GE stays.
    let ge = cpu.cpsr() & 0xf << cpsr::GE_SHIFT;
    cpu.set_cpsr(ge | if thumb { cpsr::T } else { 0 });
    cpu.exclusive_addr = forearm_backend::state::EXCLUSIVE_NONE;
    Ok(())
}

/// sigreturn and rt_sigreturn: everything as the frame at sp says.
///
/// # Errors
/// EFAULT for a frame that is not there or not a frame: the kernel sends SIGSEGV.
pub fn leave(thread: &mut Thread, rt: bool) -> Result<(), Errno> {
    let bad = Errno(libc::EFAULT);
    let sp = thread.cpu.r[13];
    if sp & 7 != 0 {
        return Err(bad);
    }
    let at = if rt { sp.checked_add(siginfo::SIZE as u32).ok_or(bad)? } else { sp };
    let frame: SigFrame = thread.mem.read(at)?;
    if frame.vfp.magic != VFP_MAGIC || frame.vfp.size as usize != size_of::<VfpFrame>() {
        return Err(bad);
    }
    let context = &frame.uc_mcontext;
    let registers = Registers {
        r: context.r,
        cpsr: context.cpsr,
        d: frame.vfp.fpregs,
        fpscr: frame.vfp.fpscr,
        tls: thread.cpu.tpidruro,
    };
    registers.put(&mut thread.cpu);
    let [low, high] = frame.uc_sigmask;
    thread.inbox.set_mask(SigSet(u64::from(low) | u64::from(high) << 32).blockable());
    if rt {
        // As the kernel: a stack that cannot be set is not an error here.
        let _ = thread.altstack.set(frame.uc_stack, thread.cpu.r[13]);
    }
    Ok(())
}
