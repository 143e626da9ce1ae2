//! Tells the translator what it was built from: stored code is only good for the translator that made it.

use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let crates = Path::new(&manifest).parent().expect("the crate lies beside the others").to_path_buf();
    let mut files = Vec::new();
    for part in ["backend/src", "frontend/src", "frontend/tables", "frontend/build.rs"] {
        let path = crates.join(part);
        println!("cargo::rerun-if-changed={}", path.display());
        collect(&path, &mut files);
    }
    // Versions of the code generator.
    let lock = crates.join("../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    files.extend(lock.exists().then_some(lock));
    files.sort();
    // FNV-1a, 64 bits.
    let hash = files
        .iter()
        .filter_map(|f| fs::read(f).ok())
        .flatten()
        .fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    println!("cargo::rustc-env=FOREARM_BUILD={hash}");
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    match fs::read_dir(path) {
        Ok(entries) => entries.filter_map(Result::ok).for_each(|e| collect(&e.path(), files)),
        Err(_) => files.push(path.to_path_buf()),
    }
}
