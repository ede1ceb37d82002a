//! The templates of pages, mails and texts, compiled once; strict: a missing value blocks the paper.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use crate::render::RenderError;

/// Name and text of every template. Names that end in `.html` are escaped as HTML, `.txt` are plain.
const TEMPLATES: &[(&str, &str)] = &[
    ("paper.html", include_str!("templates/paper.html")),
    ("letter.html", include_str!("templates/letter.html")),
    ("bulletin.html", include_str!("templates/bulletin.html")),
    ("demo.html", include_str!("templates/demo.html")),
    ("index.html", include_str!("templates/index.html")),
    ("story.html", include_str!("templates/story.html")),
    ("firm-notice.txt", include_str!("templates/firm-notice.txt")),
    (
        "firm-reminder.txt",
        include_str!("templates/firm-reminder.txt"),
    ),
    (
        "county-alert.txt",
        include_str!("templates/county-alert.txt"),
    ),
    ("transfer.txt", include_str!("templates/transfer.txt")),
    ("feed-alert.txt", include_str!("templates/feed-alert.txt")),
    (
        "bulletin-draft.txt",
        include_str!("templates/bulletin-draft.txt"),
    ),
    ("sms-notice.txt", include_str!("templates/sms-notice.txt")),
    (
        "sms-reminder.txt",
        include_str!("templates/sms-reminder.txt"),
    ),
];

static ENVIRONMENT: LazyLock<Result<Environment<'static>, minijinja::Error>> =
    LazyLock::new(compile);

fn compile() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // With it an error would quote every value of the paper, personal data among them.
    environment.set_debug(false);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.add_filter("count", crate::render::wording::count);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}

/// Fills one template.
///
/// # Errors
/// A value that the template names is missing, or a template is wrong.
pub fn fill(what: &'static str, template: &str, values: Value) -> Result<String, RenderError> {
    let failed = |error: &minijinja::Error| RenderError {
        what,
        text: format!("{error}"),
    };
    ENVIRONMENT
        .as_ref()
        .map_err(failed)?
        .get_template(template)
        .and_then(|template| template.render(values))
        .map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    #[test]
    fn every_template_compiles_and_a_missing_value_blocks() {
        assert!(compile().is_ok());
        let error = fill("信", "letter.html", context! {}).unwrap_err();
        assert!(error.text.contains("undefined"), "{}", error.text);
        let error = fill("信", "letter.html", context! { title => "不可外传" }).unwrap_err();
        assert!(!error.text.contains("不可外传"), "{}", error.text);
        assert!(fill("信", "none.html", context! {}).is_err());
    }

    #[test]
    fn pages_run_nothing_and_load_nothing() {
        for (name, text) in TEMPLATES {
            for word in [
                "<script",
                "javascript:",
                "http:",
                "https:",
                "onload",
                "@import",
            ] {
                assert!(!text.contains(word), "{name}: {word}");
            }
        }
    }
}
