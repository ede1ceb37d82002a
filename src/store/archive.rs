//! Files as received, by the digest of their content. What is here is never changed.

use std::fs::{self, DirBuilder, File};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// Bytes read at a time: the file may be greater than the memory.
const PIECE_BYTES: usize = 256 * 1024;

/// Length of a blake3 digest in hex.
const DIGEST_LEN: usize = 64;

/// The folder of archived files.
#[derive(Debug)]
pub struct Archive {
    root: PathBuf,
    incoming: PathBuf,
}

/// An I/O failure with what was being done.
pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> StoreError {
    let what = what.into();
    move |source| StoreError::Io { what, source }
}

/// Makes a folder only its owner may enter; an existing one is left as it is.
pub fn private_folder(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(io(format!("建立目录{}", path.display())))
}

/// Makes what was created in or renamed into a folder survive a power cut.
pub fn sync_folder(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(io(format!("同步目录{}", path.display())))
}

/// Removes a folder with all in it, if it is there.
pub fn remove_folder(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(io(format!("删除{}", path.display()))(error))
        }
        _ => Ok(()),
    }
}

/// The bytes of the files in a folder and below; what goes away meanwhile is not counted.
pub fn folder_bytes(path: &Path) -> Result<u64, StoreError> {
    let what = || io(format!("读取目录{}", path.display()));
    let items = match fs::read_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        items => items.map_err(what())?,
    };
    let mut bytes = 0;
    for item in items {
        let item = item.map_err(what())?;
        match item.metadata() {
            Ok(about) if about.is_dir() => bytes += folder_bytes(&item.path())?,
            Ok(about) => bytes += about.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(what()(error)),
        }
    }
    Ok(bytes)
}

fn is_digest(text: &str) -> bool {
    text.len() == DIGEST_LEN
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

impl Archive {
    /// Opens or makes the folder, and removes what a killed process left half written.
    pub fn open(root: PathBuf) -> Result<Self, StoreError> {
        let incoming = root.join("incoming");
        private_folder(&incoming)?;
        for entry in fs::read_dir(&incoming).map_err(io("读取归档目录"))? {
            let path = entry.map_err(io("读取归档目录"))?.path();
            fs::remove_file(&path).map_err(io(format!("删除未写完的文件{}", path.display())))?;
        }
        Ok(Self { root, incoming })
    }

    /// Where the content of this digest lies; what is no digest names a place where nothing ever lies.
    pub fn place(&self, digest: &str) -> PathBuf {
        if is_digest(digest) {
            self.root.join(&digest[..2]).join(&digest[2..])
        } else {
            self.root.join("no-digest")
        }
    }

    /// Keeps bytes.
    pub fn keep_bytes(&self, bytes: &[u8]) -> Result<String, StoreError> {
        let digest = blake3::hash(bytes).to_hex().to_string();
        if !self.place(&digest).exists() {
            self.keep(&mut &*bytes, "写入归档")?;
        }
        Ok(digest)
    }

    /// Keeps a file; it is read once, in pieces.
    pub fn keep_file(&self, path: &Path) -> Result<String, StoreError> {
        let what = format!("归档文件{}", path.display());
        let mut file = File::open(path).map_err(io(what.clone()))?;
        self.keep(&mut file, &what)
    }

    /// Holds a file by a second name, unseen until it is [`Adoption::settle`]d, or copies it where that can not be; `None` when its
    /// content is here already.
    pub fn adopt(&self, path: &Path, digest: &str) -> Result<Option<Adoption<'_>>, StoreError> {
        if !is_digest(digest) || self.place(digest).exists() {
            return Ok(None);
        }
        let what = format!("归档文件{}", path.display());
        let file = File::open(path).map_err(io(what.clone()))?;
        let held = self.incoming.join(digest);
        if fs::hard_link(path, &held).is_ok() {
            return Ok(Some(Adoption {
                archive: self,
                digest: digest.to_owned(),
                what,
                file,
                held,
            }));
        }
        let kept = self.keep_file(path)?;
        if kept == digest {
            Ok(None)
        } else {
            Err(StoreError::Damaged {
                what,
                text: format!("内容摘要由{digest}变为{kept}"),
            })
        }
    }

    /// The folder of a digest.
    fn make_room(&self, digest: &str) -> Result<(), StoreError> {
        let folder = self.root.join(&digest[..2]);
        if folder.exists() {
            return Ok(());
        }
        private_folder(&folder)?;
        sync_folder(&self.root)
    }

    fn keep(&self, from: &mut dyn Read, what: &str) -> Result<String, StoreError> {
        // tempfile makes it readable by its owner only.
        let mut temporary = tempfile::NamedTempFile::new_in(&self.incoming).map_err(io(what))?;
        let mut hasher = blake3::Hasher::new();
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let n = match from.read(&mut piece) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(io(what)(error)),
            };
            hasher.update(&piece[..n]);
            temporary.write_all(&piece[..n]).map_err(io(what))?;
        }
        let digest = hasher.finalize().to_hex().to_string();
        let place = self.place(&digest);
        if place.exists() {
            return Ok(digest);
        }
        temporary.as_file().sync_all().map_err(io(what))?;
        self.make_room(&digest)?;
        temporary
            .persist(&place)
            .map_err(|error| io(what)(error.error))?;
        sync_folder(&self.root.join(&digest[..2]))?;
        Ok(digest)
    }

    /// The content, checked against its digest.
    pub fn read(&self, digest: &str) -> Result<Vec<u8>, StoreError> {
        let damaged = |text: String| StoreError::Damaged {
            what: format!("归档文件{digest}"),
            text,
        };
        if !is_digest(digest) {
            return Err(damaged("不是blake3摘要".to_owned()));
        }
        let bytes = fs::read(self.place(digest)).map_err(io(format!("读取归档文件{digest}")))?;
        let found = blake3::hash(&bytes).to_hex().to_string();
        if found == digest {
            Ok(bytes)
        } else {
            Err(damaged(format!("内容摘要为{found}")))
        }
    }
}

/// A file that is held by a second name. Dropped before it is settled, it leaves nothing.
#[derive(Debug)]
#[must_use = "the archive has it only once it is settled"]
pub struct Adoption<'a> {
    archive: &'a Archive,
    digest: String,
    what: String,
    file: File,
    held: PathBuf,
}

impl Adoption<'_> {
    /// Puts the file on the disk and in its place. It may be read by its first name meanwhile: a large one takes the disk a while.
    pub fn settle(self) -> Result<(), StoreError> {
        self.file
            .set_permissions(fs::Permissions::from_mode(0o600))
            .and_then(|()| self.file.sync_all())
            .map_err(io(self.what.clone()))?;
        self.archive.make_room(&self.digest)?;
        fs::rename(&self.held, self.archive.place(&self.digest)).map_err(io(self.what.clone()))?;
        sync_folder(&self.archive.root.join(&self.digest[..2]))
    }
}

impl Drop for Adoption<'_> {
    fn drop(&mut self) {
        // Where it was settled nothing is there; what else stays is removed by the next start.
        let _ = fs::remove_file(&self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(root: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(root).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(files(&path));
            } else {
                found.push(path);
            }
        }
        found
    }

    #[test]
    fn the_same_content_is_kept_once_and_only_for_its_owner() {
        let home = tempfile::tempdir().unwrap();
        let archive = Archive::open(home.path().join("archive")).unwrap();
        let source = home.path().join("a.csv");
        fs::write(&source, vec![7; 3 * PIECE_BYTES + 5]).unwrap();
        let digest = archive.keep_file(&source).unwrap();
        assert_eq!(archive.keep_file(&source).unwrap(), digest);
        assert_eq!(
            archive.keep_bytes(&fs::read(&source).unwrap()).unwrap(),
            digest
        );
        assert_eq!(
            files(&home.path().join("archive")),
            [archive.place(&digest)]
        );
        assert_eq!(archive.read(&digest).unwrap(), vec![7; 3 * PIECE_BYTES + 5]);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&archive.place(&digest)), 0o600);
        assert_eq!(mode(archive.place(&digest).parent().unwrap()), 0o700);
        assert_eq!(mode(&home.path().join("archive")), 0o700);
    }

    #[test]
    fn an_adopted_file_is_kept_when_its_first_name_goes() {
        let home = tempfile::tempdir().unwrap();
        let archive = Archive::open(home.path().join("archive")).unwrap();
        let source = home.path().join("a.csv");
        fs::write(&source, b"abc").unwrap();
        let digest = blake3::hash(b"abc").to_hex().to_string();
        drop(archive.adopt(&source, &digest).unwrap().unwrap());
        assert!(files(&home.path().join("archive")).is_empty(), "given up");
        let adoption = archive.adopt(&source, &digest).unwrap().unwrap();
        assert!(!archive.place(&digest).exists(), "not seen yet");
        adoption.settle().unwrap();
        assert!(archive.adopt(&source, &digest).unwrap().is_none(), "here");
        assert_eq!(
            files(&home.path().join("archive")),
            [archive.place(&digest)]
        );
        fs::remove_file(&source).unwrap();
        assert_eq!(archive.read(&digest).unwrap(), b"abc");
        let mode = fs::metadata(archive.place(&digest)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        assert!(archive.adopt(&source, &"0".repeat(64)).is_err(), "gone");
    }

    #[test]
    fn changed_content_and_false_digests_are_told() {
        let home = tempfile::tempdir().unwrap();
        let archive = Archive::open(home.path().join("archive")).unwrap();
        let digest = archive.keep_bytes(b"abc").unwrap();
        fs::write(archive.place(&digest), b"abd").unwrap();
        assert!(matches!(
            archive.read(&digest),
            Err(StoreError::Damaged { .. })
        ));
        for text in ["", "../../etc/passwd", "ab", &"A".repeat(64)] {
            assert!(archive.place(text).starts_with(home.path().join("archive")));
            assert!(archive.read(text).is_err(), "{text}");
        }
        assert!(matches!(
            archive.read(&"0".repeat(64)),
            Err(StoreError::Io { .. })
        ));
    }

    #[test]
    fn half_written_files_are_removed_on_open() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("archive");
        fs::create_dir_all(root.join("incoming")).unwrap();
        fs::write(root.join("incoming/.tmpx"), b"half").unwrap();
        Archive::open(root.clone()).unwrap();
        assert!(files(&root).is_empty());
    }
}
