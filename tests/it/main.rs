//! Stories, goldens and house rules, in one binary.
mod adapters;
mod again;
mod bench_home;
mod check;
mod city;
mod demo;
mod draft;
mod explained;
mod hosts;
mod inbox;
mod issues;
mod mail;
mod migration;
mod office;
mod one;
mod preview;
mod program;
mod quarantine;
mod render;
mod resume;
mod rules;
mod serve;
mod shipped;
mod since;
#[path = "../bench/snapshot.rs"]
#[allow(dead_code, reason = "the benchmark uses the rest")]
mod snapshot;
mod surplus;
mod tidy;
mod withdraw;
