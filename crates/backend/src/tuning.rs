//! Switches of the optimisations, so that each can be measured and suspected alone: `FOREARM_OPT=no-WORD,...`.

use bitflags::bitflags;
use std::sync::atomic::{AtomicU32, Ordering};

bitflags! {
    /// Optimisations, one bit each.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Optimisations: u32 {
        /// Interpreted blocks lead straight to each other.
        const CHAIN = 1 << 0;
        /// The interpreter remembers where indirect jumps went.
        const JUMP_CACHE = 1 << 1;
        /// Direct exits of a region jump to other regions.
        const LINK = 1 << 2;
        /// Indirect exits of a region look their target up without leaving compiled code.
        const JUMP_TABLE = 1 << 3;
        /// A region has more than one block.
        const REGIONS = 1 << 4;
        /// Branches back stay in the region.
        const LOOPS = 1 << 5;
        /// Flags are kept as the operands of what sets them until they are read.
        const LAZY_FLAGS = 1 << 6;
        /// Flags that nobody reads are not stored.
        const DEAD_FLAGS = 1 << 7;
        /// VFP registers are kept in host registers.
        const VFP_VALUES = 1 << 8;
        /// A conditional instruction selects its result instead of branching.
        const SELECT = 1 << 9;
        /// Registers are exact at faults only once the guest has a handler that sees them.
        const IMPRECISE = 1 << 10;
        /// Compiling takes a bounded share of the processor time.
        const BUDGET = 1 << 11;
        /// Regions lie densely in a memory file.
        const DENSE = 1 << 12;
        /// Regions are shared with other processes and taken from the image in the program.
        const SHARE = 1 << 13;
        /// Warm blocks are compiled by the baseline compiler.
        const BASELINE = 1 << 14;
        /// Rare cases of floating point trap.
        const TRAPS = 1 << 15;
        /// Traps come to an end in a process that has had many.
        const TRAP_LIMIT = 1 << 16;
        /// Small functions are copied into the regions that call them.
        const INLINE = 1 << 17;
        /// Calls and returns are host calls and returns.
        const RETURNS = 1 << 18;
        /// Jumps through linkage tables are compared with where they went when they were compiled.
        const LIKELY = 1 << 19;
        /// Table branches stay in the region.
        const TABLES = 1 << 20;
    }
}

/// The switches: word, optimisation, what it is.
#[rustfmt::skip]
pub const SWITCHES: &[(&str, Optimisations, &str)] = &[
    ("chain", Optimisations::CHAIN, "interpreted blocks lead straight to each other"),
    ("jump-cache", Optimisations::JUMP_CACHE, "the interpreter remembers where indirect jumps went"),
    ("link", Optimisations::LINK, "direct exits of a region jump to other regions"),
    ("jump-table", Optimisations::JUMP_TABLE, "indirect exits look their target up without leaving compiled code"),
    ("regions", Optimisations::REGIONS, "a region has more than one block"),
    ("loops", Optimisations::LOOPS, "branches back stay in the region"),
    ("lazy-flags", Optimisations::LAZY_FLAGS, "flags are kept as operands until they are read"),
    ("dead-flags", Optimisations::DEAD_FLAGS, "flags that nobody reads are not stored"),
    ("vfp-values", Optimisations::VFP_VALUES, "VFP registers are kept in host registers"),
    ("select", Optimisations::SELECT, "conditional instructions select instead of branching"),
    ("imprecise", Optimisations::IMPRECISE, "registers are exact at faults only once the guest has a handler for them"),
    ("budget", Optimisations::BUDGET, "compiling takes a bounded share of the processor time"),
    ("dense", Optimisations::DENSE, "regions lie densely in a memory file"),
    ("share", Optimisations::SHARE, "regions are shared by processes and taken from the image in the program"),
    ("inline", Optimisations::INLINE, "small functions are copied into the regions that call them"),
    ("returns", Optimisations::RETURNS, "calls and returns are host calls and returns, which the processor predicts"),
    ("likely", Optimisations::LIKELY, "jumps through linkage tables are compared with where they went when they were compiled"),
    ("tables", Optimisations::TABLES, "table branches stay in the region"),
    ("baseline", Optimisations::BASELINE, "warm code is compiled by the baseline compiler before hot code is by Cranelift"),
    ("traps", Optimisations::TRAPS, "rare cases of floating point trap instead of being looked for"),
    ("trap-limit", Optimisations::TRAP_LIMIT, "they are looked for in a process that has trapped often"),
];

static OFF: AtomicU32 = AtomicU32::new(0);

/// Is an optimisation on?
#[inline]
pub fn on(which: Optimisations) -> bool {
    OFF.load(Ordering::Relaxed) & which.bits() == 0
}

/// Switches optimisations off, before the first engine is made.
pub fn switch_off(which: Optimisations) {
    OFF.store(which.bits(), Ordering::Relaxed);
}

/// Those of `no-WORD,...`.
///
/// # Errors
/// One line about a word that is unknown.
pub fn parse(text: &str) -> Result<Optimisations, String> {
    let mut off = Optimisations::empty();
    for word in text.split(',').filter(|w| !w.is_empty()) {
        let known = word.strip_prefix("no-").and_then(|w| SWITCHES.iter().find(|s| s.0 == w));
        off |= known.ok_or_else(|| format!("unknown switch '{word}'"))?.1;
    }
    Ok(off)
}

/// A number that differs where compiled code differs: code made under another one must not be used.
pub fn code_key() -> u32 {
    OFF.load(Ordering::Relaxed) | u32::from(crate::stats::on()) << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_optimisation_has_a_word() {
        let all = SWITCHES.iter().fold(Optimisations::empty(), |all, s| {
            assert!(!all.intersects(s.1), "{} is there twice", s.0);
            all | s.1
        });
        assert_eq!(all, Optimisations::all());
        assert_eq!(parse("no-link,no-loops"), Ok(Optimisations::LINK | Optimisations::LOOPS));
        assert_eq!(parse(""), Ok(Optimisations::empty()));
        assert!(parse("link").is_err() && parse("no-such").is_err());
    }

    #[test]
    fn the_document_has_the_switches() {
        let document = include_str!("../../../docs/performance.md");
        for (word, _, help) in SWITCHES {
            assert!(document.contains(&format!("| `{word}` | {help} |\n")), "{word}");
        }
    }
}
