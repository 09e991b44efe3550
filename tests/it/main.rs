//! Tests from outside: a real service on a real port, real clients, real stores.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test"
)]

mod accounts;
mod actions;
mod architecture;
mod assistants;
mod attack;
mod auth;
mod bad_input;
mod brownout;
mod cache;
mod claims;
mod codes;
mod conversation;
mod crash;
mod distributed;
mod erasure;
mod events;
mod failover;
mod fake_model;
mod faults;
mod front_desk;
mod harness;
mod headers;
mod hostile;
mod import;
mod knowledge;
mod languages;
mod limits;
mod measures;
mod newer_replicas;
mod oidc;
mod openai;
mod people;
mod permissions;
mod poison;
mod process;
mod prompt;
mod readiness;
mod rehearse;
mod replicas;
mod rotation;
mod rush;
mod servers;
mod sessions;
mod shapes;
mod shopper;
mod socket;
mod streams;
mod tls;
mod toolbox;
mod tools;
mod traces;
mod turns;
mod undo;
mod written_tools;
