//! Random instructions under forearm and under an oracle (`qemu-arm-static`), state by state.
//!
//! `randomtest --count N --seed S --forearm PATH --tier interp|baseline|jit [--oracle PATH] [--accepted FILE] [--only PATTERNS]
//! [--without PATTERNS] [--sequences PERCENT] [--regions PERCENT] [--oracle-only]`. It exits with 1
//! where a difference is not accepted or a table line was not reached.

mod accepted;
mod address;
mod block;
mod case;
mod generate;
mod image;
mod region;
mod run;
mod state;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use accepted::Accepted;
use case::{Case, Line};
use generate::Generator;
use run::Program;

/// Cases in one image.
const BATCH: usize = 2000;
/// FPSCR.FZ and DN.
const FZ_AND_DN: u32 = 3 << 24;
/// Differences printed for each operation.
const PRINTED: usize = 2;

struct Options {
    count: usize,
    seed: u64,
    forearm: PathBuf,
    tier: String,
    oracle: PathBuf,
    accepted: PathBuf,
    only: Option<String>,
    without: Option<String>,
    /// Percent of the cases that are straight sequences.
    sequences: usize,
    /// Percent that are loops with branches and calls.
    regions: usize,
    oracle_only: bool,
}

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::prelude::*;
    let mut o = Options {
        count: 100_000,
        seed: 1,
        forearm: "target/x86_64-unknown-linux-gnu/debug/forearm".into(),
        tier: "interp".into(),
        oracle: "qemu-arm-static".into(),
        accepted: "tests/random/accepted.txt".into(),
        only: None,
        without: None,
        sequences: 30,
        regions: 10,
        oracle_only: false,
    };
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("count") => o.count = args.value()?.parse()?,
            Long("seed") => o.seed = args.value()?.parse()?,
            Long("forearm") => o.forearm = args.value()?.into(),
            Long("tier") => o.tier = args.value()?.string()?,
            Long("oracle") => o.oracle = args.value()?.into(),
            Long("accepted") => o.accepted = args.value()?.into(),
            Long("only") => o.only = Some(args.value()?.string()?),
            Long("without") => o.without = Some(args.value()?.string()?),
            Long("sequences") => o.sequences = args.value()?.parse()?,
            Long("regions") => o.regions = args.value()?.parse()?,
            Long("oracle-only") => o.oracle_only = true,
            other => return Err(other.unexpected()),
        }
    }
    if o.sequences + o.regions > 100 {
        return Err("sequences and regions are percentages of the cases".into());
    }
    Ok(o)
}

/// What a run has found.
#[derive(Default)]
struct Report {
    cases: usize,
    reached: BTreeMap<Line, usize>,
    /// Differing cases by operation.
    different: BTreeMap<String, usize>,
    /// Cases in which both died alike.
    both_died: BTreeMap<String, usize>,
}

fn main() -> ExitCode {
    let result = options().map_err(|e| e.to_string()).and_then(|o| test(&o));
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("randomtest: {message}");
            ExitCode::from(2)
        }
    }
}

fn test(o: &Options) -> Result<bool, String> {
    let accepted = Accepted::read(&o.accepted)?;
    let name = |line: &Line| format!("{:?}", line.encoding().op);
    let among = |patterns: &Option<String>, line: &Line| {
        patterns.as_ref().map(|p| p.split(',').any(|p| accepted::matches(p, &name(line))))
    };
    let lines: Vec<Line> = generate::lines()
        .into_iter()
        .filter(|line| among(&o.only, line).unwrap_or(true) && !among(&o.without, line).unwrap_or(false))
        .filter(|line| !accepted.has("skip", &name(line)))
        .collect();
    if lines.is_empty() {
        return Err("no instruction has one of these names (a * stands at the end only)".to_string());
    }
    let folder = std::env::temp_dir().join(format!("forearm-random-{}", std::process::id()));
    let oracle = Program { path: o.oracle.clone(), environment: vec![] };
    let tier = vec![("FOREARM_TIER".to_string(), o.tier.clone())];
    let forearm = Program { path: o.forearm.clone(), environment: tier };
    let forearm = (!o.oracle_only).then_some(&forearm);

    let workers = std::thread::available_parallelism().map_or(2, usize::from).min(8);
    let batches = o.count.div_ceil(BATCH);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let report = std::sync::Mutex::new(Report::default());
    let work = |worker: usize| -> Result<(), String> {
        let folder = folder.join(worker.to_string());
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        loop {
            let batch = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if batch >= batches {
                return Ok(());
            }
            // A translator may go other ways once a process has set FZ or DN.
            let modes = if batch.is_multiple_of(2) { u32::MAX } else { !FZ_AND_DN };
            let mut generator = Generator::new(o.seed << 32 | batch as u64, &lines, modes);
            let mut cases = Vec::new();
            let several = o.sequences + o.regions;
            let mut k = batch * (BATCH * (100 - several) / 100);
            let mut failures = 0;
            while cases.len() < BATCH && failures < lines.len() {
                if cases.len() % 100 < o.regions {
                    cases.push(generator.region(cases.len()));
                } else if cases.len() % 100 >= several {
                    match generator.single(lines[k % lines.len()], cases.len()) {
                        Some(case) => cases.push(case),
                        None => failures += 1, // the summary says that the line was not reached
                    }
                    k += 1;
                } else {
                    cases.push(generator.sequence(cases.len()));
                }
            }
            let run = |program: &Program| {
                program.run(&cases, &folder).map_err(|e| format!("{}: {e}", program.path.display()))
            };
            let theirs = run(&oracle)?;
            let ours = match forearm {
                Some(program) => run(program)?,
                None => theirs.clone(),
            };
            let mut report = report.lock().expect("no worker panicked");
            for ((case, theirs), ours) in cases.iter().zip(&theirs).zip(&ours) {
                compare(&mut report, &accepted, case, theirs, ours);
            }
        }
    };
    let results: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|w| scope.spawn(move || work(w))).collect();
        handles.into_iter().map(|h| h.join().expect("worker")).collect()
    });
    let _ = std::fs::remove_dir_all(&folder);
    results.into_iter().collect::<Result<Vec<()>, String>>()?;
    Ok(summary(&report.into_inner().expect("no worker panicked"), &lines, o.sequences + o.regions >= 100))
}

fn compare(
    report: &mut Report,
    accepted: &Accepted,
    case: &Case,
    theirs: &run::Outcome,
    ours: &run::Outcome,
) {
    report.cases += 1;
    let label = case.ops.join(" ");
    let single = case.ops.len() == 1;
    let differences = match (theirs, ours) {
        (Ok(theirs), Ok(ours)) => accepted.differences(&case.ops, theirs, ours),
        (Err(a), Err(b)) if a.split(' ').take(2).eq(b.split(' ').take(2)) => {
            *report.both_died.entry(format!("{label}: {a}\n{}", case.listing())).or_default() += 1;
            return;
        }
        (Err(a), Err(b)) => vec![format!("expected {a}, is {b}")],
        (Err(a), Ok(_)) => vec![format!("expected to die: {a}")],
        (Ok(_), Err(b)) => vec![format!("died: {b}")],
    };
    for line in &case.lines {
        *report.reached.entry(*line).or_default() += 1;
    }
    if differences.is_empty() {
        return;
    }
    let key = if single { label.clone() } else { "several instructions".to_string() };
    let seen = report.different.entry(key).or_default();
    *seen += 1;
    if *seen > PRINTED {
        return;
    }
    let line = if single {
        let e = case.lines[0].encoding();
        format!(" {} {}", e.variant, e.bits)
    } else {
        String::new()
    };
    println!("{label}{line}\n{}", case.listing());
    let s = &case.state;
    let core: Vec<String> = s.core.iter().enumerate().map(|(r, v)| format!("r{r}={v:08x}")).collect();
    println!("  before: {} apsr={:08x} fpscr={:08x}", core.join(" "), s.apsr, s.fpscr);
    for d in &differences {
        println!("  {d}");
    }
    for (r, v) in s
        .doubles
        .iter()
        .enumerate()
        .filter(|(r, _)| differences.iter().any(|d| d.starts_with(&format!("d{r}:"))))
    {
        println!("  d{r} before: {v:016x}");
    }
}

/// Prints the summary. Is all well?
fn summary(report: &Report, lines: &[Line], sequences_only: bool) -> bool {
    let least = lines.iter().map(|l| report.reached.get(l).copied().unwrap_or(0)).min().unwrap_or(0);
    println!("{} cases, {} table lines, each reached at least {least} times", report.cases, lines.len());
    let mut good = true;
    for line in lines.iter().filter(|l| !sequences_only && !report.reached.contains_key(l)) {
        let e = line.encoding();
        println!(
            "never reached: {:?} {} {}{}",
            e.op,
            e.variant,
            e.bits,
            if line.thumb { " (Thumb)" } else { "" }
        );
        good = false;
    }
    for (case, times) in report.both_died.iter().take(20) {
        println!("both died, {times} times: {case}");
    }
    let different: usize = report.different.values().sum();
    for (op, times) in &report.different {
        println!("{times:6} differences: {op}");
    }
    println!("{different} differences");
    good && different == 0 && report.both_died.is_empty()
}
