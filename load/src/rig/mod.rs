//! The test rig: the processes that benchmarks, surges and chaos start, watch and stop.

pub mod litellm;
mod process;
mod service;
mod stores;
mod visitors;
mod wire;

pub use self::{
    process::{LOAD_CORE, Output, Process, SERVER_CORE, Usage, free_address, pin_self},
    service::{Folder, Pace, Server, Service, find as program},
    stores::{Redis, Sql},
    visitors::visitors,
    wire::{State as WireState, Wire},
};
