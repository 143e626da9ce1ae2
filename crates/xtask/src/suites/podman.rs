//! `podman build` of an ARM image whose build steps run under forearm, through the registered entry.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Case, Outcome};
use crate::context::Context;
use crate::debian::pack_for_image;
use crate::process;
use crate::sandbox::{Podman, Sandbox};

/// The one test.
pub fn cases(context: &Context) -> Result<Vec<Case<'_>>> {
    Ok(vec![Case::new("podman::build".into(), move || match context.roots_usable() {
        Err(why) => Outcome::Skipped(format!("{why:#}")),
        Ok(()) => build(context).into(),
    })])
}

fn build(context: &Context) -> Result<()> {
    let root = context.any_forearm_root()?;
    let dir = context.scratch("podman")?;
    pack_for_image(&root, &dir.join("root.tar"))?;
    std::fs::write(
        dir.join("Containerfile"),
        "FROM scratch\nADD root.tar /\n\
         RUN apt-get update && apt-get install -y --no-install-recommends figlet bsdextrautils\n\
         RUN figlet -f banner up > /banner && uname -m > /machine && dpkg -s figlet | grep ^Status\n",
    )?;
    let sandbox = Sandbox::new(Some(&context.forearm()))?;
    let at = |name: &str| dir.join(name).display().to_string();
    let mut podman = Podman::new(&sandbox, &dir)?.command();
    podman.args(["build", "--isolation=chroot", "--network=host", "--platform=linux/arm/v7", "--pull=never"]);
    podman.args(["--security-opt=seccomp=unconfined", "--format=oci", "--layers=false"]);
    podman.args(["--output", &format!("type=local,dest={}", at("image")), &dir.display().to_string()]);
    let output = process::run(&mut podman, Duration::from_secs(900))?;
    let image = dir.join("image");
    let result = (|| {
        ensure!(output.success(), "podman build ended with {}:\n{}", output.end(), output.tail(30));
        let machine = std::fs::read_to_string(image.join("machine"))?;
        ensure!(machine.starts_with("armv7"), "uname -m says {machine}");
        ensure!(std::fs::metadata(image.join("banner"))?.len() > 50, "figlet wrote nothing");
        let log = String::from_utf8_lossy(&output.stdout);
        ensure!(
            log.contains("Status: install ok installed"),
            "figlet is not installed:\n{}",
            output.tail(20)
        );
        Ok(())
    })();
    drop(sandbox);
    std::fs::remove_dir_all(&dir)?;
    result
}
