//! The group `interpreter`: the rate of tier 0 on an integer loop, and what the start of a dynamic program takes. Printed
//! beside what they should be, not asserted.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::workloads::{Group, WORKLOADS};
use super::{Interpreter, Roots, median};
use crate::context::Context;
use crate::process;
use crate::tools;

/// Instructions that a run of `integer.S` with an argument executes more than one without.
const INSTRUCTIONS: f64 = 300e6;

/// A figure and what it should be.
#[derive(Serialize, Deserialize)]
pub struct Figure {
    what: String,
    value: f64,
    unit: String,
    wanted: String,
}

impl Figure {
    fn new(what: &str, value: f64, unit: &str, wanted: &str) -> Self {
        Self { what: what.into(), value, unit: unit.into(), wanted: wanted.into() }
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let group = Group::Interpreter.name();
        write!(f, "{group:<11} {:<24} {:>8.2} {:<16} {}", self.what, self.value, self.unit, self.wanted)
    }
}

/// The rate of tier 0, median of `runs`.
pub fn rate(context: &Context, runs: u32) -> Result<Figure> {
    tools::ensure(tools::CROSS)?;
    let program = context.scratch("interpreter")?.join("integer");
    let mut compiler = Command::new("arm-linux-gnueabihf-gcc");
    compiler.args(["-nostdlib", "-static", "-o"]).arg(&program);
    compiler.arg(context.workspace.join("benches/interpreter/integer.S"));
    let output = process::run(&mut compiler, Duration::from_secs(60))?;
    ensure!(output.success(), "integer.S: {}", output.tail(10));
    let time = |arguments: &[&str]| -> Result<f64> {
        let mut command = Command::new(context.forearm());
        command.arg(&program).args(arguments).env("FOREARM_TIER", "interp");
        let output = process::run(&mut command, Duration::from_secs(300))?;
        ensure!(output.success(), "the integer loop ended with {}: {}", output.end(), output.tail(4));
        Ok(output.elapsed.as_secs_f64())
    };
    let mut rates = Vec::new();
    for _ in 0..runs {
        let start = time(&[])?;
        rates.push(INSTRUCTIONS / (time(&["rounds"])? - start) / 1e6);
    }
    let value = median(rates).unwrap_or(f64::NAN);
    Ok(Figure::new("integer loop", value, "M instructions/s", "(wanted: 150 or more)"))
}

/// Milliseconds of a dynamic `/bin/true`: native, then under forearm as it is and with tier 0 alone.
pub(super) fn start(roots: &Roots, forearm: &Path, runs: u32) -> Result<Vec<Figure>> {
    let Some(workload) = WORKLOADS.iter().find(|w| w.name == "true") else { return Ok(Vec::new()) };
    let native = Interpreter { label: "native".into(), path: None };
    let forearm = Interpreter { label: "forearm".into(), path: Some(forearm.to_owned()) };
    let cases = [
        ("/bin/true, native", &native, None, ""),
        ("/bin/true", &forearm, None, "(wanted: under 4 where native takes 0.8)"),
        ("/bin/true, tier 0 alone", &forearm, Some("interp"), ""),
    ];
    let mut figures = Vec::new();
    for (what, interpreter, tier, wanted) in cases {
        let mut times = Vec::new();
        for _ in 0..runs {
            times.extend(roots.measure(workload, interpreter, tier)?.iter().map(|s| s.elapsed * 1e3));
        }
        figures.push(Figure::new(what, median(times).unwrap_or(f64::NAN), "ms", wanted));
    }
    Ok(figures)
}
