//! Files → checked settings: base, site and environment merged, every fault of every file at once.
pub mod configuration;
pub mod cron;
pub mod fault;
pub mod home;
pub mod rule_tables;
pub mod schedule;
pub mod settings;
mod settings_check;
mod settings_layers;
pub mod shipped;
pub mod toml_file;
mod toml_tree;
mod toml_words;
