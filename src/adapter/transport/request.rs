//! What a request says besides its path: method, parameters, the kind of body.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How a department is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Parameters stand in the query.
    #[default]
    Get,
    /// Parameters stand in the body.
    Post,
}

/// How the parameters of a POST are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// One JSON object.
    #[default]
    Json,
    /// `a=1&b=2`.
    Form,
}

/// A fixed value. Texts may hold the placeholders of the path: `{period}`, `{day}`, and in a job's later requests `{job}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Parameter {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Truth(bool),
    /// A list; only in a JSON body.
    Many(Vec<Parameter>),
    /// An object; only in a JSON body.
    Table(BTreeMap<String, Parameter>),
}

/// Names and fixed values.
pub type Parameters = BTreeMap<String, Parameter>;

impl Parameter {
    /// Whether it can stand in a query or a form.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Number(_) | Self::Truth(_))
    }

    /// Every text in it, in order.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::Number(_) | Self::Truth(_) => Vec::new(),
            Self::Many(list) => list.iter().flat_map(Self::texts).collect(),
            Self::Table(table) => table.values().flat_map(Self::texts).collect(),
        }
    }
}

/// What a request says, as its table writes it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'t> {
    /// Path below the base.
    pub path: &'t str,
    /// Method.
    pub method: Method,
    /// Kind of body.
    pub body: Body,
    /// Names and fixed values.
    pub parameters: &'t Parameters,
}
