//! XML.

use std::fmt::Write as _;

use super::*;

#[test]
fn xml_records_are_read_one_by_one() {
    let text = "<?xml version=\"1.0\"?><!-- c --><DATA><HEAD><TOTAL> ３ </TOTAL></HEAD><ROWS>\
        <ROW id='1'><A>甲&amp;乙 &lt;&#x4e00;&#20108;&gt;</A><B/><C><![CDATA[<raw>&]]></C></ROW>\
        <ROW><D> x </D><A></A></ROW>\
        <ROW><A>1</A><P><Q>q</Q><R>r</R></P></ROW></ROWS></DATA>\n";
    let (said, decoding) = read(&xml(Some("DATA/HEAD/TOTAL")), text.as_bytes()).expect("readable");
    assert_eq!(
        said,
        [
            "C @id|A|B|C",
            "1 1|甲&乙 <一二>|-|<raw>&",
            "C @id|A|B|C|D",
            "2 -|-|-|-| x ",
            "C @id|A|B|C|D|P/Q|P/R",
            "3 -|1|-|-|-|q|r",
        ]
    );
    assert_eq!(decoding.declared_total, Some(3));
    assert_eq!(decoding.rows, 3);
}

#[test]
fn xml_with_no_records_is_told_from_xml_of_another_layout() {
    assert!(lines(&xml(None), b"<DATA><ROWS></ROWS></DATA>").is_empty());
    assert!(lines(&xml(None), b"<DATA><ROWS/></DATA>").is_empty());
    refused(
        &xml(None),
        b"<DATA><LIST><ROW><A>1</A></ROW></LIST></DATA>",
        "YB-2117",
    );
    refused(&xml(None), b"<error>no permission</error>", "YB-2117");
}

#[test]
fn xml_cut_off_anywhere_is_refused() {
    let text = "<DATA><ROWS><ROW><A>x&amp;y</A></ROW><ROW b=\"c\"><A>z</A></ROW></ROWS></DATA>";
    for end in 1..text.len() {
        let cut = &text.as_bytes()[..end];
        let refusal = read(&xml(None), cut).expect_err("cut off");
        assert!(
            ["YB-2111", "YB-2112", "YB-2106"].contains(&refusal.code),
            "{end}: {refusal}"
        );
    }
}

#[test]
fn xml_faults_and_attacks_are_refused() {
    let rows = |inside: &str| format!("<DATA><ROWS>{inside}</ROWS></DATA>");
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><DATA><ROWS><ROW><A>&b;</A></ROW></ROWS></DATA>";
    for (text, code) in [
        (bomb.to_owned(), "YB-2113"),
        (rows("<ROW><A>&b;</A></ROW>"), "YB-2114"),
        (rows("<ROW><A>&nbsp;</A></ROW>"), "YB-2114"),
        (rows("<ROW><A>&#0;</A></ROW>"), "YB-2111"),
        (rows("<ROW><A>a & b</A></ROW>"), "YB-2111"),
        (rows("<ROW><A>1</B></ROW>"), "YB-2111"),
        (rows("<ROW></ROW>") + "<DATA/>", "YB-2111"),
        (rows("<ROW></ROW>") + "trailer", "YB-2111"),
        (rows(&"<D>".repeat(100)), "YB-2115"),
        (format!("<DATA a=\"{}", "x".repeat(400_000)), "YB-2116"),
        (format!("<DATA><!-- {}", "x".repeat(400_000)), "YB-2116"),
        (
            rows(&format!("<ROW><A>{}</A></ROW>", "x".repeat(400_000))),
            "YB-2116",
        ),
    ] {
        refused(&xml(None), text.as_bytes(), code);
    }
    assert_eq!(
        lines(&xml(None), b"<!DOCTYPE DATA SYSTEM \"file:///etc/passwd\"><DATA><ROWS><ROW><A>1</A></ROW></ROWS></DATA>"),
        ["C A", "1 1"]
    );
}

#[test]
fn xml_records_that_cannot_be_laid_out_are_set_aside() {
    let mut small = xml(None);
    small.limits.cell_bytes = 8;
    small.limits.columns = 3;
    let text = "<DATA><ROWS><ROW><A>123456789</A></ROW><ROW><A>1234&amp;678</A></ROW><ROW><A>1234&amp;6789</A></ROW>\
        <ROW><A>1</A><A>2</A></ROW><ROW><A>1</A><A>1</A></ROW><ROW>loose<A>1</A></ROW><ROW/></ROWS></DATA>";
    assert_eq!(
        lines(&small, text.as_bytes()),
        [
            "!1 YB-2152",
            "C A",
            "2 1234&678",
            "!3 YB-2152",
            "4 1；2",
            "5 1",
            "!6 YB-2154",
            "7 "
        ]
    );
    let wide = "<DATA><ROWS><ROW><A/><B/><C/><D/></ROW></ROWS></DATA>";
    refused(&small, wide.as_bytes(), "YB-2108");
}

#[test]
fn xml_total_must_be_there_and_a_number() {
    for total in [
        "",
        "<TOTAL/>",
        "<TOTAL>many</TOTAL>",
        "<TOTAL>1</TOTAL><TOTAL>2</TOTAL>",
    ] {
        let text = format!("<DATA><HEAD>{total}</HEAD><ROWS><ROW><A>1</A></ROW></ROWS></DATA>");
        refused(&xml(Some("DATA/HEAD/TOTAL")), text.as_bytes(), "YB-2118");
    }
}

#[test]
fn xml_attributes_and_repeated_elements_are_columns() {
    let text = "<n:DATA xmlns:n='urn:x' total='2'><n:ROWS><n:ROW id=' 7 ' xmlns:xsi='urn:i' n:kind='a&amp;b'>\
        <n:A type='主'>甲</n:A><A xsi:nil='true'/><A>乙</A><A>乙</A><P><Q lang=''>q</Q></P></n:ROW>\
        <ROW><A type='x'/></ROW></n:ROWS></n:DATA>";
    let (said, decoding) = read(&xml(Some("DATA/@total")), text.as_bytes()).expect("readable");
    assert_eq!(
        said,
        [
            "C @id|@kind|A/@type|A|P/Q/@lang|P/Q",
            "1  7 |a&b|主|甲；乙；乙|-|q",
            "2 -|-|x|-"
        ]
    );
    assert_eq!(decoding.declared_total, Some(2));
    refused(&xml(Some("DATA/@count")), text.as_bytes(), "YB-2118");
    let twice = "<DATA><ROWS><ROW a='1' a='2'><A>1</A></ROW></ROWS></DATA>";
    refused(&xml(None), twice.as_bytes(), "YB-2111");
    let mut small = xml(None);
    small.limits.cell_bytes = 8;
    let long = "<DATA><ROWS><ROW><A>1234</A><A>567</A></ROW></ROWS></DATA>";
    assert_eq!(lines(&small, long.as_bytes()), ["!1 YB-2152"]);
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "how long it takes is what is tested"
)]
fn xml_blow_ups_end_soon() {
    let rows = |inside: &str| format!("<DATA><ROWS>{inside}</ROWS></DATA>");
    let many = (0..20_000).fold(String::new(), |mut all, n| {
        let _ = write!(all, " a{n}=''");
        all
    });
    let tag = format!("<ROW{many}/>");
    let repeated = "<A>1</A><A>2</A>".repeat(200_000);
    let name = "a".repeat(2000);
    let deep = "<abcdefgh>".repeat(50) + &"</abcdefgh>".repeat(50);
    let began = std::time::Instant::now();
    for (text, code) in [
        (rows(&tag), "YB-2108"),
        (rows("<ROW b='&c;'/>"), "YB-2114"),
        (rows("<ROW b='a & b'/>"), "YB-2111"),
        (rows("<ROW b=a/>"), "YB-2111"),
        (rows(&format!("<ROW><{name}>1</{name}></ROW>")), "YB-2139"),
        (
            "<!DOCTYPE d [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><DATA><ROWS><ROW><A>&x;</A></ROW></ROWS></DATA>".to_owned(),
            "YB-2113",
        ),
        (
            "<!DOCTYPE d [<!ENTITY % x SYSTEM \"http://x.example/x\"> %x;]><DATA/>".to_owned(),
            "YB-2113",
        ),
    ] {
        refused(&xml(None), text.as_bytes(), code);
    }
    // Outside the records attributes cost nothing but their bytes.
    assert!(
        lines(
            &xml(None),
            format!("<DATA><X{many}/><ROWS/></DATA>").as_bytes()
        )
        .is_empty()
    );
    assert_eq!(
        lines(
            &xml(None),
            rows(&format!("<ROW>{repeated}</ROW>")).as_bytes()
        ),
        ["!1 YB-2152"]
    );
    assert_eq!(
        lines(&xml(None), rows(&format!("<ROW>{deep}</ROW>")).as_bytes()).len(),
        2
    );
    assert!(began.elapsed().as_secs() < 20, "quadratic somewhere");
}
