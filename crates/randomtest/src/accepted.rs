//! Accepted differences, from a file: `WHAT PATTERN REASON` a line.
//!
//! `WHAT` is `skip` (not run at all) or the part of the state that may differ: `core`, `apsr`, `fpscr`, `vector`, `memory`.
//! `PATTERN` is an operation's name, `*` at its end stands for anything.

use std::fs;
use std::path::Path;

use crate::state::State;

struct Rule {
    what: String,
    pattern: String,
}

/// Is `op` what the pattern names? `*` at its end stands for anything.
pub fn matches(pattern: &str, op: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => op.starts_with(prefix),
        None => op == pattern,
    }
}

/// The rules.
pub struct Accepted(Vec<Rule>);

impl Accepted {
    /// Reads the file; an error is a message.
    pub fn read(path: &Path) -> Result<Accepted, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut rules = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words = line.split_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some(what), Some(pattern), Some(_))
                    if ["skip", "core", "apsr", "fpscr", "vector", "memory"].contains(&what) =>
                {
                    rules.push(Rule { what: what.to_string(), pattern: pattern.to_string() });
                }
                _ => return Err(format!("{}:{}: not `WHAT PATTERN REASON`", path.display(), number + 1)),
            }
        }
        Ok(Accepted(rules))
    }

    /// Is there a rule for this operation?
    pub fn has(&self, what: &str, op: &str) -> bool {
        self.0.iter().any(|r| r.what == what && matches(&r.pattern, op))
    }

    /// The differences of two states that no rule for one of `ops` accepts, one a line.
    pub fn differences(&self, ops: &[String], theirs: &State, ours: &State) -> Vec<String> {
        let may = |what: &str| ops.iter().any(|op| self.has(what, op));
        let mut out = Vec::new();
        if !may("core") {
            for (r, (a, b)) in theirs.core.iter().zip(&ours.core).enumerate().filter(|(_, (a, b))| a != b) {
                out.push(format!("r{r}: expected {a:08x}, is {b:08x}"));
            }
        }
        if !may("apsr") && theirs.apsr != ours.apsr {
            out.push(format!("apsr: expected {:08x}, is {:08x}", theirs.apsr, ours.apsr));
        }
        if !may("fpscr") && theirs.fpscr != ours.fpscr {
            out.push(format!("fpscr: expected {:08x}, is {:08x}", theirs.fpscr, ours.fpscr));
        }
        if !may("vector") {
            for (r, (a, b)) in
                theirs.doubles.iter().zip(&ours.doubles).enumerate().filter(|(_, (a, b))| a != b)
            {
                out.push(format!("d{r}: expected {a:016x}, is {b:016x}"));
            }
        }
        if !may("memory")
            && let Some(at) = theirs.scratch.iter().zip(&ours.scratch).position(|(a, b)| a != b)
        {
            let range = at..(at + 8).min(theirs.scratch.len());
            out.push(format!(
                "memory at +{at}: expected {:02x?}, is {:02x?}",
                &theirs.scratch[range.clone()],
                &ours.scratch[range]
            ));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;

    fn rules(text: &str) -> Result<Accepted, String> {
        // Tests run at the same time.
        let path = std::env::temp_dir().join(format!("accepted-{}-{:x}", std::process::id(), text.len()));
        fs::write(&path, text).expect("temporary file");
        let rules = Accepted::read(&path);
        fs::remove_file(&path).expect("temporary file");
        rules
    }

    #[test]
    fn a_rule_needs_a_known_part_and_a_reason() {
        assert!(rules("# comment\n\nfpscr VADD* rounding\n").is_ok());
        assert!(rules("fpscr VADD*\n").is_err());
        assert!(rules("colour VADD* is blue\n").is_err());
    }

    #[test]
    fn every_part_of_the_state_is_compared() {
        let none = rules("").expect("no rules");
        let all = rules("core X* a\napsr X b\nfpscr X c\nvector X d\nmemory X e\n").expect("rules");
        let state = State::random(&mut Rng::with_seed(1));
        let changes: [fn(&mut State); 5] = [
            |s| s.core[14] ^= 1,
            |s| s.apsr ^= 1 << 27,
            |s| s.fpscr ^= 1,
            |s| s.doubles[31] ^= 1 << 63,
            |s| s.scratch[511] ^= 0x80,
        ];
        for (k, change) in changes.iter().enumerate() {
            let mut other = state.clone();
            change(&mut other);
            assert_eq!(none.differences(&["X".into()], &state, &other).len(), 1, "change {k}");
            assert!(all.differences(&["Y".into(), "X".into()], &state, &other).is_empty(), "change {k}");
            assert_eq!(all.differences(&["Y".into()], &state, &other).len(), 1, "change {k}");
        }
        assert!(none.differences(&["X".into()], &state, &state).is_empty());
    }
}
