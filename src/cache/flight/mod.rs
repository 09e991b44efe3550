//! Questions in progress: equal and similar ones share one answer.

mod demand;
mod flights;
mod similar;

pub use demand::Demand;
pub use flights::{Flight, FlightKey, Flights, Join};
pub use similar::{SimilarFlight, SimilarFlights};
