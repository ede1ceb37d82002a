//! Reporting units with their registrar's digits, agencies and (invented) towns and streets.

/// One reporting unit of the city.
#[derive(Debug)]
pub struct Place {
    /// Its id in `config/units.toml`.
    pub id: &'static str,
    /// Its short name.
    pub name: &'static str,
    /// Its agency as the roll writes it.
    pub agency: &'static str,
    /// Other ways the roll writes it.
    pub aliases: &'static [&'static str],
    /// The registrar's six digits of firms that lie in it.
    pub region: &'static str,
    /// Towns that tell it apart from the district around it; empty for ordinary counties.
    pub towns: &'static [&'static str],
    /// How many of 1,000 firms lie in it.
    pub share: u64,
    /// Its clerks answer late or never.
    pub laggard: bool,
}

macro_rules! place {
    ($id:literal, $name:literal, $agency:literal, [$($alias:literal),*], $region:literal, [$($town:literal),*], $share:literal, $laggard:literal) => {
        Place { id: $id, name: $name, agency: $agency, aliases: &[$($alias),*], region: $region, towns: &[$($town),*], share: $share, laggard: $laggard }
    };
}

/// All units, in the order of bulletins.
pub static PLACES: [Place; 19] = [
    place!(
        "411302",
        "宛城区",
        "南阳市宛城区社会保险中心",
        ["宛城区"],
        "411302",
        [],
        120,
        false
    ),
    place!(
        "411303",
        "卧龙区",
        "南阳市卧龙区社会保险中心",
        ["卧龙区"],
        "411303",
        [],
        130,
        false
    ),
    place!(
        "411321",
        "南召县",
        "南召县社会保险中心",
        ["南召县"],
        "411321",
        [],
        38,
        false
    ),
    place!(
        "411322",
        "方城县",
        "方城县社会保险中心",
        ["方城县"],
        "411322",
        [],
        52,
        false
    ),
    place!(
        "411323",
        "西峡县",
        "西峡县社会保险中心",
        ["西峡县"],
        "411323",
        [],
        44,
        false
    ),
    place!(
        "411324",
        "镇平县",
        "镇平县社会保险中心",
        ["镇平县"],
        "411324",
        [],
        60,
        false
    ),
    place!(
        "411325",
        "内乡县",
        "内乡县社会保险中心",
        ["内乡县"],
        "411325",
        [],
        48,
        false
    ),
    place!(
        "411326",
        "淅川县",
        "淅川县社会保险中心",
        ["淅川县"],
        "411326",
        [],
        42,
        false
    ),
    place!(
        "411327",
        "社旗县",
        "社旗县社会保险中心",
        ["社旗县"],
        "411327",
        [],
        36,
        true
    ),
    place!(
        "411328",
        "唐河县",
        "唐河县社会保险中心",
        ["唐河县"],
        "411328",
        [],
        70,
        false
    ),
    place!(
        "411329",
        "新野县",
        "新野县社会保险中心",
        ["新野县"],
        "411329",
        [],
        46,
        false
    ),
    place!(
        "411330",
        "桐柏县",
        "桐柏县社会保险中心",
        ["桐柏县"],
        "411330",
        [],
        34,
        false
    ),
    place!(
        "411381",
        "邓州市",
        "邓州市社会保险中心",
        ["邓州市"],
        "411381",
        [],
        80,
        false
    ),
    place!(
        "411371",
        "高新区",
        "南阳市高新区社会保险中心",
        ["高新区", "高新技术产业开发区"],
        "411303",
        ["张衡街道", "百里奚街道"],
        62,
        false
    ),
    place!(
        "411372",
        "示范区",
        "南阳市示范区社会保险中心",
        ["示范区", "城乡一体化示范区"],
        "411302",
        ["白河街道", "枣林街道", "姜营街道", "新店乡"],
        54,
        false
    ),
    place!(
        "guanzhuang",
        "官庄工区",
        "南阳市官庄工区社会保险中心",
        ["官庄工区"],
        "411302",
        ["官庄镇"],
        18,
        false
    ),
    place!(
        "yahe",
        "鸭河工区",
        "南阳市鸭河工区社会保险中心",
        ["鸭河工区"],
        "411321",
        ["皇路店镇"],
        14,
        true
    ),
    place!(
        "bonded",
        "卧龙综合保税区",
        "南阳市卧龙综合保税区社会保险中心",
        ["卧龙综合保税区"],
        "411303",
        ["综合保税区"],
        10,
        false
    ),
    place!(
        "city",
        "市本级",
        "南阳市社会保险中心",
        ["市本级", "市直"],
        "411303",
        [],
        42,
        false
    ),
];

/// The place in [`PLACES`] of 市本级.
pub const CITY: u8 = 18;

/// Towns and streets of ordinary counties: invented, and none of those that mark a functional zone.
pub const TOWNS: [&str; 12] = [
    "青柳街道",
    "望槐街道",
    "双井街道",
    "云栖镇",
    "松岗坪镇",
    "梨坞镇",
    "竹园铺镇",
    "石桥坡镇",
    "白鹭洲镇",
    "鹿鸣乡",
    "槐荫乡",
    "麦场乡",
];

/// Streets: invented.
pub const STREETS: [&str; 16] = [
    "青檐路",
    "望穗路",
    "槐序大道",
    "云渡街",
    "听松巷",
    "砚池路",
    "棠梨街",
    "鹿角巷",
    "晴岚大道",
    "麦浪路",
    "竹影街",
    "双栖路",
    "星野大道",
    "春汛路",
    "石灯街",
    "雁回巷",
];

/// The unit at a place.
#[must_use]
pub fn place(at: u8) -> &'static Place {
    &PLACES[usize::from(at).min(PLACES.len() - 1)]
}

/// A unit by a number from 0 to 999, sizes skewed as in [`Place::share`].
#[must_use]
pub fn by_share(mut n: u64) -> u8 {
    for (at, place) in (0_u8..).zip(&PLACES) {
        if n < place.share {
            return at;
        }
        n -= place.share;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_make_a_whole() {
        assert_eq!(PLACES.iter().map(|place| place.share).sum::<u64>(), 1000);
        assert_eq!(place(CITY).id, "city");
        assert_eq!(by_share(0), 0);
        assert_eq!(by_share(999), CITY);
    }

    #[test]
    fn towns_of_counties_mark_no_zone() {
        for place in &PLACES {
            assert!(
                place.towns.iter().all(|town| !TOWNS.contains(town)),
                "{}",
                place.id
            );
        }
    }
}
