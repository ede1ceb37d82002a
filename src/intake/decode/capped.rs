//! Caps on what is read: how much comes out of an archive, and how long it takes.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use crate::adapter::limits::Limits;
use crate::domain::batch::Unreadable;
use crate::intake::decode::{inside_io, unreadable};

/// Below this the ratio of unpacked to packed says nothing.
const RATIO_FROM_BYTES: u64 = 1 << 20;

/// A reader that gives up when the time for the file is over.
pub struct Timed<R> {
    inner: R,
    since: Instant,
    seconds: u64,
}

impl<R> Timed<R> {
    /// Gives up so many seconds after `since`.
    pub fn new(inner: R, since: Instant, seconds: u64) -> Self {
        Self {
            inner,
            since,
            seconds,
        }
    }
}

impl<R: Read> Read for Timed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since.elapsed() >= Duration::from_secs(self.seconds) {
            return Err(inside_io(unreadable(
                "YB-2087",
                format!(
                    "读取文件超过 {} 秒。处理：核对文件是否正确；确需更久时调高适配文件 limits.seconds",
                    self.seconds
                ),
            )));
        }
        self.inner.read(buffer)
    }
}

/// How many bytes may come out of so many.
fn ratio_bytes(packed: u64, limits: &Limits) -> u64 {
    packed.saturating_mul(limits.ratio).max(RATIO_FROM_BYTES)
}

/// More than the adapter allows.
pub fn too_big(bytes: u64) -> Unreadable {
    unreadable(
        "YB-2067",
        format!(
            "解压后超过上限 {bytes} 字节。处理：核对文件是否正确；确需更大时调高适配文件 limits.unpacked_bytes"
        ),
    )
}

fn lying() -> Unreadable {
    unreadable(
        "YB-2085",
        "压缩包内文件的实际大小与目录所写不符。处理：核对文件来源和传输是否完整，请提供方重新打包",
    )
}

/// What comes out of an archive or a packed file, under the caps of the adapter.
pub struct Capped<R> {
    inner: R,
    unpacked: u64,
    /// The size its header says.
    declared: Option<u64>,
    bytes: u64,
    ratio_bytes: u64,
    ratio: u64,
}

impl<R> Capped<R> {
    /// Reads what is packed in `packed` bytes. `declared` is the size its header says, where it has one.
    pub fn new(inner: R, packed: u64, declared: Option<u64>, limits: &Limits) -> Self {
        Self {
            inner,
            unpacked: 0,
            declared,
            bytes: limits.unpacked_bytes,
            ratio_bytes: ratio_bytes(packed, limits),
            ratio: limits.ratio,
        }
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let amount = match self.inner.read(buffer) {
            Ok(amount) => amount,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            // The library counts as well. Should it say so in other words one day, the file is refused as damaged.
            Err(error) if error.to_string().contains("declared uncompressed size") => {
                return Err(inside_io(lying()));
            }
            Err(_) => {
                return Err(inside_io(unreadable(
                    "YB-2071",
                    "压缩包内的文件损坏或不完整（校验不符）。处理：核对传输是否完整，请提供方重新打包",
                )));
            }
        };
        self.unpacked += amount as u64;
        if self.unpacked > self.bytes {
            return Err(inside_io(too_big(self.bytes)));
        }
        if self.unpacked > self.ratio_bytes {
            return Err(inside_io(unreadable(
                "YB-2068",
                format!(
                    "压缩比超过上限 {} 倍，疑为压缩炸弹。处理：核对文件来源；确属正常时调高适配文件 limits.ratio",
                    self.ratio
                ),
            )));
        }
        // The end is where a reader finds nothing although it asked for something.
        let at_end = amount == 0 && !buffer.is_empty();
        let lies = self.declared.is_some_and(|declared| {
            self.unpacked > declared || (at_end && self.unpacked < declared)
        });
        if lies {
            return Err(inside_io(lying()));
        }
        Ok(amount)
    }
}
