//! Scripts of `tests/apps`, run by the shell of the installed root under forearm alone. A script passes when it
//! exits with zero and its last line is `done`, so that a shell that stops early does not pass.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Case, Outcome};
use crate::context::Context;
use crate::process;
use crate::sandbox::Sandbox;

const LIMIT: Duration = Duration::from_secs(240);

/// The root and the namespaces all tests share.
type Shared = OnceLock<Result<(PathBuf, Sandbox), String>>;

/// One test per script.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    let shared: Arc<Shared> = Arc::default();
    let dir = context.workspace.join("tests/apps");
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(&dir)
        .with_context(|| dir.display().to_string())?
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "sh"))
        .collect();
    scripts.sort();
    Ok(scripts
        .into_iter()
        .map(|script| {
            let name = script.file_stem().unwrap_or_default().to_string_lossy();
            let shared = shared.clone();
            Case::new(format!("apps::{name}"), move || match context.roots_usable() {
                Err(why) => Outcome::Skipped(format!("{why:#}")),
                Ok(()) => run(context, &shared, &script).into(),
            })
        })
        .collect())
}

fn run(context: &Context, shared: &Shared, script: &Path) -> Result<()> {
    let shared = shared.get_or_init(|| enter(context).map_err(|e| format!("no root: {e:#}")));
    let (root, sandbox) = shared.as_ref().map_err(|e| anyhow::anyhow!("{e}"))?;
    let name = script.file_stem().unwrap_or_default().to_string_lossy();
    let work = format!("/tmp/app-{name}");
    let inside = root.join(&work[1..]);
    if inside.exists() {
        std::fs::remove_dir_all(&inside)?;
    }
    std::fs::create_dir_all(&inside)?;
    std::fs::copy(script, inside.join("script"))?;
    let mut command = sandbox.chroot(root, "sh");
    // A home of its own: tests run side by side.
    command.args(["-c", "cd \"$1\" && exec bash -eu -o pipefail script", "sh", &work]).env("HOME", &work);
    let output = process::run(&mut command, LIMIT)?;
    ensure!(output.success(), "ended with {}:\n{}", output.end(), output.tail(15));
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(text.lines().last() == Some("done"), "did not reach its end:\n{}", output.tail(15));
    Ok(())
}

fn enter(context: &Context) -> Result<(PathBuf, Sandbox)> {
    let root = context.any_forearm_root()?;
    let sandbox = Sandbox::new(Some(&context.forearm()))?;
    sandbox.prepare_root(&root)?;
    Ok((root, sandbox))
}
