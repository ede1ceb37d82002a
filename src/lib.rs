//! # yingbao 应保
//!
//! A daemon that keeps a city's register of enterprises from other departments' exports, finds those that may owe social
//! insurance and are not insured, has county clerks check each, and follows it up by the legal clock.
//!
//! ## The house
//!
//! A room imports only lower floors; rooms on one floor do not know each other (a test reads the imports and keeps it so).
//!
//! | floor | room | what it is |
//! |---|---|---|
//! | 9 | `main.rs` | argv in, exit code out |
//! | 8 | [`cli`] | one file per command; the only place where rooms are wired together |
//! | 6 | [`daemon`] | schedules → activations, socket, clean end; `daemon::clock` is the only reader of the clock |
//! | 5 | [`tasks`] | pull, review, escalate, notify, deliver, publish, selfcheck, compact: load, decide, commit |
//! | 4 | [`intake`] [`config`] [`demo`] | bytes → rows · files → checked settings · a synthetic city |
//! | 3 | [`adapter`] [`store`] [`courier`] [`render`] | language of adapters · archive, journal, index · ways out · texts and pages |
//! | 2 | [`domain`] | the nouns and their rules |
//! | 1 | [`calendar`] [`secret`] | working days, legal clocks, contact hours · secrets and certificates by reference to files |
//!
//! `calendar`, `domain`, `adapter` and `render` are pure: values in, values out. What is absent there is the point: no clock,
//! no randomness, no file, no network, no store, no logger, no async.
//!
//! ## The path of a record
//!
//! A department's export is kept under its digest (`intake::fetch`, `store`), opened and read into raw rows
//! (`intake::decode`), mapped to canonical records (`adapter::mapping`), compared one by one with the last accepted batch
//! (`store::comparison`, `domain::change`), judged as a whole (`adapter::guard`) and committed. A row that stands byte by byte as it
//! stood in that batch is left out before it is decoded. The records of all sources are led to enterprises
//! (`domain::linking`, `domain::register`), each of which is classed (`domain::size`, `domain::new_form`) and held against the insured roll
//! (`domain::coverage`). A doubt is a finding (`domain::finding`); a finding opens a case (`domain::review`, `domain::case`); the
//! ladder says which step is due (`domain::ladder`); a step becomes notices (`domain::outreach`, `tasks::notify`), which couriers
//! carry (`tasks::deliver`, `courier`). What people and firms answer returns as case events. A month's figures are
//! counted from the events and frozen (`domain::figures`, `tasks::publish`).
//!
//! A review holds no register: it walks through it (`tasks::walk`), and what comes out is what the whole register would say. Where it can
//! it goes on from what the last review left (`domain::outcome`): it judges whom changes since then may concern (`tasks::touched`,
//! `tasks::since`) and takes over what was found of the others. Whoever speaks of some enterprises walks too (`tasks::some`).
//!
//! It runs one way. A task receives no message about what changed; it looks at the state and does what is missing, so that
//! first run, restart, manual run and scheduled run are one path.
//!
//! ## Three kinds of error
//!
//! An **issue** is something wrong in a department's data: stored, counted, shown. A **refusal** is a rule that says no: an
//! enum of the domain. A **failure** is disk, network or a bug: it ends in the run ledger and the log.
//!
//! ## Decisions that may be questioned
//!
//! - *sled as the index, never as the truth.* Archive and journal are plain files of ours; the index follows from them.
//!   Only `store::engine` names sled.
//! - *The journal holds only what was allowed.* Case events are applied by [`domain::case::apply`] before they are written; a
//!   refused one is never journaled, so a replay can not disagree.
//! - *Nothing is founded on silence.* While the roll, or its part for a kind, is stale or held, no case is opened and none
//!   advances; while the register or the tax data are, none is opened.
//! - *Data that cannot be true decide nothing.* They are told with their row at the door, and where a verdict would rest on them it is
//!   “not decidable”, with the reasons ([`domain::doubt`]).
//! - *Nothing is joined by likeness.* Records are led to an enterprise by codes, numbers and names that say so; what is only alike is
//!   a pair for a person, and protects the enterprise from findings while it is open.
//! - *The direction of failure belongs to the action.* Alerts inside the house fail open; whatever is adverse to a firm
//!   fails closed.

pub mod adapter;
pub mod calendar;
pub mod cli;
pub mod config;
pub mod courier;
pub mod daemon;
pub mod demo;
pub mod domain;
pub mod intake;
pub mod render;
pub mod secret;
pub mod store;
pub mod tasks;
