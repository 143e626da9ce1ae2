//! Turns the encoding tables (`tables/*.tbl`) into the `Op` enum, the decoders and the lists that the
//! disassembler and the random-instruction tests read. The format is described in `tables/README.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// One line of a table.
struct Encoding {
    op: String,
    variant: String,
    bits: String,
    arch: String,
    form: String,
    syntax: String,
    mask: u32,
    value: u32,
    /// Of VFP, Advanced SIMD or cryptography.
    extension: bool,
    place: String,
}

fn main() {
    let dir = Path::new("tables");
    println!("cargo::rerun-if-changed=tables");
    let mut sets: BTreeMap<&str, Vec<Encoding>> = BTreeMap::new();
    let mut files: Vec<_> =
        std::fs::read_dir(dir).expect("tables/").map(|e| e.expect("entry").path()).collect();
    files.sort();
    for path in files.iter().filter(|p| p.extension().is_some_and(|e| e == "tbl")) {
        let stem = path.file_stem().expect("stem").to_str().expect("UTF-8");
        // t16*.tbl and t32*.tbl are Thumb; every other table is in A32 form (and reached from T32 too, for
        // the coprocessor and Advanced SIMD spaces that both instruction sets share).
        let set = if stem.starts_with("t16") {
            "T16"
        } else if stem.starts_with("t32") {
            "T32"
        } else {
            "A32"
        };
        for (number, line) in std::fs::read_to_string(path).expect("readable").lines().enumerate() {
            let place = format!("{}:{}", path.display(), number + 1);
            if let Some(mut e) = parse(line, set, place) {
                e.extension = ["vfp", "simd", "crypto"].iter().any(|p| stem.starts_with(p));
                sets.entry(set).or_default().push(e);
            }
        }
    }
    let mut out = String::new();
    ops(&mut out, &sets);
    for set in ["A32", "T16", "T32"] {
        decoder(&mut out, set, sets.get(set).map_or(&[], Vec::as_slice));
    }
    std::fs::write(Path::new(&std::env::var("OUT_DIR").expect("OUT_DIR")).join("tables.rs"), out)
        .expect("write");
}

fn parse(line: &str, set: &str, place: String) -> Option<Encoding> {
    let line = line.trim_end();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut words = line.split_whitespace();
    let mut next = |what: &str| words.next().unwrap_or_else(|| panic!("{place}: no {what}")).to_string();
    let (op, variant, bits, arch, form) =
        (next("op"), next("variant"), next("bits"), next("arch"), next("form"));
    let syntax = words.collect::<Vec<_>>().join(" ");
    let width = if set == "T16" { 16 } else { 32 };
    assert_eq!(bits.len(), width, "{place}: {} bits", bits.len());
    let (mut mask, mut value) = (0u32, 0u32);
    for (k, b) in bits.bytes().rev().enumerate() {
        match b {
            b'0' => mask |= 1 << k,
            b'1' => (mask, value) = (mask | 1 << k, value | 1 << k),
            b'A'..=b'Z' | b'a'..=b'z' | b'-' => {}
            _ => panic!("{place}: '{}' in the bit pattern", b as char),
        }
    }
    Some(Encoding { op, variant, bits, arch, form, syntax, mask, value, extension: false, place })
}

/// `Op`, its names, and the macro that lists each op with its semantics function.
fn ops(out: &mut String, sets: &BTreeMap<&str, Vec<Encoding>>) {
    let mut names: Vec<&str> = sets.values().flatten().map(|e| e.op.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    out.push_str("/// An operation, named as the manual names its encodings.\n");
    out.push_str("#[allow(non_camel_case_types, missing_docs)]\n#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\n#[repr(u16)]\npub enum Op {\n");
    for n in &names {
        writeln!(out, "    {n},").unwrap();
    }
    out.push_str(
        "}\n\nimpl Op {\n    /// Every operation, in the order of its number.\n    pub const ALL: &[Op] = &[",
    );
    for n in &names {
        write!(out, "Op::{n}, ").unwrap();
    }
    out.push_str("];\n}\n\n");
    list(out, "for_each_op", "every operation", &names);
    let core = sets.values().flatten().filter(|e| !e.extension).map(|e| e.op.as_str());
    names = core.collect();
    names.sort_unstable();
    names.dedup();
    list(out, "for_each_core_op", "each operation on core registers alone", &names);
}

/// A macro that calls another one with operations and the names of their semantics functions.
fn list(out: &mut String, name: &str, which: &str, ops: &[&str]) {
    writeln!(
        out,
        "/// Calls `$mac! {{ Op function, ... }}` with {which} and the name of its semantics function."
    )
    .unwrap();
    writeln!(out, "#[macro_export]\nmacro_rules! {name} {{\n    ($mac:ident) => {{\n        $mac! {{")
        .unwrap();
    for n in ops {
        // `yield` is a reserved word.
        let raw = if *n == "YIELD" { "r#" } else { "" };
        writeln!(out, "            {n} {raw}{},", n.to_lowercase()).unwrap();
    }
    out.push_str("        }\n    };\n}\n\n");
}

/// The bits that select a bucket of a set's lookup table.
fn index_bits(set: &str) -> Vec<u32> {
    match set {
        "A32" => [28, 27, 26, 25, 24, 23, 22, 21, 20, 7, 6, 5, 4].to_vec(), // 28 stands for cond == 1111
        "T32" => [28, 27, 26, 25, 24, 23, 22, 21, 20, 15, 14, 12, 7, 6, 5, 4].to_vec(),
        _ => (4..16).rev().collect(),
    }
}

fn decoder(out: &mut String, set: &str, encodings: &[Encoding]) {
    writeln!(out, "/// The {set} encodings, in the order of the tables.\npub static {set}: &[Encoding] = &[")
        .unwrap();
    for e in encodings {
        writeln!(
            out,
            "    Encoding {{ op: Op::{}, variant: {:?}, bits: {:?}, mask: {:#x}, value: {:#x}, arch: Arch::{}, syntax: {:?}, fill: |w, i, cx| {{ {} forms::{}(w, i, cx) }} }},",
            e.op, e.variant, e.bits, e.mask, e.value, e.arch, e.syntax, fields(e), e.form
        )
        .unwrap();
    }
    out.push_str("];\n");
    let positions = index_bits(set);
    let mut lists: Vec<Vec<usize>> = vec![vec![]];
    let mut known: BTreeMap<Vec<usize>, usize> = [(vec![], 0)].into();
    let mut buckets = Vec::new();
    for bucket in 0..1u32 << positions.len() {
        let (mut mask, mut value) = (0u32, 0u32);
        for (k, &p) in positions.iter().rev().enumerate() {
            if set == "A32" && p == 28 {
                continue;
            }
            mask |= 1 << p;
            value |= (bucket >> k & 1) << p;
        }
        let unconditional = set == "A32" && bucket >> (positions.len() - 1) == 1;
        let mut list: Vec<usize> = (0..encodings.len())
            .filter(|&k| {
                let e = &encodings[k];
                let conditional_line = set == "A32" && e.mask >> 28 == 0;
                let space = set != "A32" || conditional_line != unconditional;
                space && (e.value ^ value) & e.mask & mask == 0
            })
            .collect();
        // The most specific first; the manual's "SEE" rules mostly follow from that.
        list.sort_by_key(|&k| std::cmp::Reverse(encodings[k].mask.count_ones()));
        let id = *known.entry(list.clone()).or_insert_with(|| {
            lists.push(list);
            lists.len() - 1
        });
        buckets.push(id);
    }
    let mut starts = vec![0usize];
    let mut flat: Vec<usize> = Vec::new();
    for l in &lists {
        flat.extend_from_slice(l);
        starts.push(flat.len());
    }
    writeln!(out, "static {set}_BUCKETS: [u16; {}] = {buckets:?};", buckets.len()).unwrap();
    writeln!(out, "static {set}_STARTS: [u32; {}] = {starts:?};", starts.len()).unwrap();
    writeln!(out, "static {set}_LISTS: [u16; {}] = {flat:?};", flat.len()).unwrap();
    writeln!(out, "fn {}_bucket(w: u32) -> usize {{", set.to_lowercase()).unwrap();
    let n = positions.len();
    let terms: Vec<String> = positions
        .iter()
        .enumerate()
        .map(|(k, &p)| {
            let to = n - 1 - k;
            if set == "A32" && p == 28 {
                format!("((w >= 0xf000_0000) as usize) << {to}")
            } else {
                format!("((w >> {p} & 1) as usize) << {to}")
            }
        })
        .collect();
    writeln!(out, "    {}\n}}", terms.join(" | ")).unwrap();
}

/// Code that moves the lettered fields of an encoding into the `Inst`.
fn fields(e: &Encoding) -> String {
    let width = e.bits.len();
    // For each letter its runs of bits, most significant first: (lowest bit, length).
    let mut runs: BTreeMap<char, Vec<(usize, usize)>> = BTreeMap::new();
    let bits: Vec<char> = e.bits.chars().collect();
    let mut k = 0;
    while k < width {
        let c = bits[k];
        let mut end = k;
        while end < width && bits[end] == c {
            end += 1;
        }
        if c.is_ascii_alphabetic() {
            runs.entry(c).or_default().push((width - end, end - k));
        }
        k = end;
    }
    let mut code = String::new();
    for (letter, runs) in &runs {
        let mut terms = Vec::new();
        let mut above: usize = runs.iter().map(|r| r.1).sum();
        for &(low, len) in runs {
            above -= len;
            terms.push(format!("(w >> {low} & {:#x}) << {above}", (1u64 << len) - 1));
        }
        let value = terms.join(" | ");
        match letter {
            'c' => write!(code, "i.cond = ({value}) as u8; "),
            'd' | 't' => write!(code, "i.rd = ({value}) as u8; "),
            'n' => write!(code, "i.rn = ({value}) as u8; "),
            'm' => write!(code, "i.rm = ({value}) as u8; "),
            'a' | 's' | 'u' => write!(code, "i.ra = ({value}) as u8; "),
            'i' | 'l' => write!(code, "i.imm = {value}; "),
            'h' => write!(code, "i.shift = ({value}) as u8; "),
            'k' => write!(code, "i.amount = ({value}) as u8; "),
            'z' => write!(code, "i.size = ({value}) as u8; "),
            'S' => write!(code, "i.set(Inst::S, {value} != 0); "),
            'P' => write!(code, "i.set(Inst::P, {value} != 0); "),
            'U' => write!(code, "i.set(Inst::U, {value} != 0); "),
            'W' => write!(code, "i.set(Inst::W, {value} != 0); "),
            'Q' => write!(code, "i.set(Inst::Q, {value} != 0); "),
            'A'..='Z' => Ok(()), // the form takes it from the word
            _ => panic!("{}: no field for the letter '{letter}'", e.place),
        }
        .unwrap();
    }
    code
}
