//! Stories, goldens and house rules, in one binary.
mod adapters;
mod check;
mod demo;
mod hosts;
mod inbox;
mod mail;
mod office;
mod program;
mod quarantine;
mod render;
mod serve;
mod shipped;
mod tidy;
