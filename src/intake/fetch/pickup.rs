//! Picking the next file out of a folder, wherever it lies, and moving it aside once its batch is journaled.

use std::path::PathBuf;
use std::time::Duration;

use crate::adapter::endpoint::host::Names;
use crate::adapter::transport::{Pickup, Transport};
use crate::intake::fetch::folder::Local;
use crate::intake::fetch::listing::{Listed, Listing, Look, Place, Stamp, TooMany, Walk, order};
use crate::intake::fetch::remote::Distant;
use crate::intake::fetch::spooled::Spooled;
use crate::intake::fetch::{Errand, Fetched, Unfetched, names};

/// Names tried for a file whose name is taken where it should go.
const NAMESAKES: u32 = 99;

/// Where a fetched file lies at its source, and what it was when it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    place: Place,
    stamp: Stamp,
}

/// A folder, wherever it lies.
enum Site {
    Local(Local),
    Distant(Box<Distant>),
}

impl Site {
    fn open(errand: &Errand<'_>) -> Result<Self, Unfetched> {
        match &errand.adapter.transport {
            Transport::Folder(folder) => Local::open(errand, folder).map(Self::Local),
            Transport::Sftp(remote) | Transport::Ftp(remote) => {
                Distant::new(errand, remote).map(|distant| Self::Distant(Box::new(distant)))
            }
            Transport::Http(_)
            | Transport::Pages(_)
            | Transport::Job(_)
            | Transport::Command(_) => {
                Err(Unfetched::wrong("YB-2013", "没有目录。处理：核对适配文件"))
            }
        }
    }

    fn names(&self) -> Names {
        match self {
            Self::Local(_) => Names::Auto,
            Self::Distant(distant) => distant.names,
        }
    }

    fn look(&mut self, pickup: Pickup<'_>, most: usize) -> Result<Listing, Unfetched> {
        let mut walk = Walk::new(pickup, self.names(), most);
        while let Some((name, place, left)) = walk.next_folder() {
            let entries = match self {
                Self::Local(local) => local.list(&place, left)?,
                Self::Distant(distant) => distant.list(&place, left)?,
            };
            walk.take(&name, &place, entries).map_err(|TooMany| {
                Unfetched::wrong(
                    "YB-2012",
                    "接收目录中文件过多。处理：清理旧文件；确需更多时调高 limits.entries",
                )
            })?;
        }
        let mut listing = walk.finish();
        if pickup.depth > 0 && matches!(self, Self::Distant(distant) if !distant.tells_kinds()) {
            listing.cautions.push(
                "[YB-2439] 服务器不能列出目录类型（MLSD），未查看子目录。处理：请对方把文件放在一个目录，并删去 depth"
                    .to_owned(),
            );
        }
        Ok(listing)
    }

    fn stamp(&mut self, place: &Place) -> Result<Option<Stamp>, Unfetched> {
        match self {
            Self::Local(local) => local.stamp(place),
            Self::Distant(distant) => distant.stamp(place),
        }
    }

    fn make_folder(&mut self, place: &Place) -> Result<(), Unfetched> {
        match self {
            Self::Local(local) => local.make_folder(place),
            Self::Distant(distant) => distant.make_folder(place),
        }
    }

    fn rename(&mut self, from: &Place, to: &Place) -> Result<bool, Unfetched> {
        match self {
            Self::Local(local) => local.rename(from, to),
            Self::Distant(distant) => distant.rename(from, to),
        }
    }
}

/// Takes the next file. What was met on the way and deserves a word goes with it, be it a file or a reason why there is none.
pub fn fetch(errand: &Errand<'_>, pickup: Pickup<'_>) -> Result<Fetched, Unfetched> {
    let mut cautions = Vec::new();
    if errand
        .endpoint
        .ftp
        .as_ref()
        .is_some_and(crate::adapter::endpoint::host::FtpHost::is_in_the_clear)
    {
        cautions.push(
            "[YB-2428] 口令和数据以明文传送。处理：请对方开通 FTPS 或 SFTP，开通后删去 plain"
                .to_owned(),
        );
    }
    match next(errand, pickup, &mut cautions) {
        Ok(mut fetched) => {
            fetched.cautions = cautions;
            Ok(fetched)
        }
        Err(mut unfetched) => {
            for caution in cautions {
                unfetched.text.push('；');
                unfetched.text.push_str(&caution);
            }
            Err(unfetched)
        }
    }
}

/// Moves a file that was taken aside, where the adapter says so. It stays when it is another by now: that is a new
/// delivery, and the next pull takes it.
pub fn finish(errand: &Errand<'_>, fetched: &Fetched) -> Result<(), Unfetched> {
    let done = errand
        .adapter
        .transport
        .pickup()
        .filter(|pickup| pickup.done.is_some());
    let (Some(pickup), Some(origin)) = (done, &fetched.origin) else {
        return Ok(());
    };
    Site::open(errand)
        .and_then(|mut site| put_away(&mut site, pickup, &origin.place, origin.stamp))
        .map_err(|unfetched| not_moved(&fetched.name, &unfetched))
}

fn not_moved(name: &str, unfetched: &Unfetched) -> Unfetched {
    Unfetched::wrong(
        "YB-2435",
        format!(
            "{name} 已接收，但未能移走（{}）；下次拉取时再移。处理：持续出现请核对对方目录的写权限",
            unfetched.text
        ),
    )
}

fn next(
    errand: &Errand<'_>,
    pickup: Pickup<'_>,
    cautions: &mut Vec<String>,
) -> Result<Fetched, Unfetched> {
    let mut site = Site::open(errand)?;
    let listing = site.look(pickup, errand.adapter.limits.entries)?;
    cautions.extend(listing.cautions);
    let taken: Vec<bool> = listing
        .files
        .iter()
        .map(|file| (errand.taken)(&file.name, ""))
        .collect();
    let mut moves = pickup.done.is_some();
    if moves {
        moves = widowed(&mut site, pickup, errand, &listing.widows, cautions);
    }
    for look in order(&taken, pickup.done.is_some()) {
        let (at, is_again) = match look {
            Look::New(at) => (at, false),
            Look::Again(at) => (at, true),
        };
        let Some(file) = listing.files.get(at) else {
            continue;
        };
        // Where nothing can be moved, what was taken need not be looked at but for the newest.
        if is_again && pickup.done.is_some() && !moves {
            continue;
        }
        let Some(fetched) = take(errand, &mut site, pickup, file, is_again)? else {
            continue;
        };
        if !is_again || !(errand.taken)(&file.name, &fetched.digest) {
            return Ok(fetched);
        }
        let _ = std::fs::remove_file(&fetched.path);
        let Some(origin) = &fetched.origin else {
            continue;
        };
        if pickup.done.is_some() {
            if let Err(unfetched) = put_away(&mut site, pickup, &origin.place, origin.stamp) {
                cautions.push(not_moved(&file.name, &unfetched).to_string());
                moves = false;
            }
        } else {
            remember(errand, &site, &fetched, origin.stamp);
        }
    }
    Err(Unfetched::not_yet(format!(
        "{}尚无新文件",
        errand.adapter.title
    )))
}

/// A file that has settled, copied into the spool; `None` when it is gone, or known to be the one that was taken.
fn take(
    errand: &Errand<'_>,
    site: &mut Site,
    pickup: Pickup<'_>,
    file: &Listed,
    is_again: bool,
) -> Result<Option<Fetched>, Unfetched> {
    let Some(stamp) = site.stamp(&file.place)? else {
        return Ok(None);
    };
    if is_again && pickup.done.is_none() && remembered(errand, site, &file.name, stamp) {
        return Ok(None);
    }
    let still = || Unfetched::not_yet(format!("{} 仍在写入", file.name));
    let pause = || {
        if pickup.marker.is_none() {
            std::thread::sleep(Duration::from_millis(pickup.settle_ms.into()));
        }
    };
    let fetched = match site {
        Site::Local(local) => {
            let copy = |local: &Local| {
                let mut spooled = Spooled::new(errand.adapter, errand.spool)?;
                local.copy(&file.place, &mut spooled)?;
                Ok::<_, Unfetched>(spooled)
            };
            let first = copy(local)?;
            if pickup.marker.is_some() {
                first
            } else {
                pause();
                let second = copy(local)?;
                if first.digest() != second.digest() {
                    return Err(still());
                }
                second
            }
        }
        Site::Distant(distant) => {
            if pickup.marker.is_none() {
                if !stamp.says_something() {
                    return Err(Unfetched::wrong(
                        "YB-2436",
                        "服务器不报告文件大小，无法判断是否写完。处理：与对方约定完成标记，填写 marker",
                    ));
                }
                pause();
                if distant.stamp(&file.place)? != Some(stamp) {
                    return Err(still());
                }
            }
            let mut spooled = begun(errand, distant, &file.place, stamp)?;
            distant.download(&file.place, stamp, &mut spooled)?;
            if stamp.size.is_some_and(|size| size != spooled.bytes) {
                // Whatever it is, it is no part of this file.
                spooled.marked(None);
                return Err(still());
            }
            spooled
        }
    };
    if site.stamp(&file.place)? != Some(stamp) {
        return Err(still());
    }
    let mut fetched = fetched.finish(&file.name)?;
    fetched.origin = Some(Origin {
        place: file.place.clone(),
        stamp,
    });
    Ok(Some(fetched))
}

/// What an earlier pull got of this file, when size and time of change are still the same; else empty.
fn begun(
    errand: &Errand<'_>,
    distant: &Distant,
    place: &Place,
    stamp: Stamp,
) -> Result<Spooled, Unfetched> {
    // Without a time of change, another content of the same size would look the same.
    let mark = stamp
        .size
        .zip(stamp.modified)
        .map(|(size, modified)| format!("{size} {modified}"));
    let Some(mark) = mark else {
        return Spooled::new(errand.adapter, errand.spool);
    };
    let (mut spooled, kept) = Spooled::resumable(errand, &distant.question(place))?;
    if kept.as_ref() != Some(&mark) {
        spooled.start_over()?;
        spooled.marked(Some(mark));
    }
    Ok(spooled)
}

/// Moves a file, and its marker after it, below the folder for what is done. Nothing is ever written over.
fn put_away(
    site: &mut Site,
    pickup: Pickup<'_>,
    place: &Place,
    stamp: Stamp,
) -> Result<(), Unfetched> {
    match site.stamp(place)? {
        None => return Ok(()),
        Some(now) if now != stamp => {
            return Err(Unfetched::wrong("YB-2437", "接收后又有新内容"));
        }
        Some(_) => {}
    }
    aside(site, pickup, place)?;
    if let Some(marker) = pickup.marker {
        let mut companion = place.clone();
        if let Some(own) = companion.last_mut() {
            own.extend_from_slice(marker.as_bytes());
        }
        if site.stamp(&companion)?.is_some() {
            aside(site, pickup, &companion)?;
        }
    }
    Ok(())
}

fn aside(site: &mut Site, pickup: Pickup<'_>, place: &Place) -> Result<(), Unfetched> {
    let mut into: Place = vec![names::write(pickup.done.unwrap_or_default(), site.names())];
    site.make_folder(&into)?;
    let Some((own, above)) = place.split_last() else {
        return Ok(());
    };
    for part in above {
        into.push(part.clone());
        site.make_folder(&into)?;
    }
    for copy in 1..=NAMESAKES {
        let mut target = into.clone();
        let mut name = own.clone();
        if copy > 1 {
            name.extend_from_slice(format!(".{copy}").as_bytes());
        }
        target.push(name);
        if site.rename(place, &target)? {
            return Ok(());
        }
    }
    Err(Unfetched::wrong("YB-2438", "目标目录中同名文件过多"))
}

/// Markers that stayed behind their files go after them: the next file of that name must bring its own. Whether all could be moved.
fn widowed(
    site: &mut Site,
    pickup: Pickup<'_>,
    errand: &Errand<'_>,
    widows: &[Listed],
    cautions: &mut Vec<String>,
) -> bool {
    for widow in widows
        .iter()
        .filter(|widow| (errand.taken)(&widow.name, ""))
    {
        if let Err(unfetched) = aside(site, pickup, &widow.place) {
            cautions.push(not_moved(&widow.name, &unfetched).to_string());
            return false;
        }
    }
    true
}

/// What is remembered of the newest file of another machine, so that it is not downloaded at every pull only to see that
/// it is still the same: name, stamp, digest. It is a convenience; without it the file is downloaded.
fn note(errand: &Errand<'_>) -> PathBuf {
    errand.spool.join(format!("{}.looked", errand.adapter.name))
}

fn remember(errand: &Errand<'_>, site: &Site, fetched: &Fetched, stamp: Stamp) {
    if let (Site::Distant(_), Some(size), Some(modified)) = (site, stamp.size, stamp.modified) {
        let line = format!("{size} {modified} {} {}\n", fetched.digest, fetched.name);
        let _ = std::fs::write(note(errand), line);
    }
}

fn remembered(errand: &Errand<'_>, site: &Site, name: &str, stamp: Stamp) -> bool {
    let (Site::Distant(_), Some(size), Some(modified)) = (site, stamp.size, stamp.modified) else {
        return false;
    };
    let Ok(line) = std::fs::read_to_string(note(errand)) else {
        return false;
    };
    let mut words = line.trim_end_matches('\n').splitn(4, ' ');
    words.next() == Some(size.to_string().as_str())
        && words.next() == Some(modified.to_string().as_str())
        && words
            .next()
            .is_some_and(|digest| (errand.taken)(name, digest))
        && words.next() == Some(name)
}
