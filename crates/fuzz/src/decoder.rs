//! The decoders, the disassembler and the analysis of effects.

use crate::Input;
use forearm_frontend::decode::{ItState, encoding, is_t32};
use forearm_frontend::disasm::disassemble;
use forearm_frontend::effects::Effects;
use forearm_frontend::inst::cond;

/// Decodes `data` as words: first what set and IT state, then the word, again and again.
///
/// # Panics
/// Where a decoder panics, or claims a word that its table line does not match, or the disassembly is not one line.
pub fn decoder(data: &[u8]) {
    let mut input = Input(data);
    while !input.0.is_empty() {
        let (kind, it, addr) = (input.byte(), ItState(input.byte()), input.u32());
        let (thumb, word) = match kind % 3 {
            0 => (false, input.u32()),
            1 => (true, input.u32() & 0xffff),
            _ => (true, input.u32()),
        };
        // A halfword that starts a 32-bit instruction is none of 16 bits, and the other way round.
        let first = if word >> 16 != 0 { (word >> 16) as u16 } else { word as u16 };
        if thumb && is_t32(first) != (word >> 16 != 0) {
            continue;
        }
        if let Some((line, inst)) = encoding(word, addr, thumb, it) {
            assert_eq!(line.op, inst.op);
            // Lines that Thumb shares have A32's bits.
            let shared = thumb && word >> 16 != 0;
            assert!(shared || word & line.mask == line.value, "{word:#010x} as {:?}", line.op);
            assert!(inst.cond <= cond::AL, "{word:#010x}: condition {}", inst.cond);
            let _ = Effects::of(&inst);
        }
        let text = disassemble(word, addr, thumb, it);
        assert!(!text.is_empty() && !text.contains('\n'), "{word:#010x}: {text:?}");
    }
}
