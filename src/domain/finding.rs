//! A finding (疑点): what the comparison of exports suggests. A question to be checked, never a determination.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// An insurance kind that the centre runs (社会保险经办条例 arts. 4, 60): medical and maternity are another agency's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Insurance {
    /// 企业职工基本养老保险 (110).
    Pension,
    /// 失业保险 (210).
    Unemployment,
    /// 工伤保险 (410).
    WorkInjury,
}

impl Insurance {
    /// All three, in the order of the law.
    pub const ALL: [Self; 3] = [Self::Pension, Self::Unemployment, Self::WorkInjury];

    /// The canonical word in records.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pension => "pension",
            Self::Unemployment => "unemployment",
            Self::WorkInjury => "work_injury",
        }
    }

    /// The kind with this canonical word.
    #[must_use]
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// For staff and firms.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Pension => "养老保险",
            Self::Unemployment => "失业保险",
            Self::WorkInjury => "工伤保险",
        }
    }
}

/// What is doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Evidence of staff, no unit on the roll.
    Absent,
    /// On the roll with nobody registered in any kind.
    NobodyInsured,
    /// Staff registered for some kinds, nobody for another that is owed.
    KindsMissing,
    /// Clearly fewer registered than employed.
    FewerInsured,
    /// Registered but not paying: the tax authority's list only, never a case.
    NotPaying,
}

impl FindingKind {
    /// All, in the order of lists.
    pub const ALL: [Self; 5] = [
        Self::Absent,
        Self::NobodyInsured,
        Self::KindsMissing,
        Self::FewerInsured,
        Self::NotPaying,
    ];

    /// The letter in case ids.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Absent => 'A',
            Self::NobodyInsured => 'N',
            Self::KindsMissing => 'K',
            Self::FewerInsured => 'F',
            Self::NotPaying => 'P',
        }
    }

    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Absent => "疑似有用工未办理参保登记",
            Self::NobodyInsured => "已登记但无人参保",
            Self::KindsMissing => "险种不全",
            Self::FewerInsured => "参保人数明显少于用工人数",
            Self::NotPaying => "已参保未缴费",
        }
    }

    /// Whether it opens a case here; arrears are the tax authority's.
    #[must_use]
    pub const fn opens_case(self) -> bool {
        !matches!(self, Self::NotPaying)
    }
}

/// One fact a verdict rests on, with the place where anybody can look it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// The adapter's name; `rule` for a step of reasoning without a row of its own.
    pub source: String,
    /// The batch whose row it is.
    pub batch: String,
    /// The file as the department named it.
    pub file: String,
    /// The row in that file, first row 1; 0 when it is the absence of a row.
    pub row: u64,
    /// The day the file speaks of.
    pub date: Option<Date>,
    /// The fact, in Chinese.
    pub text: String,
    /// The rule of this program that uses it, such as `coverage.absent`.
    pub rule: String,
    /// The article of law behind the rule.
    pub article: String,
}

/// A finding with its figures and grounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is doubtful.
    pub kind: FindingKind,
    /// Kinds that look owed and uncovered.
    pub kinds: Vec<Insurance>,
    /// Persons the evidence shows employed (paying wage filers of the newest month used). Section only.
    pub employed: u64,
    /// Registered heads per kind in the same month.
    pub registered: BTreeMap<Insurance, u64>,
    /// The day the roll used speaks of.
    pub roll_as_of: Date,
    /// The facts.
    pub grounds: Vec<Ground>,
}

impl Finding {
    /// Whether another review found the same thing: kind, kinds and heads. Where the rows lie and how new the
    /// roll is may differ; a case is not rewritten every day for that.
    #[must_use]
    pub fn same_figures(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.kinds == other.kinds
            && self.employed == other.employed
            && self.registered == other.registered
    }
}
