//! Archives and packed files.

use rust_xlsxwriter::Workbook;

use super::*;

/// The same export, packed.
pub fn gzipped(mut inner: Adapter) -> Adapter {
    inner.container = Some(Container::Gzip {});
    inner
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).expect("content");
    writer.finish().expect("gzip")
}

const MEMBER: &str = "AAAAAAAA_20260318.xml";

#[test]
fn zip_member_is_found_by_its_gbk_name() {
    let plain = archive(
        &[("readme.txt", b"x"), (MEMBER, RECORDS.as_bytes())],
        CompressionMethod::Deflated,
    );
    let named = replace(&plain, MEMBER.as_bytes(), &gbk("登记信息_20260318.xml"));
    assert_eq!(lines(&zipped(xml(None)), &named), ["C A", "1 甲"]);
    let flagged = archive(
        &[("out/登记信息_20260318.xml", RECORDS.as_bytes())],
        CompressionMethod::Stored,
    );
    assert_eq!(lines(&zipped(xml(None)), &flagged), ["C A", "1 甲"]);
    refused(&zipped(xml(None)), &plain, "YB-2063");
}

#[test]
fn zip_attacks_and_damage_are_refused() {
    let wanted = "登记信息_1.xml";
    let content = RECORDS.as_bytes();
    let deflated = CompressionMethod::Deflated;
    let good = archive(&[(wanted, content)], deflated);
    let stored = archive(&[(wanted, content)], CompressionMethod::Stored);
    let encrypted = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        for (signature, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
            let at = bytes
                .windows(4)
                .position(|w| w == signature)
                .expect("header");
            bytes[at + flags] |= 1;
        }
        bytes
    };
    let many: Vec<String> = (0..1001).map(|n| format!("m{n}")).collect();
    let mut many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
    many.push((wanted, content));
    let nested = archive(&[(wanted, &good)], CompressionMethod::Stored);
    let two = archive(
        &[("登记信息_1.xml", content), ("登记信息_2.xml", content)],
        deflated,
    );
    let climbing = |name: &str| archive(&[(wanted, content), (name, b"x")], deflated);
    for (bytes, code) in [
        (encrypted(&good), "YB-2066"),
        (two.clone(), "YB-2064"),
        (
            replace(
                &two,
                "登记信息_2.xml".as_bytes(),
                "登记信息_1.xml".as_bytes(),
            ),
            "YB-2064",
        ),
        (archive(&many, deflated), "YB-2062"),
        (climbing("a/../../x"), "YB-2065"),
        (climbing("/etc/x"), "YB-2065"),
        (climbing("..\\x"), "YB-2065"),
        (climbing("C:x"), "YB-2065"),
        (nested, "YB-2083"),
        (
            replace(&stored, "甲".as_bytes(), "乙".as_bytes()),
            "YB-2071",
        ),
        (good[..good.len() / 2].to_vec(), "YB-2061"),
        (b"PK\x03\x04 nothing".to_vec(), "YB-2061"),
        (RECORDS.as_bytes().to_vec(), "YB-2061"),
        (archive(&[(wanted, b"")], deflated), "YB-2101"),
    ] {
        refused(&zipped(xml(None)), &bytes, code);
    }
}

#[test]
fn zip_bombs_are_stopped_while_they_unpack() {
    let zeros = vec![b' '; 8 << 20];
    let content = [b"<DATA><ROWS>".to_vec(), zeros, b"</ROWS></DATA>".to_vec()].concat();
    let bomb = archive(&[("登记信息_1.xml", &content)], CompressionMethod::Deflated);
    refused(&zipped(xml(None)), &bomb, "YB-2068");
    let mut generous = zipped(xml(None));
    generous.limits.ratio = 10_000;
    refused(&generous, &bomb, "YB-2116");
    let rows = format!(
        "<DATA><ROWS>{}</ROWS></DATA>",
        "<ROW><A>1</A></ROW>".repeat(400_000)
    );
    let rows = archive(
        &[("登记信息_1.xml", rows.as_bytes())],
        CompressionMethod::Deflated,
    );
    let mut tight = zipped(xml(None));
    tight.limits.ratio = 20;
    refused(&tight, &rows, "YB-2068");
    let mut tight = zipped(xml(None));
    tight.limits.ratio = 10_000;
    tight.limits.unpacked_bytes = 1 << 20;
    refused(&tight, &rows, "YB-2067");
}

#[test]
fn zip_may_hold_a_workbook() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "名称").expect("cell");
    sheet.write_string(1, 0, "甲").expect("cell");
    let book = book.save_to_buffer().expect("workbook");
    let bytes = archive(&[("登记信息_1.xml", &book)], CompressionMethod::Stored);
    assert_eq!(lines(&zipped(xlsx(None)), &bytes), ["C 名称", "2 甲"]);
}

#[test]
fn gzip_is_read_also_in_pieces() {
    let text = "名称,备注\n甲,1\n乙,2\n";
    let whole = gzip(text.as_bytes());
    let (first, second) = text.as_bytes().split_at(20);
    let pieces = [gzip(first), gzip(second)].concat();
    for bytes in [&whole, &pieces] {
        assert_eq!(
            lines(&gzipped(csv(None)), bytes),
            ["C 名称|备注", "2 甲|1", "3 乙|2"]
        );
    }
}

#[test]
fn gzip_attacks_and_damage_are_refused() {
    let text = "名称,备注\n甲,1\n".repeat(50);
    let good = gzip(text.as_bytes());
    let mut broken = good.clone();
    let at = broken.len() - 6;
    broken[at] ^= 1;
    let bomb = gzip(&[b"\xe5\x90\x8d\xe7\xa7\xb0\n".to_vec(), vec![b' '; 8 << 20]].concat());
    let nested = gzip(&archive(
        &[("a.csv", text.as_bytes())],
        CompressionMethod::Stored,
    ));
    for (bytes, code) in [
        (good[..good.len() / 2].to_vec(), "YB-2071"),
        (good[..good.len() - 3].to_vec(), "YB-2071"),
        ([good.clone(), b"trailing".to_vec()].concat(), "YB-2071"),
        (broken, "YB-2071"),
        (text.clone().into_bytes(), "YB-2086"),
        (
            archive(&[("a.csv", b"x")], CompressionMethod::Stored),
            "YB-2086",
        ),
        (bomb, "YB-2068"),
        (nested, "YB-2083"),
        (gzip(&good), "YB-2083"),
        (gzip(b""), "YB-2101"),
    ] {
        refused(&gzipped(csv(None)), &bytes, code);
    }
    let mut tight = gzipped(csv(None));
    tight.limits.unpacked_bytes = 100;
    refused(&tight, &good, "YB-2067");
}

fn several(mut inner: Adapter, member: &str) -> Adapter {
    inner.container = Some(Container::Zip {
        member: member.to_owned(),
        several: true,
    });
    inner
}

#[test]
fn several_members_are_one_batch_in_the_order_of_their_names() {
    let packed = |members: &[(&str, &str)]| {
        let members: Vec<(&str, &[u8])> = members
            .iter()
            .map(|(name, text)| (*name, text.as_bytes()))
            .collect();
        archive(&members, CompressionMethod::Deflated)
    };
    let parts = several(
        csv_with(|csv| csv.trailer = Some("记录数".to_owned())),
        "参保_*.csv",
    );
    let bytes = packed(&[
        ("参保_2.csv", "标题二\n名称,备注\n丙,3,4\n丁,4\n记录数,2\n"),
        ("说明.txt", "x"),
        ("参保_1.csv", "标题一\n名称,备注 \n甲,1\n乙,2\n记录数,2\n"),
    ]);
    let (said, decoding) = read(&parts, &bytes).expect("readable");
    assert_eq!(
        said,
        [
            "M 参保_1.csv",
            "T 标题一",
            "C 名称|备注",
            "3 甲|1",
            "4 乙|2",
            "M 参保_2.csv",
            "T 标题二",
            "!3 YB-2151",
            "4 丁|4"
        ]
    );
    assert_eq!((decoding.rows, decoding.declared_total), (4, Some(4)));
    assert_eq!(decoding.members, ["参保_1.csv", "参保_2.csv"]);

    let other = packed(&[
        ("参保_1.csv", "名称,备注\n记录数,0\n"),
        ("参保_2.csv", "名称,金额\n记录数,0\n"),
    ]);
    refused(&parts, &other, "YB-2082");
    refused(&parts, &packed(&[("说明.txt", "x")]), "YB-2063");

    // Records show their columns one by one: they are one table over all members.
    let records = several(xml(None), "*.xml");
    let row = |inside: &str| format!("<DATA><ROWS><ROW>{inside}</ROW></ROWS></DATA>");
    let bytes = packed(&[
        ("1.xml", &row("<A>1</A>")),
        ("2.xml", &row("<B>2</B><A>3</A>")),
    ]);
    assert_eq!(
        lines(&records, &bytes),
        ["M 1.xml", "C A", "1 1", "M 2.xml", "C A|B", "1 3|2"]
    );

    let mut tight = several(xml(None), "*.xml");
    tight.limits.unpacked_bytes = 80;
    refused(&tight, &bytes, "YB-2067");
    tight.limits = Limits::default();
    tight.limits.members = 1;
    refused(&tight, &bytes, "YB-2062");
}

#[test]
fn archives_that_lie_are_refused() {
    let content = "<DATA><ROWS><ROW><A>甲</A></ROW></ROWS></DATA>".as_bytes();
    let honest = archive(&[("登记信息_1.xml", content)], CompressionMethod::Deflated);
    let size = u32::try_from(content.len()).expect("size");
    for lie in [size + 1, size - 1] {
        let bytes = replace(&honest, &size.to_le_bytes(), &lie.to_le_bytes());
        refused(&zipped(xml(None)), &bytes, "YB-2085");
    }
    // Two entries of the directory that stand for the same bytes.
    let two = archive(
        &[("登记信息_1.xml", content), ("b", content)],
        CompressionMethod::Stored,
    );
    let directory = two
        .windows(4)
        .enumerate()
        .filter(|(_, four)| four == b"PK\x01\x02")
        .map(|(at, _)| at)
        .nth(1)
        .expect("second entry");
    let mut overlapping = two.clone();
    overlapping[directory + 42..directory + 46].copy_from_slice(&0_u32.to_le_bytes());
    refused(&zipped(xml(None)), &overlapping, "YB-2084");
}

#[test]
fn time_is_capped() {
    let mut hasty = csv(None);
    hasty.limits.seconds = 0;
    refused(&hasty, "名称\n甲\n".as_bytes(), "YB-2087");
}
