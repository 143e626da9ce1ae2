//! The Debian package. It lives beside qemu-user-static, whose other architectures one may need: forearm takes ARM alone.
//!
//! `/usr/bin/qemu-arm-static` becomes an alternative. As qemu-user-static has a file there, that is diverted. So QEMU's own
//! registration, whose interpreter is a link to it, starts forearm too.

use anyhow::Result;
use md5::{Digest, Md5};

use super::archive::{Item, Kind, gzip, hex, tar, time, xz};

/// A binary package.
pub struct Package<'a> {
    /// The fields of `control`, without Installed-Size.
    pub control: &'a str,
    /// preinst, postinst, ...
    pub scripts: &'a [(&'a str, &'a str)],
    /// What it installs.
    pub items: &'a [Item],
}

impl Package<'_> {
    /// The file as deb(5) describes it.
    pub fn build(&self) -> Result<Vec<u8>> {
        let files = || {
            self.items.iter().filter_map(|item| match &item.kind {
                Kind::File(bytes) => Some((&item.path, bytes)),
                _ => None,
            })
        };
        let size: usize = files().map(|(_, bytes)| bytes.len().div_ceil(1024)).sum();
        let control =
            self.control.replacen("\nDescription:", &format!("\nInstalled-Size: {size}\nDescription:"), 1);
        let sums: String =
            files().map(|(path, bytes)| format!("{}  {path}\n", hex(&Md5::digest(bytes)))).collect();
        let mut members = vec![Item::file("control", control), Item::file("md5sums", sums)];
        for &(name, text) in self.scripts {
            let mode = if name == "triggers" { 0o644 } else { 0o755 };
            members.push(Item { mode, ..Item::file(name, text) });
        }
        let mut archive = ar::Builder::new(Vec::new());
        let parts = [
            ("debian-binary", b"2.0\n".to_vec()),
            ("control.tar.gz", gzip(&tar("./", &members)?)?),
            ("data.tar.xz", xz(&tar("./", self.items)?)?),
        ];
        for (name, bytes) in parts {
            let mut header = ar::Header::new(name.into(), bytes.len() as u64);
            header.set_mode(0o100644);
            header.set_mtime(time());
            archive.append(&header, &bytes[..])?;
        }
        Ok(archive.into_inner()?)
    }
}

/// `control` of forearm.
pub fn control(version: &str) -> String {
    format!(
        "Package: forearm
Version: {version}
Architecture: amd64
Multi-Arch: foreign
Maintainer: The forearm developers <forearm@users.noreply.invalid>
Section: otherosfs
Priority: optional
Recommends: systemd | binfmt-support
Suggests: debootstrap, uidmap
Description: run 32-bit ARM Linux programs near native speed
 forearm is a just-in-time translator for programs of Debian's armhf and armel
 architectures. It takes the place of qemu-arm-static: with the package installed
 ARM programs, chroots and containers run under forearm.
 .
 Other architectures of qemu-user-static are not touched; both packages may be
 installed at once.
"
    )
}

/// /usr/share/binfmts/forearm, for `update-binfmts --import`. QEMU's package has the name qemu-arm.
pub fn binfmt_support() -> String {
    let [magic, mask] = [crate::binfmt::MAGIC, crate::binfmt::MASK];
    format!(
        "package forearm\ninterpreter /usr/bin/forearm\nmagic {magic}\noffset 0\nmask {mask}\n\
         credentials yes\nfix_binary yes\npreserve yes\n"
    )
}

/// The maintainer scripts.
pub const SCRIPTS: &[(&str, &str)] = &[
    ("preinst", include_str!("debian/preinst")),
    ("postinst", include_str!("debian/postinst")),
    ("prerm", include_str!("debian/prerm")),
    ("postrm", include_str!("debian/postrm")),
    (
        "triggers",
        "interest-noawait /usr/bin/qemu-arm-static\ninterest-noawait /usr/bin/qemu-arm-static.qemu\n",
    ),
];
