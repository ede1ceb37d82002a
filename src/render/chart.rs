//! Drawings as inline SVG: one hue and hatching instead of colours, values written out, no scripts.

use std::fmt::Write as _;

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// What stands left of it.
    pub label: String,
    /// Its length in thousandths of the full width; longer ones are cut there.
    pub length: u64,
    /// What stands right of it.
    pub value: String,
    /// Hatched: listed apart, or to be looked at.
    pub hatched: bool,
}

/// Widths in user units; the drawing scales with the page.
const LABEL: u64 = 150;
const FULL: u64 = 430;
const RIGHT: u64 = 140;
const ROW: u64 = 22;
const TOP: u64 = 12;

/// Horizontal bars below each other, the mean (thousandths, with its caption) as a dashed line.
#[must_use]
pub fn bars(title: &str, bars: &[Bar], mean: Option<(u64, &str)>) -> String {
    let rows = u64::try_from(bars.len()).unwrap_or(0);
    let (width, height) = (LABEL + FULL + RIGHT, TOP + rows * ROW + 30);
    let mut svg = format!(
        concat!(
            r#"<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">"#,
            r##"<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">"##,
            r##"<rect width="6" height="6" fill="#fff"/><rect width="3" height="6" fill="#1f4e79"/></pattern></defs>"##
        ),
        width = width,
        height = height,
        title = escaped(title)
    );
    for part in 0..=4 {
        let x = LABEL + FULL * part / 4;
        let foot = TOP + rows * ROW;
        // Writing into a string cannot fail.
        let _ = write!(
            svg,
            r##"<line x1="{x}" y1="{}" x2="{x}" y2="{foot}" stroke="#d9d9d9"/>"##,
            TOP - 4
        );
    }
    for (place, bar) in (0u64..).zip(bars) {
        let fill = if bar.hatched {
            "url(#hatch)"
        } else {
            "#1f4e79"
        };
        let _ = write!(
            svg,
            r##"<rect x="{LABEL}" y="{}" width="{}" height="{}" fill="{fill}" stroke="#1f4e79"/>"##,
            TOP + place * ROW + 3,
            length(bar).max(1),
            ROW - 7,
        );
    }
    if let Some((mean, caption)) = mean {
        let x = LABEL + FULL * mean.min(1000) / 1000;
        let foot = TOP + rows * ROW + 4;
        let _ = write!(
            svg,
            concat!(
                r##"<line x1="{x}" y1="{top}" x2="{x}" y2="{foot}" stroke="#b35900" stroke-width="2" stroke-dasharray="5 4"/>"##,
                r##"<text x="{x}" y="{text}" text-anchor="middle" fill="#7a3d00">{caption}</text>"##
            ),
            x = x,
            top = TOP - 8,
            foot = foot,
            text = foot + 17,
            caption = escaped(caption)
        );
    }
    // Text last, with a white rim, so that the lines do not run through it.
    for (place, bar) in (0u64..).zip(bars) {
        let y = TOP + place * ROW + 15;
        let _ = write!(
            svg,
            concat!(
                r#"<text x="{}" y="{}" text-anchor="end">{}</text>"#,
                r##"<text x="{}" y="{}" stroke="#fff" stroke-width="4" paint-order="stroke">{}</text>"##
            ),
            LABEL - 8,
            y,
            escaped(&bar.label),
            LABEL + length(bar) + 8,
            y,
            escaped(&bar.value)
        );
    }
    svg.push_str("</svg>");
    svg
}

fn length(bar: &Bar) -> u64 {
    FULL * bar.length.min(1000) / 1000
}

/// Text and attribute values of XML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_and_text_is_escaped() {
        let bar = |length| Bar {
            label: "A<B".into(),
            length,
            value: "5\"".into(),
            hatched: false,
        };
        let svg = bars(
            "核查率",
            &[bar(500), bar(5000), bar(0)],
            Some((250, "全市")),
        );
        for expected in [
            "width=\"215\"",
            "width=\"430\"",
            "width=\"1\"",
            "A&lt;B",
            "5&quot;",
            "x1=\"257\"",
        ] {
            assert!(svg.contains(expected), "{expected} in {svg}");
        }
    }
}
