//! The key under which personal identifiers become pseudonyms.

use secrecy::ExposeSecret as _;

use crate::adapter::language::Adapter;
use crate::domain::record::FieldType;
use crate::secret;
use crate::tasks::{Desk, Failure};

/// Characters a key must have.
const CHARS: usize = 32;

/// The key where all people are invented, in samples and in a demo's home: it is no secret, so that pseudonyms are the same everywhere.
pub const INVENTED: [u8; 32] = *b"samples are invented, all public";

/// Separates this use of the key from any other.
const PURPOSE: &str = "yingbao 2026 pseudonyms of personal identifiers";

/// The key for this adapter: that of the settings when it maps a pseudonym, [`INVENTED`] where a home with the mark of a demo names
/// none, else one that is never used.
///
/// # Errors
/// The key is needed and its file is missing, too short, or open to other accounts.
pub fn pseudonym_key(desk: Desk<'_>, adapter: &Adapter) -> Result<[u8; 32], Failure> {
    let is_needed = adapter
        .fields
        .keys()
        .any(|field| field.field_type() == FieldType::Pseudonym);
    if !is_needed {
        return Ok([0; 32]);
    }
    let wrong = |what: &str| Failure::Usage {
        code: "YB-1377",
        text: format!(
            "适配器{}取用证件号码，而去标识化的密钥文件{what}。处理：在 config/site.toml 写明 pseudonym_key_file，内容为至少{CHARS}个随机字符，权限 0600",
            adapter.name
        ),
    };
    let settings = &desk.configuration.settings;
    let Some(file) = &settings.pseudonym_key_file else {
        if settings.demo_mark.is_some() {
            return Ok(INVENTED);
        }
        return Err(wrong("没有写明"));
    };
    let key = secret::read(&desk.configuration.home.root, file)
        .map_err(|refused| wrong(&format!("不能用（{}）", refused.text)))?;
    let key = key.expose_secret();
    if key.chars().count() < CHARS {
        return Err(wrong("太短"));
    }
    Ok(blake3::derive_key(PURPOSE, key.as_bytes()))
}
