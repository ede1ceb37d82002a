//! New-form (新业态) tags: which marker says so, how strong it is, which licence proves it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::industry;

/// `config/rules/new-form.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Where the markers come from.
    pub basis: String,
    /// Industry codes.
    pub industry: Vec<IndustryMarker>,
    /// Words of the business scope.
    pub keyword: Vec<KeywordMarker>,
    /// Licences.
    pub licence: Vec<LicenceMarker>,
}

/// How much a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// An industry focus of the plan only.
    Weak,
    /// Likely.
    Medium,
    /// Platform work.
    Strong,
}

/// An industry code, with or without a keyword that must stand beside it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndustryMarker {
    /// Prefixes of GB/T 4754-2017.
    pub codes: Vec<String>,
    /// 快递, 外卖配送 …
    pub category: String,
    /// How much it says.
    pub strength: Strength,
    /// Counts only with a keyword in the business scope.
    #[serde(default)]
    pub keyword_needed: bool,
}

/// A word of the business scope.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeywordMarker {
    /// The words, any of which counts.
    pub words: Vec<String>,
    /// The category.
    pub category: String,
    /// How much it says.
    pub strength: Strength,
}

/// A kind of licence.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenceMarker {
    /// The canonical word (`licence_kind`).
    pub kind: String,
    /// Its name: 网络预约出租汽车经营许可证 …
    pub name: String,
    /// The category.
    pub category: String,
    /// How much it says.
    pub strength: Strength,
}

/// A licence an enterprise holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licence {
    /// The canonical word.
    pub kind: String,
    /// Its number.
    pub number: String,
    /// Valid until.
    pub until: Option<Date>,
}

/// Whether the tag speaks of platform work or only of an industry the plan looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TagKind {
    /// 平台用工.
    PlatformWork,
    /// 行业关注.
    SectorFocus,
}

/// One tag with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewFormTag {
    /// What it speaks of.
    pub kind: TagKind,
    /// 快递, 网约车 …
    pub category: String,
    /// How sure.
    pub strength: Strength,
    /// The marker, in Chinese: code, word or licence with number.
    pub proof: String,
}

/// The tags of an enterprise, strongest first, one per category. Licences given here count as valid: who calls leaves out the expired.
#[must_use]
pub fn tags(
    rules: &Rules,
    industry: &str,
    business_scope: &str,
    licences: &[Licence],
) -> Vec<NewFormTag> {
    let mut found = Vec::new();
    for marker in &rules.licence {
        for licence in licences.iter().filter(|held| held.kind == marker.kind) {
            let number = if licence.number.is_empty() {
                "未载明"
            } else {
                &licence.number
            };
            let proof = format!("{}（许可证号{number}）", marker.name);
            add(&mut found, &marker.category, marker.strength, proof);
        }
    }
    let spoken: Vec<(&KeywordMarker, &str)> = rules
        .keyword
        .iter()
        .filter_map(|marker| {
            let word = marker
                .words
                .iter()
                .find(|word| is_claimed(business_scope, word))?;
            Some((marker, word.as_str()))
        })
        .collect();
    let digits = industry::digits(industry);
    for marker in &rules.industry {
        let stands = marker.codes.iter().any(|code| {
            // `602` covers 6020; a division alone is too coarse to be a marker.
            !code.is_empty() && digits.starts_with(code.as_str())
        });
        if !stands {
            continue;
        }
        match (marker.keyword_needed, spoken.first()) {
            (true, None) => {}
            (true, Some((_, word))) => add(
                &mut found,
                &marker.category,
                marker.strength,
                format!("行业代码{digits}且经营范围含“{word}”"),
            ),
            (false, _) => add(
                &mut found,
                &marker.category,
                marker.strength,
                format!("行业代码{digits}"),
            ),
        }
    }
    for (marker, word) in spoken {
        let proof = format!("经营范围含“{word}”");
        add(&mut found, &marker.category, marker.strength, proof);
    }
    // Stable: within one strength licences stand before codes, codes before words.
    found.sort_by_key(|tag| std::cmp::Reverse(tag.strength));
    found
}

/// One tag per category: the strongest marker counts, every proof is kept.
fn add(found: &mut Vec<NewFormTag>, category: &str, strength: Strength, proof: String) {
    let kind = |strength| match strength {
        Strength::Weak => TagKind::SectorFocus,
        Strength::Medium | Strength::Strong => TagKind::PlatformWork,
    };
    match found.iter_mut().find(|tag| tag.category == category) {
        Some(tag) => {
            tag.strength = tag.strength.max(strength);
            tag.kind = kind(tag.strength);
            tag.proof.push('；');
            tag.proof.push_str(&proof);
        }
        None => found.push(NewFormTag {
            kind: kind(strength),
            category: category.to_owned(),
            strength,
            proof,
        }),
    }
}

/// Whether the scope claims this work somewhere: “（不含快递）” does not.
fn is_claimed(scope: &str, word: &str) -> bool {
    // Most scopes hold none of the words.
    if word.is_empty() || memchr::memmem::find(scope.as_bytes(), word.as_bytes()).is_none() {
        return false;
    }
    scope.match_indices(word).any(|(at, _)| {
        let clause = scope[..at]
            .rsplit(['；', ';', '。', '，', ',', '（', '(', '）', ')'])
            .next()
            .unwrap_or_default();
        !["不含", "不包括", "不包含", "除", "不得", "不从事", "禁止"]
            .iter()
            .any(|no| clause.contains(no))
    })
}

/// Whether it is a new-form enterprise of the plan: platform work, medium or strong.
#[must_use]
pub fn is_new_form(tags: &[NewFormTag]) -> bool {
    tags.iter()
        .any(|tag| tag.kind == TagKind::PlatformWork && tag.strength >= Strength::Medium)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Rules {
        toml::from_str(include_str!("../../config/rules/new-form.toml"))
            .expect("the shipped markers")
    }

    fn licence(kind: &str) -> Licence {
        Licence {
            kind: kind.to_owned(),
            number: "宛字0001号".to_owned(),
            until: None,
        }
    }

    #[test]
    fn codes_words_and_licences_give_tags() {
        use Strength::{Medium, Strong, Weak};
        let rules = shipped();
        for (industry, scope, licences, wanted) in [
            ("6210", "正餐服务", &[][..], &[("餐饮服务", Weak)][..]),
            ("H6231", "", &[], &[("餐饮服务", Weak)]),
            ("6242", "", &[], &[("外卖配送", Strong)]),
            ("6241", "", &[], &[("餐饮配送", Medium)]),
            ("6020", "", &[], &[("快递", Strong)]),
            ("6020", "快递服务", &[], &[("快递", Strong)]),
            ("6090", "", &[], &[("即时配送", Strong)]),
            (
                "5437",
                "城市配送运输服务",
                &[],
                &[("即时配送", Medium), ("城市配送", Weak)],
            ),
            ("G5413", "", &[], &[("出租车、网约车", Strong)]),
            ("6432", "软件开发", &[], &[]),
            (
                "6432",
                "网络预约出租汽车经营服务",
                &[],
                &[("互联网平台", Strong), ("网约车", Medium)],
            ),
            ("6431", "", &[], &[("网络货运", Medium)]),
            ("7263", "劳务派遣服务", &[], &[]),
            (
                "7269",
                "骑手管理服务",
                &[],
                &[("用工合作企业", Medium), ("即时配送", Medium)],
            ),
            ("7262", "职业中介", &[], &[]),
            (
                "6513",
                "网络预约出租汽车经营服务",
                &[],
                &[("网约车", Medium)],
            ),
            ("6513", "", &["ride_hailing"], &[("网约车", Strong)]),
            ("6513", "", &["taxi"], &[("出租车", Strong)]),
            ("5431", "", &["road_freight"], &[("道路货运", Weak)]),
            (
                "5439",
                "",
                &["online_freight"],
                &[("网络货运", Strong), ("道路货运", Weak)],
            ),
            (
                "5211",
                "食品零售；城市配送运输服务（不含危险货物）",
                &[],
                &[("城市配送", Weak)],
            ),
            ("5211", "国内货物运输代理（不含快递业务）", &[], &[]),
            (
                "5211",
                "物流服务（不包括外卖递送、即时配送）；代驾服务",
                &[],
                &[("代驾", Medium)],
            ),
            ("5211", "快递（不含快递业务）", &[], &[("快递", Medium)]),
            ("", "", &["unknown"], &[]),
        ] {
            let licences: Vec<Licence> = licences.iter().map(|kind| licence(kind)).collect();
            let tags = tags(&rules, industry, scope, &licences);
            let seen: Vec<(&str, Strength)> = tags
                .iter()
                .map(|tag| (tag.category.as_str(), tag.strength))
                .collect();
            assert_eq!(seen, wanted, "{industry} {scope}");
            for tag in &tags {
                assert_eq!(tag.kind == TagKind::SectorFocus, tag.strength == Weak);
                assert!(!tag.proof.is_empty());
            }
            let platform = wanted.iter().any(|(_, strength)| *strength >= Medium);
            assert_eq!(is_new_form(&tags), platform, "{industry} {scope}");
        }
    }

    #[test]
    fn every_proof_of_a_category_is_kept() {
        let tags = tags(
            &shipped(),
            "6020",
            "快递服务",
            &[licence("ride_hailing"), licence("ride_hailing")],
        );
        let express = tags
            .iter()
            .find(|tag| tag.category == "快递")
            .expect("a tag");
        assert_eq!(express.proof, "行业代码6020；经营范围含“快递”");
        let car = tags
            .iter()
            .find(|tag| tag.category == "网约车")
            .expect("a tag");
        assert!(car.proof.contains("许可证号宛字0001号"));
    }

    #[test]
    fn the_licences_are_those_of_the_canonical_record() {
        let words = crate::domain::record::Field::LicenceKind.words();
        let rules = shipped();
        assert_eq!(rules.licence.len(), words.len());
        for marker in &rules.licence {
            assert!(words.contains(&marker.kind.as_str()), "{}", marker.kind);
        }
    }
}
