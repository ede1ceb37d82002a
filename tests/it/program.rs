//! The real binary, run as a person would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The binary with these words.
pub fn yingbao(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yingbao"));
    command
        .args(words)
        .env_remove("YINGBAO_HOME")
        .env_remove("YINGBAO_RENEW")
        .stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn run(words: &[&str]) -> Output {
    yingbao(words).output().expect("the binary starts")
}

/// Standard output of a run that ended with this code.
pub fn out(words: &[&str], code: i32) -> String {
    let output = run(words);
    assert_eq!(
        output.status.code(),
        Some(code),
        "yingbao {words:?}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The folder of this package.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// A home with everything as shipped, in a folder of its own.
pub fn home() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    yingbao::config::shipped::unpack(folder.path()).expect("the shipped files are written");
    folder
}

/// Every file below a folder by relative path, with its bytes, except what `skip` says.
pub fn tree(
    folder: &Path,
    skip: &dyn Fn(&str) -> bool,
) -> std::collections::BTreeMap<String, Vec<u8>> {
    fn walk(
        root: &Path,
        folder: &Path,
        skip: &dyn Fn(&str) -> bool,
        found: &mut std::collections::BTreeMap<String, Vec<u8>>,
    ) {
        for entry in std::fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("entry").path();
            let name = path
                .strip_prefix(root)
                .expect("below")
                .to_string_lossy()
                .into_owned();
            if skip(&name) {
                continue;
            }
            if path.is_dir() {
                walk(root, &path, skip, found);
            } else {
                found.insert(name, std::fs::read(&path).expect("the file can be read"));
            }
        }
    }
    let mut found = std::collections::BTreeMap::new();
    walk(folder, folder, skip, &mut found);
    found
}
