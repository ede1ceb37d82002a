//! A synthetic city that speaks every department's format, with the truth kept beside it. Deterministic by seed.
//!
//! The truth is made from what the city itself decided about each firm (who employs whom since when, who is covered by
//! what), never from the product's rules: so the product can be measured against it.

pub mod casting;
pub mod chance;
pub mod city;
pub mod clerks;
pub(crate) mod conversion;
pub mod days;
pub mod departments;
pub mod dirt;
pub mod door;
pub mod firm;
pub mod ftp_server;
pub mod genesis;
pub mod home;
pub mod incidents;
pub mod links;
pub mod names;
pub mod options;
pub mod places;
pub mod program;
pub mod server;
pub mod sftp_server;
pub mod shelf;
pub mod slips;
pub mod steps;
pub mod stories;
pub mod trades;
pub mod truth;
