//! The host code of guest instructions and loops (`hostcode/cases.s`), kept in `hostcode/snapshots`.
//!
//! It is made for a fixed processor, so it is the same on every machine. When a change of the code generator is meant,
//! `INSTA_UPDATE=always cargo test -p forearm-backend --test hostcode` accepts what it does to the code.

use forearm_backend::cache::Key;
use forearm_backend::codegen::{Compiled, Compiler, Effort, Mode, Worth};
use forearm_backend::interp::block::{Decoded, Fetch};
use forearm_backend::state::CpuState;
use forearm_frontend::decode::{self, ItState};
use forearm_frontend::disasm::disassemble;
use forearm_frontend::effects::Flow;
use forearm_frontend::inst::cond;
use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Formatter, Instruction, InstructionInfoFactory,
    IntelFormatter, Mnemonic, OpAccess, OpKind, Register, SymbolResolver, SymbolResult,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::mem::offset_of;
use std::path::Path;
use std::process::Command;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostcode/cases.s");

/// What all code is made for: SSE 4.2, AVX2, BMI, FMA.
const PROCESSOR: &str = "x86-64-v3";

/// Where the guest code lies.
const START: u32 = 0x8000;

/// Guest code of `cases.s`.
struct Case {
    /// The family, or the loop's name.
    group: String,
    is_loop: bool,
    thumb: bool,
    /// Its assembly: one line, or those of a loop.
    text: String,
    /// The bytes that the comment has for it.
    bytes: Vec<u8>,
    /// The line of the file whose comment that is.
    line: usize,
}

/// Reads `cases.s`.
fn cases() -> Vec<Case> {
    let source = std::fs::read_to_string(CASES).expect("the cases");
    let mut cases: Vec<Case> = Vec::new();
    let (mut group, mut is_loop, mut thumb) = (String::new(), false, false);
    for (number, line) in source.lines().enumerate() {
        let (code, comment) = line.split_once('@').unwrap_or((line, ""));
        let mark = comment.strip_prefix('@').and_then(|m| m.trim().split_once(' '));
        if let Some((kind, name)) = mark {
            (group, is_loop) = (name.trim().to_owned(), kind == "loop");
            continue;
        }
        let code = code.trim_end();
        if matches!(code, ".arm" | ".thumb") {
            thumb = code == ".thumb";
            if is_loop {
                let (group, bytes) = (group.clone(), bytes(comment, thumb));
                cases.push(Case { group, is_loop, thumb, text: String::new(), bytes, line: number });
            }
        } else if !code.trim().is_empty() && !group.is_empty() {
            if is_loop {
                let case = cases.last_mut().expect("a loop starts with its instruction set");
                case.text += &format!("{code}\n");
            } else {
                let (group, bytes) = (group.clone(), bytes(comment, thumb));
                cases.push(Case { group, is_loop, thumb, text: code.to_owned(), bytes, line: number });
            }
        }
    }
    cases
}

/// The memory that words in the order of the manual stand for.
fn bytes(words: &str, thumb: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in words.split_whitespace() {
        let w = u32::from_str_radix(word, 16).expect("a hexadecimal word");
        match (word.len(), thumb) {
            (8, false) => bytes.extend(w.to_le_bytes()),
            (8, true) => bytes.extend(w.rotate_right(16).to_le_bytes()),
            (4, true) => bytes.extend((w as u16).to_le_bytes()),
            _ => panic!("{word}: not the length of an instruction"),
        }
    }
    bytes
}

/// The words of memory, as `bytes` reads them.
fn words(bytes: &[u8], thumb: bool) -> String {
    let mut words = Vec::new();
    let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let mut at = 0;
    while at < bytes.len() {
        let first = half(at);
        if !thumb {
            words.push(format!("{:04x}{first:04x}", half(at + 2)));
            at += 4;
        } else if decode::is_t32(first) && at + 2 < bytes.len() {
            words.push(format!("{first:04x}{:04x}", half(at + 2)));
            at += 4;
        } else {
            words.push(format!("{first:04x}"));
            at += 2;
        }
    }
    words.join(" ")
}

/// Host code of a case, taken apart.
struct Host {
    compiled: Compiled,
    /// Guest instructions, disassembled, by address.
    guest: BTreeMap<u32, String>,
    /// The fewest guest instructions that lead back to where they start, and host instructions.
    around: Option<(usize, usize)>,
    /// What is executed, by offset; with the address of the guest instruction that it belongs to.
    code: Vec<(Instruction, Option<u32>)>,
}

impl Host {
    fn of(compiler: &mut Compiler, case: &Case, precise: bool) -> Host {
        let read = |pc: u32, buffer: &mut [u8]| {
            let rest = case.bytes.get(pc.wrapping_sub(START) as usize..).unwrap_or_default();
            let len = rest.len().min(buffer.len());
            buffer[..len].copy_from_slice(&rest[..len]);
            len
        };
        let mode = Mode { precise, based: false, flush: false, traps: true };
        let key = Key::new(START, case.thumb, 0);
        let compiled = compiler.compile(key, &mut Fetch::new(&read), &Worth::ALL, mode);
        let compiled = compiled.unwrap_or_else(|| panic!("{}: not compiled: {}", case.group, case.text));
        let origins = compiler.origins();
        let owner = |offset: u32| Some(origins.iter().find(|(range, _)| range.contains(&offset))?.1);
        let code: Vec<_> = reachable(&compiled).into_iter().map(|i| (i, owner(i.ip32()))).collect();
        let (mut guest, mut flow) = (BTreeMap::new(), BTreeMap::new());
        let (mut pc, mut it) = (START, ItState(0));
        let inside = |pc: u32| compiled.ranges.iter().any(|r| r.contains(&pc));
        while pc < START + case.bytes.len() as u32 {
            let mut fetch = Fetch::new(&read);
            let Some(d) = fetch.decode(pc, case.thumb, it).filter(|_| inside(pc)) else {
                (pc, it) = (pc + if case.thumb { 2 } else { 4 }, ItState(0));
                continue;
            };
            let at = (pc - START) as usize;
            let half = |at: usize| u32::from(u16::from_le_bytes([case.bytes[at], case.bytes[at + 1]]));
            let word = match (case.thumb, d.len()) {
                (true, 2) => half(at),
                (true, _) => half(at) << 16 | half(at + 2),
                (false, _) => half(at + 2) << 16 | half(at),
            };
            flow.insert(pc, successors(&d));
            guest.insert(pc, disassemble(word, pc, case.thumb, it).replace('\t', " "));
            (pc, it) = (pc + d.len(), d.next_it);
        }
        let host_flow = code.iter().map(|(i, _)| (i.ip32(), host_successors(i))).collect();
        let around = shortest_cycle(&flow).zip(shortest_cycle(&host_flow));
        Host { compiled, guest, around, code }
    }

    /// Host instructions of the guest's instructions, and all.
    fn counts(&self) -> (usize, usize) {
        (self.code.iter().filter(|(_, owner)| owner.is_some()).count(), self.code.len())
    }

    /// What stands at the head of a case.
    fn head(&self) -> String {
        let (own, all) = self.counts();
        let per = own as f64 / self.guest.len() as f64;
        let mut head = format!("{per:.1} host instructions a guest instruction; {all} with entry and exits");
        if let Some((guest, host)) = self.around {
            let per = host as f64 / guest as f64;
            let _ = write!(head, "; around the loop {host} for {guest}, {per:.1}");
        }
        head
    }

    /// Guest code, then host code under the guest instruction that it belongs to.
    fn listing(&self, title: &str) -> String {
        let mut text = format!("{title}: {}\n\n", self.head());
        for (pc, line) in &self.guest {
            let _ = writeln!(text, "{pc:x}  {line}");
        }
        let targets: BTreeSet<u32> = self.code.iter().filter_map(|(i, _)| branch_target(i)).collect();
        let names = Names {
            labels: targets.iter().enumerate().map(|(k, &t)| (t, k + 1)).collect(),
            slots: self
                .compiled
                .slots
                .iter()
                .map(|&(at, exit, _)| (at, self.compiled.exits[exit as usize].target))
                .collect(),
            state: state_holders(self.compiled.entry, &self.code),
            at: std::cell::Cell::new(0),
        };
        let names = std::rc::Rc::new(names);
        let mut formatter = IntelFormatter::with_options(Some(Box::new(Resolver(names.clone()))), None);
        let options = formatter.options_mut();
        options.set_hex_prefix("0x");
        options.set_hex_suffix("");
        options.set_uppercase_hex(false);
        options.set_space_after_operand_separator(true);
        options.set_rip_relative_addresses(true);
        options.set_small_hex_numbers_in_decimal(true);
        let mut owner = None;
        for (i, belongs) in &self.code {
            if owner != Some(*belongs) {
                owner = Some(*belongs);
                let _ = match belongs {
                    Some(pc) => writeln!(text, "\n; {}", self.guest[pc]),
                    None => writeln!(text, "\n;"),
                };
            }
            if let Some(label) = names.labels.get(&i.ip32()) {
                let _ = writeln!(text, "{label}:");
            }
            names.at.set(i.ip32() + i.len() as u32);
            text.push_str("    ");
            formatter.format(i, &mut text);
            text.push('\n');
        }
        text
    }
}

/// Where a direct jump goes.
fn branch_target(i: &Instruction) -> Option<u32> {
    (i.op0_kind() == OpKind::NearBranch64).then(|| i.near_branch64() as u32)
}

/// Where a guest instruction may lead.
fn successors(d: &Decoded) -> Vec<u32> {
    let next = d.pc + d.len();
    let conditional = d.inst.is_some_and(|i| i.cond != cond::AL);
    let (target, on) = match d.effects.flow {
        None => (None, true),
        Some(Flow::BranchIf(t)) => (Some(t), true),
        Some(Flow::Branch(t)) => (Some(t), conditional),
        Some(_) => (None, conditional),
    };
    target.into_iter().chain(on.then_some(next)).collect()
}

/// Where a host instruction may lead inside the code.
fn host_successors(i: &Instruction) -> Vec<u32> {
    let on = !matches!(i.flow_control(), FlowControl::UnconditionalBranch | FlowControl::IndirectBranch);
    branch_target(i).into_iter().chain(on.then_some(i.next_ip32())).collect()
}

/// The length of the shortest cycle in a graph.
fn shortest_cycle(graph: &BTreeMap<u32, Vec<u32>>) -> Option<usize> {
    let from = |start: u32| {
        let mut distance = BTreeMap::from([(start, 0)]);
        let mut work = VecDeque::from([start]);
        while let Some(at) = work.pop_front() {
            for &next in graph.get(&at).into_iter().flatten() {
                if next == start {
                    return Some(distance[&at] + 1);
                }
                if !distance.contains_key(&next) {
                    distance.insert(next, distance[&at] + 1);
                    work.push_back(next);
                }
            }
        }
        None
    };
    graph.keys().filter_map(|&start| from(start)).min()
}

/// The instructions that can be executed: behind the code lie its constants.
fn reachable(compiled: &Compiled) -> Vec<Instruction> {
    let mut found = BTreeMap::new();
    let mut work = vec![compiled.entry];
    while let Some(mut at) = work.pop() {
        while !found.contains_key(&at) {
            let code = &compiled.code[at as usize..];
            let i = Decoder::with_ip(64, code, at.into(), DecoderOptions::NONE).decode();
            assert!(!i.is_invalid(), "no instruction at {at:#x}");
            found.insert(at, i);
            work.extend(branch_target(&i).filter(|_| i.flow_control() != FlowControl::Call));
            at += i.len() as u32;
            use FlowControl::{Exception, IndirectBranch, Return, UnconditionalBranch};
            if matches!(i.flow_control(), UnconditionalBranch | IndirectBranch | Return | Exception) {
                break;
            }
        }
    }
    found.into_values().collect()
}

/// Names in host code instead of offsets, which change with every instruction.
struct Names {
    labels: BTreeMap<u32, usize>,
    /// References to link slots by where their displacement lies; with the guest address.
    slots: BTreeMap<u32, u32>,
    /// Where the pointer to the guest's state is in front of each instruction.
    state: BTreeMap<u32, Holders>,
    /// End of the instruction that is being printed.
    at: std::cell::Cell<u32>,
}

struct Resolver(std::rc::Rc<Names>);

impl SymbolResolver for Resolver {
    fn symbol(
        &mut self,
        i: &Instruction,
        _: u32,
        operand: Option<u32>,
        address: u64,
        _: u32,
    ) -> Option<SymbolResult<'_>> {
        let is_immediate = |k| !matches!(i.op_kind(k), OpKind::Memory | OpKind::NearBranch64);
        if operand.is_some_and(is_immediate) {
            return None;
        }
        let name = if branch_target(i).is_some() {
            self.0.labels.get(&(address as u32))?.to_string()
        } else if i.is_ip_rel_memory_operand() {
            match self.0.slots.get(&(self.0.at.get() - 4)) {
                Some(target) => format!("exit to {target:x}"),
                None => "constant".to_owned(),
            }
        } else if self.0.state[&i.ip32()].contains(&Holder::Register(i.memory_base()))
            && i.memory_index() == Register::None
        {
            field(address as usize)
        } else {
            return None;
        };
        Some(SymbolResult::with_string(address, name))
    }
}

/// The name of a field of the guest's state.
fn field(offset: usize) -> String {
    const VFP: usize = offset_of!(CpuState, vfp);
    const VFP_END: usize = VFP + 256;
    // The engine's own fields, aligned as vectors.
    const ENGINE: usize = (offset_of!(CpuState, exit_request) + 4).next_multiple_of(16);
    const ENGINE_END: usize = offset_of!(CpuState, exclusive_addr);
    let core = offset_of!(CpuState, r)..offset_of!(CpuState, r) + 64;
    let names = [
        (offset_of!(CpuState, n), "n"),
        (offset_of!(CpuState, z), "z"),
        (offset_of!(CpuState, c), "c"),
        (offset_of!(CpuState, v), "v"),
        (offset_of!(CpuState, ge), "ge"),
        (offset_of!(CpuState, q), "q"),
        (offset_of!(CpuState, thumb), "thumb"),
        (offset_of!(CpuState, itstate), "itstate"),
        (offset_of!(CpuState, fpscr), "fpscr"),
        (offset_of!(CpuState, exit_request), "exit_request"),
        (offset_of!(CpuState, exclusive_addr), "exclusive_addr"),
        (offset_of!(CpuState, exclusive_value), "exclusive_value"),
        (offset_of!(CpuState, tpidruro), "tpidruro"),
        (offset_of!(CpuState, tpidrurw), "tpidrurw"),
    ];
    match offset {
        _ if core.contains(&offset) => format!("guest.r{}", (offset - core.start) / 4),
        VFP..VFP_END if offset.is_multiple_of(8) => format!("guest.d{}", (offset - VFP) / 8),
        VFP..VFP_END => format!("guest.s{}", (offset - VFP) / 4),
        ENGINE..ENGINE_END => format!("engine.{:x}", offset - ENGINE),
        _ => match names.iter().find(|n| n.0 == offset) {
            Some((_, name)) => format!("guest.{name}"),
            None => format!("guest+{offset:#x}"),
        },
    }
}

/// What can hold the pointer to the guest's state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holder {
    Register(Register),
    /// A slot of the frame.
    Frame(u64),
}

type Holders = BTreeSet<Holder>;

/// Where the pointer to the guest's state is in front of each instruction: rdi at the entry.
fn state_holders(entry: u32, code: &[(Instruction, Option<u32>)]) -> BTreeMap<u32, Holders> {
    let by_offset: BTreeMap<u32, &Instruction> = code.iter().map(|(i, _)| (i.ip32(), i)).collect();
    let mut info = InstructionInfoFactory::new();
    let mut holders = BTreeMap::from([(entry, Holders::from([Holder::Register(Register::RDI)]))]);
    let mut work = vec![entry];
    while let Some(at) = work.pop() {
        let Some(i) = by_offset.get(&at) else { continue };
        let behind = holders_behind(i, holders[&at].clone(), &mut info);
        for next in host_successors(i) {
            let meet = match holders.get(&next) {
                None => behind.clone(),
                Some(known) => known.intersection(&behind).copied().collect(),
            };
            if holders.get(&next) != Some(&meet) {
                holders.insert(next, meet);
                work.push(next);
            }
        }
    }
    holders
}

fn holders_behind(i: &Instruction, mut holders: Holders, info: &mut InstructionInfoFactory) -> Holders {
    let frame = (i.memory_base() == Register::RSP).then(|| Holder::Frame(i.memory_displacement64()));
    let operand = |kind: OpKind, register: Register| match kind {
        OpKind::Register => Some(Holder::Register(register)),
        OpKind::Memory => frame,
        _ => None,
    };
    let from = operand(i.op1_kind(), i.op1_register());
    let copied = i.code() == Code::Mov_r64_rm64 || i.code() == Code::Mov_rm64_r64;
    let copied = copied && from.is_some_and(|from| holders.contains(&from));
    // A call keeps what is looked at behind it: other registers are not read before they are written.
    for used in info.info(i).used_registers() {
        if !matches!(
            used.access(),
            OpAccess::Read | OpAccess::CondRead | OpAccess::None | OpAccess::NoMemAccess
        ) {
            holders.remove(&Holder::Register(used.register().full_register()));
        }
    }
    let written = i.op0_kind() == OpKind::Memory && !matches!(i.mnemonic(), Mnemonic::Cmp | Mnemonic::Test);
    if let (Some(Holder::Frame(at)), true) = (frame, written) {
        // Of up to 16 bytes.
        holders.retain(|h| !matches!(h, Holder::Frame(slot) if slot + 8 > at && *slot < at + 16));
    }
    if copied && let Some(to) = operand(i.op0_kind(), i.op0_register()) {
        holders.insert(to);
    }
    holders
}

fn compiler() -> Compiler {
    Compiler::for_processor(PROCESSOR, Effort::Quick).expect("Cranelift's x86-64")
}

/// Compares with a snapshot file.
fn guard(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("hostcode/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description("accept with INSTA_UPDATE=always cargo test -p forearm-backend --test hostcode");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

macro_rules! guarded {
    ($($name:ident)+) => {
        $(#[test] fn $name() { group(stringify!($name)) })+

        /// Every family and loop has its test.
        #[test]
        fn nothing_is_left_out() {
            let groups: BTreeSet<String> = cases().into_iter().map(|c| c.group).collect();
            let tests = [$(stringify!($name)),+].map(str::to_owned);
            assert_eq!(groups, BTreeSet::from(tests));
        }
    };
}

guarded! {
    data_processing multiply_and_media load_and_store branches thumb exclusives_and_system vfp simd_integer simd_float
    simd_permutes simd_memory crypto_and_crc

    memcpy memcpy_blocks memcpy_neon strlen strlen_words strcmp checksum crc_table sum_64_bit matrix_multiply bubble_sort
    binary_search dot_product_f32 dot_product_f64 dot_product_neon sum_of_bytes_neon mandelbrot dispatch dispatch_tbb
    fibonacci spin_lock atomic_add wait_for_flag greatest_common_divisor decimal_digits linked_list sha256_round
}

fn group(name: &str) {
    let mut compiler = compiler();
    let mut text = String::new();
    for case in cases().iter().filter(|c| c.group == name) {
        if !case.is_loop {
            text += &Host::of(&mut compiler, case, false).listing(&case.text);
            text += "\n----\n\n";
            continue;
        }
        text += &Host::of(&mut compiler, case, false).listing(name);
        // What a handler of SIGSEGV costs.
        if name == "memcpy" {
            text += "\n----\n\n";
            text += &Host::of(&mut compiler, case, true).listing("memcpy with exact registers at faults");
        }
    }
    guard(name, &text);
}

/// One line a case, so that a change of all shows in one place: guest instructions, host instructions that are theirs,
/// all host instructions, and those of the shortest way around a loop for how many guest instructions.
#[test]
fn summary() {
    let mut compiler = compiler();
    let mut text = String::from("guest  host    all  around  case\n");
    let mut group = String::new();
    for case in cases() {
        let host = Host::of(&mut compiler, &case, false);
        let (own, all) = host.counts();
        let name = if case.is_loop { &case.group } else { &case.text };
        let kind = if case.is_loop { "loops" } else { &case.group };
        if group != kind {
            group = kind.to_owned();
            let _ = writeln!(text, "\n{group}");
        }
        let around = host.around.map_or(String::new(), |(guest, host)| format!("{host}/{guest}"));
        let _ = writeln!(text, "{:5} {own:5} {all:6} {around:>7}  {name}", host.guest.len());
    }
    guard("summary", &text);
}

/// Writes the words into `cases.s`.
#[test]
#[ignore = "rewrites the cases; needs arm-linux-gnueabihf-as"]
fn assemble() {
    const MARK: [u8; 8] = *b"\xffa case\xff";
    let cases = cases();
    let source = std::fs::read_to_string(CASES).expect("the cases");
    let mut program: String =
        source.lines().take_while(|l| !l.starts_with("@@")).fold(String::new(), |p, l| p + l + "\n");
    for case in &cases {
        let state = if case.thumb { ".thumb" } else { ".arm" };
        let _ = writeln!(program, "{state}\n{}", case.text);
        let mark = MARK.map(|b| b.to_string()).join(",");
        let _ = writeln!(program, ".byte {mark}\n.balign 4");
    }
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(dir.join("cases.s"), program).expect("a scratch file");
    for (tool, arguments) in [
        ("arm-linux-gnueabihf-as", &["cases.s", "-o", "cases.o"][..]),
        ("arm-linux-gnueabihf-objcopy", &["-O", "binary", "-j", ".text", "cases.o", "cases.bin"]),
    ] {
        let status = Command::new(tool).args(arguments).current_dir(dir).status().expect(tool);
        assert!(status.success(), "{tool}");
    }
    let binary = std::fs::read(dir.join("cases.bin")).expect("the code");
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    let mut at = 0;
    for case in &cases {
        let length = binary[at..].windows(8).position(|w| w == MARK).expect("the mark behind a case");
        let line = &mut lines[case.line];
        let code = line.split('@').next().unwrap_or_default().trim_end();
        *line = format!("{code:40} @ {}", words(&binary[at..at + length], case.thumb));
        at = (at + length + 8).next_multiple_of(4);
    }
    std::fs::write(CASES, lines.join("\n") + "\n").expect("the cases");
}
