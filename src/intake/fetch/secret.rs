//! Secrets and certificates of endpoints, by reference to files.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::SecretString;

use crate::intake::fetch::Unfetched;

/// Certificates can not be used.
pub const CERTIFICATES: &str = "YB-2022";

/// Longest secret, bytes.
const SECRET_BYTES: u64 = 16 << 10;

/// Longest file of certificates or keys, bytes.
const PEM_BYTES: u64 = 1 << 20;

/// Bits that let anyone but its owner at a file.
const GROUP_AND_OTHERS: u32 = 0o077;

/// The secret in a file (relative to home), trimmed. A file that anyone but its owner may touch is refused. Read anew for each
/// pull, so that a changed password needs no restart.
pub fn read(home: &Path, file: &Path) -> Result<SecretString, Unfetched> {
    let text = String::from_utf8(closed(home, file, SECRET_BYTES)?)
        .map_err(|_| unreadable(file, "不是 UTF-8 文本"))?;
    // Editors of Windows put a mark before the first character.
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(unreadable(file, "是空的"));
    }
    if text.chars().any(char::is_control) {
        return Err(unreadable(file, "多于一行，或含控制字符"));
    }
    Ok(SecretString::from(text))
}

/// The bytes of a private key (PEM), refused likewise.
pub fn private_key(home: &Path, file: &Path) -> Result<Vec<u8>, Unfetched> {
    closed(home, file, PEM_BYTES)
}

/// The text of a private key, refused likewise.
pub fn key(home: &Path, file: &Path) -> Result<SecretString, Unfetched> {
    String::from_utf8(private_key(home, file)?)
        .map(SecretString::from)
        .map_err(|_| unreadable(file, "不是 UTF-8 文本"))
}

/// The text of a file that is no secret: keys of servers, certificates.
pub fn open_text(home: &Path, file: &Path) -> Result<String, Unfetched> {
    String::from_utf8(certificates(home, file)?).map_err(|_| unreadable(file, "不是 UTF-8 文本"))
}

/// The bytes of certificates (PEM): no secret.
pub fn certificates(home: &Path, file: &Path) -> Result<Vec<u8>, Unfetched> {
    let wrong = || {
        Unfetched::wrong(
            CERTIFICATES,
            format!(
                "证书文件 {} 不能读取。处理：核对路径，须为 PEM 格式",
                file.display()
            ),
        )
    };
    let bytes = File::open(home.join(file))
        .and_then(|open| capped(open, PEM_BYTES))
        .map_err(|_| wrong())?;
    bytes.ok_or_else(wrong)
}

fn closed(home: &Path, file: &Path, most: u64) -> Result<Vec<u8>, Unfetched> {
    let failed = |error: std::io::Error| unreadable(file, &format!("不能读取（{}）", error.kind()));
    let open = File::open(home.join(file)).map_err(failed)?;
    let mode = open.metadata().map_err(failed)?.permissions().mode();
    if mode & GROUP_AND_OTHERS != 0 {
        return Err(Unfetched::wrong(
            "YB-2037",
            format!(
                "密钥文件 {} 对本机其他账户开放（{:04o}），未使用。处理：chmod 600 {}，并更换可能已泄露的密钥",
                file.display(),
                mode & 0o777,
                file.display()
            ),
        ));
    }
    capped(open, most)
        .map_err(failed)?
        .ok_or_else(|| unreadable(file, &format!("超过{most}字节")))
}

fn capped(file: File, most: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

fn unreadable(file: &Path, what: &str) -> Unfetched {
    Unfetched::wrong(
        "YB-2024",
        format!(
            "密钥文件 {} {what}。处理：核对设置文件 [endpoints] 中的路径和文件权限（0600），只写密钥一行",
            file.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn secrets_are_read_or_refused_without_showing_them() {
        let home = tempfile::tempdir().unwrap();
        for (content, mode, wanted) in [
            ("tea-and-rice\n", 0o600, Ok("tea-and-rice")),
            ("\u{feff} tea-and-rice \r\n", 0o400, Ok("tea-and-rice")),
            ("tea-and-rice\n", 0o640, Err("YB-2037")),
            ("tea-and-rice\n", 0o604, Err("YB-2037")),
            ("tea-and-rice\n", 0o610, Err("YB-2037")),
            ("\n", 0o600, Err("YB-2024")),
            ("tea\nand rice\n", 0o600, Err("YB-2024")),
            (&"t".repeat(20_000), 0o600, Err("YB-2024")),
        ] {
            let path = home.path().join("secret");
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match (read(home.path(), Path::new("secret")), wanted) {
                (Ok(secret), Ok(text)) => {
                    assert_eq!(secret.expose_secret(), text);
                    assert!(!format!("{secret:?}").contains("tea"));
                }
                (Err(refused), Err(code)) => {
                    assert_eq!(refused.code, code);
                    assert!(!refused.to_string().contains("tea"));
                }
                (found, _) => panic!("{content:?} {mode:o}: {found:?}"),
            }
            fs::remove_file(&path).unwrap();
        }
        assert_eq!(
            read(home.path(), Path::new("nowhere")).unwrap_err().code,
            "YB-2024"
        );
        assert_eq!(
            certificates(home.path(), Path::new("nowhere"))
                .unwrap_err()
                .code,
            "YB-2022"
        );
    }
}
