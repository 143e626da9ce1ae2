//! The apt scenario under forearm and under the oracle: both without an error, with the same packages at the end.

use anyhow::{Result, ensure};

use super::{Case, Outcome};
use crate::context::Context;

/// The tests of the scenario.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    Ok(vec![
        Case::new("apt::scenario".into(), move || or_skip(context, scenario)),
        Case::new("apt::same-packages-as-the-oracle".into(), move || or_skip(context, same_packages)),
    ])
}

fn or_skip(context: &Context, test: fn(&Context) -> Result<()>) -> Outcome {
    match context.roots_usable() {
        Ok(()) => test(context).into(),
        Err(why) => Outcome::Skipped(format!("{why:#}")),
    }
}

fn scenario(context: &Context) -> Result<()> {
    let installed = context.forearm_root()?;
    ensure!(installed.errors.is_empty(), "the logs speak of errors:\n{}", installed.errors.join("\n"));
    ensure!(installed.added >= 60, "only {} packages were added", installed.added);
    Ok(())
}

fn same_packages(context: &Context) -> Result<()> {
    let ours = context.forearm_root()?;
    // The oracle's answer is kept for as long as the archive has not changed.
    let release = ours.root.join("var/lib/apt/lists");
    let release = std::fs::read_dir(release)?
        .flatten()
        .find(|f| f.file_name().to_string_lossy().ends_with("_InRelease"))
        .map(|f| std::fs::read(f.path()))
        .transpose()?
        .unwrap_or_default();
    let kept = context.store()?.path("oracle-packages");
    let key = [&release[..], crate::debian::PACKAGES.join(" ").as_bytes()].concat();
    if std::fs::read(kept.join("key")).ok().as_deref() != Some(&key) {
        let theirs = context.scenario("oracle", &context.qemu()?)?;
        std::fs::create_dir_all(&kept)?;
        std::fs::write(kept.join("list"), &theirs.packages)?;
        std::fs::write(kept.join("key"), &key)?;
        crate::debian::remove(&theirs.root)?;
    }
    let theirs = std::fs::read_to_string(kept.join("list"))?;
    let different: Vec<String> = difference("forearm", &ours.packages, &theirs)
        .chain(difference("oracle", &theirs, &ours.packages))
        .collect();
    ensure!(different.is_empty(), "dpkg -l differs:\n{}", different.join("\n"));
    Ok(())
}

/// The lines only `a` has. Column widths may differ, so words are compared.
fn difference<'a>(who: &'a str, a: &'a str, b: &'a str) -> impl Iterator<Item = String> + 'a {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let others: std::collections::HashSet<String> = b.lines().map(words).collect();
    let packages = a.lines().skip_while(|l| !l.starts_with("+++")).skip(1).map(words);
    packages.filter(move |l| !others.contains(l)).map(move |l| format!("{who}: {l}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn differences_are_found_and_widths_are_not() {
        let a = "||/ Name\n+++-====\nii  bash  5.2  armhf  shell\nii  dash 1 armhf  sh\n";
        let b = "+++-====\nii  bash   5.2   armhf  shell\n";
        assert_eq!(super::difference("a", a, b).collect::<Vec<_>>(), ["a: ii dash 1 armhf sh"]);
        assert_eq!(super::difference("b", b, a).count(), 0);
    }
}
