use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read into")]
struct House {
    name: String,
    floors: u32,
    door: Door,
    #[serde(default)]
    rooms: Vec<Room>,
    #[serde(default)]
    rules: BTreeMap<String, Rule>,
    gate: Option<Gate>,
    hours: Hours,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read into")]
struct Door {
    width: f64,
    colour: Colour,
    until: Option<toml::value::Datetime>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Colour {
    Red,
    Green,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read into")]
struct Room {
    id: String,
    beds: u8,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "only read into")]
enum Rule {
    Word(String),
    Table(RuleTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read into")]
struct RuleTable {
    from: String,
    #[serde(default)]
    required: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(dead_code, reason = "only read into")]
enum Gate {
    Wood(Wood),
    Iron { height: u32 },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read into")]
struct Wood {
    planks: u32,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Hours;

impl TryFrom<String> for Hours {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.contains('-') {
            Ok(Self)
        } else {
            Err(format!("“{text}”不是时段"))
        }
    }
}

const GOOD: &str = r#"
name = "家"
floors = 2
hours = "9-12"
[door]
width = 1
colour = "red"
until = 2027-12-31
[[rooms]]
id = "a"
beds = 2
[rules]
a = "甲"
b = { from = "乙", required = true }
[gate.iron]
height = 3
"#;

/// `line:column code key` of every fault.
fn found(text: &str) -> Vec<String> {
    match parse_probing::<House>("f.toml", text, &[Probe::of::<RuleTable>(&["rules"])]) {
        Ok(_) => Vec::new(),
        Err(faults) => faults
            .iter()
            .map(|fault| {
                assert!(fault.text.contains("处理："), "{fault}");
                format!(
                    "{}:{} {} {}",
                    fault.line,
                    fault.column,
                    &fault.code[3..],
                    fault.key
                )
            })
            .collect(),
    }
}

#[test]
fn a_good_file_is_read() {
    assert_eq!(found(GOOD), Vec::<String>::new());
}

#[test]
fn each_fault_is_found_where_it_stands() {
    for (from, to, expected) in [
        ("floors = 2", "floors = 2\nflors = 3", "4:1 1202 flors"),
        ("floors = 2", "floors = \"二\"", "3:10 1203 floors"),
        ("floors = 2", "floors = -2", "3:10 1203 floors"),
        ("floors = 2\n", "\n", "0:0 1204 floors"),
        ("floors = 2", "floors = ", "3:10 1201 "),
        ("name = \"家\"", "name = \"家\"; x = 1", "2:11 1201 "),
        ("floors = 2", "floors = 2\nfloors = 3", "4:1 1201 "),
        ("hours = \"9-12\"", "hours = \"九点\"", "4:9 1203 hours"),
        ("width = 1\n", "\n", "5:2 1204 door.width"),
        (
            "colour = \"red\"",
            "colour = \"rde\"",
            "7:10 1203 door.colour",
        ),
        (
            "until = 2027-12-31",
            "until = \"2027-12-31\"",
            "8:9 1203 door.until",
        ),
        ("beds = 2", "bets = 2\nbeds = 2", "11:1 1202 rooms[1].bets"),
        ("beds = 2", "beds = 300", "11:8 1203 rooms[1].beds"),
        ("beds = 2\n", "\n", "9:1 1204 rooms[1].beds"),
        ("b = { from", "b = { form", "14:7 1202 rules.b.form"),
        (
            "required = true",
            "required = 1",
            "14:30 1203 rules.b.required",
        ),
        ("a = \"甲\"", "a = 5", "13:5 1203 rules.a"),
        ("[gate.iron]", "[gate.irn]", "15:7 1202 gate.irn"),
        (
            "height = 3",
            "height = 3\n[gate.wood]\nplanks = 1",
            "15:2 1203 gate",
        ),
        ("height = 3", "heigth = 3", "16:1 1202 gate.iron.heigth"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let faults = found(&text);
        assert_eq!(faults.join("|"), expected, "{from} → {to}");
    }
}

#[test]
fn all_faults_of_a_file_are_found_at_once() {
    let text = r#"
nam = "家"
floors = "二"
hours = "九点"
[door]
width = "宽"
colour = "blau"
hinge = 1
[[rooms]]
id = 1
beds = 2
[[rooms]]
id = "b"
beds = 2
[[rooms]]
beds = "x"
[rules]
a = { frm = "甲", required = "ja" }
c = 5
[gate.wood]
plank = 1
"#;
    assert_eq!(
        found(text),
        [
            "2:1 1202 nam",
            "3:10 1203 floors",
            "4:9 1203 hours",
            "6:9 1203 door.width",
            "7:10 1203 door.colour",
            "8:1 1202 door.hinge",
            "10:6 1203 rooms[1].id",
            "15:1 1204 rooms[3].id",
            "16:8 1203 rooms[3].beds",
            "18:7 1202 rules.a.frm",
            "18:29 1203 rules.a.required",
            "19:5 1203 rules.c",
            "21:1 1202 gate.wood.plank",
        ]
    );
}

#[test]
fn a_syntax_error_hides_no_fault_of_another_line() {
    let text = "name = “家”\nfloors = 2\nflors = 3\nhours = \"9-12\"\n[door\nwidth = 1\ncolour = \"rde\"\n";
    let faults = found(text);
    assert!(faults.contains(&"3:1 1202 flors".to_owned()), "{faults:?}");
    assert!(
        faults.iter().any(|fault| fault.starts_with("1:")),
        "{faults:?}"
    );
    assert!(
        faults.iter().any(|fault| fault.starts_with("5:")),
        "{faults:?}"
    );
    assert!(
        !faults.iter().any(|fault| fault.contains("1204")),
        "{faults:?}"
    );
}

#[test]
fn a_part_may_leave_keys_out_but_know_no_others() {
    assert!(faults_of_part::<House>("site.toml", "floors = 3\n[door]\nwidth = 2\n").is_empty());
    let faults = faults_of_part::<House>("site.toml", "florrs = 3\n[door]\nwidht = 2\n");
    let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(keys, ["florrs", "door.widht"]);
}

#[test]
fn keys_are_located_by_their_deepest_part() {
    for (key, expected) in [
        ("door", (5, 2)),
        ("door.colour", (7, 1)),
        ("door.colour.hue", (7, 1)),
        ("rooms[1].beds", (11, 1)),
        ("rooms[2].beds", (9, 3)),
        ("rules.b.from", (14, 7)),
        ("gate.iron.height", (16, 1)),
        ("nothing", (0, 0)),
        ("", (0, 0)),
    ] {
        assert_eq!(locate(GOOD, key), expected, "{key}");
    }
    assert_eq!(locate("[a]\n\"b.c\" = 1", "a.b.c"), (2, 1));
}

#[test]
fn a_file_with_a_byte_order_mark_and_windows_lines_is_read() {
    let text = format!("\u{feff}{}", GOOD.trim_start().replace('\n', "\r\n"));
    assert_eq!(found(&text), Vec::<String>::new());
}

proptest! {
    /// Whatever is cut out or put in, an answer comes back, and every fault lies inside the file.
    #[test]
    fn no_text_breaks_the_reader(at in 0usize..200, cut in 0usize..20, put in "[\\PC\n]{0,12}") {
        let chars: Vec<char> = GOOD.chars().collect();
        let at = at.min(chars.len());
        let end = (at + cut).min(chars.len());
        let text: String = chars[..at].iter().chain(put.chars().collect::<Vec<_>>().iter()).chain(&chars[end..]).collect();
        if let Err(faults) = parse::<House>("f.toml", &text) {
            prop_assert!(!faults.is_empty());
            for fault in faults {
                prop_assert!(fault.line <= text.matches('\n').count() + 1);
                prop_assert!(fault.text.contains("处理："));
            }
        }
    }
}
