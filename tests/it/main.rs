//! Stories, goldens and house rules, in one binary.
mod adapters;
mod check;
mod demo;
mod draft;
mod hosts;
mod inbox;
mod issues;
mod mail;
mod office;
mod preview;
mod program;
mod quarantine;
mod render;
mod serve;
mod shipped;
mod surplus;
mod tidy;
