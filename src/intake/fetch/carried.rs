//! Files that are carried by hand.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::adapter::language::Adapter;
use crate::intake::fetch::{self, Fetched, Holding, Unfetched};

/// Bytes read at a time.
const PIECE_BYTES: usize = 1 << 20;

/// Looks at a hand-carried file where it lies: its digest, and that it is a regular file under the cap. It is not copied yet; most
/// of what is carried twice is told by its digest. `given`: it may be taken away.
///
/// # Errors
/// It cannot be read or exceeds a limit.
pub fn carry(file: &Path, given: bool, adapter: &Adapter) -> Result<Fetched, Unfetched> {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let about = match fs::symlink_metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Unfetched::wrong(
                "YB-2006",
                format!("没有这个文件：{}。处理：核对路径", file.display()),
            ));
        }
        about => about.map_err(|error| fetch::unread(&name, error.kind()))?,
    };
    if !about.is_file() {
        return Err(fetch::irregular(&name));
    }
    let mut from = File::open(file).map_err(|error| fetch::unread(&name, error.kind()))?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE_BYTES];
    let mut bytes = 0;
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(fetch::unread(&name, error.kind())),
        };
        bytes += read as u64;
        if bytes > adapter.limits.file_bytes {
            return Err(Unfetched::over_cap(adapter.limits.file_bytes));
        }
        hasher.update(&piece[..read]);
    }
    Ok(Fetched {
        path: file.to_owned(),
        name,
        digest: hasher.finalize().to_hex().to_string(),
        cautions: Vec::new(),
        holding: if given { Holding::Given } else { Holding::Lent },
        origin: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carried_file_is_looked_at_where_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let text = include_str!("../../../adapters/tax.toml");
        let mut adapter = Adapter::check("tax", "0", toml::from_str(text).unwrap()).unwrap();
        let file = folder.path().join("202602.csv");
        fs::write(&file, b"abc").unwrap();
        for (given, holding) in [(false, Holding::Lent), (true, Holding::Given)] {
            let fetched = carry(&file, given, &adapter).unwrap();
            assert_eq!(
                (fetched.name.as_str(), fetched.holding),
                ("202602.csv", holding)
            );
            assert_eq!(fetched.digest, blake3::hash(b"abc").to_hex().to_string());
            assert_eq!(fetched.path, file);
        }
        adapter.limits.file_bytes = 2;
        let code = |path: &Path| carry(path, false, &adapter).unwrap_err().code;
        assert_eq!(code(&file), "YB-2005");
        assert_eq!(code(&folder.path().join("none")), "YB-2006");
        assert_eq!(code(folder.path()), "YB-2003");
        let link = folder.path().join("link.csv");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(code(&link), "YB-2003");
    }
}
