//! Whether bytes are UTF-8, seen in passing.

/// Tells whether bytes that pass by are valid UTF-8, over the borders of pieces.
#[derive(Debug, Default)]
pub struct Utf8Watch {
    /// A sequence that the last piece cut off.
    pub rest: Vec<u8>,
    /// Not valid.
    pub broken: bool,
    /// Characters of three bytes and more: hanzi. GB18030 text that is valid UTF-8 by chance has none of them.
    pub wide: u64,
    /// Bytes that are valid.
    pub valid: u64,
}

impl Utf8Watch {
    /// Looks at the next piece.
    pub fn see(&mut self, piece: &[u8]) {
        if self.broken {
            return;
        }
        let joined;
        let bytes = if self.rest.is_empty() {
            piece
        } else {
            joined = [self.rest.as_slice(), piece].concat();
            joined.as_slice()
        };
        let (valid, rest) = match simdutf8::compat::from_utf8(bytes) {
            Ok(_) => (bytes, &[][..]),
            Err(error) if error.error_len().is_none() => bytes.split_at(error.valid_up_to()),
            Err(error) => {
                self.broken = true;
                (&bytes[..error.valid_up_to()], &[][..])
            }
        };
        self.valid += valid.len() as u64;
        self.wide += valid.iter().filter(|byte| **byte >= 0xe0).count() as u64;
        self.rest = rest.to_vec();
    }

    /// Whether all of it was valid, when the last piece has been seen.
    pub fn valid_to_the_end(&self) -> bool {
        !self.broken && self.rest.is_empty()
    }
}
