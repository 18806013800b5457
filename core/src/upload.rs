//! A pack on its way into the database: its files as they are in the folder, each with its checksum.

use crate::error::{Error, Kind};
use crate::pack::{File, Pack, checksum};
use serde::{Deserialize, Serialize};

/// Name of the manifest among the files of a pack.
pub const MANIFEST: &str = "pack.toml";

/// What `strata push` sends and `strata.push_pack` takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    /// Name of the folder; a manifest has its own.
    pub name: String,
    /// Text of `pack.toml`.
    #[serde(default)]
    pub manifest: Option<String>,
    /// The other files.
    pub files: Vec<UploadedFile>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadedFile {
    /// Without a folder.
    pub name: String,
    /// As it is.
    pub text: String,
    /// Of the text, in hexadecimal digits.
    pub sha256: String,
}

impl Upload {
    /// The files of a folder.
    pub fn new(name: String, manifest: Option<String>, files: Vec<File>) -> Self {
        let file = |(name, text): File| UploadedFile { sha256: checksum(&text), name, text };
        Upload { name, manifest, files: files.into_iter().map(file).collect() }
    }

    /// From what a caller sent; refuses what is not an upload, or did not arrive whole.
    pub fn read(json: &serde_json::Value) -> Result<Upload, Error> {
        let upload = Upload::deserialize(json).map_err(|cause| {
            Error::new(Kind::BadArgument, format!("this is no pack: {cause}")).hint("use \"strata push\"")
        })?;
        for file in &upload.files {
            let found = checksum(&file.text);
            if found != file.sha256.to_lowercase() {
                let message = format!("file \"{}\" has SHA-256 {found}, not {}", file.name, file.sha256);
                return Err(Error::new(Kind::BadPack, message).hint("send it again as it is in the folder"));
            }
            if file.name == MANIFEST {
                let message = format!("{MANIFEST} is sent as \"manifest\", not among the files");
                return Err(Error::new(Kind::BadPack, message));
            }
        }
        Ok(upload)
    }

    /// The pack in it.
    pub fn pack(&self) -> Result<Pack, Error> {
        let files = self.files.iter().map(|file| (file.name.clone(), file.text.clone())).collect();
        Pack::read(&self.name, self.manifest.as_deref(), files)
    }

    /// Every file with its checksum, the manifest too: what the database keeps.
    pub fn stored(&self) -> Vec<UploadedFile> {
        let manifest = self.manifest.iter().map(|text| UploadedFile {
            name: MANIFEST.to_owned(),
            sha256: checksum(text),
            text: text.clone(),
        });
        manifest.chain(self.files.iter().cloned()).collect()
    }
}

/// A pack from the files that the database kept.
pub fn restore(name: &str, mut files: Vec<File>) -> Result<Pack, Error> {
    let manifest = files.iter().position(|(name, _)| name == MANIFEST).map(|at| files.swap_remove(at).1);
    Pack::read(name, manifest.as_deref(), files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn upload() -> Upload {
        let manifest = "name='p'\ntitle='P'".to_owned();
        Upload::new("folder".into(), Some(manifest), vec![("1_a.up.sql".into(), "select 1".into())])
    }

    #[test]
    fn a_pack_that_is_sent_is_the_pack_that_arrives() {
        let sent = serde_json::to_value(upload()).expect("plain data");
        let arrived = Upload::read(&sent).expect("whole");
        assert_eq!(arrived, upload());
        let kept = arrived.stored().into_iter().map(|file| (file.name, file.text)).collect();
        let pack = restore("p", kept).expect("a pack");
        assert_eq!((pack.manifest.title.as_str(), pack.migrations.len()), ("P", 1));
    }

    #[test]
    fn refuses_a_file_that_did_not_arrive_whole() {
        let mut cut = upload();
        cut.files[0].text.pop();
        let err = Upload::read(&serde_json::to_value(cut).expect("plain data")).expect_err("cut");
        assert_eq!(err.kind(), Kind::BadPack);
        assert!(err.to_string().starts_with("file \"1_a.up.sql\" has SHA-256 "), "{err}");
    }

    #[test]
    fn refuses_what_is_no_pack() {
        for bad in [json!(1), json!({"name": "p"}), json!({"name": "p", "files": [], "x": 1})] {
            assert_eq!(Upload::read(&bad).expect_err("refused").kind(), Kind::BadArgument);
        }
    }
}
