//! Secrets and certificates, by reference to files.

use std::fs::File;
use std::io::{Read, Take};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::SecretString;

use crate::courier::trouble::{self, Trouble};

const SECRET_MAX_BYTES: u64 = 4 * 1024;
const CERTIFICATES_MAX_BYTES: u64 = 1024 * 1024;

/// The secret in a file (relative to home), without the line end. A file that everybody on the machine may read or write is
/// refused. Read anew for each slice of messages, so that a changed password needs no restart.
pub(super) fn read(home: &Path, path: &Path) -> Result<SecretString, Trouble> {
    let say = |what: String| {
        Trouble::new(
            trouble::SECRET,
            format!(
                "口令文件 {}{what}。处理：由运行本程序的账户持有该文件，权限设为 0600，只写口令一行",
                path.display()
            ),
        )
    };
    let file = File::open(home.join(path)).map_err(|error| say(format!("不能打开：{error}")))?;
    let mode = file
        .metadata()
        .map_err(|error| say(format!("不能打开：{error}")))?
        .permissions()
        .mode();
    if mode & 0o007 != 0 {
        return Err(say(format!("对本机所有用户开放（{:04o}）", mode & 0o777)));
    }
    let bytes = capped(file.take(SECRET_MAX_BYTES + 1), SECRET_MAX_BYTES).map_err(say)?;
    let text = String::from_utf8(bytes).map_err(|_| say("不是 UTF-8 文本".to_owned()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(say("是空的".to_owned()));
    }
    if secret.chars().any(char::is_control) {
        return Err(say("多于一行，或含控制字符".to_owned()));
    }
    Ok(SecretString::from(secret.to_owned()))
}

/// The bytes of a file of certificates (relative to home); at least one must be in it.
pub(super) fn certificates(home: &Path, path: &Path) -> Result<Vec<u8>, Trouble> {
    let say = |what: String| {
        Trouble::new(
            trouble::CERTIFICATES,
            format!(
                "证书文件 {}{what}。处理：放入对方服务器的 CA 证书（PEM 格式）",
                path.display()
            ),
        )
    };
    let file = File::open(home.join(path)).map_err(|error| say(format!("不能打开：{error}")))?;
    let bytes = capped(
        file.take(CERTIFICATES_MAX_BYTES + 1),
        CERTIFICATES_MAX_BYTES,
    )
    .map_err(say)?;
    if !String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----") {
        return Err(say("里没有证书".to_owned()));
    }
    Ok(bytes)
}

/// For a certificate library that will not have it.
pub(super) fn bad_certificates(path: &Path) -> Trouble {
    Trouble::new(
        trouble::CERTIFICATES,
        format!(
            "证书文件 {} 不能解析。处理：放入对方服务器的 CA 证书（PEM 格式）",
            path.display()
        ),
    )
}

fn capped(mut file: Take<File>, max_bytes: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)
        .map_err(|error| format!("不能读取：{error}"))?;
    if bytes.len() as u64 > max_bytes {
        return Err(format!("超过 {max_bytes} 字节"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn secrets_are_read_or_refused_without_showing_them() {
        let home = tempfile::tempdir().expect("folder");
        let cases: &[(&str, u32, Result<&str, &str>)] = &[
            ("tea-and-rice\n", 0o600, Ok("tea-and-rice")),
            ("tea-and-rice\r\n", 0o440, Ok("tea-and-rice")),
            (" kept blanks ", 0o600, Ok(" kept blanks ")),
            ("tea-and-rice\n", 0o604, Err("0604")),
            ("tea-and-rice\n", 0o602, Err("0602")),
            ("\n", 0o600, Err("是空的")),
            ("tea\nand rice\n", 0o600, Err("多于一行")),
            (&"t".repeat(5000), 0o600, Err("超过")),
        ];
        for (content, mode, wanted) in cases {
            let path = home.path().join("secret");
            fs::write(&path, content).expect("file");
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).expect("mode");
            match (read(home.path(), Path::new("secret")), wanted) {
                (Ok(secret), Ok(text)) => assert_eq!(secret.expose_secret(), *text),
                (Err(trouble), Err(part)) => {
                    assert_eq!(trouble.code, "YB-6003");
                    assert!(trouble.text.contains(part), "{trouble}");
                    assert!(!trouble.text.contains("tea"), "{trouble}");
                }
                (found, _) => panic!("{content:?} {mode:o}: {found:?}"),
            }
        }
        assert!(read(home.path(), Path::new("nowhere")).is_err());
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let home = tempfile::tempdir().expect("folder");
        fs::write(home.path().join("ca.pem"), "nothing\n").expect("file");
        let trouble = certificates(home.path(), Path::new("ca.pem")).expect_err("refused");
        assert_eq!(trouble.code, "YB-6004");
    }
}
