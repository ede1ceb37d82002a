//! Stories, goldens and house rules, in one binary.
mod mail;
mod tidy;
