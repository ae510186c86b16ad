//! Commands in a folder of their own.
#![allow(dead_code)]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A folder that is gone when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("nnc_work_{}_{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("a file");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nnc"));
        command.current_dir(&self.0).args(arguments);
        command
    }

    /// What a command that ends well prints.
    pub fn nnc(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("nnc starts");
        assert!(output.status.success(), "{arguments:?}: {}", errors(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub fn fails(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("nnc starts");
        assert!(!output.status.success(), "{arguments:?} ended well");
        errors(&output)
    }

    pub fn on(&self, input: &str, arguments: &[&str]) -> String {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("nnc starts");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("nnc reads");
        let output = child.wait_with_output().expect("nnc ends");
        assert!(output.status.success(), "{}", errors(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
