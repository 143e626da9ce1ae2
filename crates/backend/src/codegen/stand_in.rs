//! Host instructions that Cranelift does not have. Another of the same form stands for each, under a source location of
//! its own; when the code is finished its opcode is replaced.
//!
//! Cranelift may take two equal stand-ins for one, which is right, but not one for what really is that instruction: no
//! other code makes these four of eight 16-bit or sixteen 8-bit elements, or this shuffle, with such operands. Loads that
//! may fault it neither joins nor drops.

use super::JUMP_LOC;
use super::integer::GUEST;
use super::translate::{Codegen, STATE, field};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::types::{I8X16, I16X8, I32};
use cranelift_codegen::ir::{Function, InstBuilder, Opcode, SourceLoc, Value};
use std::collections::{HashMap, HashSet};

/// All but the last three are instructions with two operands, in the three-operand (VEX) form: the processor has AVX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum StandIn {
    AesEnc,
    AesEncLast,
    AesDec,
    AesDecLast,
    /// The product of the low halves.
    Clmul,
    /// Of memory; a load stands for it whose result nobody uses.
    Prefetch,
    /// Nothing: a store has kept Cranelift from dropping an operation.
    Nop,
    /// Itself: the operation that the next `Nop` is about, a product's rounding error.
    RoundingError,
}

use StandIn::*;

/// Source locations with this bit, below `JUMP_LOC`, mark a stand-in.
const MARK: u32 = 1 << 29;
const _: () = assert!(MARK < JUMP_LOC);

/// Words taken from the second operand by the shuffle that stands for `Clmul`, a bit each: no guest instruction blends so.
const BLEND: u8 = 0b0110_1001;

impl StandIn {
    /// Opcode map, opcode of the stand-in, and the opcode meant.
    fn codes(self) -> (u8, u8, u8) {
        match self {
            AesEnc => (2, 0x0b, 0xdc),     // VPMULHRSW
            AesEncLast => (2, 0x00, 0xdd), // VPSHUFB
            AesDec => (2, 0x01, 0xde),     // VPHADDW
            AesDecLast => (2, 0x04, 0xdf), // VPMADDUBSW
            Clmul => (3, 0x0e, 0x44),      // VPBLENDW
            Prefetch => (1, 0xb7, 0x18),   // MOVZX
            Nop | RoundingError => (0, 0, 0),
        }
    }

    /// The stand-in that a source location marks, and the location of its guest instruction.
    pub fn of(location: u32) -> Option<(StandIn, u32)> {
        if location >= JUMP_LOC || location & MARK == 0 {
            return None;
        }
        let op = [AesEnc, AesEncLast, AesDec, AesDecLast, Clmul, Prefetch, Nop, RoundingError]
            .into_iter()
            .find(|&op| op as u32 == location >> 26 & 7)?;
        Some((op, location & 0xfff))
    }

    /// Makes the stand-in at the start of `code` what it stands for. `None`: it is not as expected.
    pub fn replace(self, code: &mut [u8]) -> Option<()> {
        let (map, from, to) = self.codes();
        if self == Prefetch {
            return prefetch(code, from, to);
        }
        // VEX of three bytes: C4, RXB and the map, then W, a register, 128 bits and the prefix 66.
        let [0xc4, a, b, opcode, modrm, rest @ ..] = code else { return None };
        if *a & 0x1f != map || *b & 7 != 1 || *opcode != from {
            return None;
        }
        *opcode = to;
        if self == Clmul {
            let (mode, rm) = (*modrm >> 6, *modrm & 7);
            let sib = usize::from(mode != 3 && rm == 4);
            let displacement = match mode {
                1 => 1,
                2 => 4,
                0 if rm == 5 || rm == 4 && *rest.first()? & 7 == 5 => 4,
                _ => 0,
            };
            *rest.get_mut(sib + displacement)? = 0;
        }
        Some(())
    }
}

/// Makes a load at the start of `code` PREFETCHT0 of the same memory.
fn prefetch(code: &mut [u8], from: u8, to: u8) -> Option<()> {
    let code = match code {
        [rex @ 0x40..=0x4f, rest @ ..] => {
            *rex &= !4; // it extends the register that the load writes
            rest
        }
        _ => code,
    };
    let [0x0f, opcode, modrm, ..] = code else { return None };
    if *opcode != from || *modrm >> 6 == 3 {
        return None;
    }
    *opcode = to;
    *modrm = *modrm & !0x38 | 1 << 3;
    Some(())
}

/// A prefix without meaning, that compiled code has more of than processors need.
pub(crate) const FILL: u8 = 0x3e;

/// Most bytes of an instruction.
const LONGEST: usize = 15;

/// Takes out the store of a single or double to a field of the state that `code` has at `start`. What computes the value at
/// `error` becomes longer, if that is given, else there is an instruction without effect. `None`: it is not as expected.
pub(super) fn remove_store(code: &mut [u8], start: usize, error: Option<usize>) -> Option<()> {
    let at = match &code[start..] {
        [0xc5, _, 0x11, ..] => start + 3,
        [0xc4, _, _, 0x11, ..] => start + 4,
        _ => return None,
    };
    // ModRM with a displacement of 32 bits, to a base that is no stack pointer.
    let modrm = *code.get(at)?;
    let end = at + 5;
    if modrm >> 6 != 2 || modrm & 7 == 4 || end > code.len() {
        return None;
    }
    if let Some(error) = error
        && let [0xc4, _, _, 0xab, modrm, ..] = &code[error..start]
        && modrm >> 6 == 3
        && 5 + end - start <= LONGEST
    {
        code.copy_within(error..start, error + end - start);
        code[error..error + end - start].fill(FILL);
        return Some(());
    }
    let nop = [0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0];
    code[start..end].copy_from_slice(if end - start == 8 { &nop[1..] } else { &nop });
    Some(())
}

/// Optimising copies an instruction without its location where one place does not serve all uses. The store of a guest
/// register serves them all, so this is not expected of stand-ins.
pub(super) fn lost_mark(func: &Function) -> bool {
    use Opcode::{IaddPairwise, Shuffle, X86Pmaddubsw, X86Pmulhrsw, X86Pshufb};
    func.layout.blocks().flat_map(|block| func.layout.block_insts(block)).any(|inst| {
        matches!(
            func.dfg.insts[inst].opcode(),
            IaddPairwise | Shuffle | X86Pmaddubsw | X86Pmulhrsw | X86Pshufb
        ) && func.srcloc(inst).is_default()
    })
}

impl Codegen<'_, '_> {
    /// Prefetches the cache line at `p` plus an offset.
    pub(super) fn prefetch_at(&mut self, p: Value, offset: i32) {
        let place = self.b.srcloc();
        self.b.set_srcloc(self.mark(Prefetch, place));
        self.b.ins().uload16(I32, GUEST, p, offset);
        self.b.set_srcloc(place);
    }

    /// Computes what rounding has made of a product, for its exceptions.
    pub(super) fn rounding_error(&mut self, product: Value, a: Value, b: Value) {
        let place = self.b.srcloc();
        let negative = self.b.ins().fneg(product);
        self.b.set_srcloc(self.mark(RoundingError, place));
        let error = self.b.ins().fma(a, b, negative);
        self.b.set_srcloc(place);
        self.keep(error);
    }

    /// Keeps the operation of `v`, a single or double that nobody may read: it may raise exceptions.
    pub(super) fn keep(&mut self, v: Value) {
        let place = self.b.srcloc();
        if self.features.aes {
            self.b.set_srcloc(self.mark(Nop, place));
        }
        self.b.ins().store(STATE, v, self.cpu, field!(host.scratch));
        self.b.set_srcloc(place);
    }

    /// Keeps arithmetic whose result nobody reads.
    pub(super) fn keep_unread(&mut self) {
        use Opcode::{Fadd, Fdemote, Fdiv, Fma, Fmul, Fpromote, Fsub, Sqrt};
        let func = &*self.b.func;
        let (dfg, layout) = (&func.dfg, &func.layout);
        let instructions = || layout.blocks().flat_map(|block| layout.block_insts(block));
        let mut handed: HashMap<Value, Vec<Value>> = HashMap::new();
        let mut work = Vec::new();
        for inst in instructions() {
            let data = &dfg.insts[inst];
            let op = data.opcode();
            for call in data.branch_destination(&dfg.jump_tables, &dfg.exception_tables) {
                let arguments = call.args(&dfg.value_lists).filter_map(|a| a.as_value());
                for (&to, from) in dfg.block_params(call.block(&dfg.value_lists)).iter().zip(arguments) {
                    handed.entry(to).or_default().push(from);
                }
            }
            if op.is_terminator() || op.is_call() || op.can_store() || op.other_side_effects() {
                work.extend_from_slice(dfg.inst_args(inst));
            }
        }
        let mut read = HashSet::new();
        while let Some(v) = work.pop() {
            let v = dfg.resolve_aliases(v);
            if !read.insert(v) {
                continue;
            }
            match dfg.value_def(v).inst() {
                Some(inst) => work.extend_from_slice(dfg.inst_args(inst)),
                None => work.extend(handed.get(&v).into_iter().flatten()),
            }
        }
        let unread: Vec<_> = instructions()
            .filter(|&i| {
                matches!(dfg.insts[i].opcode(), Fadd | Fdemote | Fdiv | Fma | Fmul | Fpromote | Fsub | Sqrt)
            })
            .filter(|&i| !read.contains(&dfg.first_result(i)))
            .collect();
        for inst in unread {
            let v = self.b.func.dfg.first_result(inst);
            let place = self.b.func.srcloc(inst);
            let mark = self.mark(Nop, place);
            let cpu = self.cpu;
            let mut behind = FuncCursor::new(self.b.func).after_inst(inst).with_srcloc(mark);
            behind.ins().store(STATE, v, cpu, field!(host.scratch));
        }
    }

    /// The location of a stand-in for an instruction at `place`. Locations differ, so that each has a range of its own.
    fn mark(&self, op: StandIn, place: SourceLoc) -> SourceLoc {
        let number = self.b.func.dfg.num_insts() as u32 & 0x3fff;
        SourceLoc::new(MARK | (op as u32) << 26 | number << 12 | place.bits() & 0xfff)
    }

    /// Host instruction `op` on two vectors.
    pub(super) fn stand_in(&mut self, op: StandIn, a: Value, b: Value) -> Value {
        let place = self.b.srcloc();
        self.b.set_srcloc(self.mark(op, place));
        let [wide_a, wide_b] =
            [a, b].map(|v| if matches!(op, AesEncLast | Clmul) { v } else { self.view(v, I16X8) });
        let v = match op {
            AesEnc => self.b.ins().x86_pmulhrsw(wide_a, wide_b),
            AesEncLast => self.b.ins().x86_pshufb(a, b),
            AesDec => self.b.ins().iadd_pairwise(wide_a, wide_b),
            // Cranelift's has its operands the other way round.
            AesDecLast => self.b.ins().x86_pmaddubsw(b, a),
            Clmul => {
                let from = |byte: u8| byte + if BLEND >> (byte / 2) & 1 != 0 { 16 } else { 0 };
                self.shuffle(a, b, std::array::from_fn(|k| from(k as u8)))
            }
            Prefetch | Nop | RoundingError => a, // not of vectors, and made elsewhere
        };
        self.b.set_srcloc(place);
        self.view(v, I8X16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Key;
    use crate::codegen::{Compiler, Effort, Mode, Worth};
    use crate::interp::block::Fetch;

    /// aese.8 q0, q1; aesmc.8 q0, q0; aesd.8 q2, q1; aesimc.8 q2, q2; aese.8 q4, q5; aesd.8 q6, q7; bx lr
    const ROUNDS: [u32; 7] =
        [0xf3b0_0302, 0xf3b0_0380, 0xf3b0_4342, 0xf3b0_43c4, 0xf3b0_830a, 0xf3b0_c34e, 0xe12f_ff1e];

    /// The code of a region of A32 instructions.
    fn code_of(words: &[u32], effort: Effort) -> Vec<u8> {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let read = |pc: u32, buffer: &mut [u8]| {
            let rest = bytes.get(pc as usize - 0x8000..).unwrap_or_default();
            let len = rest.len().min(buffer.len());
            buffer[..len].copy_from_slice(&rest[..len]);
            len
        };
        let mode = Mode { precise: false, based: false, flush: false, traps: false };
        let mut compiler = Compiler::for_processor("x86-64-v3", effort).expect("known");
        let compiled =
            compiler.compile(Key::new(0x8000, false, 0), &mut Fetch::new(&read), &Worth::ALL, mode);
        compiled.expect("compiled").code
    }

    #[test]
    fn no_stand_in_is_left_by_any_effort() {
        for effort in [Effort::Quick, Effort::Thorough] {
            let code = code_of(&ROUNDS, effort);
            let made = |opcode: u8| code.windows(4).filter(|w| w[0] == 0xc4 && w[3] == opcode).count();
            for op in [AesEnc, AesEncLast, AesDec, AesDecLast] {
                let (_, from, to) = op.codes();
                assert_eq!((made(from), made(to)), (0, 1), "{effort:?} {op:?}");
            }
        }
    }

    #[test]
    fn loops_look_at_requests_and_at_memory_each_time() {
        // ldr r1, [r0]; 1: ldr r1, [r0]; cmp r1, #0; beq 1b; bx lr
        let words = [0xe590_1000, 0xe590_1000, 0xe351_0000, 0x0aff_fffc, 0xe12f_ff1e];
        for effort in [Effort::Quick, Effort::Thorough] {
            let code = code_of(&words, effort);
            // test [rdi + exit_request], edi
            let request = std::mem::offset_of!(crate::state::CpuState, exit_request) as u8;
            let polls = code.windows(3).filter(|w| **w == [0x85, 0x7f, request]).count();
            // mov r32, [r32], of which there is one for r0 itself.
            let loads = code.windows(2).filter(|w| w[0] == 0x8b && w[1] >> 6 == 0).count();
            assert_eq!((polls, loads), (2, 3), "{effort:?} {code:02x?}");
        }
    }

    #[test]
    fn only_the_stand_in_is_replaced() {
        // vpshufb xmm1, xmm2, xmm3
        let mut code = [0xc4, 0xe2, 0x69, 0x00, 0xcb];
        assert_eq!(AesEnc.replace(&mut code), None);
        assert_eq!(AesEncLast.replace(&mut code), Some(()));
        assert_eq!(code, [0xc4, 0xe2, 0x69, 0xdd, 0xcb]); // vaesenclast xmm1, xmm2, xmm3
        assert_eq!(AesEncLast.replace(&mut code[..4]), None);
    }

    #[test]
    fn loads_become_prefetches() {
        // movzx r9d, word ptr [r8+rbx+4]; movzx ecx, word ptr [rax]
        let mut code = [0x46, 0x0f, 0xb7, 0x4c, 0x03, 4];
        assert_eq!(Prefetch.replace(&mut code), Some(()));
        assert_eq!(code, [0x42, 0x0f, 0x18, 0x4c, 0x03, 4]); // prefetcht0 [rbx+r8+4]
        let mut code = [0x0f, 0xb7, 0x08];
        assert_eq!(Prefetch.replace(&mut code), Some(()));
        assert_eq!(code, [0x0f, 0x18, 0x08]);
        assert_eq!(Prefetch.replace(&mut [0x0f, 0xb7, 0xc8]), None); // of a register
    }

    #[test]
    fn the_immediate_is_found_behind_any_operand() {
        for operand in [
            &[0xcb][..],
            &[0x4f, 8],
            &[0x8f, 8, 0, 0, 0],
            &[0x4c, 0x24, 8],
            &[0x0d, 0, 0, 0, 0],
            &[0x0c, 0x25, 1, 2, 3, 4],
        ] {
            let mut code = [&[0xc4, 0xe3, 0x69, 0x0e][..], operand, &[BLEND]].concat();
            assert_eq!(Clmul.replace(&mut code), Some(()));
            assert_eq!(code, [&[0xc4, 0xe3, 0x69, 0x44][..], operand, &[0]].concat());
        }
    }

    #[test]
    fn a_store_goes_into_the_operation_before_it() {
        let error = [0xc4, 0xc2, 0xd1, 0xab, 0xc0]; // vfmsub213sd xmm0, xmm5, xmm8
        let moved = [0x4c, 0x8b, 0x44, 0x24, 8]; // mov r8, [rsp + 8]
        for store in [&[0xc5, 0xfb, 0x11, 0x87, 0, 2, 0, 0][..], &[0xc4, 0x41, 0x7b, 0x11, 0x85, 0, 2, 0, 0]]
        {
            for between in [&[][..], &moved] {
                let mut code = [&error, between, store].concat();
                let start = code.len() - store.len();
                assert_eq!(remove_store(&mut code, start, Some(0)), Some(()));
                assert_eq!(code, [&vec![FILL; store.len()][..], &error, between].concat());
            }
            let mut code = store.to_vec();
            assert_eq!(remove_store(&mut code, 0, None), Some(()));
            assert_eq!(code[store.len() - 8..], [0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0]);
        }
        assert_eq!(remove_store(&mut error.to_vec(), 0, None), None);
    }
}
