//! Text as departments write it, made regular.

/// Width-folded (NFKC), trimmed (also U+3000, NBSP, zero-width, BOM, tabs), inner runs of blanks as one.
#[must_use]
pub fn fold(text: &str) -> String {
    let _ = text;
    todo!()
}

/// A firm's name for comparing: folded, without blanks, brackets of one width.
#[must_use]
pub fn normal_name(name: &str) -> String {
    let _ = name;
    todo!()
}
