//! Lists of enterprises beside the cases: those that are looked at by people, handed to another authority, or wait for better data.

use crate::domain::coverage::{Assessment, Standing};

/// One list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roster {
    /// Nothing or too little is known of its staff.
    Survey,
    /// Suspended by itself: whether anybody is employed is to be verified.
    Suspended,
    /// Medium and large.
    MediumLarge,
    /// Registered and not paying: the tax authority's.
    Tax,
    /// Its rows cannot be true, or not all of them.
    NotDecidable,
    /// In the plan though its class cannot be decided.
    Undecided,
    /// Insured elsewhere, with proof and end.
    CoveredElsewhere,
    /// Cancelled, revoked, liquidating, moved away.
    Ended,
}

impl Roster {
    /// All, in the order of `--help`.
    pub const ALL: [Self; 8] = [
        Self::Survey,
        Self::Suspended,
        Self::MediumLarge,
        Self::Tax,
        Self::NotDecidable,
        Self::Undecided,
        Self::CoveredElsewhere,
        Self::Ended,
    ];

    /// The word on the command line and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Survey => "survey",
            Self::Suspended => "suspended",
            Self::MediumLarge => "medium-large",
            Self::Tax => "tax",
            Self::NotDecidable => "not-decidable",
            Self::Undecided => "undecided",
            Self::CoveredElsewhere => "covered-elsewhere",
            Self::Ended => "ended",
        }
    }

    /// For staff.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Survey => "用工情况调查清单",
            Self::Suspended => "停业（歇业）待核实清单",
            Self::MediumLarge => "中型、大型企业清单",
            Self::Tax => "已参保未缴费清单（税务）",
            Self::NotDecidable => "数据存疑、不能认定清单",
            Self::Undecided => "划型待定清单",
            Self::CoveredElsewhere => "异地或其他单位参保清单",
            Self::Ended => "注销、吊销、清算、迁出清单",
        }
    }

    /// Whether the data put an enterprise on it. Who is covered elsewhere no data show: that list is of clerks' answers.
    #[must_use]
    pub fn holds(self, assessment: &Assessment) -> bool {
        match self {
            Self::Survey => assessment.standing == Standing::StaffUnknown,
            Self::Suspended => assessment.standing == Standing::Suspended,
            Self::MediumLarge => assessment.standing == Standing::MediumOrLarge,
            Self::Tax => assessment.standing == Standing::NotPaying,
            Self::NotDecidable => assessment.standing == Standing::NotDecidable,
            Self::Undecided => assessment.active && assessment.undecided,
            Self::Ended => assessment.standing.has_ended(),
            Self::CoveredElsewhere => false,
        }
    }
}
