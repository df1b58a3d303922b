//! The API over real HTTP: a server on a port of its own, over a database of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account;
mod adjustments;
mod auth;
mod claims;
mod commands;
mod counter_sessions;
mod database;
mod export;
mod hosted_apart;
mod idempotency;
mod import;
mod joining;
mod ledger;
mod ledger_rules;
mod mails;
mod member_code;
mod member_events;
mod openapi;
mod problems;
mod purchases;
mod quotes;
mod redemptions;
mod reports;
mod rewards;
mod running;
mod statement;
mod status;
mod support;
mod time;
mod wallet;
mod webhooks;
