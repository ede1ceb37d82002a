use super::*;
use crate::calendar::age::Age;
use crate::calendar::clock::DayCount;

mod network;

const TAX: &str = include_str!("../../../adapters/tax.toml");
const TRANSPORT: &str = include_str!("../../../adapters/transport.toml");
const MARKET: &str = include_str!("../../../adapters/market-regulation.toml");
const ROLL: &str = include_str!("../../../adapters/insured-roll.toml");

fn file(text: &str) -> AdapterFile {
    toml::from_str(text).expect("the file has the right shape")
}

#[test]
fn shipped_adapters_have_no_complaint() {
    for (name, text, record) in [
        ("market-regulation", MARKET, RecordKind::Registration),
        ("tax", TAX, RecordKind::Tax),
        ("transport", TRANSPORT, RecordKind::Transport),
        ("insured-roll", ROLL, RecordKind::InsuredRoll),
    ] {
        let adapter = Adapter::check(name, "0", file(text)).expect(name);
        assert_eq!(adapter.record, record);
        assert_eq!(adapter.transport.endpoint(), name);
        for field in record.fields() {
            // What the four departments do not send: a day of effect, the representative's papers, capital and authority; what only
            // the registrar sends: the township, the industry in words.
            let is_not_sent = (matches!(field, Field::Township | Field::IndustryName)
                && record != RecordKind::Registration)
                || matches!(
                    field,
                    Field::Effective
                        | Field::Representative
                        | Field::RegisteredCapital
                        | Field::RegistrationAuthority
                );
            assert!(
                adapter.fields.contains_key(field) || is_not_sent,
                "{name} {field:?}"
            );
        }
        assert_eq!(adapter.agreed_until(), None);
    }
}

#[test]
fn defaults_protect() {
    let adapter =
        Adapter::check("tax", "0", file(&TAX.replace("age    = \"40 days\"", ""))).unwrap();
    assert_eq!(adapter.expect.set_aside_at_most, Some(SET_ASIDE_AT_MOST));
    assert_eq!(adapter.expect.change.missing_at_most, Some(MISSING_AT_MOST));
    let forty = Age {
        n: 40,
        unit: DayCount::CalendarDays,
    };
    assert_eq!(adapter.age(), forty);
    let three = Age {
        n: 3,
        unit: DayCount::WorkingDays,
    };
    assert_eq!(default_age(Mode::Snapshot), three);
}

#[test]
fn lookups_go_by_folded_text() {
    let adapter = Adapter::check("m", "0", file(MARKET)).unwrap();
    let status = &adapter.lookup["status"];
    for (text, word) in [
        ("存续(在营、开业、在册)", "active"),
        ("吊销,未注销", "revoked"),
        ("迁移异地", "moved"),
    ] {
        assert_eq!(status.get(text).map(String::as_str), Some(word), "{text}");
    }
}

/// One edit of a shipped adapter, and the complaints it earns: key and code.
fn complaints(text: &str, from: &str, to: &str) -> Vec<(String, &'static str)> {
    assert!(text.contains(from), "nothing to edit: {from}");
    let edited = text.replacen(from, to, 1);
    match Adapter::check("x", "0", file(&edited)) {
        Ok(_) => Vec::new(),
        Err(list) => {
            for complaint in &list {
                assert!(complaint.text.contains("处理："), "{complaint:?}");
            }
            list.into_iter()
                .map(|complaint| (complaint.key, complaint.code))
                .collect()
        }
    }
}

#[test]
fn every_edit_earns_its_complaint() {
    for (text, from, to, wanted) in [
        (TAX, "\"税务\"", "\" \"", &[("department", "YB-1302")][..]),
        (
            TAX,
            "filers        =",
            "filer        =",
            &[
                ("fields.filer", "YB-1310"),
                ("expect.fill.filers", "YB-1342"),
            ],
        ),
        (
            TAX,
            "phone         =",
            "vehicles      =",
            &[("fields.vehicles", "YB-1311")],
        ),
        (
            TAX,
            "month         = { from = \"所属期\", required = true }",
            "",
            &[("fields", "YB-1312")],
        ),
        (
            TAX,
            "month         = { from = \"所属期\", required = true }",
            "month = \"所属期\"",
            &[("fields.month", "YB-1313")],
        ),
        (
            TAX,
            "{ from = \"营业收入\", unit = \"yuan\" }",
            "\"营业收入\"",
            &[("fields.revenue", "YB-1314")],
        ),
        (
            TAX,
            "\"营业收入\", unit = \"yuan\"",
            "\"营业收入\", unit = \"wanyuan\"",
            &[("fields.revenue.unit", "YB-1315")],
        ),
        (
            TAX,
            "\"从业人数\", unit = \"persons\"",
            "\"从业人数\", unit = \"yuan\"",
            &[("fields.employees.unit", "YB-1315")],
        ),
        (
            TAX,
            "phone         = \"联系电话\"",
            "phone = { from = \"联系电话\", unit = \"yuan\" }",
            &[("fields.phone.unit", "YB-1316")],
        ),
        (
            TAX,
            "\"从业人数\", unit = \"persons\"",
            "\"从业人数\", default = \"很多\"",
            &[("fields.employees.default", "YB-1317")],
        ),
        (
            TAX,
            "lookup = \"status\" }",
            "lookup = \"status\", default = \"正常\" }",
            &[("fields.status.default", "YB-1317")],
        ),
        (
            TAX,
            "lookup = \"status\" }",
            "lookup = \"status\", default = \"unclear\" }",
            &[],
        ),
        (
            TAX,
            "\"所属期\", required = true",
            "\"所属期\", required = true, default = \"202601\"",
            &[("fields.month.default", "YB-1318")],
        ),
        (
            TAX,
            ", lookup = \"status\" }",
            " }",
            &[("fields.status", "YB-1320"), ("lookup.status", "YB-1323")],
        ),
        (
            TAX,
            "phone         = \"联系电话\"",
            "phone = { from = \"联系电话\", lookup = \"status\" }",
            &[("fields.phone.lookup", "YB-1321")],
        ),
        (
            TAX,
            "lookup = \"status\"",
            "lookup = \"state\"",
            &[
                ("fields.status.lookup", "YB-1322"),
                ("lookup.status", "YB-1323"),
            ],
        ),
        (
            TAX,
            "record     = \"tax\"",
            "record     = \"tax\"\ngone_after = 2",
            &[("gone_after", "YB-1327")],
        ),
        (
            MARKET,
            "mode       = \"snapshot\"",
            "mode       = \"snapshot\"\ngone_after = 0",
            &[("gone_after", "YB-1328")],
        ),
        (
            MARKET,
            "mode       = \"snapshot\"",
            "mode       = \"snapshot\"\ngone_after = 61",
            &[("gone_after", "YB-1328")],
        ),
        (
            TAX,
            "suspended   =",
            "supended   =",
            &[("lookup.status.supended", "YB-1324")],
        ),
        (
            TAX,
            "\"停业户\"",
            "\"停业户\", \"正　常\"",
            &[("lookup.status.suspended", "YB-1325")],
        ),
        (
            TAX,
            "\"正常户\"",
            "\"正常户\", \"　\"",
            &[("lookup.status.active", "YB-1326")],
        ),
        (TAX, "\"正常户\"", "\"正常户\", \"正常 户\"", &[]),
        (
            TAX,
            "from = \"从业人数\"",
            "from = \"营业收入\"",
            &[("fields.revenue", "YB-1330")],
        ),
        (
            TAX,
            "from = \"从业人数\"",
            "from = []",
            &[("fields.employees.from", "YB-1302")],
        ),
        (
            TAX,
            "\"序号\"",
            "\"序号\", \"联系 电话\"",
            &[("ignore.columns", "YB-1331")],
        ),
        (
            TAX,
            "shrink_at_most = 0.3",
            "shrink_at_most = 30.0",
            &[("expect.change.shrink_at_most", "YB-1340")],
        ),
        (
            TAX,
            "filers = 0.3",
            "filers = -0.3",
            &[("expect.fill.filers", "YB-1340")],
        ),
        (
            TAX,
            "# rows = { min = 30_000, max = 200_000 }",
            "rows = { min = 3, max = 2 }",
            &[("expect.rows", "YB-1341")],
        ),
        (
            TAX,
            "filers = 0.3",
            "vehicles = 0.3",
            &[("expect.fill.vehicles", "YB-1342")],
        ),
        (
            TAX,
            "/export/{period}.csv",
            "/export/{month}.csv",
            &[("transport.http.path", "YB-1307")],
        ),
        (
            TAX,
            "/export/{period}.csv",
            "https://tax.example/x.csv",
            &[("transport.http.path", "YB-1307")],
        ),
        (
            TAX,
            "[format.csv]",
            "[agreement]\nnumber = \"0\"\nuntil = 08:00:00\n[format.csv]",
            &[("agreement.until", "YB-1303")],
        ),
        (
            TAX,
            "[format.csv]",
            "[agreement]\nnumber = \"0\"\nuntil = 2027-12-31\n[format.csv]",
            &[],
        ),
        (
            ROLL,
            "header = \"单位编号\"",
            "header = \"单位编号\"\nheader_rows = 2\ncode_row = true\nmerged = \"down\"\nhidden_rows = \"refuse\"\ncharset = \"gb18030\"",
            &[],
        ),
        (
            ROLL,
            "header = \"单位编号\"",
            "header = \"单位编号\"\nheader_rows = 3",
            &[("format.xlsx.header_rows", "YB-1309")],
        ),
        (
            ROLL,
            "header = \"单位编号\"",
            "header = \"\"",
            &[("format.xlsx.header", "YB-1302")],
        ),
        (
            ROLL,
            "sheet  = \"参保登记册\"",
            "sheet = \"参保登记册*\"\nsheets = \"all\"",
            &[],
        ),
        (
            ROLL,
            "sheet  = \"参保登记册\"",
            "sheet = \"参保登记册\"\nsheets = \"all\"",
            &[("format.xlsx.sheets", "YB-1384")],
        ),
        (
            ROLL,
            "sheet  = \"参保登记册\"",
            "sheet = \"*参保*\"",
            &[("format.xlsx.sheet", "YB-1384")],
        ),
        (
            ROLL,
            "sheet  = \"参保登记册\"",
            "sheet = \" \"",
            &[("format.xlsx.sheet", "YB-1384")],
        ),
        (
            ROLL,
            "[format.xlsx]",
            "[limits]\nkept_bytes = 0\nmerged_cells = 0\n[format.xlsx]",
            &[
                ("limits.kept_bytes", "YB-1343"),
                ("limits.merged_cells", "YB-1343"),
            ],
        ),
        (
            TAX,
            "[format.csv]",
            "[limits]\nrows = 0\nfetch_seconds = 0\n[format.csv]",
            &[
                ("limits.rows", "YB-1343"),
                ("limits.fetch_seconds", "YB-1343"),
            ],
        ),
        (
            TAX,
            "[format.csv]",
            "[limits]\nfetch_seconds = 86401\n[format.csv]",
            &[("limits.fetch_seconds", "YB-1304")],
        ),
        (
            TAX,
            "[format.csv]",
            "[limits]\nfetch_seconds = 86400\n[format.csv]",
            &[],
        ),
        (TAX, "{ title = \"数据截止日期\" }", "\"file_name\"", &[]),
        (
            TRANSPORT,
            "{ column = \"data_date\" }",
            "\"file_name\"",
            &[("as_of", "YB-1305")],
        ),
        (
            TRANSPORT,
            "{ column = \"data_date\" }",
            "{ title = \"数据日期\" }",
            &[("as_of.title", "YB-1305")],
        ),
        (
            TRANSPORT,
            "[format.json]\nrows  = \"/data/list\"\ntotal = \"/data/total\"",
            "[format.csv]\nheader = \"uscc\"",
            &[("format", "YB-1305")],
        ),
        (
            TRANSPORT,
            "success    = \"/code\"",
            "success    = \"code\"",
            &[("transport.pages.success", "YB-1308")],
        ),
        (
            TRANSPORT,
            "per_page   = 200",
            "per_page   = 0",
            &[("transport.pages.per_page", "YB-1304")],
        ),
        (
            MARKET,
            "scjg_*.zip",
            "scjg_*_*.zip",
            &[("transport.folder.pattern", "YB-1306")],
        ),
        (
            MARKET,
            "登记信息_*.xml",
            "../*.xml",
            &[("container.zip.member", "YB-1306")],
        ),
        (
            MARKET,
            "DATA/ROWS/ROW",
            "/ROW",
            &[("format.xml.record", "YB-1308")],
        ),
    ] {
        let found = complaints(text, from, to);
        let found: Vec<_> = found
            .iter()
            .map(|(key, code)| (key.as_str(), *code))
            .collect();
        assert_eq!(found, wanted, "{from} → {to}");
    }
}

#[test]
fn all_complaints_come_at_once_with_suggestions() {
    let text = TAX
        .replace("filers        =", "filer        =")
        .replace("/export/", "export/")
        .replace("suspended   =", "suspend   =");
    let list = Adapter::check("税务", "0", file(&text)).unwrap_err();
    let codes: Vec<_> = list.iter().map(|complaint| complaint.code).collect();
    assert_eq!(
        codes,
        ["YB-1301", "YB-1307", "YB-1310", "YB-1324", "YB-1342"]
    );
    assert!(list[2].text.contains("是否为“filers”"), "{}", list[2].text);
    assert!(
        list[3].text.contains("是否为“suspended”"),
        "{}",
        list[3].text
    );
    let titled =
        TAX.replace("phone         =", "联系电话 =")
            .replacen("联系电话 =", "\"联系电话\" =", 1);
    let list = Adapter::check("tax", "0", file(&titled)).unwrap_err();
    assert!(list[0].text.contains("是否为“phone”"), "{}", list[0].text);
}

#[test]
fn agreements_end() {
    let text = TAX.replace(
        "[format.csv]",
        "[agreement]\nnumber = \"0\"\nuntil = 2027-12-31\n[format.csv]",
    );
    let adapter = Adapter::check("tax", "0", file(&text)).unwrap();
    assert_eq!(
        adapter.agreed_until(),
        Some(jiff::civil::date(2027, 12, 31))
    );
}

/// The text formats with their options, in place of the tax adapter's own.
#[test]
fn options_of_text_formats_are_checked() {
    let own = &TAX[TAX.find("[format.csv]").unwrap()..TAX.find("[fields]").unwrap()];
    for (format, wanted) in [
        (
            "[format.csv]\nheader = \"a\"\ndelimiter = \"\\t\"\nquotes = \"backslash\"\nheader_rows = 2\ncode_row = true\ntrailer = \"记录数\"",
            &[][..],
        ),
        (
            "[format.csv]\nheader = \"a\"\nquotes = \"backslash\"\ndelimiter = \"\\\\\"",
            &[("format.csv.delimiter", "YB-1304")],
        ),
        (
            "[format.csv]\nheader = \"a\"\ndelimiter = \"\\u0000\"",
            &[("format.csv.delimiter", "YB-1304")],
        ),
        (
            "[format.csv]\nheader = \"a\"\nheader_rows = 3\ntrailer = \" \"",
            &[
                ("format.csv.header_rows", "YB-1309"),
                ("format.csv.trailer", "YB-1302"),
            ],
        ),
        (
            "[format.fixed]\nunit = \"characters\"\ntitle_lines = 1\ncolumns = [{ heading = \"a\", width = 18 }, { heading = \"b\", from = 21, width = 4 }]",
            &[],
        ),
        (
            "[format.fixed]\ncharset = \"utf-16le\"\ncolumns = []",
            &[
                ("format.fixed.columns", "YB-1383"),
                ("format.fixed.unit", "YB-1383"),
            ],
        ),
        (
            "[format.fixed]\ncolumns = [{ heading = \"\", from = 0, width = 0 }, { heading = \"b\", width = 4 }, { heading = \"c\", from = 4, width = 9999999 }]",
            &[
                ("format.fixed.columns[0].heading", "YB-1302"),
                ("format.fixed.columns[0].width", "YB-1383"),
                ("format.fixed.columns[0].from", "YB-1383"),
                ("format.fixed.columns[2].width", "YB-1383"),
                ("format.fixed.columns[2].from", "YB-1383"),
            ],
        ),
        ("[format.json]\nlines = true", &[]),
        (
            "[format.json]\nlines = true\ntotal = \"/n\"",
            &[("format.json.total", "YB-1308")],
        ),
        (
            "[format.xml]\nrecord = \"A/@b\"\ntotal = \"A/@n\"",
            &[("format.xml.record", "YB-1308")],
        ),
        (
            "[container.gzip]\n[format.xml]\nrecord = \"A/B\"\n[limits]\nreplaced = 0\nmembers = 0\nseconds = 0\nembedded_bytes = 0",
            &[
                ("limits.members", "YB-1343"),
                ("limits.seconds", "YB-1343"),
                ("limits.embedded_bytes", "YB-1343"),
            ],
        ),
        (
            "[container.zip]\nmember = \"*.csv\"\nseveral = true\n[format.csv]\nheader = \"a\"",
            &[],
        ),
    ] {
        let mut found = complaints(TAX, own, &format!("{format}\n\n"));
        // What the replaced format had to do with the rest of the file is not asked here.
        found.retain(|(key, _)| key.starts_with("format") || key.starts_with("limits"));
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(key, code)| (key.as_str(), *code))
            .collect();
        assert_eq!(found, wanted, "{format}");
    }
}

#[test]
fn options_of_text_formats_that_do_not_exist_are_refused() {
    for format in [
        "[format.csv]\nheader = \"a\"\nquotes = \"single\"",
        "[format.csv]\nheader = \"a\"\ndelimiter = \"ab\"",
        "[format.csv]\nheader = \"a\"\nescape = \"backslash\"",
        "[format.fixed]\ncolumns = [{ heading = \"a\" }]",
        "[format.fixed]",
        "[format.json]\nlines = \"yes\"",
        "[container.gzip]\nmember = \"x\"",
        "[format.xml]\nrecord = \"A\"\ncharset = \"big5\"",
    ] {
        let own = &TAX[TAX.find("[format.csv]").unwrap()..TAX.find("[fields]").unwrap()];
        let edited = TAX.replacen(own, &format!("{format}\n\n"), 1);
        assert!(toml::from_str::<AdapterFile>(&edited).is_err(), "{format}");
    }
}

#[test]
fn transports_of_hosts_are_checked() {
    const COMMAND: &str = "[transport.command]\nendpoint = \"e\"\n";
    let (from, until) = (
        MARKET.find("[transport.folder]").expect("a drop folder"),
        MARKET.find("[container").expect("a container"),
    );
    let with = |transport: &str| {
        let text = format!("{}{transport}\n{}", &MARKET[..from], &MARKET[until..]);
        match Adapter::check("x", "0", file(&text)) {
            Ok(_) => Vec::new(),
            Err(list) => list.into_iter().map(|c| (c.key, c.code)).collect(),
        }
    };
    let remote =
        |more: &str| format!("[transport.sftp]\nendpoint = \"e\"\npattern = \"a_*.zip\"\n{more}");
    for (transport, wanted) in [
        (remote(""), &[][..]),
        (
            remote("path = \"/out\"\ndone = \"done\"\ndepth = 2\nmarker = \".ok\""),
            &[],
        ),
        (
            remote("path = \"a/../b\""),
            &[("transport.sftp.path", "YB-1307")],
        ),
        (
            remote("done = \"a/b\""),
            &[("transport.sftp.done", "YB-1380")],
        ),
        (
            remote("done = \"..\""),
            &[("transport.sftp.done", "YB-1380")],
        ),
        (remote("depth = 9"), &[("transport.sftp.depth", "YB-1381")]),
        (
            remote("settle_ms = 60001"),
            &[("transport.sftp.settle_ms", "YB-1381")],
        ),
        (
            remote("marker = \"\""),
            &[("transport.sftp.marker", "YB-1304")],
        ),
        (
            "[transport.ftp]\nendpoint = \"\"\npattern = \"a/b\"".to_owned(),
            &[
                ("transport.ftp.endpoint", "YB-1302"),
                ("transport.ftp.pattern", "YB-1306"),
            ],
        ),
        (
            format!("{COMMAND}arguments = [\"{{period}}\", \"{{week}}\", \"a\\nb\"]"),
            &[
                ("container", "YB-1305"),
                ("format", "YB-1305"),
                ("transport.command.arguments", "YB-1307"),
                ("transport.command.arguments", "YB-1382"),
            ],
        ),
    ] {
        let mut found = with(&transport);
        found.sort();
        let found: Vec<_> = found
            .iter()
            .map(|(key, code)| (key.as_str(), *code))
            .collect();
        assert_eq!(found, wanted, "{transport}");
    }
}
