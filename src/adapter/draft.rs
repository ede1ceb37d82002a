//! Drafting an adapter from a sample of an export: columns and sample values in, a proposal out, as facts and as TOML. Pure.
//!
//! A draft is a start, not a truth. Whatever was guessed says why in a comment beside it; what cannot be guessed (the law's
//! article, the agreement, what a code table means) is left for a person, visibly. Nothing personal is shown unmasked.
pub mod aliases;
pub mod columns;
pub mod heading;
pub mod layout;
pub mod matching;
pub mod money;
pub mod proposal;
pub mod sample;
pub mod text;
pub mod vocabulary;
