//! Ranges of rows or columns of a sheet.

/// Ranges of rows or columns, first and last, counted from 0.
pub type Ranges = Vec<(u32, u32)>;

/// Adds a range, joined to the last one where it follows it.
pub fn extend(ranges: &mut Ranges, first: u32, last: u32) {
    match ranges.last_mut() {
        Some((_, end)) if *end + 1 == first => *end = last,
        _ => ranges.push((first, last)),
    }
}

#[cfg(test)]
mod tests {
    use super::extend;

    #[test]
    fn neighbours_are_one_range() {
        let mut rows = Vec::new();
        for row in [2, 3, 4, 9] {
            extend(&mut rows, row, row);
        }
        assert_eq!(rows, [(2, 4), (9, 9)]);
    }
}
