//! Rushdesk: a self-hosted chat backend for customer service that keeps working during a sales
//! event.
//!
//! `ARCHITECTURE.md` explains the main paths. The docs of each module state what it owns and what
//! it never does.

pub mod accounts;
pub mod actions;
pub mod app;
pub mod archive;
pub mod assistant;
pub mod auth;
pub mod background;
pub mod brownout;
pub mod cache;
pub mod circuit;
pub mod clock;
pub mod commands;
pub mod config;
pub mod demo;
pub mod desk;
pub mod domain;
pub mod embedding;
pub mod erasure;
pub mod evaluate;
pub mod guard;
pub mod handoffs;
pub mod hot;
pub mod http;
pub mod inference;
pub mod journal;
pub mod knowledge;
pub mod limits;
pub mod log;
pub mod net;
pub mod peers;
pub mod redis;
pub mod rehearse;
pub mod relay;
pub mod renewal;
pub mod runtime;
pub mod secrets;
pub mod session;
pub mod shutdown;
pub mod supervisor;
pub mod telemetry;
pub mod tickets;
pub mod tls;
pub mod tools;
pub mod triage;
pub mod turn;
pub mod vector;
mod words;
