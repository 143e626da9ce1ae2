//! The container image, as an OCI image layout in a tar file (image-spec, image-layout.md) that `podman load`, `skopeo` and
//! `docker load` take.

use anyhow::Result;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::archive::{Item, gzip, hex, tar};

/// The name it is loaded under.
pub const NAME: &str = "localhost/forearm";

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The image: forearm, and `binfmt` as its entry point, which is what `tonistiigi/binfmt` has.
pub fn image(forearm: &[u8], version: &str) -> Result<Vec<u8>> {
    let mut root: Vec<Item> = ["dev", "proc", "sys", "tmp"].map(Item::directory).into();
    root.push(Item::program("usr/bin/forearm", forearm));
    root.push(Item::link("usr/bin/binfmt", "forearm"));
    let layer = tar("", &root)?;
    let compressed = gzip(&layer)?;
    // Times are left out: the image depends on its contents alone.
    let config = serde_json::to_vec(&json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": ["/usr/bin/binfmt"],
            "Env": ["PATH=/usr/bin"],
            "Labels": {
                "org.opencontainers.image.title": "forearm",
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
            },
        },
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
        "history": [{ "created_by": "cargo xtask dist" }],
    }))?;
    let manifest = serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, &config),
        "layers": [descriptor(LAYER, &compressed)],
    }))?;
    let mut entry = descriptor(MANIFEST, &manifest);
    entry["platform"] = json!({ "architecture": "amd64", "os": "linux" });
    entry["annotations"] = json!({
        "org.opencontainers.image.ref.name": format!("{NAME}:latest"),
        "io.containerd.image.name": format!("{NAME}:latest"),
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] });
    // Docker before version 25 looks for this one.
    let docker = json!([{
        "Config": blob_path(&config),
        "RepoTags": [format!("{NAME}:{version}"), format!("{NAME}:latest")],
        "Layers": [blob_path(&compressed)],
    }]);
    let mut items = vec![
        Item::file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#),
        Item::file("index.json", serde_json::to_vec(&index)?),
        Item::file("manifest.json", serde_json::to_vec(&docker)?),
    ];
    items.extend([config, manifest, compressed].map(|bytes| Item::file(&blob_path(&bytes), bytes)));
    tar("", &items)
}

fn descriptor(kind: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": kind, "digest": digest(bytes), "size": bytes.len() })
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hash(bytes))
}

fn blob_path(bytes: &[u8]) -> String {
    format!("blobs/sha256/{}", hash(bytes))
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::io::Read;

    #[test]
    fn every_digest_leads_to_its_blob() {
        let image = image(b"program", "1").unwrap();
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(&image[..]).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.insert(entry.path().unwrap().display().to_string(), bytes);
        }
        let read = |descriptor: &Value| {
            let digest = descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
            let bytes = &files[&format!("blobs/sha256/{digest}")];
            assert_eq!(hash(bytes), digest);
            assert_eq!(descriptor["size"], bytes.len());
            bytes
        };
        let index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
        let manifest: Value = serde_json::from_slice(read(&index["manifests"][0])).unwrap();
        let config: Value = serde_json::from_slice(read(&manifest["config"])).unwrap();
        let mut layer = Vec::new();
        flate2::read::GzDecoder::new(&read(&manifest["layers"][0])[..]).read_to_end(&mut layer).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][0], digest(&layer));
    }
}
