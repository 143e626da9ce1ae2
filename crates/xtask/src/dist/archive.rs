//! Archives whose bytes depend on their contents alone: owners are root, times the epoch's or $SOURCE_DATE_EPOCH.

use std::io::Write;

use anyhow::Result;

/// A file of an archive: its path without a leading slash, what it is, and its mode.
pub struct Item {
    /// Path.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Permissions.
    pub mode: u32,
}

/// What a file is.
pub enum Kind {
    /// A directory.
    Directory,
    /// A file and its bytes.
    File(Vec<u8>),
    /// A symbolic link and where it leads.
    Link(String),
}

impl Item {
    /// A file for everybody to read.
    pub fn file(path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), kind: Kind::File(bytes.into()), mode: 0o644 }
    }

    /// A file for everybody to run.
    pub fn program(path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { mode: 0o755, ..Self::file(path, bytes) }
    }

    /// A directory.
    pub fn directory(path: &str) -> Self {
        Self { path: path.into(), kind: Kind::Directory, mode: 0o755 }
    }

    /// A symbolic link.
    pub fn link(path: &str, target: &str) -> Self {
        Self { path: path.into(), kind: Kind::Link(target.into()), mode: 0o777 }
    }
}

/// A tar archive of the items, with every directory above them, in order. `prefix` is put before each path.
pub fn tar(prefix: &str, items: &[Item]) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut made = std::collections::BTreeSet::new();
    for item in items {
        for (at, _) in item.path.match_indices('/') {
            let parent = &item.path[..at];
            if made.insert(parent.to_owned()) {
                append(&mut archive, prefix, &Item::directory(parent))?;
            }
        }
        if made.insert(item.path.clone()) {
            append(&mut archive, prefix, item)?;
        }
    }
    Ok(archive.into_inner()?)
}

fn append(archive: &mut tar::Builder<Vec<u8>>, prefix: &str, item: &Item) -> Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(item.mode);
    header.set_mtime(time());
    header.set_username("root")?;
    header.set_groupname("root")?;
    let (kind, slash, bytes) = match &item.kind {
        Kind::Directory => (tar::EntryType::Directory, "/", &[][..]),
        Kind::File(bytes) => (tar::EntryType::Regular, "", &bytes[..]),
        Kind::Link(target) => {
            header.set_link_name(target)?;
            (tar::EntryType::Symlink, "", &[][..])
        }
    };
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    // dpkg wants `./`, which set_path takes away.
    let path = format!("{prefix}{}{slash}", item.path);
    anyhow::ensure!(path.len() < 100, "{path} is too long for a header");
    header.as_gnu_mut().expect("made as one").name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_cksum();
    archive.append(&header, bytes)?;
    Ok(())
}

/// Seconds since the epoch that files get.
pub fn time() -> u64 {
    std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|t| t.parse().ok()).unwrap_or(0)
}

/// Compressed by gzip.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Compressed by xz.
pub fn xz(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// A digest as it is written.
pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_come_first_and_once() {
        let items = [Item::file("a/b/c", "1"), Item::link("a/b/d", "c"), Item::program("a/e", "22")];
        let bytes = tar("./", &items).unwrap();
        let mut archive = tar::Archive::new(&bytes[..]);
        let entries: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|e| {
                let e = e.unwrap();
                (String::from_utf8_lossy(&e.path_bytes()).into_owned(), e.header().mode().unwrap(), e.size())
            })
            .collect();
        let expected = [
            ("./a/", 0o755, 0),
            ("./a/b/", 0o755, 0),
            ("./a/b/c", 0o644, 1),
            ("./a/b/d", 0o777, 0),
            ("./a/e", 0o755, 2),
        ];
        assert_eq!(entries, expected.map(|(path, mode, size)| (path.to_owned(), mode, size)));
        assert_eq!(gzip(b"x").unwrap(), gzip(b"x").unwrap());
    }
}
