//! `cargo xtask dist`: what is handed out. A Debian package, a tar file, and a container image.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::image;

pub mod archive;
pub mod completions;
pub mod deb;
pub mod manual;
pub mod oci;
pub mod table;

use archive::Item;
use table::Table;

/// The command's options.
#[derive(clap::Args)]
pub struct Options {
    /// Where the files go (default: target/dist)
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Pack this program instead of building one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Build one without code in it that it has compiled beforehand: needs no root and no Debian mirror
    #[arg(long, conflicts_with = "program")]
    no_image: bool,
}

/// The files that were made.
pub struct Made {
    /// The Debian package.
    pub deb: PathBuf,
    /// The tar file.
    pub tarball: PathBuf,
    /// The container image.
    pub image: PathBuf,
    /// The man page, not compressed.
    pub manual: PathBuf,
    /// bash, zsh and fish.
    pub completions: [PathBuf; 3],
}

/// Builds forearm in the context's profile and packs it.
pub fn run(context: &Context, options: &Options) -> Result<bool> {
    let program = match &options.program {
        Some(program) => program.clone(),
        None if options.no_image => {
            context.build(None)?;
            context.forearm()
        }
        None => image::build(context)?.whole,
    };
    let output = options.output.clone().unwrap_or_else(|| context.target.join("dist"));
    let made = make(context, &program, &output)?;
    for file in [&made.deb, &made.tarball, &made.image] {
        println!("{:>9} KiB  {}", std::fs::metadata(file)?.len().div_ceil(1024), file.display());
    }
    Ok(true)
}

/// Packs `program` into `output`.
pub fn make(context: &Context, program: &Path, output: &Path) -> Result<Made> {
    let read = |path: &Path| std::fs::read(path).with_context(|| path.display().to_string());
    let text = |name: &str| read(&context.workspace.join(name));
    let forearm = read(program)?;
    let table = Table::of(program)?;
    let version = &table.version;
    let manual = manual::page(&table);
    let [bash, zsh, fish] =
        [completions::bash, completions::zsh, completions::fish].map(|shell| shell(&table));
    std::fs::create_dir_all(output).with_context(|| output.display().to_string())?;

    let licences = [text("LICENSE-MIT")?, b"\n".to_vec(), text("LICENSE-APACHE")?].concat();
    let copyright = [&b"forearm: MIT or Apache-2.0, as you like.\n\n"[..], &licences].concat();
    let packed = [
        Item::program("usr/bin/forearm", &forearm[..]),
        Item::file("usr/share/man/man1/forearm.1.gz", archive::gzip(manual.as_bytes())?),
        Item::file("usr/share/bash-completion/completions/forearm", &bash[..]),
        Item::file("usr/share/zsh/vendor-completions/_forearm", &zsh[..]),
        Item::file("usr/share/fish/vendor_completions.d/forearm.fish", &fish[..]),
        Item::file("usr/share/binfmts/forearm", deb::binfmt_support()),
        Item::file("usr/share/doc/forearm/copyright", copyright),
        Item::file("usr/share/doc/forearm/changelog.gz", archive::gzip(&text("CHANGELOG.md")?)?),
    ];
    let control = deb::control(version);
    let package = deb::Package { control: &control, scripts: deb::SCRIPTS, items: &packed };
    let deb = output.join(format!("forearm_{version}_amd64.deb"));
    std::fs::write(&deb, package.build()?)?;

    let name = format!("forearm-{version}-x86_64");
    let tarball = output.join(format!("{name}.tar.xz"));
    let items = [
        Item::program("forearm", &forearm[..]),
        Item::file("forearm.1", &manual[..]),
        Item::file("completions/forearm.bash", &bash[..]),
        Item::file("completions/_forearm", &zsh[..]),
        Item::file("completions/forearm.fish", &fish[..]),
        Item::file("README.md", text("README.md")?),
        Item::file("CHANGELOG.md", text("CHANGELOG.md")?),
        Item::file("LICENSE-MIT", text("LICENSE-MIT")?),
        Item::file("LICENSE-APACHE", text("LICENSE-APACHE")?),
    ];
    std::fs::write(&tarball, archive::xz(&archive::tar(&format!("{name}/"), &items)?)?)?;

    let image = output.join(format!("forearm-{version}-oci.tar"));
    std::fs::write(&image, oci::image(&forearm, version)?)?;

    let write = |name: &str, text: &str| -> Result<PathBuf> {
        let path = output.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    };
    let completions =
        [write("forearm.bash", &bash)?, write("_forearm", &zsh)?, write("forearm.fish", &fish)?];
    Ok(Made { deb, tarball, image, manual: write("forearm.1", &manual)?, completions })
}
