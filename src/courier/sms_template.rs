//! Templates of a described gateway.

use std::collections::BTreeMap;

/// What templates of the gateway may name.
#[derive(Debug, Clone, Copy)]
pub(super) struct SmsValues<'a> {
    /// The number.
    pub phone: &'a str,
    /// Signature and text.
    pub text: &'a str,
    /// The notice's key: the gateway's reference.
    pub key: &'a str,
    /// What is in the secret file; without one, a template that names it is refused.
    pub secret: Option<&'a str>,
}

impl SmsValues<'_> {
    /// Fills one template; an unknown variable is refused. The message does not repeat values.
    pub fn fill(&self, template: &str) -> Result<String, String> {
        let mut environment = minijinja::Environment::new();
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        let values: BTreeMap<String, String> = [
            ("phone", Some(self.phone)),
            ("text", Some(self.text)),
            ("key", Some(self.key)),
            ("secret", self.secret),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
        environment.render_str(template, values).map_err(|error| {
            let kind = error.kind();
            format!(
                "模板不能使用（{kind}）。处理：只用变量 phone、text、key；secret 须先填写 secret_file"
            )
        })
    }
}
