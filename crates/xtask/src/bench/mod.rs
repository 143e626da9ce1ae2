//! How near native speed: each workload native, under each interpreter, alternating, as ratios.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::debian::{self, Store};
use crate::image;
use crate::process;
use crate::sandbox::Sandbox;
use crate::tools;
use crate::ui::Progress;

mod interpreter;
pub mod measure;
mod svg;
mod workloads;

use measure::Sample;
use svg::Bars;
pub use workloads::Group;
use workloads::{WORKLOADS, Workload};

/// Longer than any measurement takes.
const LIMIT: Duration = Duration::from_secs(900);

/// The choices of the command line.
#[derive(clap::Args)]
pub struct Options {
    /// Only these groups
    #[arg(long, value_enum, value_delimiter = ',')]
    group: Vec<Group>,
    /// Only the workloads whose names contain this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Measurements of each workload under each interpreter
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Measurements of the group apt, which takes minutes
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    apt_runs: u32,
    /// The cargo profile to build and measure; `dist` is what is shipped and takes minutes to build
    #[arg(long, default_value = "release", value_name = "NAME")]
    pub profile: String,
    /// Measure forearm without an image only, which takes minutes to make
    #[arg(long)]
    no_image: bool,
    /// Run the micro-benchmarks of translator and runtime instead
    #[arg(long, conflicts_with_all = ["group", "json", "svg", "cpu", "interpreter"])]
    micro: bool,
    /// Compare processor time instead of wall-clock time (for a busy machine)
    #[arg(long)]
    cpu: bool,
    /// Write all samples as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Show the samples of a file that --json has written instead of measuring
    #[arg(long, value_name = "FILE", conflicts_with_all = ["micro", "json", "interpreter", "only"])]
    from: Option<PathBuf>,
    /// Write a plot of the ratios
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Another interpreter to measure
    #[arg(long, value_name = "LABEL=PATH", value_parser = interpreter)]
    interpreter: Vec<Interpreter>,
}

impl Options {
    fn wants(&self, group: &str) -> bool {
        self.group.is_empty() || self.group.iter().any(|g| g.name() == group)
    }
}

/// A column of the table.
#[derive(Clone, Debug)]
struct Interpreter {
    label: String,
    /// None is native.
    path: Option<PathBuf>,
}

fn interpreter(text: &str) -> Result<Interpreter, String> {
    let (label, path) = text.split_once('=').ok_or("expected LABEL=PATH")?;
    let path = std::path::absolute(path).map_err(|e| e.to_string())?;
    if !path.is_file() {
        return Err(format!("{} is not a file", path.display()));
    }
    Ok(Interpreter { label: label.to_owned(), path: Some(path) })
}

/// One row: all samples of one workload.
#[derive(Serialize, Deserialize)]
pub struct Row {
    group: String,
    workload: String,
    /// The samples of each column; empty where it failed.
    samples: Vec<Vec<Sample>>,
    /// What is wrong, if anything: a failure, or outputs that differ.
    fault: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Results {
    processor: String,
    kernel: String,
    columns: Vec<String>,
    rows: Vec<Row>,
    #[serde(default)]
    figures: Vec<interpreter::Figure>,
}

/// The micro-benchmarks: `crates/*/benches`, by cargo.
fn micro(context: &Context, options: &Options) -> Result<bool> {
    tools::ensure(tools::CROSS)?;
    let mut cargo = context.cargo();
    cargo.args([
        "bench",
        "--quiet",
        "-p",
        "forearm-backend",
        "-p",
        "forearm",
        "--bench",
        "micro",
        "--bench",
        "process",
    ]);
    if let Some(text) = &options.only {
        cargo.args(["--", text]);
    }
    Ok(cargo.status().context("cargo bench")?.success())
}

/// Runs the benchmarks. False if a workload failed or outputs differ.
pub fn run(context: &Context, options: &Options) -> Result<bool> {
    if options.micro {
        return micro(context, options);
    }
    let results = match &options.from {
        Some(file) => {
            let text = std::fs::read(file).with_context(|| file.display().to_string())?;
            let mut results: Results = serde_json::from_slice(&text)?;
            results.rows.retain(|row| options.wants(&row.group));
            results.figures.retain(|_| options.wants(Group::Interpreter.name()));
            results
        }
        None => measure_all(context, options)?,
    };
    if !results.rows.is_empty() {
        print!("{}", table(&results, options.cpu));
    }
    results.figures.iter().for_each(|figure| println!("{figure}"));
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_string_pretty(&results)?)
            .with_context(|| file.display().to_string())?;
    }
    if let Some(file) = &options.svg {
        let caption = format!(
            "{} on Linux {}; outputs compared; cargo xtask bench --svg FILE",
            results.processor, results.kernel
        );
        std::fs::write(file, svg::plot(&results.columns, &plotted(&results, options.cpu), &caption))
            .with_context(|| file.display().to_string())?;
    }
    let faults = results.rows.iter().filter(|r| r.fault.is_some()).count();
    println!("{} workloads, {faults} with a fault", results.rows.len());
    Ok(faults == 0)
}

fn measure_all(context: &Context, options: &Options) -> Result<Results> {
    tools::ensure(tools::ROOTS)?;
    context.roots_usable()?;
    let mut columns = vec![
        Interpreter { label: "native".into(), path: None },
        Interpreter { label: "qemu".into(), path: Some(context.qemu()?) },
    ];
    if options.no_image {
        context.build(None)?;
        columns.push(Interpreter { label: "forearm".into(), path: Some(context.forearm()) });
    } else {
        let image::Built { plain, whole } = image::build(context)?;
        columns.push(Interpreter { label: "forearm".into(), path: Some(whole) });
        columns.push(Interpreter { label: "no image".into(), path: Some(plain) });
    }
    columns.extend(options.interpreter.iter().cloned());
    let wanted = |group: Group, name: &str| {
        options.wants(group.name()) && options.only.as_ref().is_none_or(|text| name.contains(text.as_str()))
    };
    let store = context.store()?;
    let (mut rows, mut figures) = (Vec::new(), Vec::new());
    let chosen: Vec<&Workload> = WORKLOADS.iter().filter(|w| wanted(w.group, w.name)).collect();
    if !chosen.is_empty() {
        let roots = Roots::prepare(context, &store)?;
        let progress = Progress::steps("bench", chosen.len());
        for workload in chosen {
            let row = roots.row(workload, &columns, options.runs, &progress);
            progress.advance();
            if let Some(fault) = &row.fault {
                progress.line(&format!("{}: {fault}", workload.name));
            }
            rows.push(row);
        }
    }
    if wanted(Group::Interpreter, "integer loop") {
        figures.push(interpreter::rate(context, options.runs)?);
    }
    if wanted(Group::Interpreter, "true") {
        let roots = Roots::prepare(context, &store)?;
        figures.extend(interpreter::start(&roots, &context.forearm(), options.runs)?);
    }
    if wanted(Group::Apt, "apt") {
        rows.extend(apt(&store, &columns, options.apt_runs)?);
    }
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(Results {
        processor: field("/proc/cpuinfo", "model name").unwrap_or_default(),
        kernel: release.split(['-', '\n']).next().unwrap_or_default().to_owned(),
        columns: columns.into_iter().map(|c| c.label).collect(),
        rows,
        figures,
    })
}

/// The two roots with the same packages, inputs and programs.
struct Roots {
    native: PathBuf,
    arm: PathBuf,
    /// A copy of this program: a build during the run may replace the original.
    measure: PathBuf,
}

/// The ARM root of the benchmarks, with its inputs.
pub fn arm_root(context: &Context, store: &Store) -> Result<PathBuf> {
    Ok(Roots::prepare(context, store)?.arm)
}

impl Roots {
    fn prepare(context: &Context, store: &Store) -> Result<Self> {
        let qemu = context.qemu()?;
        let make = |arch: &str, interpreter: Option<&Path>| -> Result<PathBuf> {
            let name = format!("bench-{arch}");
            let progress = Progress::steps(&name, 6);
            let sandbox = Sandbox::new(interpreter)?;
            if !store.complete(&name) {
                store.install(&sandbox, arch, &name, workloads::PACKAGES, &progress)?;
            } else {
                sandbox.prepare_root(&store.path(&name))?;
            }
            let root = store.path(&name);
            inputs(&root.join("bench"))?;
            programs(&context.workspace.join("benches/programs"), &root, &sandbox)?;
            Ok(root)
        };
        let measure = context.scratch("bench")?.join("measure");
        std::fs::copy("/proc/self/exe", &measure)?;
        Ok(Self { native: make("amd64", None)?, arm: make("armhf", Some(&qemu))?, measure })
    }

    fn row(&self, workload: &Workload, columns: &[Interpreter], runs: u32, progress: &Progress) -> Row {
        let mut row = Row {
            group: workload.group.name().to_owned(),
            workload: workload.name.to_owned(),
            samples: vec![Vec::new(); columns.len()],
            fault: None,
        };
        let mut broken = vec![false; columns.len()];
        // One warm-up, then round after round, so that a change of the machine's mood meets every column.
        for round in 0..=runs {
            for (i, column) in columns.iter().enumerate().filter(|(i, _)| !broken[*i]).collect::<Vec<_>>() {
                progress.message(&format!("{} {round}/{runs} {}", workload.name, column.label));
                match self.measure(workload, column, None) {
                    Ok(samples) if round > 0 => row.samples[i].extend(samples),
                    Ok(_) => {}
                    Err(error) => {
                        broken[i] = true;
                        row.samples[i].clear();
                        row.fault.get_or_insert(format!("{}: {error:#}", column.label));
                    }
                }
            }
        }
        row.compare(workload.same_as_native);
        row
    }

    /// One measurement, in the tier `tier` (see `$FOREARM_TIER`) if that is given.
    fn measure(&self, workload: &Workload, column: &Interpreter, tier: Option<&str>) -> Result<Vec<Sample>> {
        let root = if column.path.is_some() { &self.arm } else { &self.native };
        let sandbox = Sandbox::new(column.path.as_deref())?;
        sandbox.prepare_root(root)?;
        let mut command = sandbox.command(&self.measure);
        command.arg("measure").arg(root).arg(workload.repeat().to_string()).args(workload.words());
        command.env_clear().envs([
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            ("HOME", "/root"),
            ("LC_ALL", "C"),
        ]);
        command.envs(std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("FOREARM_")));
        command.envs(tier.map(|tier| ("FOREARM_TIER", tier)));
        let output = process::run(&mut command, LIMIT)?;
        ensure!(output.success(), "{}: {}", output.end(), output.tail(4));
        serde_json::from_slice(&output.stdout).context("the measurement")
    }
}

/// Files every root has alike: text of words and numbers, random bytes, a C source.
fn inputs(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let mut state = 1u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    const WORDS: [&str; 16] = [
        "the", "where", "package", "of", "install", "there", "and", "library", "in", "version", "white",
        "to", "depends", "a", "which", "these",
    ];
    let mut text = String::new();
    while text.len() < 4 << 20 {
        for _ in 0..4 + random() % 12 {
            text += WORDS[(random() % 16) as usize];
            text.push(' ');
        }
        let _ = writeln!(text, "{}", random() % 100_000);
    }
    std::fs::write(dir.join("text"), text)?;
    let bytes: Vec<u8> = (0..8 << 20).map(|_| random() as u8).collect();
    std::fs::write(dir.join("random"), bytes)?;
    let mut source = String::from("#include <stdio.h>\n#include <string.h>\n");
    for i in 0..60 {
        let _ = writeln!(
            source,
            "struct s{i} {{ int a[{n}]; double d; char *p; }};\n\
             int f{i}(struct s{i} *s, int n) {{ int t = 0; for (int i = 0; i < n; i++) {{ t += s->a[i % {n}] * {i};\n\
             if (t & {m}) s->d += t / 3.0; else switch (i % 5) {{ case 0: t ^= n; break; case 3: t = (int)s->d; break;\n\
             default: t -= (int)strlen(s->p); }} }} return printf(\"%d %f\\n\", t, s->d); }}",
            n = i + 3,
            m = 1 << (i % 9),
        );
    }
    Ok(std::fs::write(dir.join("source.c"), source)?)
}

/// Compiles `benches/programs` in the root, by the root's own compiler.
fn programs(sources: &Path, root: &Path, sandbox: &Sandbox) -> Result<()> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(sources)?.flatten().map(|e| e.path()).collect();
    files.sort();
    for file in files {
        let (Some(stem), Some(name)) = (file.file_stem(), file.file_name()) else { continue };
        let (stem, name) = (stem.to_string_lossy(), name.to_string_lossy());
        let bench = root.join("bench");
        // Compiling under an interpreter takes seconds: not again while the source is the same.
        let (copy, program) = (bench.join(&*name), bench.join(&*stem));
        let text = std::fs::read(&file)?;
        if program.exists() && std::fs::read(&copy).ok().as_ref() == Some(&text) {
            continue;
        }
        std::fs::write(&copy, text)?;
        let compiler = if name.ends_with(".cc") { "g++" } else { "gcc" };
        // Contraction into fused operations would make results depend on the machine.
        let script = format!("cd /bench && {compiler} -O2 -ffp-contract=off -pthread -o {stem} {name} -lm");
        let output = process::run(sandbox.chroot(root, "sh").args(["-c", &script]), LIMIT)?;
        ensure!(output.success(), "{name}: {}", output.tail(10));
    }
    Ok(())
}

/// The steps of the scenario, packages already fetched. Each run starts from the first stage. The packages at the end must
/// be the same under each interpreter; natively they are of another architecture.
fn apt(store: &Store, columns: &[Interpreter], runs: u32) -> Result<Vec<Row>> {
    const ROOT: &str = "bench-apt";
    let mut rows = ["second stage", "update", "install"].map(|step| Row {
        group: Group::Apt.name().to_owned(),
        workload: step.to_owned(),
        samples: vec![Vec::new(); columns.len()],
        fault: None,
    });
    for run in 1..=runs {
        for (i, column) in columns.iter().enumerate() {
            let arch = if column.path.is_some() { "armhf" } else { "amd64" };
            let progress = Progress::steps(&format!("apt {} {run}/{runs}", column.label), 5);
            let sandbox = Sandbox::new(column.path.as_deref())?;
            let result = store.install(&sandbox, arch, ROOT, debian::PACKAGES, &progress);
            drop(sandbox);
            match result {
                Ok(installed) => {
                    let output = measure::hash(installed.packages.split_whitespace());
                    for row in &mut rows {
                        let steps = installed.steps.iter().filter(|s| s.name == row.workload);
                        row.samples[i].extend(steps.map(|s| Sample::of_step(s.elapsed, s.usage, output)));
                    }
                    if let Some(line) = installed.errors.first() {
                        rows[2].fault.get_or_insert(format!("{}: {line}", column.label));
                    }
                }
                Err(error) => {
                    progress.line(&format!("{error:#}"));
                    for row in &mut rows {
                        row.fault.get_or_insert(format!("{}: {error:#}", column.label));
                    }
                }
            }
            debian::remove(&store.path(ROOT))?;
        }
    }
    rows.iter_mut().for_each(|row| row.compare(false));
    Ok(rows.into())
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

impl Row {
    /// Notes it if outputs differ; native's may, unless `same_as_native`.
    fn compare(&mut self, same_as_native: bool) {
        let first = usize::from(!same_as_native);
        let mut outputs = self.samples[first..].iter().flatten().map(|s| s.output);
        let expected = outputs.next();
        if outputs.any(|o| Some(o) != expected) {
            self.fault.get_or_insert("outputs differ".to_owned());
        }
    }

    fn time(&self, column: usize, cpu: bool) -> Option<f64> {
        median(
            self.samples[column].iter().map(|s| if cpu && s.cpu > 0.0 { s.cpu } else { s.elapsed }).collect(),
        )
    }

    fn ratio(&self, column: usize, cpu: bool) -> Option<f64> {
        Some(self.time(column, cpu)? / self.time(0, cpu)?)
    }

    fn memory(&self, column: usize) -> Option<f64> {
        median(self.samples[column].iter().map(|s| s.memory as f64 / 1024.0).collect())
    }
}

fn geometric_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for value in values {
        sum += value.ln();
        count += 1;
    }
    (count > 0).then(|| (sum / f64::from(count)).exp())
}

/// The geometric mean of a group's ratios in one column; none if a row has none.
fn group_mean(rows: &[&Row], column: usize, cpu: bool) -> Option<f64> {
    let ratios: Vec<f64> = rows.iter().map(|r| r.ratio(column, cpu)).collect::<Option<_>>()?;
    geometric_mean(ratios.into_iter())
}

fn groups(rows: &[Row]) -> Vec<(&str, Vec<&Row>)> {
    let mut groups: Vec<(&str, Vec<&Row>)> = Vec::new();
    for row in rows {
        match groups.last_mut() {
            Some((group, list)) if *group == row.group => list.push(row),
            _ => groups.push((&row.group, vec![row])),
        }
    }
    groups
}

fn table(results: &Results, cpu: bool) -> String {
    let mut text = String::new();
    let show = |value: Option<f64>, unit: &str| value.map_or("-".to_owned(), |v| format!("{v:.2}{unit}"));
    let what = if cpu { "processor time" } else { "time" };
    let _ = writeln!(text, "{} on Linux {}, {what}, ratios to native", results.processor, results.kernel);
    let _ = write!(text, "{:<8} {:<16} {:>10}", "group", "workload", "native");
    for label in &results.columns[1..] {
        let _ = write!(text, " {label:>10}");
    }
    text.push('\n');
    for (group, rows) in groups(&results.rows) {
        for row in &rows {
            let native =
                row.time(0, cpu).map_or("-".to_owned(), |t| crate::ui::seconds(Duration::from_secs_f64(t)));
            let _ = write!(text, "{group:<8} {:<16} {native:>10}", row.workload);
            for column in 1..results.columns.len() {
                let _ = write!(text, " {:>10}", show(row.ratio(column, cpu), "x"));
            }
            let _ = writeln!(text, "{}", if row.fault.is_some() { "  FAULT" } else { "" });
        }
        let _ = write!(text, "{group:<8} {:<16} {:>10}", "geometric mean", "");
        for column in 1..results.columns.len() {
            let _ = write!(text, " {:>10}", show(group_mean(&rows, column, cpu), "x"));
        }
        text.push('\n');
    }
    for row in results.rows.iter().filter(|r| ["true", "python3 -c 1"].contains(&r.workload.as_str())) {
        let _ = write!(text, "{:<8} {:<16} {:>10}", "memory", row.workload, show(row.memory(0), " MB"));
        for column in 1..results.columns.len() {
            let _ = write!(text, " {:>10}", show(row.memory(column), " MB"));
        }
        text.push('\n');
    }
    text
}

/// The rows of the plot: each group's mean and workloads.
fn plotted(results: &Results, cpu: bool) -> Vec<Bars> {
    let columns = 1..results.columns.len();
    let mut rows = Vec::new();
    for (group, members) in groups(&results.rows) {
        let mut bars = |name: &str, mean, ratios| {
            rows.push(Bars { group: group.to_owned(), name: name.to_owned(), mean, ratios });
        };
        bars("mean", true, columns.clone().map(|c| group_mean(&members, c, cpu)).collect());
        for row in &members {
            bars(&row.workload, false, columns.clone().map(|c| row.ratio(c, cpu)).collect());
        }
    }
    rows
}

/// The value of `name : value` in a file of such lines.
fn field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|l| Some(l.strip_prefix(name)?.trim_start().strip_prefix(':')?.trim().to_owned()))
}

/// The hidden command: measures and prints the samples as JSON.
pub fn measure_command(root: &Path, runs: u32, command: &[String]) -> Result<()> {
    if command.is_empty() {
        bail!("no program");
    }
    println!("{}", serde_json::to_string(&measure::measure(root, runs, command)?)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(group: &'static str, times: [f64; 2]) -> Row {
        let sample = |t| vec![Sample::of_step(Duration::from_secs_f64(t), Default::default(), 0)];
        Row { group: group.into(), workload: "w".into(), samples: times.map(sample).into(), fault: None }
    }

    #[test]
    fn ratios_and_means() {
        let rows = [row("a", [1.0, 2.0]), row("a", [1.0, 8.0]), row("b", [2.0, 2.0])];
        let means: Vec<_> = groups(&rows).iter().map(|(_, r)| group_mean(r, 1, false).unwrap()).collect();
        assert!((means[0] - 4.0).abs() < 1e-9 && (means[1] - 1.0).abs() < 1e-9);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn a_missing_row_leaves_no_mean() {
        let mut rows = [row("a", [1.0, 2.0]), row("a", [1.0, 8.0])];
        rows[1].samples[1].clear();
        assert_eq!(group_mean(&groups(&rows)[0].1, 1, false), None);
        let results = Results {
            processor: "p".into(),
            kernel: "k".into(),
            columns: vec!["native".into(), "x".into()],
            rows: rows.into(),
            figures: Vec::new(),
        };
        let text = table(&results, false);
        let mean = text.lines().find(|l| l.contains("geometric mean")).unwrap();
        assert!(text.contains("2.00x") && mean.trim_end().ends_with('-'), "{text}");
    }

    #[test]
    fn outputs_that_differ_are_a_fault() {
        let mut row = row("a", [1.0, 2.0]);
        row.samples[0][0].output = 1;
        row.compare(false);
        assert_eq!(row.fault, None);
        row.compare(true);
        assert_eq!(row.fault.as_deref(), Some("outputs differ"));
    }

    #[test]
    fn interpreters_are_label_and_path() {
        assert_eq!(interpreter("me=/proc/self/exe").unwrap().label, "me");
        assert!(interpreter("/proc/self/exe").is_err() && interpreter("me=/no/such").is_err());
    }
}
