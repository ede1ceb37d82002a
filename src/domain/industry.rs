//! Industry codes of GB/T 4754 in the shapes departments write them.

/// The digits of an industry code without its section letter: `F5211`, `5211`, `521`, `52` → `5211`, …; empty when there are none.
#[must_use]
pub fn digits(code: &str) -> &str {
    let _ = code;
    todo!()
}

/// 建筑业 (47–50): work injury is insured by project (按项目参保), never on the unit roll alone.
#[must_use]
pub fn is_construction(code: &str) -> bool {
    let _ = code;
    todo!()
}
