//! Sessions of several replicas.

mod simulation;
