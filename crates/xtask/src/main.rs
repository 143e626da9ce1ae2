//! Set-up, tests and benchmarks of forearm that need more than cargo: cross-compilers, ARM roots, an oracle.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod bench;
mod binfmt;
mod context;
mod debian;
mod dist;
mod image;
mod process;
mod sandbox;
mod suites;
mod tools;
mod ui;

use context::Context;
use debian::Mirror;

/// Builds, tests and measures forearm.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
#[command(after_help = "\
Examples:
  cargo xtask test                 everything; the last line says N passed, N failed, N skipped
  cargo xtask test guest::signal   the tests whose names contain that
  cargo xtask apt                  a Debian armhf root from nothing, step by step, with the times
  cargo xtask bench --group start,compute --svg speed.svg

Environment:
  FOREARM=PATH        another interpreter takes forearm's place
  FOREARM_ROOTS=DIR   where roots and downloaded packages are kept (default: target/roots)")]
struct Cli {
    #[command(subcommand)]
    command: Task,
    /// The Debian mirror for roots (default: the first in this machine's apt sources)
    #[arg(long, global = true, value_name = "URL")]
    mirror: Option<String>,
    /// The Debian release for roots, with --mirror
    #[arg(long, global = true, value_name = "CODENAME", default_value = "bookworm")]
    suite: String,
}

#[derive(Subcommand)]
enum Task {
    /// Installs what is missing, builds forearm and runs the tests
    #[command(after_help = suites::help())]
    Test {
        /// Part of the test names to run, such as `guest` or `guest::signal`
        filter: Option<String>,
        /// Print the names and run nothing
        #[arg(long)]
        list: bool,
    },
    /// Bootstraps a Debian armhf root and installs packages in it under forearm
    Apt {
        /// Keep the root and print where it is
        #[arg(long)]
        keep: bool,
    },
    /// Builds forearm with code in it that it has compiled beforehand, running programs and an installation
    Image {
        /// The cargo profile
        #[arg(long, default_value = "dist", value_name = "NAME")]
        profile: String,
    },
    /// Measures forearm against native and qemu-arm-static, as ratios with their geometric means
    Bench(bench::Options),
    /// Makes the Debian package, the tar file and the container image
    Dist(dist::Options),
    /// Measure a program in a root
    #[command(hide = true)]
    Measure {
        root: std::path::PathBuf,
        runs: u32,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Be the first process of a sandbox
    #[command(hide = true)]
    SandboxInit {
        /// `private` or `shared`
        kind: String,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Task::SandboxInit { kind } = &cli.command {
        return end(sandbox::init(kind == "private").map(|()| true));
    }
    if let Task::Measure { root, runs, command } = &cli.command {
        return end(bench::measure_command(root, *runs, command).map(|()| true));
    }
    let interrupted = ctrlc::set_handler(|| {
        process::kill_all();
        binfmt::undo();
        std::process::exit(130);
    });
    if let Err(error) = interrupted {
        eprintln!("Ctrl-C will not clean up: {error}");
    }
    let mut context = Context::new(cli.mirror.map(|url| Mirror { url, suite: cli.suite }));
    if let Task::Bench(options) = &cli.command {
        context.profile.clone_from(&options.profile);
    }
    if let Task::Dist(_) = &cli.command {
        context.profile = "dist".into();
    }
    if let Task::Image { profile } = &cli.command {
        context.profile.clone_from(profile);
    }
    end(match cli.command {
        Task::Test { filter, list } => suites::run(&context, filter.as_deref(), list),
        Task::Apt { keep } => apt(&context, keep),
        Task::Image { .. } => image(&context),
        Task::Bench(options) => bench::run(&context, &options),
        Task::Dist(options) => dist::run(&context, &options),
        Task::SandboxInit { .. } | Task::Measure { .. } => Ok(true),
    })
}

fn end(result: Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The command `image`.
fn image(context: &Context) -> Result<bool> {
    tools::ensure(tools::ROOTS)?;
    context.roots_usable()?;
    println!("{}", image::build(context)?.whole.display());
    Ok(true)
}

/// The command `apt`: the scenario on its own, with its times.
fn apt(context: &Context, keep: bool) -> Result<bool> {
    tools::ensure(tools::ROOTS)?;
    context.roots_usable()?;
    context.build(None)?;
    let installed = context.forearm_root()?;
    println!("{:<14} {:>8}", "step", "time");
    for step in &installed.steps {
        println!("{:<14} {:>8}", step.name, ui::seconds(step.elapsed));
    }
    installed.errors.iter().for_each(|line| println!("error line: {line}"));
    println!("{} packages added, {} error lines", installed.added, installed.errors.len());
    if keep {
        println!("the root is {}", installed.root.display());
    } else {
        debian::remove(&installed.root)?;
    }
    Ok(installed.errors.is_empty())
}
