//! FPSCR and MXCSR: rounding mode, flush-to-zero and the cumulative exception flags (Arm ARM A2.6).

/// All exceptions masked, round to nearest, no flags.
pub const MXCSR_DEFAULT: u32 = 0x1f80;

const FPSCR_FZ: u32 = 1 << 24;
/// IOC, DZC, OFC, UFC, IXC in FPSCR against IE, ZE, OE, UE, PE in MXCSR.
const FLAGS: [(u32, u32); 5] = [(0, 0), (1, 2), (2, 3), (3, 4), (4, 5)];
/// The cumulative bits that MXCSR holds; IDC (bit 7) stays in the stored word.
const FPSCR_HOST_FLAGS: u32 = 0x1f;

/// FPSCR from its stored part and the guest's MXCSR.
pub fn fpscr_of(stored: u32, mxcsr: u32) -> u32 {
    FLAGS.iter().fold(stored & !FPSCR_HOST_FLAGS, |x, &(arm, x86)| x | (mxcsr >> x86 & 1) << arm)
}

/// The stored part and the MXCSR for an FPSCR.
pub fn split_fpscr(fpscr: u32) -> (u32, u32) {
    // RMode: nearest, +inf, -inf, zero. MXCSR.RC: nearest, -inf, +inf, zero.
    let rounding = [0, 2, 1, 3][(fpscr >> 22 & 3) as usize] << 13;
    let flush = if fpscr & FPSCR_FZ != 0 { 0x8040 } else { 0 };
    let flags = FLAGS.iter().fold(0, |x, &(arm, x86)| x | (fpscr >> arm & 1) << x86);
    (fpscr & !FPSCR_HOST_FLAGS, MXCSR_DEFAULT | rounding | flush | flags)
}
