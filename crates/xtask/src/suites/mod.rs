//! The test suites and their runner.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;

use crate::context::Context;
use crate::tools;
use crate::ui::Progress;

mod apps;
mod apt;
mod binfmt;
mod dist;
mod errors;
mod gdb;
mod guest;
mod image;
mod lint;
mod options;
mod podman;
mod programs;
mod shell;
mod unit;

/// How one test ended.
pub enum Outcome {
    /// As it should.
    Passed,
    /// It cannot run here, and why.
    Skipped(String),
    /// What is wrong.
    Failed(String),
}

impl From<Result<()>> for Outcome {
    fn from(result: Result<()>) -> Self {
        match result {
            Ok(()) => Self::Passed,
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

/// One test: a name `suite::test` and what it does.
pub struct Case<'a> {
    name: String,
    run: Box<dyn Fn() -> Outcome + Send + 'a>,
}

impl<'a> Case<'a> {
    /// A test that passes when `run` gives `Ok`.
    pub fn new<T: Into<Outcome>>(name: String, run: impl Fn() -> T + Send + 'a) -> Self {
        Self { name, run: Box::new(move || run().into()) }
    }
}

/// The results so far.
#[derive(Default)]
pub struct Report {
    passed: usize,
    failed: Vec<(String, String)>,
    skipped: Vec<(String, String)>,
    unsteady: Vec<(String, String)>,
}

impl Report {
    /// Adds one result.
    pub fn add(&mut self, name: String, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Skipped(why) => self.skipped.push((name, why)),
            Outcome::Failed(why) => self.failed.push((name, why)),
        }
    }

    /// Prints what failed and what was skipped, then the closing line. True if nothing failed.
    pub fn close(&self) -> bool {
        let lists = [("skipped", &self.skipped), ("unsteady", &self.unsteady), ("FAILED", &self.failed)];
        for (title, list) in lists {
            for (name, why) in list {
                println!("{title}: {name}: {why}");
            }
        }
        println!("{} passed, {} failed, {} skipped", self.passed, self.failed.len(), self.skipped.len());
        self.failed.is_empty()
    }
}

/// Makes the cases of a suite.
type Cases = for<'a> fn(&'a Context) -> Result<Vec<Case<'a>>>;

/// A suite: name, what it needs installed, how many of its tests may run at once (0: as many as processors),
/// and its tests.
struct Suite {
    name: &'static str,
    about: &'static str,
    tools: &'static [tools::Tool],
    jobs: usize,
    cases: Cases,
}

const SUITES: &[Suite] = &[
    Suite {
        name: "lint",
        about: "formatting, clippy, rustdoc, fuzz targets, and dependencies by cargo-deny",
        tools: &[],
        jobs: 1,
        cases: lint::cases,
    },
    Suite {
        name: "guest",
        about: "programs in C, C++ and assembly, in every tier, against the oracle",
        tools: tools::CROSS,
        jobs: 0,
        cases: guest::cases,
    },
    Suite {
        name: "errors",
        about: "files that cannot run: one clear line and the right status",
        tools: tools::CROSS,
        jobs: 0,
        cases: errors::cases,
    },
    Suite {
        name: "gdb",
        about: "core files, and what gdb-multiarch does with a program",
        tools: tools::GDB,
        jobs: 0,
        cases: gdb::cases,
    },
    Suite {
        name: "options",
        about: "each option and variable of docs/compatibility.md; the log, statistics, perf",
        tools: tools::CROSS,
        jobs: 0,
        cases: options::cases,
    },
    Suite {
        name: "programs",
        about: "test programs of the workspace, such as the random instructions",
        tools: tools::CROSS,
        jobs: 1,
        cases: programs::cases,
    },
    Suite {
        name: "apt",
        about: "second stage, update and install in an armhf root, as under the oracle",
        tools: tools::ROOTS,
        jobs: 1,
        cases: apt::cases,
    },
    Suite {
        name: "apps",
        about: "what one does in that root, from bash to nginx",
        tools: tools::ROOTS,
        jobs: 0,
        cases: apps::cases,
    },
    Suite {
        name: "binfmt",
        about: "forearm register, unregister, status, and the container image's --install",
        tools: tools::CROSS,
        jobs: 0,
        cases: binfmt::cases,
    },
    Suite {
        name: "shell",
        about: "forearm shell with apt-get install, as root and as a user",
        tools: tools::SHELL,
        jobs: 1,
        cases: shell::cases,
    },
    Suite {
        name: "dist",
        about: "the package in a Debian root, the tar file, the container image, man page, completions",
        tools: tools::DIST,
        jobs: 1,
        cases: dist::cases,
    },
    Suite {
        name: "image",
        about: "compiled code that a process tree shares, and that is carried in the program",
        tools: tools::CROSS,
        jobs: 1,
        cases: image::cases,
    },
    Suite {
        name: "podman",
        about: "an image build with RUN apt-get install",
        tools: tools::PODMAN,
        jobs: 1,
        cases: podman::cases,
    },
];

/// The suites, for the help text.
pub fn help() -> String {
    let lines = SUITES.iter().map(|s| format!("  {:9} {}\n", s.name, s.about));
    format!("Suites:\n  {:9} cargo test --workspace\n{}", "unit", lines.collect::<String>())
}

/// Runs every test whose name contains `filter`. True if none failed.
pub fn run(context: &Context, filter: Option<&str>, list: bool) -> Result<bool> {
    let mut report = Report::default();
    let filter = filter.unwrap_or("");
    let of_suite =
        |name: &str| filter.starts_with(name) && matches!(filter.as_bytes()[name.len()..], [] | [b':', ..]);
    let named = SUITES.iter().any(|s| of_suite(s.name));
    if !list {
        context.build(None)?;
        if !named {
            unit::run(
                context,
                filter.strip_prefix("unit").unwrap_or(filter).trim_start_matches(':'),
                &mut report,
            )?;
        }
    }
    for suite in SUITES {
        if (named && !of_suite(suite.name)) || of_suite("unit") {
            continue;
        }
        if !list && let Err(error) = tools::ensure(suite.tools) {
            report.add(suite.name.to_owned(), Outcome::Skipped(format!("{error:#}")));
            continue;
        }
        let mut cases = match (suite.cases)(context) {
            Ok(cases) => cases,
            Err(error) => {
                report.add(suite.name.to_owned(), Outcome::Failed(format!("{error:#}")));
                continue;
            }
        };
        cases.retain(|c| c.name.contains(filter));
        if list {
            cases.iter().for_each(|c| println!("{}", c.name));
        } else if !cases.is_empty() {
            run_cases(suite, cases, &mut report);
        }
    }
    Ok(list || report.close())
}

fn run_cases(suite: &Suite, cases: Vec<Case<'_>>, report: &mut Report) {
    let progress = Progress::steps(suite.name, cases.len());
    let jobs = match suite.jobs {
        0 => std::thread::available_parallelism().map_or(1, |n| n.get()),
        n => n,
    };
    let (failed, total) = (AtomicUsize::new(0), cases.len());
    let queue = Mutex::new(cases.into_iter());
    let report = Mutex::new(report);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(|e| e.into_inner()).next();
                    let Some(Case { name, run }) = next else { break };
                    progress.message(&name);
                    let mut outcome = run();
                    if let Outcome::Failed(why) = &outcome {
                        // Many tests have timeouts and share two processors: one that passes when it is run again is
                        // reported, not failed.
                        let again = run();
                        if matches!(again, Outcome::Passed) {
                            progress.line(&format!("passed at the second try {name}: {why}"));
                            report
                                .lock()
                                .unwrap_or_else(|e| e.into_inner())
                                .unsteady
                                .push((name.clone(), why.clone()));
                        }
                        outcome = again;
                    }
                    if let Outcome::Failed(why) = &outcome {
                        failed.fetch_add(1, Ordering::Relaxed);
                        progress.line(&format!("FAILED {name}: {why}"));
                    }
                    progress.advance();
                    report.lock().unwrap_or_else(|e| e.into_inner()).add(name, outcome);
                }
            });
        }
    });
    progress.line(&format!("{total} run, {} failed", failed.into_inner()));
}
