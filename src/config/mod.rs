//! The configuration: read once at start, checked as a whole, then never changed.

mod check;
mod load;
mod mysql_address;
mod redis_address;
mod sections;

pub use load::{Faults, Sources};
pub use mysql_address::{MysqlAddress, MysqlFault, MysqlTls};
pub use redis_address::{AddressFault, RedisAddress};
pub use sections::*;

/// The site that the embedded mode makes by itself.
pub const DEMO_SITE: &str = "demo";
