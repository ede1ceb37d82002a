//! The layers of the settings — base, site, environment — laid over one another, each value still knowing where it came from.

use std::collections::BTreeMap;

use config::{Config, File, FileFormat};
use toml::de::DeValue;

use crate::config::fault::{self, Fault};
use crate::config::settings::{BASE, SITE, Settings};
use crate::config::toml_file;
use crate::config::toml_tree::{self, Step};

/// A variable: the path of the key it sets.
struct Variable {
    name: String,
    path: Vec<String>,
    value: String,
    /// Kind of the value that the files give this key.
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The files do not say; what it looks like decides.
    Open,
    Text,
    Other,
    /// A list or a table: no variable may replace it.
    Compound,
}

impl Variable {
    fn key(&self) -> String {
        self.path.join(".")
    }

    /// The value as TOML: as a text when it must be one, else as the number or truth value it looks like.
    fn toml(&self, as_text: bool) -> toml::Value {
        let looks = self.value.trim();
        if self.kind != Kind::Text && !as_text {
            if let Ok(number) = looks.parse::<i64>() {
                return toml::Value::Integer(number);
            }
            if let Ok(truth) = looks.parse::<bool>() {
                return toml::Value::Boolean(truth);
            }
            if looks.contains(|c: char| c.is_ascii_digit())
                && let Ok(number) = looks.parse::<f64>()
            {
                return toml::Value::Float(number);
            }
        }
        toml::Value::String(self.value.clone())
    }
}

/// The layers.
pub(crate) struct Layers<'a> {
    base: &'a str,
    site: &'a str,
    variables: Vec<Variable>,
}

impl<'a> Layers<'a> {
    /// The texts of the files by path below home, and the variables that begin with `YINGBAO_`.
    pub(crate) fn new(
        files: &'a BTreeMap<String, String>,
        environment: &BTreeMap<String, String>,
    ) -> Self {
        let text = |file: &str| files.get(file).map_or("", String::as_str);
        let (base, site) = (text(BASE), text(SITE));
        let variables = environment
            .iter()
            .map(|(name, value)| variable(name, value, [site, base]))
            .collect();
        Self {
            base,
            site,
            variables,
        }
    }

    /// A fault of a key, placed where the value in force came from.
    pub(crate) fn fault(&self, key: &str, code: &str, what: String) -> Fault {
        self.placed(Fault {
            key: key.to_owned(),
            ..Fault::of_file(BASE, code, what)
        })
    }

    fn placed(&self, fault: Fault) -> Fault {
        let covers = |outer: &str, inner: &str| {
            inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let key = fault.key.clone();
        // What is missing is missing from the files; anything else may be a variable's doing.
        let culprit = self.variables.iter().find(|variable| {
            fault.code != fault::MISSING
                && (covers(&variable.key(), &key) || covers(&key, &variable.key()))
        });
        if let Some(variable) = culprit {
            return Fault {
                file: format!("环境变量 {}", variable.name),
                line: 0,
                column: 0,
                ..fault
            };
        }
        let depth = |text: &str| {
            let (root, _) = toml_tree::read(text);
            toml_tree::path_of(&root, &key).len()
        };
        let (site, base) = (depth(self.site), depth(self.base));
        let (file, text) = if site > 0 && site >= base {
            (SITE, self.site)
        } else {
            (BASE, self.base)
        };
        let (line, column) = toml_file::locate(text, &key);
        Fault {
            file: file.to_owned(),
            line,
            column,
            ..fault
        }
    }

    /// Lays the layers over one another and reads the whole.
    pub(crate) fn merge(&self) -> Result<Settings, Vec<Fault>> {
        let mut faults: Vec<Fault> = self
            .variables
            .iter()
            .filter(|variable| variable.kind == Kind::Compound)
            .map(|variable| {
                Fault {
                    key: variable.key(),
                    ..Fault::of_file(
                        &format!("环境变量 {}", variable.name),
                        fault::VALUE,
                        "环境变量只能覆盖单个值，不能覆盖列表或整段。处理：把改动写进 config/site.toml。".to_owned(),
                    )
                }
            })
            .collect();
        // A variable that looks like a number may be meant as a text where the files do not say.
        let mut as_text: Vec<String> = Vec::new();
        let mut read = self.read(&as_text)?;
        if let Err(first) = &read {
            as_text = first
                .iter()
                .filter(|fault| fault.code == fault::VALUE)
                .map(|fault| fault.key.clone())
                .collect();
            if self.variables.iter().any(|v| as_text.contains(&v.key())) {
                read = self.read(&as_text)?;
            }
        }
        match read {
            Ok(settings) if faults.is_empty() => Ok(settings),
            Ok(_) => Err(faults),
            Err(found) => {
                faults.extend(found.into_iter().map(|fault| self.placed(fault)));
                Err(faults)
            }
        }
    }

    /// The outer error is one of laying over, the inner one of reading the result.
    #[allow(clippy::type_complexity, reason = "two stages, each with its faults")]
    fn read(&self, as_text: &[String]) -> Result<Result<Settings, Vec<Fault>>, Vec<Fault>> {
        let failed = |what: String| {
            vec![Fault::of_file(
                BASE,
                fault::VALUE,
                format!(
                    "设置无法合并（{what}）。处理：检查 yingbao.toml、site.toml 与环境变量是否互相矛盾。"
                ),
            )]
        };
        let mut table = toml::Table::new();
        for variable in self.variables.iter().filter(|v| v.kind != Kind::Compound) {
            let value = variable.toml(as_text.contains(&variable.key()));
            if !lay(&mut table, &variable.path, value) {
                return Err(vec![self.fault(
                    &variable.key(),
                    fault::VALUE,
                    "两个环境变量互相矛盾：一个把它当作值，一个把它当作段。处理：去掉其中一个。".to_owned(),
                )]);
            }
        }
        let environment = toml::to_string(&table).map_err(|error| failed(error.to_string()))?;
        let mut builder = Config::builder();
        for text in [self.base, self.site, environment.as_str()] {
            builder = builder.add_source(File::from_str(text, FileFormat::Toml));
        }
        let whole: toml::Table = builder
            .build()
            .and_then(Config::try_deserialize)
            .map_err(|error| failed(error.to_string()))?;
        let text = toml::to_string(&whole).map_err(|error| failed(error.to_string()))?;
        Ok(toml_file::parse::<Settings>(BASE, &text))
    }
}

/// Sets a value deep in a table; `false` when a value stands in the way.
fn lay(table: &mut toml::Table, path: &[String], value: toml::Value) -> bool {
    match path {
        [] => false,
        [last] => table.insert(last.clone(), value).is_none(),
        [first, rest @ ..] => match table
            .entry(first.clone())
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))
        {
            toml::Value::Table(inner) => lay(inner, rest, value),
            _ => false,
        },
    }
}

/// `YINGBAO_ENDPOINTS__MARKET_REGULATION__PATH` → `endpoints.market-regulation.path`, by the keys that the files have.
fn variable(name: &str, value: &str, texts: [&str; 2]) -> Variable {
    let written = name.strip_prefix("YINGBAO_").unwrap_or(name);
    let trees = texts.map(|text| toml_tree::read(text).0);
    let mut path: Vec<String> = Vec::new();
    let mut steps: Vec<Step> = Vec::new();
    for part in written.split("__") {
        let part = part.to_lowercase();
        let known = trees
            .iter()
            .find_map(|tree| match toml_tree::node(tree, &steps)?.get_ref() {
                DeValue::Table(table) => table
                    .keys()
                    .map(|key| key.get_ref().to_string())
                    .find(|key| key.to_lowercase().replace('-', "_") == part),
                _ => None,
            });
        let key = known.unwrap_or(part);
        steps.push(Step::Key(key.clone()));
        path.push(key);
    }
    let kind = trees
        .iter()
        .find_map(|tree| toml_tree::node(tree, &steps))
        .map_or(Kind::Open, |node| match node.get_ref() {
            DeValue::String(_) => Kind::Text,
            DeValue::Array(_) | DeValue::Table(_) => Kind::Compound,
            _ => Kind::Other,
        });
    Variable {
        name: name.to_owned(),
        path,
        value: value.to_owned(),
        kind,
    }
}
