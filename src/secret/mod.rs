//! Secrets and certificates, by reference to files: the one place that opens them, and the one rule for who may touch them.
//! Read anew each time they are used, so that a changed password needs no restart.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use secrecy::SecretString;

/// The file of a secret can not be used.
pub const UNUSABLE: &str = "YB-2024";

/// The file of a secret is open to others.
pub const OPEN: &str = "YB-2037";

/// Certificates, or keys of servers, can not be used.
pub const CERTIFICATES: &str = "YB-2022";

/// Longest secret, bytes.
const SECRET_BYTES: u64 = 16 << 10;

/// Longest file of certificates or keys, bytes.
const PEM_BYTES: u64 = 1 << 20;

/// Bits that let anyone but its owner at a file.
const GROUP_AND_OTHERS: u32 = 0o077;

/// Why a file is not used; never with anything of its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[{code}] {text}")]
pub struct Refused {
    /// Stable code.
    pub code: &'static str,
    /// What and the remedy, in Chinese.
    pub text: String,
}

/// Whether a file of this mode is open to anyone but its owner: then it holds no secret.
#[must_use]
pub const fn is_open(mode: u32) -> bool {
    mode & GROUP_AND_OTHERS != 0
}

/// The one line in a file (relative to home), without blanks around it. A file that anyone but its owner may touch is refused.
///
/// # Errors
/// It cannot be read, is open to others, is empty, has more than a line.
pub fn read(home: &Path, file: &Path) -> Result<SecretString, Refused> {
    let text = text(file, closed(home, file, SECRET_BYTES)?)?;
    // Editors of Windows put a mark before the first character.
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(unusable(file, "是空的"));
    }
    if text.chars().any(char::is_control) {
        return Err(unusable(file, "多于一行，或含控制字符"));
    }
    Ok(SecretString::from(text))
}

/// The whole text of a file, refused likewise: private keys.
///
/// # Errors
/// It cannot be read, is open to others, is no text.
pub fn key(home: &Path, file: &Path) -> Result<SecretString, Refused> {
    text(file, closed(home, file, PEM_BYTES)?).map(SecretString::from)
}

/// The text of a file that is no secret: keys of servers, certificates.
///
/// # Errors
/// It cannot be read, is no text.
pub fn open_text(home: &Path, file: &Path) -> Result<String, Refused> {
    let wrong = || Refused {
        code: CERTIFICATES,
        text: format!(
            "公钥或证书文件 {} 不能读取。处理：核对路径，须为文本，证书为 PEM 格式",
            file.display()
        ),
    };
    let bytes = regular(&home.join(file))
        .and_then(|open| capped(open, PEM_BYTES))
        .map_err(|_| wrong())?
        .ok_or_else(wrong)?;
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// Certificates (PEM), at least one: no secret.
///
/// # Errors
/// They cannot be read, or there is none.
pub fn certificates(home: &Path, file: &Path) -> Result<Vec<u8>, Refused> {
    let text = open_text(home, file)?;
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(unfit_certificates(file));
    }
    Ok(text.into_bytes())
}

/// For a library that will not have what was read.
#[must_use]
pub fn unfit_certificates(file: &Path) -> Refused {
    Refused {
        code: CERTIFICATES,
        text: format!(
            "证书文件 {} 中没有可用的证书。处理：放入对方服务器的 CA 证书（PEM 格式）",
            file.display()
        ),
    }
}

fn closed(home: &Path, file: &Path, most: u64) -> Result<Vec<u8>, Refused> {
    let failed = |error: std::io::Error| unusable(file, &format!("不能读取（{}）", error.kind()));
    let open = regular(&home.join(file)).map_err(failed)?;
    // Of the file that was opened, not of what may lie there by now.
    let mode = open.metadata().map_err(failed)?.permissions().mode();
    if is_open(mode) {
        return Err(Refused {
            code: OPEN,
            text: format!(
                "密钥文件 {} 对本机其他账户开放（{:04o}），未使用。处理：chmod 600 {}，并更换可能已泄露的密钥",
                file.display(),
                mode & 0o777,
                file.display()
            ),
        });
    }
    capped(open, most)
        .map_err(failed)?
        .ok_or_else(|| unusable(file, &format!("超过{most}字节")))
}

/// Opens what is a file; a pipe would hold us for ever.
fn regular(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    if let Ok(flags) = i32::try_from(OFlags::NONBLOCK.bits()) {
        options.custom_flags(flags);
    }
    let open = options.open(path)?;
    if !open.metadata()?.is_file() {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    Ok(open)
}

fn capped(file: File, most: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

fn text(file: &Path, bytes: Vec<u8>) -> Result<String, Refused> {
    String::from_utf8(bytes).map_err(|_| unusable(file, "不是 UTF-8 文本"))
}

fn unusable(file: &Path, what: &str) -> Refused {
    Refused {
        code: UNUSABLE,
        text: format!(
            "密钥文件 {} {what}。处理：核对设置文件中的路径和文件权限（由运行本程序的账户持有，0600），口令、密钥只写一行",
            file.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::ExposeSecret;

    use super::*;

    fn put(home: &Path, content: &str, mode: u32) {
        let path = home.join("secret");
        let _ = fs::remove_file(&path);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn secrets_are_read_or_refused_without_showing_them() {
        let home = tempfile::tempdir().unwrap();
        for (content, mode, wanted) in [
            ("tea-and-rice\n", 0o600, Ok("tea-and-rice")),
            ("\u{feff} tea-and-rice \r\n", 0o400, Ok("tea-and-rice")),
            ("tea and rice", 0o600, Ok("tea and rice")),
            ("tea-and-rice\n", 0o640, Err(OPEN)),
            ("tea-and-rice\n", 0o440, Err(OPEN)),
            ("tea-and-rice\n", 0o604, Err(OPEN)),
            ("tea-and-rice\n", 0o602, Err(OPEN)),
            ("tea-and-rice\n", 0o610, Err(OPEN)),
            ("\n", 0o600, Err(UNUSABLE)),
            ("tea\nand rice\n", 0o600, Err(UNUSABLE)),
            (&"t".repeat(20_000), 0o600, Err(UNUSABLE)),
        ] {
            put(home.path(), content, mode);
            match (read(home.path(), Path::new("secret")), wanted) {
                (Ok(secret), Ok(text)) => {
                    assert_eq!(secret.expose_secret(), text);
                    assert!(!format!("{secret:?}").contains("tea"));
                }
                (Err(refused), Err(code)) => {
                    assert_eq!(refused.code, code);
                    assert!(!refused.to_string().contains("tea"), "{refused}");
                    assert!(refused.text.contains("处理："), "{refused}");
                }
                (found, _) => panic!("{content:?} {mode:o}: {found:?}"),
            }
        }
    }

    #[test]
    fn keys_keep_their_lines_and_are_closed_likewise() {
        let home = tempfile::tempdir().unwrap();
        let file = Path::new("secret");
        put(home.path(), "one\ntwo\n", 0o600);
        assert_eq!(
            key(home.path(), file).unwrap().expose_secret(),
            "one\ntwo\n"
        );
        put(home.path(), "one\ntwo\n", 0o640);
        assert_eq!(key(home.path(), file).unwrap_err().code, OPEN);
    }

    #[test]
    fn what_is_no_file_is_told_and_does_not_hold_us() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("folder")).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        let pipe = home.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        for name in ["nowhere", "folder", "pipe"] {
            let file = Path::new(name);
            assert_eq!(read(home.path(), file).unwrap_err().code, UNUSABLE);
            assert_eq!(
                certificates(home.path(), file).unwrap_err().code,
                CERTIFICATES
            );
        }
    }

    #[test]
    fn certificates_may_be_open_but_must_be_there() {
        let home = tempfile::tempdir().unwrap();
        let file = Path::new("secret");
        put(home.path(), "nothing\n", 0o644);
        assert!(open_text(home.path(), file).is_ok());
        let refused = certificates(home.path(), file).unwrap_err();
        assert_eq!(refused.code, CERTIFICATES);
        put(home.path(), "-----BEGIN CERTIFICATE-----\n", 0o644);
        assert!(certificates(home.path(), file).is_ok());
    }
}
