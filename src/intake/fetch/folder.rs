//! Drop folders: the oldest complete file that was not taken yet, so that files that piled up come one after another.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::adapter::transport::Folder;
use crate::intake::fetch::{Errand, Fetched, Unfetched, copy};
use crate::intake::pattern;

/// Entries a drop folder may have.
const ENTRIES: usize = 100_000;

/// Between two looks at a file without a marker.
const LOOK_APART: Duration = Duration::from_millis(200);

/// Takes the next file: the smallest name above the greatest taken one; the greatest taken one again when its content is
/// another (a corrected file under the old name); else the smallest that was left out.
pub fn fetch(errand: &Errand<'_>, folder: &Folder) -> Result<Fetched, Unfetched> {
    let Some(path) = &errand.endpoint.path else {
        return Err(Unfetched::wrong(
            "YB-2010",
            format!(
                "地址“{}”没有 path。处理：在 [endpoints] 中写明目录",
                folder.endpoint
            ),
        ));
    };
    let root = errand.home.join(path);
    let names = complete(&root, folder)?;
    let taken: Vec<bool> = names.iter().map(|name| (errand.taken)(name, "")).collect();
    let newest_taken = taken.iter().rposition(|taken| *taken);
    let newer = newest_taken.map_or(0, |at| at + 1);
    if let Some(name) = names.get(newer) {
        return take(errand, &root, folder, name);
    }
    if let Some(name) = newest_taken.and_then(|at| names.get(at)) {
        let again = take(errand, &root, folder, name)?;
        if !(errand.taken)(name, &again.digest) {
            return Ok(again);
        }
        let _ = fs::remove_file(&again.path);
    }
    if let Some(name) = taken
        .iter()
        .position(|taken| !taken)
        .and_then(|at| names.get(at))
    {
        return take(errand, &root, folder, name);
    }
    Err(Unfetched::not_yet(format!(
        "{}尚无新文件",
        errand.adapter.title
    )))
}

/// The names of complete files that fit, ascending.
fn complete(root: &Path, folder: &Folder) -> Result<Vec<String>, Unfetched> {
    let entries = fs::read_dir(root).map_err(|error| {
        Unfetched::wrong(
            "YB-2011",
            format!(
                "接收目录“{}”不能读取（{}）。处理：核对目录是否挂载、权限是否正确",
                folder.endpoint,
                error.kind()
            ),
        )
    })?;
    let mut names = Vec::new();
    let mut markers = std::collections::BTreeSet::new();
    for (at, entry) in entries.enumerate() {
        if at >= ENTRIES {
            return Err(Unfetched::wrong(
                "YB-2012",
                "接收目录中文件过多。处理：清理旧文件",
            ));
        }
        let Some(name) = entry
            .ok()
            .and_then(|entry| entry.file_name().into_string().ok())
        else {
            continue;
        };
        if pattern::fits(&folder.pattern, &name) {
            names.push(name.clone());
        }
        markers.insert(name);
    }
    if let Some(marker) = &folder.marker {
        names.retain(|name| {
            !name.ends_with(marker.as_str()) && markers.contains(&format!("{name}{marker}"))
        });
    }
    names.sort();
    Ok(names)
}

fn take(
    errand: &Errand<'_>,
    root: &Path,
    folder: &Folder,
    name: &str,
) -> Result<Fetched, Unfetched> {
    let path = root.join(name);
    let first = copy(&path, name, errand.adapter, errand.spool)?;
    if folder.marker.is_some() {
        return Ok(first);
    }
    std::thread::sleep(LOOK_APART);
    let second = copy(&path, name, errand.adapter, errand.spool)?;
    let _ = fs::remove_file(&first.path);
    if first.digest != second.digest {
        let _ = fs::remove_file(&second.path);
        return Err(Unfetched::not_yet(format!("{name} 仍在写入")));
    }
    Ok(second)
}
