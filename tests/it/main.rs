//! Stories, goldens and house rules, in one binary.
mod adapters;
mod check;
mod demo;
mod mail;
mod program;
mod render;
mod shipped;
mod tidy;
