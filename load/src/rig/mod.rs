//! The test rig: the processes that benchmarks, surges and chaos start, watch and stop.

mod process;
mod service;
mod stores;
mod visitors;

pub use self::{
    process::{LOAD_CORE, Output, Process, SERVER_CORE, Usage, free_address, pin_self},
    service::{Folder, Pace, Server, Service},
    stores::{Redis, Sql},
    visitors::visitors,
};
