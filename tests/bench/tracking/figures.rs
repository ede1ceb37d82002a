//! What was measured, pass by pass, and the table of targets it is held against.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Figures by name, one of each pass.
#[derive(Debug, Default)]
pub struct Figures(BTreeMap<String, Vec<f64>>);

/// One line of the table.
pub struct Target {
    /// What is done.
    pub job: String,
    /// What is measured of it.
    pub what: &'static str,
    /// One value a pass; empty when something it needs was not there.
    pub values: Vec<f64>,
    /// At most this.
    pub must: f64,
    /// Better this.
    pub aim: Option<f64>,
}

impl Figures {
    /// Adds the figure of one pass.
    pub fn add(&mut self, name: impl Into<String>, value: f64) {
        self.0.entry(name.into()).or_default().push(value);
    }

    /// All passes of one figure.
    pub fn of(&self, name: &str) -> Vec<f64> {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// One figure divided by another of the same pass.
    pub fn ratio(&self, name: &str, by: &str) -> Vec<f64> {
        let (above, below) = (self.of(name), self.of(by));
        above.iter().zip(&below).map(|(a, b)| a / b).collect()
    }

    /// Every figure with its median.
    pub fn print(&self) {
        println!(
            "\n{:<44}{:>12}{:>12}{:>12}",
            "figure (s, MiB)", "median", "least", "most"
        );
        for (name, values) in &self.0 {
            let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), v| {
                (low.min(*v), high.max(*v))
            });
            println!(
                "{name:<44}{:>12.3}{least:>12.3}{most:>12.3}",
                median(values)
            );
        }
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        json!(self.0)
    }
}

impl Target {
    fn verdict(&self) -> &'static str {
        let found = median(&self.values);
        if self.values.is_empty() {
            "not measured"
        } else if self.aim.is_some_and(|aim| found <= aim) {
            "aim met"
        } else if found <= self.must {
            "met"
        } else {
            "not met"
        }
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let measured = (!self.values.is_empty()).then(|| median(&self.values));
        json!({
            "job": self.job, "what": self.what, "measured": measured, "passes": self.values,
            "must": self.must, "aim": self.aim, "verdict": self.verdict(),
        })
    }
}

/// Prints the table.
pub fn print(targets: &[Target]) {
    println!(
        "\n{:<34}{:<40}{:>10}{:>10}{:>10}  verdict",
        "job", "measured", "", "must", "aim"
    );
    for target in targets {
        let measured = match target.values.as_slice() {
            [] => "—".to_owned(),
            values => format!("{:.3}", median(values)),
        };
        let aim = target.aim.map_or("—".to_owned(), |aim| format!("{aim:.3}"));
        println!(
            "{:<34}{:<40}{measured:>10}{:>10.3}{aim:>10}  {}",
            target.job,
            target.what,
            target.must,
            target.verdict()
        );
    }
}

/// The middle one.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
