//! The command line of `tonistiigi/binfmt`, for the container image: `--install arm`, `--uninstall qemu-arm`, and a
//! report in JSON.

use super::{DEFAULT_FLAGS, Entry, NAME, entry, install, own_file, probe, remove_ours};
use crate::commands::Answer;
use lexopt::prelude::*;

/// Platforms that the entries of other emulators stand for.
const PLATFORMS: [(&str, &str); 7] = [
    ("aarch64", "linux/arm64"),
    ("riscv64", "linux/riscv64"),
    ("ppc64le", "linux/ppc64le"),
    ("s390x", "linux/s390x"),
    ("mips64el", "linux/mips64le"),
    ("mips64", "linux/mips64"),
    ("loongarch64", "linux/loong64"),
];

/// Runs it.
pub fn run(args: &[std::ffi::OsString]) -> Answer {
    let (mut to_install, mut to_uninstall) = (Vec::new(), Vec::new());
    // `-install` is as good as `--install` there.
    let args = args.iter().map(|a| match a.to_str() {
        Some("-install" | "-uninstall" | "-version" | "-help") => {
            let mut long = std::ffi::OsString::from("-");
            long.push(a);
            long
        }
        _ => a.clone(),
    });
    let mut parser = lexopt::Parser::from_args(args);
    let text = |e: lexopt::Error| e.to_string();
    let list =
        |value: String| value.split(',').filter(|v| !v.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    while let Some(argument) = parser.next().map_err(text)? {
        match argument {
            Long("install") => {
                to_install.extend(list(parser.value().and_then(|v| v.string()).map_err(text)?))
            }
            Long("uninstall") => {
                to_uninstall.extend(list(parser.value().and_then(|v| v.string()).map_err(text)?))
            }
            Long("version") => {
                println!("binfmt/{0} forearm/{0}", env!("CARGO_PKG_VERSION"));
                return Ok(0);
            }
            Short('h') | Long("help") => {
                println!("usage: binfmt [--install ARCHITECTURES|all] [--uninstall ARCHITECTURES|NAMES]");
                return Ok(0);
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    entry::reach(true)?;
    let mut failed = false;
    let mut report = |what: &str, name: &str, result: Result<(), String>| {
        failed |= result.is_err();
        eprintln!("{what}: {name} {}", result.err().unwrap_or_else(|| "OK".into()));
    };
    for name in to_uninstall {
        report(
            "uninstalling",
            &name,
            if is_arm(&name) { remove_ours(NAME) } else { Err("not found".into()) },
        );
    }
    for name in to_install {
        let result = if is_arm(&name) || name == "all" {
            own_file()
                .and_then(|file| Entry::ours(NAME, &file, DEFAULT_FLAGS))
                .and_then(|e| install(&e, false))
        } else {
            Err(format!("unsupported architecture: {name}"))
        };
        report("installing", &name, result);
    }
    print_report();
    Ok(i32::from(failed))
}

/// A name of the architecture, its platform, or the entry's.
fn is_arm(name: &str) -> bool {
    let name = name.strip_prefix("linux/").unwrap_or(name);
    matches!(name, "arm" | "arm/v5" | "arm/v6" | "arm/v7" | "armhf" | NAME | "qemu-*")
}

fn print_report() {
    let mut supported = vec!["linux/amd64"];
    if std::arch::is_x86_feature_detected!("sse4.2") && std::arch::is_x86_feature_detected!("popcnt") {
        supported.push("linux/amd64/v2");
    }
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("bmi2") {
        supported.push("linux/amd64/v3");
    }
    if probe::runs_i386() {
        supported.push("linux/386");
    }
    if probe::runs_under().is_ok() {
        supported.extend(["linux/arm/v7", "linux/arm/v6"]);
    }
    let mut emulators: Vec<String> =
        Entry::all().into_iter().filter(Entry::is_enabled).map(|e| e.name).collect();
    emulators.sort();
    let others =
        PLATFORMS.iter().filter(|(name, _)| emulators.iter().any(|e| e.ends_with(&format!("-{name}"))));
    supported.extend(others.map(|(_, platform)| *platform));
    let emulators: Vec<&str> = emulators.iter().map(String::as_str).collect();
    println!("{{\n{},\n{}\n}}", array("supported", &supported), array("emulators", &emulators));
}

fn array(name: &str, values: &[&str]) -> String {
    let values: Vec<String> = values.iter().map(|v| format!("    {}", string(v))).collect();
    let inside = if values.is_empty() { String::new() } else { format!("\n{}\n  ", values.join(",\n")) };
    format!("  {}: [{inside}]", string(name))
}

/// A JSON string.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out += &format!("\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_architecture() {
        assert!(["arm", "linux/arm/v7", "linux/arm", "arm/v6", "qemu-arm"].into_iter().all(is_arm));
        assert!(!["arm64", "linux/arm64", "riscv64", "all"].into_iter().any(is_arm));
    }

    #[test]
    fn strings_are_json() {
        assert_eq!(array("a", &["b\"\n"]), "  \"a\": [\n    \"b\\\"\\u000a\"\n  ]");
        assert_eq!(array("a", &[]), "  \"a\": []");
    }
}
