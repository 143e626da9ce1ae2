//! Integer values, registers, flags, memory and control flow.

/// An access to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A byte, zero-extended when loaded.
    U8,
    /// A byte, sign-extended when loaded.
    S8,
    /// A halfword, zero-extended when loaded.
    U16,
    /// A halfword, sign-extended when loaded.
    S16,
    /// A word.
    W,
}

impl Size {
    /// Bytes.
    pub const fn bytes(self) -> u32 {
        match self {
            Size::U8 | Size::S8 => 1,
            Size::U16 | Size::S16 => 2,
            Size::W => 4,
        }
    }
}

/// A shift's carry-out: unknown because nobody asks, or a value. `Same`: the C flag stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carry<B> {
    /// The C flag keeps its value.
    Same,
    /// The C flag becomes this.
    To(B),
}

/// Integer operations. `W` is a 32-bit word, `L` 64 bits, `B` a truth value.
///
/// Amounts and immediates are plain integers where the instruction fixes them; a plain `if` on them is part of the
/// decoding, not of the run. Whatever depends on guest values goes through `select` and the like.
#[allow(missing_docs)] // names are the meaning; those that are not are documented
pub trait Integer {
    type W: Copy;
    type L: Copy;
    type B: Copy;

    // ---- constants and conversions
    fn word(&mut self, x: u32) -> Self::W;
    fn long(&mut self, x: u64) -> Self::L;
    fn bool(&mut self, x: bool) -> Self::B;
    /// 0 or 1.
    fn b_to_w(&mut self, b: Self::B) -> Self::W;
    /// Not zero.
    fn w_to_b(&mut self, w: Self::W) -> Self::B;
    /// Bit `n` of a word.
    fn bit(&mut self, w: Self::W, n: u32) -> Self::B;

    // ---- registers. r15 reads as the PC value of the instruction; it is written only by the branches below
    fn reg(&mut self, r: u8) -> Self::W;
    fn set_reg(&mut self, r: u8, w: Self::W);
    /// Address of this instruction plus 8 (A32) or 4 (T32).
    fn pc(&self) -> u32;
    /// Address of the next instruction.
    fn next_pc(&self) -> u32;
    /// In Thumb state?
    fn thumb(&self) -> bool;

    // ---- word arithmetic, wrapping
    fn add(&mut self, a: Self::W, b: Self::W) -> Self::W;
    fn sub(&mut self, a: Self::W, b: Self::W) -> Self::W;
    fn mul(&mut self, a: Self::W, b: Self::W) -> Self::W;
    fn and(&mut self, a: Self::W, b: Self::W) -> Self::W;
    fn or(&mut self, a: Self::W, b: Self::W) -> Self::W;
    fn xor(&mut self, a: Self::W, b: Self::W) -> Self::W;
    fn not(&mut self, a: Self::W) -> Self::W;
    /// a AND NOT b.
    fn bic(&mut self, a: Self::W, b: Self::W) -> Self::W {
        let b = self.not(b);
        self.and(a, b)
    }
    /// Shifts by a fixed amount, 0 to 31.
    fn shl(&mut self, a: Self::W, n: u32) -> Self::W;
    fn shr(&mut self, a: Self::W, n: u32) -> Self::W;
    fn sar(&mut self, a: Self::W, n: u32) -> Self::W;
    fn ror(&mut self, a: Self::W, n: u32) -> Self::W;
    /// Shifts by a register: the amount's low byte, 0 to 255, as the manual's LSL, LSR, ASR, ROR take it.
    fn shl_by(&mut self, a: Self::W, n: Self::W) -> Self::W;
    fn shr_by(&mut self, a: Self::W, n: Self::W) -> Self::W;
    fn sar_by(&mut self, a: Self::W, n: Self::W) -> Self::W;
    fn ror_by(&mut self, a: Self::W, n: Self::W) -> Self::W;
    fn clz(&mut self, a: Self::W) -> Self::W;
    /// Reverses the bits.
    fn rbit(&mut self, a: Self::W) -> Self::W;
    /// Reverses the bytes.
    fn rev(&mut self, a: Self::W) -> Self::W;
    fn sext8(&mut self, a: Self::W) -> Self::W;
    fn sext16(&mut self, a: Self::W) -> Self::W;
    fn zext8(&mut self, a: Self::W) -> Self::W;
    fn zext16(&mut self, a: Self::W) -> Self::W;
    /// Division as the manual has it: by zero gives zero, INT_MIN / -1 gives INT_MIN.
    fn udiv(&mut self, a: Self::W, b: Self::W) -> Self::W;
    fn sdiv(&mut self, a: Self::W, b: Self::W) -> Self::W;
    /// CRC-32 (`poly` 0x04c11db7) or CRC-32C (0x1edc6f41) step over the low `bytes` of `data`.
    fn crc32(&mut self, castagnoli: bool, crc: Self::W, data: Self::W, bytes: u32) -> Self::W;

    /// The sums of the bytes, and ones in those that carry.
    fn add8(&mut self, a: Self::W, b: Self::W) -> (Self::W, Self::W) {
        let signs = self.word(BYTE_SIGNS);
        let (low_a, low_b) = (self.bic(a, signs), self.bic(b, signs));
        let low = self.add(low_a, low_b);
        let high = self.xor(a, b);
        let high_bits = self.and(high, signs);
        let sum = self.xor(low, high_bits);
        (sum, byte_carries(self, a, b, sum))
    }
    /// The differences of the bytes, and ones in those that do not borrow.
    fn sub8(&mut self, a: Self::W, b: Self::W) -> (Self::W, Self::W) {
        let signs = self.word(BYTE_SIGNS);
        let (high_a, low_b) = (self.or(a, signs), self.bic(b, signs));
        let low = self.sub(high_a, low_b);
        let not_b = self.not(b);
        let high = self.xor(a, not_b);
        let high_bits = self.and(high, signs);
        let difference = self.xor(low, high_bits);
        // a - b = a + NOT b + 1: where that does not borrow this carries.
        (difference, byte_carries(self, a, not_b, difference))
    }

    // ---- 64 bits
    fn umull(&mut self, a: Self::W, b: Self::W) -> Self::L;
    fn smull(&mut self, a: Self::W, b: Self::W) -> Self::L;
    fn zext(&mut self, a: Self::W) -> Self::L;
    fn sext(&mut self, a: Self::W) -> Self::L;
    fn pair(&mut self, lo: Self::W, hi: Self::W) -> Self::L;
    fn lo(&mut self, a: Self::L) -> Self::W;
    fn hi(&mut self, a: Self::L) -> Self::W;
    fn add64(&mut self, a: Self::L, b: Self::L) -> Self::L;
    fn sub64(&mut self, a: Self::L, b: Self::L) -> Self::L;
    fn shr64(&mut self, a: Self::L, n: u32) -> Self::L;
    fn sar64(&mut self, a: Self::L, n: u32) -> Self::L;

    // ---- truth values
    fn eq(&mut self, a: Self::W, b: Self::W) -> Self::B;
    fn ult(&mut self, a: Self::W, b: Self::W) -> Self::B;
    fn slt(&mut self, a: Self::W, b: Self::W) -> Self::B;
    fn b_not(&mut self, a: Self::B) -> Self::B;
    fn b_and(&mut self, a: Self::B, b: Self::B) -> Self::B;
    fn b_or(&mut self, a: Self::B, b: Self::B) -> Self::B;
    fn b_xor(&mut self, a: Self::B, b: Self::B) -> Self::B;
    fn select(&mut self, c: Self::B, a: Self::W, b: Self::W) -> Self::W;

    // ---- flags
    /// N and Z from a result.
    fn set_nz(&mut self, result: Self::W);
    /// N and Z from two words: N is bit 31 of the first, Z is the second being zero.
    fn set_n_z(&mut self, n: Self::W, z: Self::W);
    fn set_c(&mut self, c: Self::B);
    fn set_v(&mut self, v: Self::B);
    /// All four flags of `result = a + b`.
    fn flags_add(&mut self, a: Self::W, b: Self::W, result: Self::W);
    /// All four flags of `result = a - b`.
    fn flags_sub(&mut self, a: Self::W, b: Self::W, result: Self::W);
    /// a + b + C, and all four flags when `s`.
    fn adc(&mut self, a: Self::W, b: Self::W, s: bool) -> Self::W;
    /// a - b - NOT C, and all four flags when `s`.
    fn sbc(&mut self, a: Self::W, b: Self::W, s: bool) -> Self::W;
    fn c(&mut self) -> Self::B;
    /// N, Z, C, V in bits 31..28, the rest zero.
    fn nzcv(&mut self) -> Self::W;
    /// Sets N, Z, C, V from bits 31..28.
    fn set_nzcv(&mut self, w: Self::W);
    /// Q flag, 0 or 1.
    fn q(&mut self) -> Self::W;
    /// Sets Q to a word's bit 0.
    fn set_q(&mut self, w: Self::W);
    /// Q |= b.
    fn saturated(&mut self, b: Self::B);
    /// GE flags, each as a byte of ones or zeros: what SEL selects by.
    fn ge(&mut self) -> Self::W;
    fn set_ge(&mut self, w: Self::W);

    // ---- memory. Little-endian, unaligned accesses work, a fault leaves the instruction undone
    fn load(&mut self, size: Size, addr: Self::W) -> Self::W;
    fn store(&mut self, size: Size, addr: Self::W, value: Self::W);
    /// One 64-bit access: single-copy atomic when aligned (LPAE: LDRD, VLDR).
    fn load64(&mut self, addr: Self::W) -> Self::L;
    fn store64(&mut self, addr: Self::W, value: Self::L);
    /// Load-acquire and store-release, sequentially consistent among themselves (v8 LDA, STL).
    fn load_acquire(&mut self, size: Size, addr: Self::W) -> Self::W;
    fn store_release(&mut self, size: Size, addr: Self::W, value: Self::W);
    // The exclusives are ordered: a load as load_acquire, a store as store_release (LDAEX and STLEX are the same).
    /// Load-exclusive: an unaligned address is an alignment fault.
    fn load_exclusive(&mut self, size: Size, addr: Self::W) -> Self::W;
    fn load_exclusive64(&mut self, addr: Self::W) -> Self::L;
    /// Store-exclusive; 0 on success, 1 when the monitor was lost.
    fn store_exclusive(&mut self, size: Size, addr: Self::W, value: Self::W) -> Self::W;
    fn store_exclusive64(&mut self, addr: Self::W, value: Self::L) -> Self::W;
    fn clear_exclusive(&mut self);
    /// SWP, SWPB: an atomic exchange.
    fn swap(&mut self, size: Size, addr: Self::W, value: Self::W) -> Self::W;
    /// The cache line of an address may be wanted soon. Not an access: it cannot fault.
    fn prefetch(&mut self, addr: Self::W);
    /// A full barrier (DMB, DSB).
    fn barrier(&mut self);

    // ---- control flow; each ends the block
    /// To a fixed address in this instruction set.
    fn branch(&mut self, target: u32);
    /// To a fixed address in this instruction set if `c`, else to the next instruction (CBZ).
    fn branch_if(&mut self, c: Self::B, target: u32);
    /// To a fixed address in the other instruction set (BLX immediate).
    fn branch_exchange(&mut self, target: u32);
    /// BXWritePC: bit 0 selects Thumb.
    fn bx(&mut self, target: Self::W);
    /// BranchWritePC: stays in this instruction set.
    fn branch_to(&mut self, target: Self::W);
    /// r14 = the return address, bit 0 set in Thumb state.
    fn link(&mut self) {
        let lr = self.next_pc() | u32::from(self.thumb());
        let lr = self.word(lr);
        self.set_reg(14, lr);
    }
    /// ALUWritePC.
    fn alu_write_pc(&mut self, target: Self::W) {
        if self.thumb() { self.branch_to(target) } else { self.bx(target) }
    }
    fn svc(&mut self, imm: u32);
    fn undefined(&mut self);
    fn bkpt(&mut self, imm: u32);

    // ---- system registers
    fn tpidruro(&mut self) -> Self::W;
    fn tpidrurw(&mut self) -> Self::W;
    fn set_tpidrurw(&mut self, w: Self::W);
    /// CNTVCT: nanoseconds of a monotonic clock.
    fn counter(&mut self) -> Self::L;
}

const BYTE_SIGNS: u32 = 0x8080_8080;

/// Ones in the bytes of `sum = a + b (+ 1)` that carry.
#[inline(always)]
fn byte_carries<M: Integer + ?Sized>(m: &mut M, a: M::W, b: M::W, sum: M::W) -> M::W {
    let (both, either) = (m.and(a, b), m.or(a, b));
    let absorbed = m.bic(either, sum);
    let carries = m.or(both, absorbed);
    let (carries, ones, byte) = (m.shr(carries, 7), m.word(0x0101_0101), m.word(0xff));
    let carries = m.and(carries, ones);
    m.mul(carries, byte)
}
