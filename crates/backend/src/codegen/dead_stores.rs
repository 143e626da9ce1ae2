//! Takes out stores of VFP and vector registers to the state that another one follows before anybody looks.

use super::translate::{Codegen, field};
use cranelift_codegen::ir::{Inst, InstructionData, Opcode, Value};
use std::ops::Range;

/// Bytes of the registers, a bit each.
#[derive(Clone, Copy, Default)]
struct Bytes([u128; 2]);

impl Bytes {
    /// Those in a range of offsets of the state.
    fn of(range: Range<i32>) -> Bytes {
        let (start, end) = (field!(vfp), field!(vfp) + 256);
        let mut bytes = Bytes::default();
        for at in range.start.max(start)..range.end.min(end) {
            let at = at - start;
            bytes.0[at as usize / 128] |= 1 << (at % 128);
        }
        bytes
    }

    fn contains(self, other: Bytes) -> bool {
        (0..2).all(|k| other.0[k] & !self.0[k] == 0)
    }

    fn is_empty(self) -> bool {
        self.0 == [0, 0]
    }
}

impl Codegen<'_, '_> {
    /// Looks at each block by itself. Whoever comes behind it, whoever is called, and with exact registers whoever is told of a fault,
    /// sees the state.
    pub(super) fn drop_dead_stores(&mut self) {
        let mut dead = Vec::new();
        let layout = &self.b.func.layout;
        for block in layout.blocks() {
            let mut overwritten = Bytes::default();
            let mut next = layout.last_inst(block);
            while let Some(inst) = next {
                next = layout.prev_inst(inst);
                self.look(inst, &mut overwritten, &mut dead);
            }
        }
        for inst in dead {
            self.b.func.layout.remove_inst(inst);
        }
    }

    /// Looks at an instruction, behind which `overwritten` is written before it is read.
    fn look(&self, inst: Inst, overwritten: &mut Bytes, dead: &mut Vec<Inst>) {
        let dfg = &self.b.func.dfg;
        let is_state = |base: Value| dfg.resolve_aliases(base) == dfg.resolve_aliases(self.cpu);
        match dfg.insts[inst] {
            InstructionData::Store { opcode: Opcode::Store, args: [v, base], offset, .. }
                if is_state(base) =>
            {
                let offset = i32::from(offset);
                let bytes = Bytes::of(offset..offset + dfg.value_type(v).bytes() as i32);
                if !bytes.is_empty() && overwritten.contains(bytes) {
                    dead.push(inst);
                }
                (0..2).for_each(|k| overwritten.0[k] |= bytes.0[k]);
            }
            InstructionData::Load { arg, offset, .. } if is_state(arg) => {
                let offset = i32::from(offset);
                let bytes = Bytes::of(offset..offset + 16);
                (0..2).for_each(|k| overwritten.0[k] &= !bytes.0[k]);
            }
            // The guest's memory is not where the state is.
            InstructionData::Store { .. } | InstructionData::Load { .. } if !self.mode.precise => {}
            ref data => {
                let op = data.opcode();
                let looks = op.can_load() || op.can_store() || op.is_call() || op.is_terminator();
                if looks || op.other_side_effects() {
                    *overwritten = Bytes::default();
                }
            }
        }
    }
}
