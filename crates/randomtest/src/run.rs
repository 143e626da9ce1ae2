//! Runs an image under a program and finds out which case kills it.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::case::Case;
use crate::image;
use crate::state::{RECORD_SIZE, State};

/// What runs the image.
#[derive(Clone)]
pub struct Program {
    /// Its path.
    pub path: PathBuf,
    /// Its environment, beside the caller's.
    pub environment: Vec<(String, String)>,
}

/// The state after a case, or how the program died in it.
pub type Outcome = Result<Box<State>, String>;

impl Program {
    /// The outcome of each case. `folder` is for the image. An error is that of the host.
    pub fn run(&self, cases: &[Case], folder: &Path) -> std::io::Result<Vec<Outcome>> {
        let path = folder.join("image");
        // A program that ran before may still hold the file busy.
        let _ = fs::remove_file(&path);
        image::write(&path, cases)?;
        let output = Command::new(&self.path)
            .arg(&path)
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .output()?;
        if output.status.success() && output.stdout.len() == cases.len() * RECORD_SIZE {
            let records = output.stdout.chunks_exact(RECORD_SIZE);
            return Ok(records.map(|r| Ok(Box::new(State::from_record(r)))).collect());
        }
        if cases.len() == 1 {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let how = match (output.status.signal(), output.status.code()) {
                (Some(signal), _) => format!("signal {signal}"),
                (_, Some(code)) => format!("status {code}, {} bytes", output.stdout.len()),
                _ => "unknown end".to_string(),
            };
            return Ok(vec![Err(format!("{how} {}", stderr.lines().next().unwrap_or("")))]);
        }
        // The records are written at the end: halves tell which case it was.
        let (left, right) = cases.split_at(cases.len() / 2);
        let mut outcomes = self.run(left, folder)?;
        outcomes.extend(self.run(right, folder)?);
        Ok(outcomes)
    }
}
