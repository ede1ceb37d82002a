//! What the divisions of GB/T 4754 are called, in the editions of 2011 and 2017, and which words tell one from the other.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::domain::industry::Edition;

/// Divisions (大类) by number, as the edition of 2017 calls them; where the edition of 2011 has the same number under another name,
/// that name as well. From 79 on the numbers of 2011 are one lower: [`RENUMBERED`].
const DIVISIONS: &[(u8, &str, &str)] = &[
    (1, "农业", ""),
    (2, "林业", ""),
    (3, "畜牧业", ""),
    (4, "渔业", ""),
    (5, "农、林、牧、渔专业及辅助性活动", "农、林、牧、渔服务业"),
    (6, "煤炭开采和洗选业", ""),
    (7, "石油和天然气开采业", ""),
    (8, "黑色金属矿采选业", ""),
    (9, "有色金属矿采选业", ""),
    (10, "非金属矿采选业", ""),
    (11, "开采专业及辅助性活动", "开采辅助活动"),
    (12, "其他采矿业", ""),
    (13, "农副食品加工业", ""),
    (14, "食品制造业", ""),
    (15, "酒、饮料和精制茶制造业", ""),
    (16, "烟草制品业", ""),
    (17, "纺织业", ""),
    (18, "纺织服装、服饰业", ""),
    (19, "皮革、毛皮、羽毛及其制品和制鞋业", ""),
    (20, "木材加工和木、竹、藤、棕、草制品业", ""),
    (21, "家具制造业", ""),
    (22, "造纸和纸制品业", ""),
    (23, "印刷和记录媒介复制业", ""),
    (24, "文教、工美、体育和娱乐用品制造业", ""),
    (
        25,
        "石油、煤炭及其他燃料加工业",
        "石油加工、炼焦和核燃料加工业",
    ),
    (26, "化学原料和化学制品制造业", ""),
    (27, "医药制造业", ""),
    (28, "化学纤维制造业", ""),
    (29, "橡胶和塑料制品业", ""),
    (30, "非金属矿物制品业", ""),
    (31, "黑色金属冶炼和压延加工业", ""),
    (32, "有色金属冶炼和压延加工业", ""),
    (33, "金属制品业", ""),
    (34, "通用设备制造业", ""),
    (35, "专用设备制造业", ""),
    (36, "汽车制造业", ""),
    (37, "铁路、船舶、航空航天和其他运输设备制造业", ""),
    (38, "电气机械和器材制造业", ""),
    (39, "计算机、通信和其他电子设备制造业", ""),
    (40, "仪器仪表制造业", ""),
    (41, "其他制造业", ""),
    (42, "废弃资源综合利用业", ""),
    (43, "金属制品、机械和设备修理业", ""),
    (44, "电力、热力生产和供应业", ""),
    (45, "燃气生产和供应业", ""),
    (46, "水的生产和供应业", ""),
    (47, "房屋建筑业", ""),
    (48, "土木工程建筑业", ""),
    (49, "建筑安装业", ""),
    (50, "建筑装饰、装修和其他建筑业", "建筑装饰和其他建筑业"),
    (51, "批发业", ""),
    (52, "零售业", ""),
    (53, "铁路运输业", ""),
    (54, "道路运输业", ""),
    (55, "水上运输业", ""),
    (56, "航空运输业", ""),
    (57, "管道运输业", ""),
    (58, "多式联运和运输代理业", "装卸搬运和运输代理业"),
    (59, "装卸搬运和仓储业", "仓储业"),
    (60, "邮政业", ""),
    (61, "住宿业", ""),
    (62, "餐饮业", ""),
    (63, "电信、广播电视和卫星传输服务", ""),
    (64, "互联网和相关服务", ""),
    (65, "软件和信息技术服务业", ""),
    (66, "货币金融服务", ""),
    (67, "资本市场服务", ""),
    (68, "保险业", ""),
    (69, "其他金融业", ""),
    (70, "房地产业", ""),
    (71, "租赁业", ""),
    (72, "商务服务业", ""),
    (73, "研究和试验发展", ""),
    (74, "专业技术服务业", ""),
    (75, "科技推广和应用服务业", ""),
    (76, "水利管理业", ""),
    (77, "生态保护和环境治理业", ""),
    (78, "公共设施管理业", ""),
    (79, "土地管理业", ""),
];

/// Divisions that the edition of 2017 renumbered by one: number of 2011, name, and words of which its classes (小类) are named and
/// those of its neighbours are not.
const RENUMBERED: &[(u8, &str, &[&str])] = &[
    (
        79,
        "居民服务业",
        &[
            "家庭服务",
            "托儿所",
            "洗染",
            "理发",
            "美容",
            "洗浴",
            "婚姻服务",
            "殡葬",
        ],
    ),
    (
        80,
        "机动车、电子产品和日用产品修理业",
        &["修理", "维修", "修配"],
    ),
    (81, "其他服务业", &["清洁服务", "宠物"]),
    (
        82,
        "教育",
        &["教育", "学前", "幼儿园", "职业技能培训", "中学", "小学"],
    ),
    (
        83,
        "卫生",
        &["医院", "卫生院", "门诊", "疾病预防", "社区卫生"],
    ),
    (
        84,
        "社会工作",
        &["提供住宿社会工作", "养护服务", "护理机构", "孤残"],
    ),
    (85, "新闻和出版业", &["新闻", "出版"]),
    (
        86,
        "广播、电视、电影和影视录音制作业",
        &["电影", "影视", "录音制作", "广播"],
    ),
    (
        87,
        "文化艺术业",
        &["文艺创作", "图书馆", "博物馆", "群众文化"],
    ),
    (88, "体育", &["体育场馆", "健身休闲", "体育组织"]),
    (
        89,
        "娱乐业",
        &["歌舞厅", "游艺厅", "网吧", "游乐园", "彩票"],
    ),
    (90, "中国共产党机关", &[]),
    (91, "国家机构", &[]),
    (92, "人民政协、民主党派", &[]),
    (93, "社会保障", &[]),
    (94, "群众团体、社会团体和其他成员组织", &[]),
    (95, "基层群众自治组织", &[]),
    (96, "国际组织", &[]),
];

/// Codes that the edition of 2017 no longer has: 餐饮配送服务, 互联网信息服务.
const ONLY_2011: &[&str] = &["6292", "6420"];

/// A name without blanks, brackets of a kind and the closing 业, which departments leave out or add.
fn plain(name: &str) -> String {
    let name: String = name
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| if c == ',' || c == '，' { '、' } else { c })
        .collect();
    name.strip_suffix('业').unwrap_or(&name).to_owned()
}

/// Divisions by their plain name, for the editions of 2011 and 2017. Made once: every row with a name asks.
static NAMED: LazyLock<[HashMap<String, u8>; 2]> = LazyLock::new(|| {
    let [mut of_2011, mut of_2017] = [HashMap::new(), HashMap::new()];
    for (division, new, old) in DIVISIONS {
        of_2017.insert(plain(new), *division);
        let name = if old.is_empty() { new } else { old };
        // 79 土地管理业 is new in 2017.
        if *division < 79 {
            of_2011.insert(plain(name), *division);
        }
    }
    for (division, name, _) in RENUMBERED {
        of_2011.insert(plain(name), *division);
        of_2017.insert(plain(name), *division + 1);
    }
    [of_2011, of_2017]
});

/// The division that bears this name in an edition.
#[must_use]
pub fn division_named(name: &str, edition: Edition) -> Option<u8> {
    let [of_2011, of_2017] = &*NAMED;
    let named = match edition {
        Edition::E2011 => of_2011,
        Edition::E2017 => of_2017,
    };
    named.get(&plain(name)).copied()
}

/// What a name says of the code beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Only this edition calls the code so.
    Edition(Edition),
    /// The name is that of another division, in either edition.
    Another,
    /// Nothing: the name is none of the words known here, or fits both.
    Nothing,
}

/// Which edition a code is of, by the name that stands beside it. Names of divisions are held against the code both ways; the names
/// of classes are far too many, so only words are looked for there that tell the renumbered divisions apart.
#[must_use]
pub fn told_by_name(digits: &str, name: &str) -> Told {
    let division = digits.get(..2).and_then(|two| two.parse::<u8>().ok());
    let Some(division) = division.filter(|_| !name.is_empty()) else {
        return Told::Nothing;
    };
    let named = [Edition::E2011, Edition::E2017].map(|edition| division_named(name, edition));
    match named.map(|named| named == Some(division)) {
        [true, true] => return Told::Nothing,
        [true, false] => return Told::Edition(Edition::E2011),
        [false, true] => return Told::Edition(Edition::E2017),
        [false, false] if named.iter().any(Option::is_some) => return Told::Another,
        [false, false] => {}
    }
    if let ("58" | "59", true) = (&digits[..2], name.contains("装卸搬运")) {
        return Told::Edition(if division == 58 {
            Edition::E2011
        } else {
            Edition::E2017
        });
    }
    if division < 79 {
        return Told::Nothing;
    }
    let mut hits = RENUMBERED
        .iter()
        .filter(|(_, _, words)| words.iter().any(|word| name.contains(word)))
        .map(|(of_2011, ..)| *of_2011);
    match (hits.next(), hits.next()) {
        (Some(of_2011), None) if of_2011 == division => Told::Edition(Edition::E2011),
        (Some(of_2011), None) if of_2011 + 1 == division => Told::Edition(Edition::E2017),
        _ => Told::Nothing,
    }
}

/// Whether only the edition of 2011 has this code.
#[must_use]
pub fn is_only_of_2011(digits: &str) -> bool {
    ONLY_2011.contains(&digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Edition::{E2011, E2017};

    #[test]
    fn a_name_tells_the_edition_of_a_renumbered_code() {
        for (code, name, wanted) in [
            ("7910", "家庭服务", Told::Edition(E2011)),
            ("8010", "家庭服务", Told::Edition(E2017)),
            ("79", "居民服务业", Told::Edition(E2011)),
            ("80", "居民服务", Told::Edition(E2017)),
            ("79", "土地管理业", Told::Edition(E2017)),
            ("82", "教育", Told::Edition(E2011)),
            ("83", "教育", Told::Edition(E2017)),
            ("8321", "社区卫生服务中心（站）", Told::Edition(E2011)),
            ("8321", "普通小学教育", Told::Edition(E2017)),
            ("5810", "装卸搬运", Told::Edition(E2011)),
            ("5910", "装卸搬运", Told::Edition(E2017)),
            ("58", "多式联运和运输代理业", Told::Edition(E2017)),
            ("59", "仓储业", Told::Edition(E2011)),
            // Both editions call it so.
            ("52", "零售业", Told::Nothing),
            ("5211", "百货零售", Told::Nothing),
            // A trade in sports goods is no sport, a body for a shop's repairs no school.
            ("5242", "体育用品及器材零售", Told::Nothing),
            ("9053", "体育经纪人", Told::Nothing),
            ("52", "教育", Told::Another),
            ("8311", "批发业", Told::Another),
            ("5211", "", Told::Nothing),
            ("", "教育", Told::Nothing),
        ] {
            assert_eq!(told_by_name(code, name), wanted, "{code} {name}");
        }
    }

    #[test]
    fn every_division_has_a_name_of_its_own_in_each_edition() {
        for (edition, last) in [(E2011, 96), (E2017, 97)] {
            let mut seen = std::collections::BTreeSet::new();
            let names = DIVISIONS
                .iter()
                .flat_map(|(_, new, old)| [*new, *old])
                .chain(RENUMBERED.iter().map(|(_, name, _)| *name));
            seen.extend(names.filter_map(|name| division_named(name, edition)));
            assert_eq!(seen, (1..=last).collect(), "{edition:?}");
        }
    }
}
