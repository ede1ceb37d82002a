//! JSON by its grammar (RFC 8259): what is none is refused, or set aside where a line stands by itself; what is some is read.
//!
//! What the RFC leaves open is decided here: half a surrogate pair is refused; of a key that stands twice with different
//! values nobody knows which is meant, so that the record is set aside; numbers keep every digit, however large they are; a
//! BOM is passed over. Records are objects: anything else in the array of records is set aside.

use super::json::json_lines;
use super::*;

/// Values that are none.
const NO_VALUES: &[&str] = &[
    "",
    "'1'",
    "tru",
    "True",
    "nul",
    "NULL",
    "undefined",
    "NaN",
    "-NaN",
    "Infinity",
    "-Infinity",
    "01",
    "-01",
    "00",
    "+1",
    "++1",
    ".5",
    "-.5",
    "1.",
    "1.e1",
    "1e",
    "1e+",
    "1eE2",
    "0x1F",
    "1_000",
    "1 000",
    "-",
    "- 1",
    "--1",
    "1a",
    "１",
    "\"\\x41\"",
    "\"\\'\"",
    "\"\\u12\"",
    "\"\\u12G4\"",
    "\"\\U0041\"",
    "\"\\",
    "\"a\tb\"",
    "\"a\u{1}b\"",
    "\"a",
    "a\"",
    "\"a\"\"b\"",
    "\"a\" \"b\"",
    "[1,]",
    "[,1]",
    "[1,,2]",
    "[1 2]",
    "[1",
    "[1}",
    "[",
    "{\"b\":1,}",
    "{\"b\":1,,\"c\":2}",
    "{\"b\":1 \"c\":2}",
    "{\"b\" 1}",
    "{\"b\",1}",
    "{\"b\"}",
    "{b:1}",
    "{'b':1}",
    "{1:1}",
    "{null:1}",
    "{\"b\":1]",
    "{",
    "1/* c */",
    "/* c */1",
    "1//",
    "#",
    "\u{c}1",
    "\u{a0}1",
    "\u{2003}1",
    "\u{feff}1",
    "1\u{feff}",
];

/// Values, and the cell they give; of an object the cell of its key `b`.
const VALUES: &[(&str, &str)] = &[
    ("null", "-"),
    ("true", "true"),
    ("false", "false"),
    ("0", "0#"),
    ("-0", "-0#"),
    ("0.0", "0.0#"),
    ("0e1", "0e1#"),
    ("1E+2", "1E+2#"),
    ("1e-2", "1e-2#"),
    ("1.50", "1.50#"),
    ("1e999", "1e999#"),
    ("-1e-999", "-1e-999#"),
    (
        "123456789012345678901234567890",
        "123456789012345678901234567890#",
    ),
    (" \t1\t ", "1#"),
    ("\"\"", "-"),
    ("\" a \"", " a "),
    ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{c}\n\r\t"),
    ("\"\\u0041\\u4e00\\u4E00\"", "A一一"),
    ("\"\\ud83d\\ude00\"", "\u{1f600}"),
    ("\"\\u0000\"", "\0"),
    ("\"\u{7f}\u{2028}\u{ffff}/'\"", "\u{7f}\u{2028}\u{ffff}/'"),
    ("[]", "-"),
    ("[ ]", "-"),
    ("[1,\"x\",null]", "1；x"),
    ("{}", ""),
    ("{ }", ""),
    ("{\"b\":\"x\"}", "x"),
    ("{\"b\":1,\"b\":1}", "1#"),
];

/// Half a surrogate pair, alone or with what is no other half.
const HALVES: &[&str] = &[
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800x\"",
    "\"\\ud800\\n\"",
    "\"\\ud800\\u0041\"",
    "\"\\ud800\\ud800\"",
    "\"\\udc00\\ud800\"",
];

fn whole() -> Adapter {
    adapter(Format::Json(Json::default()))
}

fn cell(said: &[String]) -> &str {
    let row = said.last().map_or("", |line| line.as_str());
    row.split_once(' ').map_or("", |(_, cells)| cells)
}

#[test]
fn json_values_are_read_or_refused_by_the_grammar() {
    let mut wrong = Vec::new();
    for value in NO_VALUES {
        let text = format!("[{{\"a\":{value}}}]");
        match read(&whole(), text.as_bytes()) {
            Err(refusal) if ["YB-2131", "YB-2138"].contains(&refusal.code) => {}
            other => wrong.push(format!("{text:?}: {other:?}")),
        }
        // As a line by itself, behind one of the same form, which is read in place.
        let text = format!("{{\"a\":1}}\n{{\"a\":{value}}}\n{{\"a\":2}}\n");
        match read(&json_lines(), text.as_bytes()) {
            Ok((said, _)) if said == ["C a", "1 1#", "!2 YB-2158", "3 2#"] => {}
            other => wrong.push(format!("{text:?}: {other:?}")),
        }
    }
    for (value, expected) in VALUES {
        for (adapter, text) in [
            (whole(), format!("[{{\"a\":1}},{{\"a\":{value}}}]")),
            (json_lines(), format!("{{\"a\":1}}\n{{\"a\":{value}}}\n")),
        ] {
            // An object has a column of its own behind that of `a`.
            let expected = match *expected {
                "" => String::new(),
                expected if value.starts_with('{') => format!("-|{expected}"),
                expected => expected.to_owned(),
            };
            match read(&adapter, text.as_bytes()) {
                Ok((said, _)) if cell(&said) == expected => {}
                other => wrong.push(format!("{text:?}: {expected:?} expected, {other:?}")),
            }
        }
    }
    for half in HALVES {
        for (adapter, text) in [
            (whole(), format!("[{{\"a\":{half}}}]")),
            (whole(), format!("[{{{half}:1}}]")),
            (json_lines(), format!("{{\"a\":1}}\n{{\"a\":{half}}}\n")),
        ] {
            match read(&adapter, text.as_bytes()) {
                Err(refusal) if refusal.code == "YB-2131" => {}
                other => wrong.push(format!("{text:?}: {other:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json_documents_are_read_or_refused_by_the_grammar() {
    let deep = "[".repeat(100_000);
    let deep_objects = "[".to_owned() + &"{\"a\":".repeat(100_000);
    let mut wrong = Vec::new();
    for (text, code) in [
        ("", "YB-2101"),
        (" ", "YB-2101"),
        ("\u{feff}", "YB-2101"),
        ("[", "YB-2138"),
        ("[{", "YB-2138"),
        ("[{\"a\":1}", "YB-2138"),
        ("[{\"a\":1},", "YB-2138"),
        ("[{\"a\":1},]", "YB-2131"),
        ("[,{\"a\":1}]", "YB-2131"),
        ("[{\"a\":1},,{\"a\":1}]", "YB-2131"),
        ("[{\"a\":1}{\"a\":1}]", "YB-2131"),
        ("[{\"a\":1}]]", "YB-2131"),
        ("[{\"a\":1}],", "YB-2131"),
        ("[{\"a\":1}]x", "YB-2131"),
        ("[{\"a\":1}]#", "YB-2131"),
        ("[{\"a\":1}]//", "YB-2131"),
        ("[{\"a\":1}]\u{c}", "YB-2131"),
        ("[{\"a\":1}}", "YB-2131"),
        ("[\u{c}{\"a\":1}]", "YB-2131"),
        ("[nul]", "YB-2131"),
        ("[1,]", "YB-2131"),
        ("[+1]", "YB-2131"),
        ("{}}", "YB-2132"),
        ("{a:1}", "YB-2132"),
        ("{'a':1}", "YB-2132"),
        ("{\"a\":1}", "YB-2132"),
        // A value that is neither object nor array is no export.
        ("1", "YB-2106"),
        ("null", "YB-2106"),
        ("true", "YB-2106"),
        ("\"a\"", "YB-2106"),
        ("]", "YB-2106"),
        ("/* c */[]", "YB-2106"),
        ("<null>", "YB-2106"),
        ("[\0]", "YB-2102"),
        (&deep, "YB-2138"),
        (&deep_objects, "YB-2138"),
    ] {
        match read(&whole(), text.as_bytes()) {
            Err(refusal) if refusal.code == code => {}
            other => {
                let text: String = text.chars().take(60).collect();
                wrong.push(format!("{text:?}: {code} expected, {other:?}"));
            }
        }
    }
    for (text, expected) in [
        ("[]", &[][..]),
        (" [ ] \n", &[]),
        ("\u{feff}[{\"a\":1}]", &["C a", "1 1#"]),
        ("\r\n\t [ { \"a\" : 1 } ]\r\n", &["C a", "1 1#"]),
        ("[{}]", &["1 "]),
        ("[{\"\":1}]", &["C ", "1 1#"]),
        (
            "[1,\"x\",null,true,[],{\"a\":1}]",
            &[
                "!1 YB-2154",
                "!2 YB-2154",
                "!3 YB-2154",
                "!4 YB-2154",
                "!5 YB-2154",
                "C a",
                "6 1#",
            ],
        ),
        (
            "[{\"a\":1,\"a\":2},{\"a\":1,\"a\":1}]",
            &["!1 YB-2153", "C a", "2 1#"],
        ),
        // Pages that were put together.
        ("[{\"a\":1}]\n[{\"a\":2}]", &["C a", "1 1#", "2 2#"]),
    ] {
        match read(&whole(), text.as_bytes()) {
            Ok((said, _)) if said == expected => {}
            other => wrong.push(format!("{text:?}: {other:?}")),
        }
    }
    for bytes in [
        &b"[{\"a\":\"\xff\"}]"[..],
        b"[{\"a\":\"\xe9\"}]",
        b"[{\"\xc0\":1}]",
        b"[{\"a\":1}]\xe5",
    ] {
        match read(&whole(), bytes) {
            Err(refusal) if ["YB-2105", "YB-2106"].contains(&refusal.code) => {}
            other => wrong.push(format!("{bytes:?}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json_lines_stand_by_themselves() {
    let mut wrong = Vec::new();
    for (line, expected) in [
        ("", None),
        (" \t", None),
        ("\u{c}", Some("!2 YB-2158")),
        ("\u{3000}", Some("!2 YB-2158")),
        ("\u{c}{\"a\":2}", Some("!2 YB-2158")),
        ("{\"a\":2}\u{c}", Some("!2 YB-2158")),
        ("{\"a\":2}\u{b}", Some("!2 YB-2158")),
        ("{\"a\":2},", Some("!2 YB-2158")),
        ("{\"a\":2}{\"a\":3}", Some("!2 YB-2158")),
        ("{\"a\":2} {\"a\":3}", Some("!2 YB-2158")),
        ("{\"a\":2}]", Some("!2 YB-2158")),
        ("{\"a\":2", Some("!2 YB-2158")),
        ("// c", Some("!2 YB-2158")),
        ("x", Some("!2 YB-2158")),
        ("1", Some("!2 YB-2154")),
        ("null", Some("!2 YB-2154")),
        ("\"a\"", Some("!2 YB-2154")),
        ("[{\"a\":2}]", Some("!2 YB-2154")),
        ("{\"a\":2,\"a\":3}", Some("!2 YB-2153")),
        ("{}", Some("2 ")),
        (" { \"a\" : 2 } \t", Some("2 2#")),
    ] {
        let text = format!("{{\"a\":1}}\n{line}\n{{\"a\":4}}");
        let expected: Vec<&str> = ["C a", "1 1#"]
            .into_iter()
            .chain(expected)
            .chain(["3 4#"])
            .collect();
        match read(&json_lines(), text.as_bytes()) {
            Ok((said, _)) if said == expected => {}
            other => wrong.push(format!("{line:?}: {expected:?} expected, {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a gateway writes where a total or the records should stand is told as such, not as a fault of form.
#[test]
fn json_of_another_form_than_declared_is_told_as_such() {
    for (value, code) in [("-1", "YB-2133"), ("true", "YB-2133"), ("1.5", "YB-2133")] {
        let text = format!("{{\"data\":{{\"total\":{value},\"list\":[]}}}}");
        refused(&json(), text.as_bytes(), code);
    }
    for value in ["0", "-1", "1.5", "false", "{}"] {
        let text = format!("{{\"data\":{{\"total\":0,\"list\":{value}}}}}");
        refused(&json(), text.as_bytes(), "YB-2132");
    }
}
