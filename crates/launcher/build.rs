//! `FOREARM_IMAGE=FILE`: the compiled code in that file becomes part of the program (see docs/code-cache.md).

fn main() {
    println!("cargo::rustc-check-cfg=cfg(forearm_image)");
    println!("cargo::rerun-if-env-changed=FOREARM_IMAGE");
    if let Some(image) = std::env::var_os("FOREARM_IMAGE").filter(|path| !path.is_empty()) {
        println!("cargo::rerun-if-changed={}", image.display());
        println!("cargo::rustc-cfg=forearm_image");
    }
}
