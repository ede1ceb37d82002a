//! What hosts are logged in with, by reference to files below home.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::SecretString;

use crate::intake::fetch::Unfetched;

/// Longest password or passphrase.
const WORD_BYTES: u64 = 4 << 10;

/// Longest key, list of keys or certificates.
const FILE_BYTES: u64 = 1 << 20;

/// The one line of a secret file, which not everybody on the machine may read or write.
pub fn word(home: &Path, file: &Path) -> Result<SecretString, Unfetched> {
    let text = guarded(home, file, WORD_BYTES)?;
    let word = text.trim_end_matches(['\r', '\n']);
    if word.is_empty() || word.chars().any(char::is_control) {
        return Err(wrong(file, "应只有一行，不能为空"));
    }
    Ok(SecretString::from(word.to_owned()))
}

/// The text of a private key, which not everybody on the machine may read or write.
pub fn key(home: &Path, file: &Path) -> Result<SecretString, Unfetched> {
    guarded(home, file, FILE_BYTES).map(SecretString::from)
}

/// A file that is no secret: keys of servers, certificates.
pub fn open_text(home: &Path, file: &Path) -> Result<String, Unfetched> {
    text(home, file, FILE_BYTES, false)
}

fn guarded(home: &Path, file: &Path, most: u64) -> Result<String, Unfetched> {
    text(home, file, most, true)
}

fn text(home: &Path, file: &Path, most: u64, is_secret: bool) -> Result<String, Unfetched> {
    let opened = File::open(home.join(file)).map_err(|_| wrong(file, "不能读取"))?;
    let mode = opened
        .metadata()
        .map_err(|_| wrong(file, "不能读取"))?
        .permissions()
        .mode();
    if is_secret && mode & 0o007 != 0 {
        return Err(wrong(file, "对本机所有用户开放"));
    }
    let mut text = String::new();
    opened
        .take(most + 1)
        .read_to_string(&mut text)
        .map_err(|_| wrong(file, "不是文本文件"))?;
    if text.len() as u64 > most {
        return Err(wrong(file, "过大"));
    }
    Ok(text)
}

fn wrong(file: &Path, what: &str) -> Unfetched {
    Unfetched::wrong(
        "YB-2415",
        format!(
            "凭据文件 {} {what}。处理：核对 [endpoints] 中的路径和内容，口令和私钥的权限设为 0600",
            file.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn secrets_are_one_line_and_not_open_to_all() {
        let home = tempfile::tempdir().unwrap();
        let put = |text: &str, mode: u32| {
            let path = home.path().join("s");
            fs::write(&path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            word(home.path(), Path::new("s"))
        };
        assert_eq!(put("口令 1\n", 0o600).unwrap().expose_secret(), "口令 1");
        assert_eq!(put("a\r\n", 0o640).unwrap().expose_secret(), "a");
        for (text, mode) in [("a", 0o604), ("a", 0o602), ("", 0o600), ("a\nb", 0o600)] {
            let refused = put(text, mode).unwrap_err();
            assert_eq!(refused.code, "YB-2415", "{text:?} {mode:o}");
        }
        assert!(put(&"a".repeat(4097), 0o600).is_err());
        assert!(word(home.path(), Path::new("none")).is_err());
    }
}
