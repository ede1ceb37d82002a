//! Which character parts the cells of a delimited text.

/// Candidates, the commonest first.
const CANDIDATES: &[(char, &str)] = &[
    (',', "逗号"),
    ('\t', "制表符"),
    ('|', "竖线"),
    (';', "分号"),
    ('^', "脱字符"),
];
/// Lines that are looked at.
const LINES: usize = 200;

/// The delimiter and its name: the one that most lines have equally often, outside quotes.
pub fn find(text: &str) -> (char, &'static str) {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(LINES)
        .collect();
    let mut best = (0, CANDIDATES[0]);
    for candidate in CANDIDATES {
        let counts: Vec<usize> = lines.iter().map(|line| count(line, candidate.0)).collect();
        let alike = counts
            .iter()
            .filter(|count| **count > 0)
            .map(|count| counts.iter().filter(|other| *other == count).count() * 100 + *count)
            .max()
            .unwrap_or(0);
        if alike > best.0 {
            best = (alike, *candidate);
        }
    }
    best.1
}

/// Whether most of these lines have a delimiter equally often: no text of fixed width, however wide its lines are.
pub fn is_regular(lines: &[String]) -> bool {
    CANDIDATES.iter().any(|(delimiter, _)| {
        let counts: Vec<usize> = lines.iter().map(|line| count(line, *delimiter)).collect();
        counts.iter().any(|wanted| {
            *wanted > 0 && counts.iter().filter(|other| *other == wanted).count() * 2 > lines.len()
        })
    })
}

fn count(line: &str, delimiter: char) -> usize {
    let mut quoted = false;
    line.chars()
        .filter(|c| {
            quoted ^= *c == '"';
            *c == delimiter && !quoted
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_regular_delimiter_is_found() {
        for (text, wanted) in [
            ("a,b\n1,2\n", ','),
            ("a\tb,c\n1\t2\n3\t4\n", '\t'),
            ("a|b|c\n1|2,5|3\n", '|'),
            ("标题\n甲;乙\n\"1,2,3,4\";2\n", ';'),
            ("只有一列\n1\n", ','),
            ("", ','),
        ] {
            assert_eq!(find(text).0, wanted, "{text:?}");
        }
    }
}
