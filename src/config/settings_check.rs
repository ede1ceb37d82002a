//! What the settings say together: no real message from a demo, addresses that are addresses, secrets that are secret.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::config::fault::{self, Fault, sentence};
use crate::config::settings::Settings;
use crate::config::settings_layers::Layers;
use crate::courier::settings::CourierMode;
use crate::secret;

/// A simulated second faster than this leaves no time to run anything in it.
const FASTEST: f64 = 1_000_000.0;

/// Every fault of the settings as a whole.
pub(crate) fn faults(settings: &Settings, root: &Path, layers: &Layers<'_>) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut fault = |key: &str, code: &str, what: &str| {
        found.push(layers.fault(key, code, what.to_owned()));
    };
    let live = settings.couriers.mode == CourierMode::Live;
    if live && settings.demo_mark.is_some() {
        fault(
            "demo_mark",
            "YB-1210",
            "带演示标记的目录不得真实发送（couriers.mode = \"live\"）。处理：演示请用 mode = \"dry_run\"；正式运行请删去 demo_mark 并换用正式数据。",
        );
    }
    if live && settings.clock.is_some() {
        fault(
            "clock",
            "YB-1211",
            "模拟时钟不得与真实发送同用（couriers.mode = \"live\"）。处理：删去 [clock]，或把 mode 改为 \"dry_run\"。",
        );
    }
    for (key, text) in settings.couriers.complaints() {
        fault(&key, "YB-1214", &text);
    }
    if let Some(clock) = &settings.clock
        && !(clock.speed > 0.0 && clock.speed <= FASTEST)
    {
        fault(
            "clock.speed",
            fault::VALUE,
            "模拟时钟的速度应大于 0、不超过 1000000。处理：改成每秒要走的秒数，例如 60.0。",
        );
    }
    for (key, text) in [
        ("city", &settings.city),
        ("centre", &settings.centre),
        ("city_unit", &settings.city_unit),
    ] {
        if text.trim().is_empty() {
            fault(key, fault::VALUE, "不能为空。处理：填写名称。");
        }
    }
    if settings
        .demo_mark
        .as_ref()
        .is_some_and(|mark| mark.trim().is_empty())
    {
        fault(
            "demo_mark",
            fault::VALUE,
            "演示标记不能为空。处理：填写标记文字，正式运行则删去该键。",
        );
    }
    if settings.state.as_os_str().is_empty() {
        fault(
            "state",
            fault::VALUE,
            "状态目录不能为空。处理：填写目录名，例如 \"state\"。",
        );
    }
    found.extend(addresses(settings, layers));
    found.extend(endpoints(settings, layers));
    found.extend(review(settings, layers));
    found.extend(named_files(settings, root, layers, live));
    found
}

/// Whether a text is a mail address, as the library that will send to it reads it.
pub(crate) fn is_mail_address(text: &str) -> bool {
    text.parse::<lettre::Address>().is_ok()
}

/// What `check` says of a malformed address.
pub(crate) fn mail_address_text(text: &str) -> String {
    format!("“{text}”不是邮件地址。处理：写成 名称@域名 的形式，不带空格和尖括号。")
}

fn addresses(settings: &Settings, layers: &Layers<'_>) -> Vec<Fault> {
    let recipients = &settings.recipients;
    [
        ("mail_from", &settings.mail_from),
        ("recipients.it_section", &recipients.it_section),
        ("recipients.public_section", &recipients.public_section),
        ("recipients.audit_section", &recipients.audit_section),
    ]
    .into_iter()
    .filter(|(_, address)| !is_mail_address(address))
    .map(|(key, address)| layers.fault(key, fault::MAIL_ADDRESS, mail_address_text(address)))
    .collect()
}

fn endpoints(settings: &Settings, layers: &Layers<'_>) -> Vec<Fault> {
    settings
        .endpoints
        .iter()
        .flat_map(|(name, endpoint)| endpoint.complaints(name))
        .map(|complaint| layers.fault(&complaint.key, complaint.code, sentence(complaint.text)))
        .collect()
}

fn review(settings: &Settings, layers: &Layers<'_>) -> Vec<Fault> {
    let rules = &settings.review;
    let mut found = Vec::new();
    let mut fault = |key: &str, what: &str| {
        found.push(layers.fault(key, fault::VALUE, what.to_owned()));
    };
    if !(rules.ratio > 0.0 && rules.ratio <= 1.0) {
        fault(
            "review.ratio",
            "比例应大于 0、不超过 1。处理：例如八成写作 0.8。",
        );
    }
    if rules.evidence_filers == 0 {
        fault(
            "review.evidence_filers",
            "至少 1 人才有用工迹象，写 0 会把空壳企业也列为疑点。处理：写 1 或更大的数。",
        );
    }
    if rules.evidence_months == 0 {
        fault(
            "review.evidence_months",
            "至少需要 1 个月的用工迹象。处理：写 1 或更大的数。",
        );
    }
    if rules.evidence_age < 0 {
        fault(
            "review.evidence_age",
            "月数不能小于 0。处理：写 0 或更大的数。",
        );
    }
    if rules.visit_days < 0 {
        fault(
            "review.visit_days",
            "天数不能小于 0。处理：写 0 或更大的数。",
        );
    }
    let doubt = &rules.doubt;
    for (key, number, least) in [
        ("review.doubt.heads_most", doubt.heads_most, 1),
        (
            "review.doubt.revenue_per_head_most",
            doubt.revenue_per_head_most,
            doubt.revenue_per_head_least + 1,
        ),
        ("review.doubt.revenue_factor", doubt.revenue_factor, 2),
        ("review.doubt.class_factor", doubt.class_factor, 2),
        ("review.doubt.heads_factor", doubt.heads_factor, 2),
    ] {
        if number < least {
            let what = format!(
                "不能小于 {least}，否则寻常的差异也会被当作存疑。处理：写 {least} 或更大的数。"
            );
            fault(key, &what);
        }
    }
    found
}

/// Files that the settings name: a secret that others may read is none; what live sending needs must be there.
fn named_files(settings: &Settings, root: &Path, layers: &Layers<'_>, live: bool) -> Vec<Fault> {
    let mut named = Vec::new();
    if let Some(smtp) = &settings.couriers.smtp {
        named.push((
            "couriers.smtp.password_file".to_owned(),
            smtp.password_file.as_deref(),
            true,
        ));
        named.push((
            "couriers.smtp.ca_file".to_owned(),
            smtp.ca_file.as_deref(),
            false,
        ));
    }
    if let Some(sms) = &settings.couriers.sms {
        named.push((
            "couriers.sms.secret_file".to_owned(),
            sms.secret_file.as_deref(),
            true,
        ));
        named.push((
            "couriers.sms.ca_file".to_owned(),
            sms.ca_file.as_deref(),
            false,
        ));
    }
    for (name, endpoint) in &settings.endpoints {
        for (key, file) in endpoint.secret_files() {
            named.push((format!("endpoints.{name}.{key}"), Some(file), true));
        }
        for (key, file) in [
            ("ca_file", &endpoint.ca_file),
            ("client_cert_file", &endpoint.client_cert_file),
        ] {
            named.push((format!("endpoints.{name}.{key}"), file.as_deref(), false));
        }
    }
    named.push((
        "pseudonym_key_file".to_owned(),
        settings.pseudonym_key_file.as_deref(),
        true,
    ));
    let mut found = Vec::new();
    for (key, path, is_secret) in named {
        let Some(path) = path else { continue };
        let what = match std::fs::metadata(root.join(path)) {
            Ok(file) if is_secret && secret::is_open(file.permissions().mode()) => format!(
                "{} 对本机其他账户开放（{:04o}），不能存放密钥。处理：chmod 600 {}，只留给运行本程序的账户。",
                path.display(),
                file.permissions().mode() & 0o777,
                path.display()
            ),
            Err(_) if live => format!(
                "没有文件 {}，而 mode = \"live\" 需要它。处理：放好该文件，或改正路径（相对于本目录）。",
                path.display()
            ),
            _ => continue,
        };
        found.push(layers.fault(&key, "YB-1213", what));
    }
    found
}
