//! Tier 1: hot regions become host code, by Cranelift, from the same semantics that the interpreter runs.
//!
//! The code holds no host address: everything outside it is reached through the state pointer or through link slots at a
//! fixed distance, so its bytes could be mapped anywhere.

mod compact;
mod dead_stores;
mod float;
pub(crate) mod helpers;
mod integer;
pub(crate) mod region;
mod stand_in;
mod translate;
mod vector;

pub use region::{Extent, Region, Worth};
pub use translate::Codegen;

use crate::cache::Key;
use crate::cache::native::LinkSlot;
use crate::interp::block::{Decoded, Fetch};
use crate::log;
use crate::returns::Way;
use crate::state::CpuState;
use compact::{Compact, Marks, Moved};
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{ExternalName, Function, UserFuncName};
use cranelift_codegen::isa::{self, CallConv, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{Context, ir};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
pub(crate) use stand_in::FILL;
use stand_in::StandIn;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Spill and call space that every region shares, in bytes; a region that needs more is left to the interpreter.
pub const FRAME: usize = 4096;

/// Where RBP points to in it while compiled code runs: short displacements reach the first 32 words.
pub const FRAME_BIAS: i32 = 128;

/// How much time compiling may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// The guest waits.
    Quick,
    /// It is done once and kept.
    Thorough,
}

/// How code is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Registers are exact at every fault: the guest has a handler that can see them.
    pub precise: bool,
    /// Guest address 0 is not host address 0.
    pub based: bool,
    /// The guest has set FPSCR.FZ at some time: arithmetic is left to the interpreter's operations.
    pub flush: bool,
    /// Rare cases of floating point trap, see [`crate::fp::trap`].
    pub traps: bool,
}

/// What the processor has beyond the least that Cranelift needs.
#[derive(Clone, Copy, Debug)]
struct Features {
    /// Fused multiplication and addition.
    fma: bool,
    /// AES and PCLMULQDQ, in three-operand form.
    aes: bool,
}

/// A direct exit of a region.
#[derive(Clone, Copy, Debug)]
pub struct Exit {
    /// Where it goes; bit 0 set for Thumb.
    pub target: u32,
}

/// Compiled code, not yet placed.
#[derive(Debug)]
pub struct Compiled {
    /// Machine code; entered at `entry`.
    pub code: Vec<u8>,
    /// Offset of the body, behind the prologue.
    pub entry: u32,
    /// 32-bit pc-relative references to link slots: offset in the code, number of the exit, addend.
    pub slots: Vec<(u32, u32, i32)>,
    /// The direct exits.
    pub exits: Vec<Exit>,
    /// Host offset of each guest instruction that can fault, with its address and ITSTATE; sorted.
    pub faults: Vec<FaultPoint>,
    /// The guest addresses the code was made from, in order and apart from each other.
    pub ranges: Vec<std::ops::Range<u32>>,
    /// Its blocks, without those of other functions.
    pub extent: Extent,
    /// Guest instructions.
    pub instructions: u32,
    /// Of baseline code, the executions after which it leaves by its last exit or one of `heads`.
    pub heat: Option<u32>,
    /// Of baseline code, the exits of loops and other entries.
    pub heads: Vec<u32>,
    /// Of baseline code, guest addresses that it can be entered at, beside its start, with the offsets in the code. Their exits that
    /// count are in front of the last one, in the same order.
    pub entries: Vec<(u32, u32)>,
}

impl Compiled {
    /// The code for offset `start` of a reservation whose link slots for it begin at offset `slots`.
    pub fn placed_at(&self, start: usize, slots: usize) -> Option<Vec<u8>> {
        let mut code = self.code.clone();
        for &(offset, exit, addend) in &self.slots {
            let slot = slots + exit as usize * size_of::<LinkSlot>();
            let distance = slot as i64 - (start + offset as usize) as i64 + i64::from(addend);
            code.get_mut(offset as usize..offset as usize + 4)?
                .copy_from_slice(&(distance as i32).to_le_bytes());
        }
        Some(code)
    }
}

/// Where a host instruction belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct FaultPoint {
    /// Offset in the code where the guest instruction's host code starts, above ITSTATE in the low byte.
    place: u32,
    /// Guest address.
    pub pc: u32,
}

impl FaultPoint {
    pub(crate) fn new(offset: u32, d: &Decoded) -> FaultPoint {
        FaultPoint { place: offset << 8 | u32::from(d.it.0), pc: d.pc }
    }

    /// Offset in the code where the guest instruction's host code starts.
    pub fn offset(self) -> u32 {
        self.place >> 8
    }

    fn move_to(&mut self, offset: u32) {
        self.place = offset << 8 | self.place & 0xff;
    }

    /// ITSTATE.
    pub fn itstate(self) -> u32 {
        self.place & 0xff
    }
}

/// Most bytes of code, for [`FaultPoint`]'s sake.
const MAX_CODE: usize = 1 << 24;

/// Cranelift with its contexts, kept between compilations.
pub struct Compiler {
    /// Does not move or drop operations.
    isa: OwnedTargetIsa,
    /// The processor has AES and PCLMULQDQ in three-operand form.
    aes: bool,
    effort: Effort,
    /// Does, for regions without floating point: it knows nothing of exception flags.
    thorough: Option<OwnedTargetIsa>,
    context: Context,
    builder: FunctionBuilderContext,
    control: ControlPlane,
    /// Addresses of the guest instructions of the region compiled last.
    addresses: Vec<u32>,
    /// Where its code has been moved to since it came from Cranelift.
    moved: Moved,
}

impl std::fmt::Debug for Compiler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Compiler({})", self.isa.triple())
    }
}

/// Is the host's processor of level x86-64-v3, with the AES instructions that all of them have?
pub(crate) fn is_v3() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("cmpxchg16b")
        && is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("pclmulqdq")
}

/// What stored code must agree in: the translator's build, and the processors it was made for.
pub fn fingerprint() -> u64 {
    let build: u64 = env!("FOREARM_BUILD").parse().unwrap_or(0);
    let build = build ^ u64::from(crate::tuning::code_key()) << 32;
    if is_v3() {
        return build;
    }
    let features = [
        is_x86_feature_detected!("sse4.1"),
        is_x86_feature_detected!("sse4.2"),
        is_x86_feature_detected!("popcnt"),
        is_x86_feature_detected!("avx"),
        is_x86_feature_detected!("bmi1"),
        is_x86_feature_detected!("lzcnt"),
    ];
    features.iter().fold(build ^ 1, |h, &f| h.rotate_left(1) ^ u64::from(f))
}

/// Source locations at or above this mark jumps out of the region, below it guest instructions.
pub(crate) const JUMP_LOC: u32 = 1 << 30;

/// At or above this loads that are only compared with 0.
pub(crate) const REQUEST_LOC: u32 = 1 << 31;

/// At or above this table branches, up to the ends of their tables.
pub(crate) const TABLE_LOC: u32 = 3 << 30;

impl Compiler {
    /// A compiler for the host's processor: where that is of level x86-64-v3 for just this, so that the code can be kept for
    /// any other of them.
    ///
    /// # Errors
    /// The host's processor lacks what Cranelift needs.
    pub fn new(effort: Effort) -> Result<Compiler, String> {
        if is_v3() {
            return Compiler::for_processor("x86-64-v3", effort);
        }
        Compiler::with(cranelift_native::builder()?, false, effort)
    }

    /// A compiler for the processor that Cranelift has under that name, such as `x86-64-v3`, whatever the host's is: its
    /// code can be looked at, it may not run.
    ///
    /// # Errors
    /// Cranelift has no such processor, or not all that is needed.
    pub fn for_processor(name: &str, effort: Effort) -> Result<Compiler, String> {
        let mut builder = isa::lookup_by_name("x86_64-unknown-linux-gnu").map_err(|e| e.to_string())?;
        builder.enable(name).map_err(|e| format!("{name}: {e}"))?;
        let v3 = name == "x86-64-v3";
        if v3 {
            // Cranelift's names AVX2 without it.
            builder.enable("has_avx").map_err(|e| format!("has_avx: {e}"))?;
        }
        Compiler::with(builder, v3, effort)
    }

    fn with(builder: isa::Builder, aes: bool, effort: Effort) -> Result<Compiler, String> {
        let thorough = match effort {
            Effort::Quick => None,
            Effort::Thorough => Some(Compiler::isa(&builder, "speed")?),
        };
        Ok(Compiler {
            isa: Compiler::isa(&builder, "none")?,
            thorough,
            aes,
            effort,
            context: Context::new(),
            builder: FunctionBuilderContext::new(),
            control: ControlPlane::default(),
            addresses: Vec::new(),
            moved: Moved::default(),
        })
    }

    fn isa(builder: &isa::Builder, opt_level: &str) -> Result<OwnedTargetIsa, String> {
        let mut flags = settings::builder();
        let verify = if cfg!(debug_assertions) { "true" } else { "false" };
        for (name, value) in [
            ("opt_level", opt_level),
            ("regalloc_algorithm", "backtracking"),
            ("enable_verifier", verify),
            ("preserve_frame_pointers", "true"), // return_call wants it
            ("unwind_info", "false"),
            ("enable_probestack", "false"),
            ("enable_alias_analysis", "false"), // a guest may spin on a load
            ("machine_code_cfg_info", "false"),
        ] {
            flags.set(name, value).map_err(|e| format!("{name}: {e}"))?;
        }
        builder.finish(settings::Flags::new(flags)).map_err(|e| e.to_string())
    }

    /// Compiles the region of `key` with the code around it that is worth it. `None`: it is left to the interpreter.
    pub fn compile(
        &mut self,
        key: Key,
        fetch: &mut Fetch<'_>,
        worth: &Worth<'_>,
        mode: Mode,
    ) -> Option<Compiled> {
        let region = region::find(key, fetch, worth, mode.precise)?;
        self.context.clear();
        let func = &mut self.context.func;
        *func = Function::with_name_signature(UserFuncName::user(0, key.pc()), signature());
        let mut builder = FunctionBuilder::new(func, &mut self.builder);
        let features = Features { fma: self.isa.has_native_fma(), aes: self.aes };
        let (exits, ways) = translate::emit(&mut builder, &region, mode, features);
        builder.finalize(self.isa.frontend_config());
        log::intermediate(key.pc(), &self.context.func.display());
        // Numbers of the link slots by name; the names cannot be asked for while the code is borrowed.
        let names = self.context.func.params.user_named_funcs().clone();
        let float = region.blocks.iter().flat_map(|b| &b.instructions).any(|d| d.effects.float);
        let isa = self.thorough.as_ref().filter(|_| !float).unwrap_or(&self.isa);
        let compiled = match self.context.compile(&**isa, &mut self.control) {
            Ok(c) => c,
            Err(e) => {
                tracing::warn!("{:#x}: {:?}", key.pc(), e.inner);
                return None;
            }
        };
        let mut code = compiled.buffer.data().to_vec();
        let frame = Frame::of(&code)?;
        let entry = frame.prologue;
        if frame.size > FRAME || code.len() >= MAX_CODE {
            return None;
        }
        let instructions: Vec<&Decoded> = region.blocks.iter().flat_map(|b| &b.instructions).collect();
        self.addresses = instructions.iter().map(|d| d.pc).collect();
        let mut faults: Vec<FaultPoint> = Vec::new();
        let mut error = None;
        let mut leaving: Vec<(u32, &Way)> = Vec::new();
        let (mut tested, mut tables) = (Vec::new(), Vec::new());
        for loc in compiled.buffer.get_srclocs_sorted() {
            let bits = loc.loc.bits();
            if bits == u32::MAX {
                // None.
            } else if bits >= TABLE_LOC {
                tables.push(loc.start..loc.end);
            } else if bits >= REQUEST_LOC {
                tested.push(loc.start);
            } else if bits >= JUMP_LOC {
                let jump = frame.remove_epilogue(&mut code[loc.start as usize..loc.end as usize])?;
                if let (Some(jump), Some(way)) = (jump, ways.get(&bits)) {
                    leaving.push((loc.start + jump as u32, way));
                }
            } else if let Some((op, _)) = StandIn::of(bits) {
                let (start, end) = (loc.start as usize, loc.end as usize);
                match op {
                    StandIn::RoundingError => error = Some(start),
                    StandIn::Nop => stand_in::remove_store(&mut code[..end], start, error.take())?,
                    _ => op.replace(&mut code[start..end])?,
                }
            } else if bits != 0 {
                let d = instructions.get(bits as usize - 1)?;
                if d.effects.memory {
                    faults.push(FaultPoint::new(loc.start, d));
                }
            }
        }
        let mut slots = Vec::new();
        for r in compiled.buffer.relocs() {
            let (Reloc::X86CallPCRel4 | Reloc::X86PCRel4) = r.kind else { return None };
            let cranelift_codegen::FinalizedRelocTarget::ExternalName(ExternalName::User(name)) = r.target
            else {
                return None;
            };
            slots.push((r.offset, names[name].index, r.addend as i32));
        }
        if self.effort == Effort::Thorough && stand_in::lost_mark(&self.context.func) {
            return None;
        }
        if leaving.len() < ways.len() {
            return None;
        }
        slots.sort_unstable();
        let open: Vec<u32> = slots.iter().map(|s| s.0).collect();
        let marks = Marks { open: &open, leaving: &leaving, tested: &tested, tables: &tables };
        let Compact { code, moved, landings } = compact::compact(&code, entry, &marks)?;
        slots.iter_mut().for_each(|s| s.0 = moved.place(s.0));
        slots.extend(landings.into_iter().map(|(at, exit)| (at, exit, -4)));
        let (mut code, mut moved, mut entry) = (code, moved, 0);
        if self.effort == Effort::Thorough {
            entry = FRONT;
            code = with_door(&code, key.target(), exits.len() as u32, &mut slots);
            moved.shift(FRONT);
        }
        faults.iter_mut().for_each(|f| f.move_to(moved.place(f.offset())));
        self.moved = moved;
        let ranges = region.ranges();
        log::optimised(key.pc(), &self.context.func.display());
        Some(Compiled {
            code,
            entry,
            slots,
            exits,
            faults,
            ranges,
            extent: region.extent(),
            instructions: region.len as u32,
            heat: None,
            heads: Vec::new(),
            entries: Vec::new(),
        })
    }

    /// Of the region compiled last, the parts of the host code that belong to guest instructions, with their addresses.
    pub fn origins(&self) -> Vec<(std::ops::Range<u32>, u32)> {
        let locations = self.context.compiled_code().into_iter().flat_map(|c| c.buffer.get_srclocs_sorted());
        let address = |n: u32| {
            let n = StandIn::of(n).map_or(n, |(_, n)| n);
            self.addresses.get(n.wrapping_sub(1) as usize).copied()
        };
        let place = |old| self.moved.place(old);
        locations.filter_map(|l| Some((place(l.start)..place(l.end), address(l.loc.bits())?))).collect()
    }
}

/// Bytes in front of the code of a region that is to be part of an image, which keep its constants aligned; the last of them are its
/// door, see [`crate::cache::image`].
const FRONT: u32 = 16;

/// Where the door begins.
pub(crate) const DOOR: u32 = 4;

/// Puts a door in front of code: if the region is not in use in this process, that is if its entry slot is not open, it is a
/// jump to the guest address `target`. References to slots in `slots` are moved, and get one more, to the entry slot behind those of
/// the exits.
fn with_door(code: &[u8], target: u32, exits: u32, slots: &mut Vec<(u32, u32, i32)>) -> Vec<u8> {
    slots.iter_mut().for_each(|s| s.0 += FRONT);
    let mut whole = vec![0xcc; DOOR as usize];
    // Of a state's address and of `OPEN` one bit at least is the same, see `CpuState::request_exit`.
    whole.extend_from_slice(&[0x85, 0x3d]); // test [slot.target], edi
    slots.push((whole.len() as u32, exits, std::mem::offset_of!(LinkSlot, target) as i32 - 4));
    whole.extend_from_slice(&[0, 0, 0, 0, 0x0f, 0x84]); // je behind the code
    whole.extend_from_slice(&(code.len() as u32).to_le_bytes());
    whole.extend_from_slice(code);
    whole.push(0xbe); // mov esi, target
    whole.extend_from_slice(&target.to_le_bytes());
    whole.extend_from_slice(&[0xff, 0xa7]); // jmp [rdi + indirect]
    whole.extend_from_slice(&(std::mem::offset_of!(CpuState, host.indirect) as u32).to_le_bytes());
    whole
}

/// A region's function: the state, and the link slot that led here. It never returns.
fn signature() -> ir::Signature {
    let mut s = ir::Signature::new(CallConv::Tail);
    s.params.extend([ir::AbiParam::new(ir::types::I64), ir::AbiParam::new(ir::types::I64)]);
    s
}

/// What Cranelift puts around a function's body.
///
/// All regions run on one frame, made when the interpreter enters compiled code: they are entered behind their prologue,
/// and leave by plain jumps. A frame per region costs 12 cycles a jump for its push and pop of rbp, this way 4. RBP points into it
/// ([`compact`] has what Cranelift addresses by RSP addressed by RBP), since RSP is that of the return addresses.
#[derive(Debug)]
struct Frame {
    /// Length of the prologue.
    prologue: u32,
    /// Bytes of stack.
    size: usize,
    /// The epilogue in front of the jump of a tail call.
    epilogue: Vec<u8>,
}

impl Frame {
    /// Reads the prologue: `push rbp; mov rbp, rsp; sub rsp, size`, and a store for each callee-saved register in use.
    fn of(code: &[u8]) -> Option<Frame> {
        code.strip_prefix(&[0x55, 0x48, 0x89, 0xe5])?;
        let mut at = 4;
        let (size, release): (usize, &[u8]) = match code.get(4..11)? {
            [0x48, 0x83, 0xec, n, ..] => {
                at += 4;
                (usize::from(*n), &[0x48, 0x83, 0xc4, *n])
            }
            [0x48, 0x81, 0xec, a, b, c, d] => {
                at += 7;
                (u32::from_le_bytes([*a, *b, *c, *d]) as usize, &[0x48, 0x81, 0xc4, *a, *b, *c, *d])
            }
            _ => (0, &[]),
        };
        let mut epilogue = Vec::new();
        // mov [rsp + disp], reg: the body can't begin with one of a callee-saved register, it has no value yet.
        while let [rex @ (0x48 | 0x4c), 0x89, modrm, 0x24, ..] = code.get(at..)? {
            let saved = match (rex, modrm >> 3 & 7) {
                (0x48, r) => r == 3,
                (_, r) => r >= 4,
            };
            let length = match modrm & 0xc7 {
                0x44 => 5,
                0x84 => 8,
                0x04 => 4,
                _ => break,
            };
            if !saved {
                break;
            }
            let start = epilogue.len();
            epilogue.extend_from_slice(code.get(at..at + length)?);
            epilogue[start + 1] = 0x8b;
            at += length;
        }
        epilogue.extend_from_slice(release);
        epilogue.extend_from_slice(&[0x48, 0x89, 0xec, 0x5d]);
        Some(Frame { prologue: at as u32, size, epilogue })
    }

    /// Takes the epilogue out of the code of a tail call: its jump moves in front; where to, if this is the part with the jump.
    /// `None` when it is not as expected.
    fn remove_epilogue(&self, code: &mut [u8]) -> Option<Option<usize>> {
        let jump = match &*code {
            [.., 0x41, 0xff, r] if r & 0xf8 == 0xe0 => 3,
            [.., 0xff, r] if r & 0xf8 == 0xe0 => 2,
            // A part of the sequence without the jump: moves of its arguments.
            _ => return Some(None),
        };
        let end = code.len() - jump;
        let start = end.checked_sub(self.epilogue.len())?;
        if code[start..end] != self.epilogue {
            return None;
        }
        code.copy_within(end.., start);
        code[start + jump..].fill(0xcc);
        Some(Some(start))
    }
}
