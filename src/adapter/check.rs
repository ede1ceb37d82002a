//! From an adapter file as written to an adapter in which every name means something. Pure; every complaint at once.

use std::collections::BTreeMap;

use crate::adapter::cell;
use crate::adapter::language::{
    Adapter, AdapterFile, Complaint, Expect, FieldRule, Mode, default_age,
};
use crate::adapter::reading::MoneyUnit;
use crate::domain::record::{Field, FieldType, RecordKind};

mod format;
mod job;
mod pages;
mod transport;

/// Something that must be written is empty.
const EMPTY: &str = "YB-1302";
/// A value is not among those that are allowed here.
const VALUE: &str = "YB-1304";
/// Two parts of the file do not go together.
const MISFIT: &str = "YB-1305";
/// A path, or a placeholder in it, can not be used.
const PATH: &str = "YB-1307";
/// A key that nothing uses beside the others.
const UNUSED: &str = "YB-1360";
/// A request that leaves open what to ask for, or when all has come.
const INCOMPLETE: &str = "YB-1361";

/// Missing records ÷ records before, unless the adapter says otherwise.
pub const MISSING_AT_MOST: f64 = 0.1;
/// Rows set aside ÷ rows, unless the adapter says otherwise.
pub const SET_ASIDE_AT_MOST: f64 = 0.05;
/// Characters of an adapter's name: it stands in batch ids and file names.
const NAME_CHARS: usize = 40;
/// Complete batches that do not mention a record before it is gone, where the adapter does not say: one short export takes nothing
/// from anybody, and neither does its repetition.
const GONE_AFTER: u64 = 3;
/// The most that an adapter may wait for.
const GONE_AFTER_MOST: u64 = 60;

impl Adapter {
    /// Checks a file's meaning.
    ///
    /// # Errors
    /// Every complaint at once.
    pub fn check(name: &str, digest: &str, file: AdapterFile) -> Result<Self, Vec<Complaint>> {
        let mut complaints = Complaints::default();
        complaints.head(name, &file);
        complaints.gone_after(&file);
        complaints.transport(&file);
        complaints.format(&file.format);
        complaints.as_of(&file);
        complaints.period(&file);
        let fields = complaints.fields(&file);
        complaints.headings(&file);
        let lookup = complaints.lookups(&file, &fields);
        complaints.expect(&file.expect, file.record, &fields);
        complaints.limits(&file.limits);
        if !complaints.list.is_empty() {
            return Err(complaints.list);
        }
        Ok(Self {
            name: name.to_owned(),
            digest: digest.to_owned(),
            department: file.department,
            title: file.title,
            record: file.record,
            mode: file.mode,
            repeat: file.repeat,
            agreement: file.agreement,
            precedence: file.precedence,
            gone_after: file.gone_after.unwrap_or(GONE_AFTER),
            transport: file.transport,
            container: file.container,
            format: file.format,
            as_of: file.as_of,
            period: file.period,
            personal: file.personal.columns,
            fields,
            lookup,
            ignore: file.ignore.columns,
            expect: with_defaults(file.expect, file.mode),
            limits: file.limits,
            regions: std::collections::BTreeSet::new(),
        })
    }
}

/// The shrinkage bound has two defaults (of the whole, of a part), so the guard fills it in.
fn with_defaults(mut expect: Expect, mode: Mode) -> Expect {
    expect.set_aside_at_most.get_or_insert(SET_ASIDE_AT_MOST);
    expect.change.missing_at_most.get_or_insert(MISSING_AT_MOST);
    expect.age.get_or_insert(default_age(mode));
    expect
}

#[derive(Default)]
struct Complaints {
    list: Vec<Complaint>,
}

impl Complaints {
    fn add(&mut self, key: impl Into<String>, code: &'static str, text: impl Into<String>) {
        self.list.push(Complaint {
            key: key.into(),
            code,
            text: text.into(),
        });
    }

    fn gone_after(&mut self, file: &AdapterFile) {
        let Some(batches) = file.gone_after else {
            return;
        };
        if file.mode == Mode::Increment {
            self.add(
                "gone_after",
                "YB-1327",
                "增量交付不说明哪些记录不再存在，不能设置 gone_after。处理：删去，或改为 mode = \"snapshot\"",
            );
        } else if !(1..=GONE_AFTER_MOST).contains(&batches) {
            self.add(
                "gone_after",
                "YB-1328",
                format!(
                    "gone_after 是 {batches}，应为 1 到 {GONE_AFTER_MOST} 之间的整数。处理：填写连续多少个完整批次未出现才视为不再存在"
                ),
            );
        }
    }

    fn head(&mut self, name: &str, file: &AdapterFile) {
        let is_plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.is_empty() || name.len() > NAME_CHARS || !name.chars().all(is_plain) {
            self.add(
                "",
                "YB-1301",
                format!("适配器文件名“{name}”只能用小写字母、数字、连字符，至多{NAME_CHARS}个字符。处理：重命名文件"),
            );
        }
        for (key, text) in [
            ("department", &file.department),
            ("title", &file.title),
            ("basis", &file.basis),
        ] {
            if text.trim().is_empty() {
                self.add(key, EMPTY, "不能为空。处理：填写部门、数据名称和法律依据");
            }
        }
        if let Some(agreement) = &file.agreement
            && agreement.last_day().is_none()
        {
            self.add(
                "agreement.until",
                "YB-1303",
                format!(
                    "“{}”不是日期。处理：写作 2027-12-31，不加引号",
                    agreement.until
                ),
            );
        }
    }

    fn heading(&mut self, key: &str, heading: &str) {
        if cell::heading_text(heading).is_empty() {
            self.add(key, EMPTY, "列名不能为空。处理：照文件中的表头填写");
        }
    }

    fn fields(&mut self, file: &AdapterFile) -> BTreeMap<Field, FieldRule> {
        let mut fields = BTreeMap::new();
        let known: Vec<&str> = file
            .record
            .fields()
            .iter()
            .map(|field| field.name())
            .collect();
        for (name, rule) in &file.fields {
            let key = format!("fields.{name}");
            match Field::by_name(name) {
                Some(field) if file.record.fields().contains(&field) => {
                    self.rule(&key, field, rule);
                    fields.insert(field, rule.clone());
                }
                Some(field) => self.add(
                    key,
                    "YB-1311",
                    format!(
                        "{}（{name}）不属于 {} 类记录。处理：删去，或检查 record；可用：{}",
                        field.title(),
                        file.record.name(),
                        known.join("、")
                    ),
                ),
                None => {
                    let hint = suggest_field(name, file.record);
                    self.add(
                        key,
                        "YB-1310",
                        format!(
                            "没有名为“{name}”的字段{hint}。处理：改用 {} 类记录的字段：{}",
                            file.record.name(),
                            known.join("、")
                        ),
                    );
                }
            }
        }
        for field in file.record.key() {
            let name = field.name();
            match fields.get(field) {
                None if *field == Field::Month && file.period.is_some() => {}
                None => self.add(
                    "fields",
                    "YB-1312",
                    format!("缺少主键字段 {name}（{}）。处理：补上 {name} = {{ from = \"列名\", required = true }}", field.title()),
                ),
                Some(rule) if !rule.required() => self.add(
                    format!("fields.{name}"),
                    "YB-1313",
                    format!("主键字段{}必须是必填项。处理：写作 {{ from = \"列名\", required = true }}", field.title()),
                ),
                Some(_) => {}
            }
        }
        fields
    }

    fn rule(&mut self, key: &str, field: Field, rule: &FieldRule) {
        let from = if matches!(rule, FieldRule::Table(_)) {
            format!("{key}.from")
        } else {
            key.to_owned()
        };
        if rule.headings().is_empty() {
            self.add(&from, EMPTY, "至少要有一个列名。处理：照文件中的表头填写");
        }
        for heading in rule.headings() {
            self.heading(&from, heading);
        }
        self.unit(key, field, rule.unit());
        self.word(key, field, rule.lookup());
        if let Some(text) = rule.default() {
            let unit = rule
                .unit()
                .and_then(MoneyUnit::by_name)
                .unwrap_or(MoneyUnit::Yuan);
            if cell::default_value(field, unit, text).is_none() {
                let hint = match field.field_type() {
                    FieldType::Word => format!("应为下列之一：{}", field.words().join("、")),
                    _ => format!("不能读作{}", type_title(field)),
                };
                self.add(
                    format!("{key}.default"),
                    "YB-1317",
                    format!("默认值“{text}”{hint}。处理：改正或删去"),
                );
            }
            if rule.required() {
                let text = "必填项不能有默认值：空白的主键不能猜。处理：二者去一";
                self.add(format!("{key}.default"), "YB-1318", text);
            }
        }
    }

    fn unit(&mut self, key: &str, field: Field, unit: Option<&str>) {
        let (known, is_due): (&[&str], bool) = match field.field_type() {
            FieldType::Money => (&MoneyUnit::NAMES, true),
            FieldType::Count => (&["persons"], false),
            _ => (&[], false),
        };
        match unit {
            None if is_due => self.add(
                key,
                "YB-1314",
                format!("金额字段必须写明单位。处理：加上 unit = \"yuan\"（元）、\"wan_yuan\"（万元）或 \"fen\"（分），当前{}未写", field.title()),
            ),
            Some(unit) if known.is_empty() => self.add(
                format!("{key}.unit"),
                "YB-1316",
                format!("{}不是数值，没有单位“{unit}”。处理：删去 unit", field.title()),
            ),
            Some(unit) if !known.contains(&unit) => self.add(
                format!("{key}.unit"),
                "YB-1315",
                format!(
                    "不认识的单位“{unit}”{}。处理：可用：{}",
                    suggest(unit, known.iter().copied()),
                    known.join("、")
                ),
            ),
            _ => {}
        }
    }

    fn word(&mut self, key: &str, field: Field, lookup: Option<&str>) {
        match (field.field_type(), lookup) {
            (FieldType::Word, None) => self.add(
                key,
                "YB-1320",
                format!(
                    "{}须经对照表换成规范词。处理：加上 lookup = \"名称\" 和相应的 [lookup.名称]",
                    field.title()
                ),
            ),
            (FieldType::Word, Some(_)) | (_, None) => {}
            (_, Some(_)) => self.add(
                format!("{key}.lookup"),
                "YB-1321",
                format!(
                    "{}不是词语字段，不用对照表。处理：删去 lookup",
                    field.title()
                ),
            ),
        }
    }

    /// No heading may feed two fields, and none may be both used and ignored.
    fn headings(&mut self, file: &AdapterFile) {
        let mut owner: BTreeMap<String, &str> = BTreeMap::new();
        for (name, rule) in &file.fields {
            for heading in rule.headings() {
                let text = cell::heading_text(heading);
                if text.is_empty() {
                    continue;
                }
                match owner.insert(text, name) {
                    Some(other) if other == name => self.add(
                        format!("fields.{name}"),
                        "YB-1330",
                        format!("列“{heading}”写了两遍。处理：删去一处"),
                    ),
                    Some(other) => self.add(
                        format!("fields.{name}"),
                        "YB-1330",
                        format!(
                            "列“{heading}”同时用于 {other} 和 {name}。处理：一列只能对应一个字段"
                        ),
                    ),
                    None => {}
                }
            }
        }
        for heading in &file.ignore.columns {
            if let Some(name) = owner.get(&cell::heading_text(heading)) {
                self.add(
                    "ignore.columns",
                    "YB-1331",
                    format!("列“{heading}”既用于 {name} 又列为忽略。处理：二者去一"),
                );
            }
        }
        for heading in &file.personal.columns {
            self.heading("personal.columns", heading);
            let text = cell::heading_text(heading);
            let reader = owner.get(&text).and_then(|name| Field::by_name(name));
            if let Some(field) = reader.filter(|field| field.field_type() != FieldType::Pseudonym) {
                self.add(
                    "personal.columns",
                    "YB-1332",
                    format!(
                        "列“{heading}”列为个人信息，不能用于 {}（{}）。处理：二者去一；只能用于去标识化的 representative",
                        field.name(),
                        field.title()
                    ),
                );
            }
            let is_ignored = |ignored: &String| cell::heading_text(ignored) == text;
            if file.ignore.columns.iter().any(is_ignored) {
                self.add(
                    "personal.columns",
                    "YB-1332",
                    format!("列“{heading}”既列为个人信息又列为忽略。处理：留在 [personal] 中"),
                );
            }
        }
    }

    fn lookups(
        &mut self,
        file: &AdapterFile,
        fields: &BTreeMap<Field, FieldRule>,
    ) -> BTreeMap<String, BTreeMap<String, String>> {
        for (field, rule) in fields {
            let Some(name) = rule.lookup() else { continue };
            if !file.lookup.contains_key(name) {
                self.add(
                    format!("fields.{}.lookup", field.name()),
                    "YB-1322",
                    format!(
                        "没有名为“{name}”的对照表{}。处理：补上 [lookup.{name}] 或改正名称",
                        suggest(name, file.lookup.keys().map(String::as_str))
                    ),
                );
            }
        }
        let mut lookup = BTreeMap::new();
        for (name, words) in &file.lookup {
            let users: Vec<Field> = fields
                .iter()
                .filter(|(_, rule)| rule.lookup() == Some(name))
                .map(|(field, _)| *field)
                .collect();
            if users.is_empty() {
                self.add(
                    format!("lookup.{name}"),
                    "YB-1323",
                    "没有字段使用这张对照表。处理：在字段上写 lookup，或删去这张表",
                );
            }
            lookup.insert(name.clone(), self.lookup(name, words, &users));
        }
        lookup
    }

    fn lookup(
        &mut self,
        name: &str,
        words: &BTreeMap<String, Vec<String>>,
        users: &[Field],
    ) -> BTreeMap<String, String> {
        let mut table: BTreeMap<String, String> = BTreeMap::new();
        for (word, texts) in words {
            let key = format!("lookup.{name}.{word}");
            for field in users {
                if field.field_type() == FieldType::Word && !field.words().contains(&word.as_str())
                {
                    self.add(
                        &key,
                        "YB-1324",
                        format!(
                            "“{word}”不是{}的规范词{}。处理：可用：{}",
                            field.title(),
                            suggest(word, field.words().iter().copied()),
                            field.words().join("、")
                        ),
                    );
                }
            }
            for text in texts {
                let folded = cell::lookup_text(text);
                if folded.is_empty() {
                    self.add(
                        &key,
                        "YB-1326",
                        "对照表中不能有空白写法。处理：空单元格用字段的 default",
                    );
                    continue;
                }
                match table.insert(folded, word.clone()) {
                    Some(other) if other != *word => self.add(
                        &key,
                        "YB-1325",
                        format!(
                            "“{text}”同时归入 {other} 和 {word}（全半角视为相同）。处理：只留一处"
                        ),
                    ),
                    // The same text in both widths under one word is harmless: operators list what they saw.
                    _ => {}
                }
            }
        }
        table
    }

    fn expect(&mut self, expect: &Expect, record: RecordKind, fields: &BTreeMap<Field, FieldRule>) {
        if let (Some(min), Some(max)) = (expect.rows.min, expect.rows.max)
            && min > max
        {
            self.add(
                "expect.rows",
                "YB-1341",
                format!("行数下限{min}大于上限{max}。处理：改正"),
            );
        }
        for (key, share) in [
            (
                "expect.change.missing_at_most",
                expect.change.missing_at_most,
            ),
            ("expect.change.new_at_most", expect.change.new_at_most),
            (
                "expect.change.changed_at_most",
                expect.change.changed_at_most,
            ),
            ("expect.change.shrink_at_most", expect.change.shrink_at_most),
            ("expect.set_aside_at_most", expect.set_aside_at_most),
        ] {
            self.share(key, share);
        }
        for (name, share) in &expect.fill {
            let key = format!("expect.fill.{name}");
            self.share(&key, Some(*share));
            if !Field::by_name(name).is_some_and(|field| fields.contains_key(&field)) {
                let hint = Field::by_name(name).map_or_else(
                    || suggest_field(name, record),
                    |_| "（这个字段没有在 [fields] 中取数）".to_owned(),
                );
                self.add(
                    key,
                    "YB-1342",
                    format!("“{name}”不是本适配器取数的字段{hint}。处理：改正名称或删去"),
                );
            }
        }
    }

    fn share(&mut self, key: &str, share: Option<f64>) {
        if let Some(share) = share
            && !(0.0..=1.0).contains(&share)
        {
            self.add(
                key,
                "YB-1340",
                format!("比例{share}不在0至1之间。处理：百分之五写作 0.05"),
            );
        }
    }
}

const fn type_title(field: Field) -> &'static str {
    match field.field_type() {
        FieldType::Code => "编号",
        FieldType::Text => "文字",
        FieldType::Count => "整数",
        FieldType::Money => "金额",
        FieldType::Date => "日期",
        FieldType::Month => "月份",
        FieldType::Word => "规范词",
        FieldType::Pseudonym => "去标识化的标识",
    }
}

/// `，是否为“name”？` when a known word is near.
fn suggest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> String {
    known
        .map(|near| (strsim::jaro_winkler(word, near), near))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map_or_else(String::new, |(_, near)| format!("，是否为“{near}”？"))
}

/// By likeness of the name, or by the Chinese title where an operator wrote that.
fn suggest_field(name: &str, record: RecordKind) -> String {
    record
        .fields()
        .iter()
        .find(|field| field.title() == name)
        .map_or_else(
            || suggest(name, record.fields().iter().map(|field| field.name())),
            |field| format!("，是否为“{}”？", field.name()),
        )
}

#[cfg(test)]
mod tests;
