//! XML by its rules of form: what another house's parser refuses is refused here, and what it reads is read, with the same text.

use super::*;

/// Whole documents that are not well-formed, or that we do not read.
const REFUSED: &[(&str, &str)] = &[
    // Elements.
    ("<D><R><A>1</A></R>", "YB-2112"),
    ("<D><R><A>1</A></R></D", "YB-2112"),
    ("<D><R><A>1</R></A></D>", "YB-2111"),
    ("<D><R><A>1</a></R></D>", "YB-2111"),
    ("<D><R/></D></D>", "YB-2111"),
    ("<D><R/></D><D/>", "YB-2111"),
    ("<D><R/></D><D><R/></D>", "YB-2111"),
    ("<D><R/></D>text", "YB-2111"),
    ("<D><R/></D>\u{feff}", "YB-2111"),
    ("<D><R/></D>&#32;", "YB-2111"),
    ("<D><R/></D>&amp;", "YB-2111"),
    ("<D><R/></D><![CDATA[]]>", "YB-2111"),
    ("<!-- --><![CDATA[ ]]><D><R/></D>", "YB-2111"),
    ("<D><R/></D>\n<", "YB-2112"),
    ("<D><R><A></A x='1'></R></D>", "YB-2111"),
    ("<D><R></ A></R></D>", "YB-2111"),
    ("<D><R><A/ ></R></D>", "YB-2111"),
    ("<D><R>< A>1</A></R></D>", "YB-2111"),
    ("<D><R><></></R></D>", "YB-2111"),
    ("<!-- nothing -->", "YB-2112"),
    ("<?pi nothing?>\n", "YB-2112"),
    ("", "YB-2101"),
    (" \n", "YB-2101"),
    ("text<D/>", "YB-2106"),
    // Names.
    ("<D><R><1>1</1></R></D>", "YB-2111"),
    ("<D><R><-A>1</-A></R></D>", "YB-2111"),
    ("<D><R><.A>1</.A></R></D>", "YB-2111"),
    ("<D><R><A;B>1</A;B></R></D>", "YB-2111"),
    ("<D><R><A,B/></R></D>", "YB-2111"),
    ("<D><R><A(B)/></R></D>", "YB-2111"),
    ("<D><X$/><R/></D>", "YB-2111"),
    ("<D><R><①>1</①></R></D>", "YB-2111"),
    ("<D><R><\u{b7}A/></R></D>", "YB-2111"),
    ("<D><R><A\u{d7}/></R></D>", "YB-2111"),
    ("<D><R><A\u{7f}/></R></D>", "YB-2111"),
    // Attributes, on records and elsewhere.
    ("<D a='1' a='2'><R/></D>", "YB-2111"),
    ("<D><R a='1' a='1'/></D>", "YB-2111"),
    (
        "<D><R a='1' b='' c='' d='' e='' f='' g='' h='' i='' a='1'/></D>",
        "YB-2111",
    ),
    ("<D a='1<2'><R/></D>", "YB-2111"),
    ("<D><R a='<'/></D>", "YB-2111"),
    ("<D a=1><R/></D>", "YB-2111"),
    ("<D a><R/></D>", "YB-2111"),
    ("<D a=><R/></D>", "YB-2111"),
    ("<D><R a b='1'/></D>", "YB-2111"),
    ("<D a='1'b='2'><R/></D>", "YB-2111"),
    ("<D><R a='1'b='2'/></D>", "YB-2111"),
    ("<D 1a='1'><R/></D>", "YB-2111"),
    ("<D ='1'><R/></D>", "YB-2111"),
    ("<D a='1' , b='2'><R/></D>", "YB-2111"),
    ("<D a='1' 'b'><R/></D>", "YB-2111"),
    ("<D a='&'><R/></D>", "YB-2111"),
    ("<D a='&amp'><R/></D>", "YB-2111"),
    ("<D a='&x;'><R/></D>", "YB-2114"),
    ("<D a='&#0;'><R/></D>", "YB-2111"),
    ("<D a='1\"><R/></D>", "YB-2112"),
    ("<D a='1' / ><R/></D>", "YB-2111"),
    // Text and references.
    ("<D>]]><R/></D>", "YB-2111"),
    ("<D><R><A>x]]>y</A></R></D>", "YB-2111"),
    ("<D><R><A>]]]></A></R></D>", "YB-2111"),
    ("<D><R><A>&#0;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#1;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#x1F;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#xD800;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#xDFFF;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#xFFFE;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#xFFFF;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#x110000;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#99999999999999999999;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#x;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#X41;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#+65;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#x+41;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#4A;</A></R></D>", "YB-2111"),
    ("<D><R><A>&# 65;</A></R></D>", "YB-2111"),
    ("<D><R><A>&#65</A></R></D>", "YB-2111"),
    ("<D><R><A>&amp</A></R></D>", "YB-2111"),
    ("<D><R><A>& amp;</A></R></D>", "YB-2111"),
    ("<D><R><A>&amp ;</A></R></D>", "YB-2111"),
    ("<D><R><A>&;</A></R></D>", "YB-2111"),
    ("<D><R><A>a & b</A></R></D>", "YB-2111"),
    ("<D><R><A>AT&T</A></R></D>", "YB-2111"),
    ("<D><R><A>&AMP;</A></R></D>", "YB-2114"),
    ("<D><R><A>&nbsp;</A></R></D>", "YB-2114"),
    ("<D>&nbsp;<R/></D>", "YB-2114"),
    // Characters.
    ("<D><R><A>\u{1}</A></R></D>", "YB-2124"),
    ("<D><R><A>\u{b}</A></R></D>", "YB-2124"),
    ("<D><R><A>\u{c}</A></R></D>", "YB-2124"),
    ("<D><R><A>\u{1b}[0m</A></R></D>", "YB-2124"),
    ("<D><R><A>\u{fffe}</A></R></D>", "YB-2124"),
    ("<D><R><A>\u{ffff}</A></R></D>", "YB-2124"),
    ("<D><!-- \u{8} --><R/></D>", "YB-2124"),
    ("<D><?x \u{8}?><R/></D>", "YB-2124"),
    ("<D><R a='\u{1f}'/></D>", "YB-2124"),
    ("<D><R><A>\0</A></R></D>", "YB-2106"),
    // Comments, processing instructions, CDATA sections.
    ("<D><!-- a -- b --><R/></D>", "YB-2111"),
    ("<D><!-- a ---><R/></D>", "YB-2111"),
    ("<D><!---><R/></D>", "YB-2112"),
    ("<D><!-- a --<R/></D>", "YB-2112"),
    ("<D><! -- a --><R/></D>", "YB-2111"),
    ("<D><!-a--><R/></D>", "YB-2112"),
    ("<D><?xml version='1.0'?><R/></D>", "YB-2111"),
    ("<D><?XML x?><R/></D>", "YB-2111"),
    ("<D><?xMl?><R/></D>", "YB-2111"),
    ("<D><??><R/></D>", "YB-2111"),
    ("<D><? x?><R/></D>", "YB-2111"),
    ("<D><?1 x?><R/></D>", "YB-2111"),
    ("<D><?x+y?><R/></D>", "YB-2111"),
    ("<D><?x y><R/></D>", "YB-2112"),
    ("<D><![CDATA[ x ]]<R/></D>", "YB-2112"),
    ("<D><![cdata[ x ]]><R/></D>", "YB-2112"),
    ("<D><![CDATA [ x ]]><R/></D>", "YB-2112"),
    ("<D><![INCLUDE[ x ]]><R/></D>", "YB-2112"),
    // The declaration.
    (" <?xml version='1.0'?><D><R/></D>", "YB-2111"),
    ("\n<?xml version='1.0'?><D><R/></D>", "YB-2111"),
    ("<!-- --><?xml version='1.0'?><D><R/></D>", "YB-2111"),
    (
        "<?xml version='1.0'?><?xml version='1.0'?><D><R/></D>",
        "YB-2111",
    ),
    ("<D><R/></D><?xml version='1.0'?>", "YB-2111"),
    ("<?xml?><D><R/></D>", "YB-2111"),
    ("<?xml encoding='UTF-8'?><D><R/></D>", "YB-2111"),
    (
        "<?xml encoding='UTF-8' version='1.0'?><D><R/></D>",
        "YB-2111",
    ),
    (
        "<?xml version='1.0' standalone='yes' encoding='UTF-8'?><D><R/></D>",
        "YB-2111",
    ),
    (
        "<?xml version='1.0'encoding='UTF-8'?><D><R/></D>",
        "YB-2111",
    ),
    (
        "<?xml version='1.0' standalone='YES'?><D><R/></D>",
        "YB-2111",
    ),
    ("<?xml version='1.0' version='1.0'?><D><R/></D>", "YB-2111"),
    ("<?xml version='1.0' lang='zh'?><D><R/></D>", "YB-2111"),
    ("<?xml version='2.0'?><D><R/></D>", "YB-2111"),
    ("<?xml version='1.'?><D><R/></D>", "YB-2111"),
    ("<?xml version='one'?><D><R/></D>", "YB-2111"),
    ("<?xml version=1.0?><D><R/></D>", "YB-2111"),
    ("<?xml version='1.0\"?><D><R/></D>", "YB-2111"),
    ("<?XML version='1.0'?><D><R/></D>", "YB-2111"),
    ("<?xml version='1.0' encoding=''?><D><R/></D>", "YB-2104"),
    (
        "<?xml version='1.0' encoding=' UTF-8'?><D><R/></D>",
        "YB-2104",
    ),
    (
        "<?xml version='1.0' encoding='UTF-8 '?><D><R/></D>",
        "YB-2111",
    ),
    ("<?xml version='1.0' encoding='8'?><D><R/></D>", "YB-2104"),
    (
        "<?xml version='1.0' encoding='UTF-16'?><D><R/></D>",
        "YB-2104",
    ),
    (
        "<?xml version='1.0' encoding='nobody-knows'?><D><R/></D>",
        "YB-2104",
    ),
    ("<?xml version='1.0'><D><R/></D>", "YB-2112"),
    // DOCTYPE: one that defines anything is not read, whether it is well-formed or not.
    (
        "<!DOCTYPE D [<!ENTITY a 'x'>]><D><R><A>&a;</A></R></D>",
        "YB-2113",
    ),
    ("<!DOCTYPE D []><D><R/></D>", "YB-2113"),
    ("<!DOCTYPE D [<!ELEMENT D ANY>]><D><R/></D>", "YB-2113"),
    ("<D><!DOCTYPE D><R/></D>", "YB-2111"),
    ("<D><R/></D><!DOCTYPE D>", "YB-2111"),
    ("<!DOCTYPE D><!DOCTYPE D><D><R/></D>", "YB-2111"),
    ("<!DOCTYPE><D><R/></D>", "YB-2111"),
    ("<!DOCTYPED><D><R/></D>", "YB-2111"),
    ("<!doctype D><D><R/></D>", "YB-2111"),
    ("<!DOCTYPE D SYSTEM><D><R/></D>", "YB-2111"),
    ("<!DOCTYPE D SYSTEM d.dtd><D><R/></D>", "YB-2111"),
    ("<!DOCTYPE D PUBLIC 'p'><D><R/></D>", "YB-2111"),
    ("<!DOCTYPE D PUBLIC 'p{}' 's'><D><R/></D>", "YB-2111"),
    ("<!DOCTYPE D OTHER 's'><D><R/></D>", "YB-2111"),
    ("<!DOCTYPE 1 SYSTEM 's'><D><R/></D>", "YB-2111"),
    ("<!DOCTYPE D SYSTEM 's'><D><R><A>&a;</A></R></D>", "YB-2114"),
    ("<!ENTITY a 'x'><D><R/></D>", "YB-2111"),
];

/// Well-formed documents, with the cells of the last record.
const READ: &[(&str, &[(&str, &str)])] = &[
    ("<D><R><A>1</A></R></D>", &[("A", "1")]),
    ("<D ><R ><A >1</A\n></R\t></D >\n", &[("A", "1")]),
    ("<D><R><A>1</A><B/><C /></R></D>", &[("A", "1")]),
    (
        "<?xml version=\"1.0\" encoding='UTF-8' standalone = \"no\" ?>\n<D><R><A>1</A></R></D>",
        &[("A", "1")],
    ),
    ("<?xml version='1.0'?><D><R><A>1</A></R></D>", &[("A", "1")]),
    ("<?xml version='1.1'?><D><R><A>1</A></R></D>", &[("A", "1")]),
    (
        "<?xml version='1.0' standalone='yes'?><D><R><A>1</A></R></D>",
        &[("A", "1")],
    ),
    (
        "\u{feff}<?xml version='1.0'?><D><R><A>1</A></R></D>",
        &[("A", "1")],
    ),
    ("\n <D><R><A>1</A></R></D>\r\n", &[("A", "1")]),
    (
        "<!-- a - b --><?x y?><D><!----><?xml-stylesheet href='x'?><R><A>1<!-- <B> & -->2<?x ?>3</A></R></D><!-- --><?end?>",
        &[("A", "123")],
    ),
    (
        "<D><R><A><![CDATA[<B>&amp;]] >]]]]><![CDATA[>]]></A></R></D>",
        &[("A", "<B>&amp;]] >]]>")],
    ),
    (
        "<D><R><A>&amp;&lt;&gt;&quot;&apos;</A></R></D>",
        &[("A", "&<>\"'")],
    ),
    (
        "<D><R><A>&#65;&#x42;&#x4E00;&#x4e01;&#0000067;&#x10FFFF;&#9;</A></R></D>",
        &[("A", "AB一丁C\u{10ffff}\t")],
    ),
    (
        "<D><R><A>a > b ]] ]&gt; ]]&gt;</A></R></D>",
        &[("A", "a > b ]] ]> ]]>")],
    ),
    (
        "<D><R a='1' b = \"2\"\n c='&lt;&#65;\"&apos;' d=\"'>\"/></D>",
        &[("@a", "1"), ("@b", "2"), ("@c", "<A\"'"), ("@d", "'>")],
    ),
    ("<D><R a='x\ty\r\nz\nw'/></D>", &[("@a", "x y z w")]),
    (
        "<D><R a='1' b='2' c='3' d='4' e='5' f='6' g='7' h='8' i='9' j='0'/></D>",
        &[
            ("@a", "1"),
            ("@b", "2"),
            ("@c", "3"),
            ("@d", "4"),
            ("@e", "5"),
            ("@f", "6"),
            ("@g", "7"),
            ("@h", "8"),
            ("@i", "9"),
            ("@j", "0"),
        ],
    ),
    (
        "<D><R xml:space='preserve' xml:lang='zh'><A> 1 </A></R></D>",
        &[("A", " 1 ")],
    ),
    (
        "<n:D xmlns:n='urn:n' xmlns='urn:m'><n:R><n:A>1</n:A></n:R></n:D>",
        &[("A", "1")],
    ),
    ("<D><R><A>x\r\ny\rz\nw</A></R></D>", &[("A", "x\ny\nz\nw")]),
    (
        "<D><R><A><![CDATA[x\r\ny\rz]]></A></R></D>",
        &[("A", "x\ny\nz")],
    ),
    ("<D><R><A>x&#13;&#10;y</A></R></D>", &[("A", "x\r\ny")]),
    (
        "<D><R><名称>甲</名称><_a-1.b\u{b7}>2</_a-1.b\u{b7}></R></D>",
        &[("名称", "甲"), ("_a-1.b\u{b7}", "2")],
    ),
    (
        "<D><R><A>\u{7f}\u{85}\u{fffd}\u{1f600}</A></R></D>",
        &[("A", "\u{7f}\u{85}\u{fffd}\u{1f600}")],
    ),
    ("<!DOCTYPE D><D><R><A>1</A></R></D>", &[("A", "1")]),
    (
        "<!DOCTYPE D SYSTEM \"d.dtd\" ><D><R><A>1</A></R></D>",
        &[("A", "1")],
    ),
    (
        "<?xml version='1.0'?>\n<!-- --><!DOCTYPE\n D PUBLIC '-//X//Y' 'd.dtd'>\n<D><R><A>1</A></R></D>",
        &[("A", "1")],
    ),
];

fn records_at(path: &str) -> Adapter {
    adapter(Format::Xml(Xml {
        record: path.to_owned(),
        ..Xml::default()
    }))
}

/// The last record's cells by column.
fn last(said: &[String]) -> Vec<(String, String)> {
    let columns = said.iter().rfind(|line| line.starts_with("C "));
    let columns = columns.map_or("", |line| &line[2..]);
    let row = said.last().map_or("", |line| line.as_str());
    let (_, cells) = row.split_once(' ').unwrap_or_default();
    (columns.split('|').zip(cells.split('|')))
        .filter(|(_, cell)| *cell != "-")
        .map(|(column, cell)| (column.to_owned(), cell.to_owned()))
        .collect()
}

#[test]
fn xml_that_is_not_well_formed_is_refused_and_other_is_read() {
    let mut wrong = Vec::new();
    for (text, code) in REFUSED {
        match read(&records_at("D/R"), text.as_bytes()) {
            Err(refusal) if refusal.code == *code => {}
            Err(refusal) => wrong.push(format!("{text:?}: {code} expected, {refusal}")),
            Ok((said, _)) => wrong.push(format!("{text:?}: {code} expected, read {said:?}")),
        }
    }
    for (text, cells) in READ {
        match read(&records_at("D/R"), text.as_bytes()) {
            Err(refusal) => wrong.push(format!("{text:?}: {refusal}")),
            Ok((said, _)) => {
                let found = last(&said);
                let found: Vec<(&str, &str)> = (found.iter())
                    .map(|(column, cell)| (column.as_str(), cell.as_str()))
                    .collect();
                if found != *cells {
                    wrong.push(format!("{text:?}: {found:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Behind a record that was read, the next ones are read where they lie: they are held to the same rules.
#[test]
fn xml_records_that_follow_are_held_to_the_same_rules() {
    for record in [
        "<R><A>]]></A></R>",
        "<R><A>x]]></A><B>1</B></R>",
        "<R><B>1</B>]]></R>",
        "<R><A>&x;</A></R>",
        "<R><A>1</A><1>2</1></R>",
        "<R><A>1</A><-x>2</-x></R>",
        "<R><A>a & b</A></R>",
        "<R><A>\u{c}</A></R>",
        "<R><A>\u{fffe}</A></R>",
        "<R a='1' a='1'><A>1</A></R>",
        "<R><A a=1>1</A></R>",
        "<R>\u{3000}<A>1</A></R",
    ] {
        // The prefix goes: what is left of the name is none by itself.
        let first = "<R><A>1</A><B>2</B><n:1>3</n:1><n:-x>4</n:-x></R>";
        let text = format!("<D>{first}{first}{record}{first}</D>");
        read(&records_at("D/R"), text.as_bytes()).expect_err(record);
        let good = format!("<D>{first}{first}</D>");
        assert_eq!(lines(&records_at("D/R"), good.as_bytes()).len(), 3);
    }
}

/// A fault is found wherever it stands, also in a long file and in another charset.
#[test]
fn xml_is_held_to_the_rules_over_the_borders_of_pieces() {
    let records = "<R><A>名，称</A></R>".repeat(20_000);
    for fault in ["\u{c}", "\u{ffff}", "]]>", "&#1;", "<X a=1/>"] {
        let text = format!(
            "<?xml version='1.0' encoding='GBK'?><D>{records}<R><A>{fault}</A></R>{records}</D>"
        );
        let refusal = read(&records_at("D/R"), &gbk(&text)).expect_err(fault);
        assert!(["YB-2111", "YB-2124"].contains(&refusal.code), "{refusal}");
    }
}
