//! Stories, goldens and house rules, in one binary.
mod shipped;
mod tidy;
