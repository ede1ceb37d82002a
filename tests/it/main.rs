//! Stories, goldens and house rules, in one binary.
mod render;
mod tidy;
