//! Which column of a file is which field.

use std::collections::{BTreeMap, BTreeSet};

use crate::adapter::cell;
use crate::adapter::mapping::{HEADINGS_SHOWN, Mapper, SHOWN_CHARS};
use crate::domain::batch::{Issue, Unreadable};

impl Mapper<'_> {
    /// Finds the column of every field. A heading that stands twice says nothing certain: a required field refuses the file,
    /// an optional one stays unknown (and the guard sees its fill rate fall).
    pub(super) fn place(
        &mut self,
        places: &BTreeMap<String, Vec<usize>>,
        issues: &mut Vec<Issue>,
    ) -> Result<(), Unreadable> {
        for plan in &mut self.plans {
            let found = plan
                .rule
                .headings()
                .iter()
                .find_map(|heading| places.get(&cell::heading_text(heading)));
            plan.column = match found.map(Vec::as_slice) {
                Some([at]) => Some(*at),
                Some([first, ..]) => {
                    let heading = cell::cut(&self.headings[*first], SHOWN_CHARS);
                    if plan.rule.required() {
                        return Err(Unreadable {
                            code: "YB-2119",
                            text: format!(
                                "表头“{heading}”出现不止一次，无法判断以哪一列为准。处理：请来源部门删去重复的列后重新导出"
                            ),
                        });
                    }
                    if self.raised.insert(cell::heading_text(&heading)) {
                        issues.push(Issue {
                            row: 0,
                            column: heading,
                            value: String::new(),
                            code: "YB-2215".to_owned(),
                            reason: "表头出现不止一次，此项按未知处理。处理：请来源部门删去重复的列后重新导出".to_owned(),
                        });
                    }
                    None
                }
                _ => None,
            };
        }
        Ok(())
    }

    pub(super) fn require_columns(&self) -> Result<(), Unreadable> {
        let missing = self
            .plans
            .iter()
            .find(|plan| plan.rule.required() && plan.column.is_none())
            .map(|plan| plan.rule.headings().join("”或“"));
        let missing = missing.or_else(|| {
            let is_missing = self.as_of_heading.is_some() && self.as_of_column.is_none();
            is_missing.then(|| self.as_of_heading.clone())?
        });
        let Some(missing) = missing else {
            return Ok(());
        };
        let found: Vec<String> = self
            .headings
            .iter()
            .filter(|heading| !heading.is_empty())
            .take(HEADINGS_SHOWN)
            .map(|heading| cell::cut(heading, SHOWN_CHARS))
            .collect();
        Err(Unreadable {
            code: "YB-2110",
            text: format!(
                "缺少必需的列“{missing}”；文件中有：{}。处理：请来源部门按约定列名重新导出，或把新列名补入适配器的 [fields]",
                found.join("、")
            ),
        })
    }

    pub(super) fn raise_unknown(
        &mut self,
        places: &BTreeMap<String, Vec<usize>>,
        issues: &mut Vec<Issue>,
    ) {
        let mut known: BTreeSet<String> = self
            .plans
            .iter()
            .flat_map(|plan| plan.rule.headings())
            .chain(&self.adapter.ignore)
            .chain(&self.adapter.personal)
            .map(|heading| cell::heading_text(heading))
            .collect();
        known.extend(self.as_of_heading.clone());
        for (text, at) in places {
            if known.contains(text) || self.raised.len() >= HEADINGS_SHOWN {
                continue;
            }
            if self.raised.insert(text.clone()) {
                issues.push(Issue {
                    row: 0,
                    column: cell::cut(&self.headings[at[0]], SHOWN_CHARS),
                    value: String::new(),
                    code: "YB-2202".to_owned(),
                    reason: "适配器没有声明这一列，其内容未被使用。处理：需要的写入 [fields]，不需要的列入 [ignore].columns".to_owned(),
                });
            }
        }
    }
}
