//! Trades: industry code (GB/T 4754-2017), words for names and scopes, and the lower bounds of 国统字〔2017〕213号 as the
//! city itself knows them (kept apart from the product's table on purpose: the truth must not come from it).

/// A licence of the transport department.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Licence {
    /// 网络预约出租汽车经营许可证.
    RideHailing,
    /// 巡游出租汽车经营许可证.
    Taxi,
    /// 道路运输经营许可证.
    Road,
    /// 网络货运经营许可.
    OnlineFreight,
}

impl Licence {
    /// As the department writes it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::RideHailing => "网络预约出租汽车经营许可证",
            Self::Taxi => "巡游出租汽车经营许可证",
            Self::Road => "道路运输经营许可证",
            Self::OnlineFreight => "网络货运经营许可",
        }
    }
}

/// Bounds `[medium, small]` of one indicator; `None` where the row does not use it.
pub type Bounds = Option<[u64; 2]>;

/// One trade.
#[derive(Debug)]
pub struct Trade {
    /// Section letter.
    pub section: char,
    /// Four digits.
    pub code: &'static str,
    /// In names.
    pub word: &'static str,
    /// Business scope.
    pub scope: &'static str,
    /// Heads.
    pub heads: Bounds,
    /// Revenue, 万元.
    pub revenue: Bounds,
    /// Assets, 万元.
    pub assets: Bounds,
    /// The size rule leaves it out.
    pub unclassed: bool,
    /// Platform work, in the plan at any size.
    pub new_form: bool,
    /// Its licence.
    pub licence: Option<Licence>,
    /// How many of 1,000 firms are of it.
    pub share: u64,
}

impl Trade {
    /// What GB/T 4754-2017 calls its code.
    #[must_use]
    pub fn industry(&self) -> &'static str {
        match self.code {
            "0143" => "花卉种植",
            "0313" => "猪的饲养",
            "1391" => "淀粉及淀粉制品制造",
            "1811" => "运动机织服装制造",
            "2438" => "珠宝首饰及有关物品制造",
            "3311" => "金属结构制造",
            "3562" => "半导体器件专用设备制造",
            "4710" => "住宅房屋建筑",
            "4813" => "市政道路工程建筑",
            "5011" => "公共建筑装饰和装修",
            "5121" => "米、面制品及食用油批发",
            "5154" => "医疗用品及器材批发",
            "5165" => "建材批发",
            "5211" => "百货零售",
            "5251" => "西药零售",
            "5272" => "日用家电零售",
            "5413" => "出租车客运",
            "5439" => "其他道路货物运输",
            "5990" => "其他仓储业",
            "6020" => "快递服务",
            "6110" => "旅游饭店",
            "6210" => "正餐服务",
            "6242" => "外卖送餐服务",
            "6431" => "互联网生产服务平台",
            "6513" => "应用软件开发",
            "7010" => "房地产开发经营",
            "7020" => "物业管理",
            "7251" => "互联网广告服务",
            "7263" => "劳务派遣服务",
            "8111" => "汽车修理与维护",
            "8391" => "职业技能培训",
            "8425" => "门诊部（所）",
            "9030" => "休闲观光活动",
            _ => "",
        }
    }

    /// 建筑业: work injury by project.
    #[must_use]
    pub fn is_construction(&self) -> bool {
        matches!(&self.code[..2], "47" | "48" | "49" | "50")
    }
}

const fn trade(
    section: char,
    code: &'static str,
    word: &'static str,
    scope: &'static str,
    bounds: [Bounds; 3],
    share: u64,
) -> Trade {
    let [heads, revenue, assets] = bounds;
    Trade {
        section,
        code,
        word,
        scope,
        heads,
        revenue,
        assets,
        unclassed: false,
        new_form: false,
        licence: None,
        share,
    }
}

const fn unclassed(
    section: char,
    code: &'static str,
    word: &'static str,
    scope: &'static str,
    share: u64,
) -> Trade {
    let mut out = trade(section, code, word, scope, [None, None, None], share);
    out.unclassed = true;
    out
}

const fn new_form(base: Trade, licence: Option<Licence>) -> Trade {
    let mut out = base;
    out.new_form = true;
    out.licence = licence;
    out
}

const fn licensed(base: Trade, licence: Licence) -> Trade {
    let mut out = base;
    out.licence = Some(licence);
    out
}

const AGRI: [Bounds; 3] = [None, Some([500, 50]), None];
const INDUSTRY: [Bounds; 3] = [Some([300, 20]), Some([2000, 300]), None];
const BUILDING: [Bounds; 3] = [None, Some([6000, 300]), Some([5000, 300])];
const WHOLESALE: [Bounds; 3] = [Some([20, 5]), Some([5000, 1000]), None];
const RETAIL: [Bounds; 3] = [Some([50, 10]), Some([500, 100]), None];
const TRANSPORT: [Bounds; 3] = [Some([300, 20]), Some([3000, 200]), None];
const STORAGE: [Bounds; 3] = [Some([100, 20]), Some([1000, 100]), None];
const POST: [Bounds; 3] = [Some([300, 20]), Some([2000, 100]), None];
const CATERING: [Bounds; 3] = [Some([100, 10]), Some([2000, 100]), None];
const INFO: [Bounds; 3] = [Some([100, 10]), Some([1000, 100]), None];
const SOFTWARE: [Bounds; 3] = [Some([100, 10]), Some([1000, 50]), None];
const ESTATE: [Bounds; 3] = [None, Some([1000, 100]), Some([5000, 2000])];
const PROPERTY: [Bounds; 3] = [Some([300, 100]), Some([1000, 500]), None];
const LEASE: [Bounds; 3] = [Some([100, 10]), None, Some([8000, 100])];
const OTHER: [Bounds; 3] = [Some([100, 10]), None, None];

/// All trades.
pub static TRADES: [Trade; 34] = [
    trade('A', "0143", "苗圃", "花卉苗木种植、销售", AGRI, 30),
    trade('A', "0313", "牧业", "牲畜饲养，饲料销售", AGRI, 20),
    trade(
        'C',
        "1391",
        "食品",
        "淀粉及淀粉制品制造，食品销售",
        INDUSTRY,
        30,
    ),
    trade('C', "1811", "服饰", "机织服装制造、销售", INDUSTRY, 30),
    trade('C', "2438", "玉器", "珠宝首饰及有关物品制造", INDUSTRY, 40),
    trade('C', "3311", "金属结构", "金属结构制造、安装", INDUSTRY, 30),
    trade(
        'C',
        "3562",
        "光电",
        "光电子器件制造，技术服务",
        INDUSTRY,
        15,
    ),
    trade('E', "4710", "建筑工程", "房屋建筑工程施工", BUILDING, 45),
    trade(
        'E',
        "4813",
        "市政工程",
        "市政道路工程建筑施工",
        BUILDING,
        30,
    ),
    trade('E', "5011", "装饰工程", "公共建筑装饰和装修", BUILDING, 40),
    trade('F', "5121", "粮油商贸", "谷物、豆及薯类批发", WHOLESALE, 40),
    trade(
        'F',
        "5165",
        "建材商贸",
        "建材批发，五金产品批发",
        WHOLESALE,
        60,
    ),
    trade('F', "5154", "医疗器械", "第一类医疗器械批发", WHOLESALE, 20),
    trade('F', "5211", "百货", "日用百货零售", RETAIL, 60),
    trade('F', "5251", "大药房", "西药零售，保健食品零售", RETAIL, 35),
    trade('F', "5272", "电器", "家用电器零售、维修", RETAIL, 40),
    licensed(
        trade(
            'G',
            "5439",
            "物流",
            "道路普通货物运输，货物装卸",
            TRANSPORT,
            40,
        ),
        Licence::Road,
    ),
    new_form(
        trade(
            'G',
            "5413",
            "网约车",
            "网络预约出租汽车经营服务",
            TRANSPORT,
            8,
        ),
        Some(Licence::RideHailing),
    ),
    new_form(
        trade(
            'G',
            "5413",
            "出租汽车",
            "巡游出租汽车经营服务",
            TRANSPORT,
            7,
        ),
        Some(Licence::Taxi),
    ),
    trade('G', "5990", "仓储", "普通货物仓储服务", STORAGE, 15),
    new_form(
        trade('G', "6020", "快递", "快递服务，国内快递收投", POST, 22),
        None,
    ),
    trade('H', "6110", "酒店", "旅游饭店住宿服务", CATERING, 20),
    trade('H', "6210", "餐饮管理", "正餐服务，餐饮管理", CATERING, 55),
    new_form(
        trade(
            'H',
            "6242",
            "外卖配送",
            "外卖送餐服务，外卖递送服务",
            CATERING,
            18,
        ),
        None,
    ),
    new_form(
        trade(
            'I',
            "6431",
            "网络货运",
            "网络货运平台经营，互联网货物运输平台",
            INFO,
            5,
        ),
        Some(Licence::OnlineFreight),
    ),
    trade(
        'I',
        "6513",
        "软件",
        "应用软件开发，信息系统集成",
        SOFTWARE,
        40,
    ),
    trade('K', "7010", "置业", "房地产开发经营", ESTATE, 15),
    trade('K', "7020", "物业服务", "物业管理，家政服务", PROPERTY, 30),
    trade(
        'L',
        "7263",
        "人力资源",
        "劳务派遣服务，人力资源服务",
        LEASE,
        20,
    ),
    trade('L', "7251", "广告传媒", "广告设计、制作、发布", LEASE, 50),
    trade('O', "8111", "汽车维修", "汽车修理与维护", OTHER, 40),
    trade('R', "9030", "健身", "休闲观光，健身休闲活动", OTHER, 20),
    unclassed('P', "8391", "教育咨询", "职业技能培训", 20),
    unclassed('Q', "8425", "门诊", "门诊部医疗服务", 10),
];

/// The trade at a place.
#[must_use]
pub fn trade_at(at: u8) -> &'static Trade {
    &TRADES[usize::from(at).min(TRADES.len() - 1)]
}

/// A trade by a number from 0 to 999, as in [`Trade::share`].
#[must_use]
pub fn by_share(mut n: u64) -> u8 {
    for (at, trade) in (0_u8..).zip(&TRADES) {
        if n < trade.share {
            return at;
        }
        n -= trade.share;
    }
    0
}

/// The trades of 建筑业.
#[must_use]
pub fn construction() -> Vec<u8> {
    (0_u8..)
        .zip(&TRADES)
        .filter(|(_, trade)| trade.is_construction())
        .map(|(at, _)| at)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_make_a_whole() {
        assert_eq!(TRADES.iter().map(|trade| trade.share).sum::<u64>(), 1000);
    }

    #[test]
    fn every_trade_has_its_industry_in_words() {
        for trade in &TRADES {
            assert!(!trade.industry().is_empty(), "{}", trade.code);
        }
    }

    #[test]
    fn three_trades_build() {
        assert_eq!(construction().len(), 3);
    }
}
