//! Tier 0: the interpreter. A block is decoded once into slots, a slot an instruction; a handler a slot.

pub mod block;
pub mod control;
mod float;
mod integer;
mod special;
mod vector;

pub use block::Block;

use crate::state::CpuState;
use forearm_frontend::inst::Inst;
use forearm_frontend::{for_each_op, semantics};

/// Executes a slot and says which is next; null leaves translated code.
pub type Handler = unsafe fn(&mut Interp, &Slot) -> *const Slot;

/// One step of a block: a guest instruction, or one of `control`'s.
#[repr(C)]
pub struct Slot {
    /// What to do. Overwritten atomically when a block is dropped or promoted.
    run: std::sync::atomic::AtomicPtr<()>,
    operand: Operand,
    /// Address of the guest instruction, or a target address.
    pc: u32,
    /// ITSTATE before the instruction, or a small operand of a control slot.
    aux: u32,
}

#[repr(C)]
union Operand {
    inst: Inst,
    link: std::mem::ManuallyDrop<control::Link>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slot({:#x})", self.pc)
    }
}

const _: () = assert!(size_of::<Slot>() == 32 && size_of::<Inst>() == 16);

impl Slot {
    fn new(run: Handler, pc: u32, aux: u32) -> Slot {
        Slot::with(run, Operand { link: Default::default() }, pc, aux)
    }

    fn with(run: Handler, operand: Operand, pc: u32, aux: u32) -> Slot {
        Slot { run: std::sync::atomic::AtomicPtr::new(run as *mut ()), operand, pc, aux }
    }

    fn instruction(inst: Inst, pc: u32, itstate: u8) -> Slot {
        let run = special::handler(&inst).unwrap_or(HANDLERS[inst.op as usize]);
        Slot::with(run, Operand { inst }, pc, itstate.into())
    }

    #[inline(always)]
    fn handler(&self) -> Handler {
        let p = self.run.load(std::sync::atomic::Ordering::Relaxed);
        // SAFETY: only handlers are ever stored there.
        unsafe { std::mem::transmute::<*mut (), Handler>(p) }
    }

    /// The instruction of an instruction slot.
    #[inline(always)]
    unsafe fn inst(&self) -> &Inst {
        // SAFETY: the caller is the handler of an instruction slot, or knows it is one.
        unsafe { &self.operand.inst }
    }

    #[inline(always)]
    fn next(&self) -> *const Slot {
        // SAFETY: every block ends with a control slot, so an instruction slot has one behind it.
        unsafe { std::ptr::from_ref(self).add(1) }
    }
}

/// The value domain of plain integers: the guest's state itself.
#[repr(transparent)]
pub struct Interp(CpuState);

impl Interp {
    /// The interpreter's view of a state.
    pub fn of(cpu: &mut CpuState) -> &mut Interp {
        // SAFETY: transparent.
        unsafe { &mut *std::ptr::from_mut(cpu).cast() }
    }

    /// The guest's state.
    #[inline(always)]
    pub fn cpu(&mut self) -> &mut CpuState {
        &mut self.0
    }

    #[inline(always)]
    fn slot(&self) -> &Slot {
        // SAFETY: set by the loop to the slot being executed, which lives as long as its block.
        unsafe { &*self.0.host.slot }
    }
}

/// The loop: runs slots until one says to leave.
///
/// # Safety
/// Called through `enter` only, with a slot of a live block. Frames above this one hold nothing that must be dropped:
/// a fault leaves them by resetting the stack pointer.
pub(crate) unsafe extern "C" fn run(cpu: &mut CpuState, mut slot: *const Slot) {
    let m = Interp::of(cpu);
    while !slot.is_null() {
        m.0.host.slot = slot;
        // SAFETY: a handler returns a slot of a live block or null.
        unsafe { slot = ((*slot).handler())(m, &*slot) };
    }
}

macro_rules! handlers {
    ($($op:ident $function:ident,)*) => {
        static HANDLERS: [Handler; forearm_frontend::inst::Op::ALL.len()] = [$({
            unsafe fn handler(m: &mut Interp, s: &Slot) -> *const Slot {
                // SAFETY: this is the handler of an instruction slot.
                semantics::$function(m, unsafe { s.inst() });
                s.next()
            }
            handler
        }),*];
    };
}

for_each_op!(handlers);

/// Makes r15 and ITSTATE exact after a fault of the instruction being interpreted.
pub(crate) fn at_fault(cpu: &mut CpuState) {
    // SAFETY: a fault in guest code comes from the slot being executed; null where compiled code has set r15 itself.
    if let Some(slot) = unsafe { cpu.host.slot.as_ref() } {
        cpu.r[15] = slot.pc;
        cpu.itstate = slot.aux & 0xff;
    }
}

/// An instruction as two words, for compiled code to pass to [`one`].
pub(crate) fn pack(inst: &Inst) -> [u64; 2] {
    // SAFETY: an instruction is 16 bytes of plain integers without padding.
    unsafe { std::mem::transmute_copy(inst) }
}

/// Interprets one instruction for compiled code: `inst` as `pack` has it, `at` its address with ITSTATE above.
///
/// # Safety
/// Called from compiled code with a packed instruction, its registers in the state.
pub(crate) unsafe extern "sysv64" fn one(cpu: &mut CpuState, low: u64, high: u64, at: u64) {
    // SAFETY: the caller's promise.
    let inst: Inst = unsafe { std::mem::transmute([low, high]) };
    let pc = at as u32;
    let slots = [Slot::instruction(inst, pc, (at >> 32) as u8), Slot::set_pc(0)];
    cpu.settle_flags();
    let m = Interp::of(cpu);
    m.0.host.slot = &slots[0];
    m.0.r[15] = pc.wrapping_add(if m.0.thumb != 0 { 4 } else { 8 });
    // SAFETY: the handler of an instruction slot, with a slot behind it.
    unsafe { (slots[0].handler())(m, &slots[0]) };
}
