//! The configuration: read once at the start, checked as a whole, then never changed.
//!
//! A section is a file with its struct and its checks, plus a line in `whole.rs`. Its keys and
//! defaults are in `rushdesk.toml.example`, which is compiled in.

mod across;
mod actions;
mod address;
mod assistants;
mod auth;
mod brownout;
mod cache;
mod check;
mod embedding;
mod guard;
mod handoff;
mod hours;
mod inference;
mod knowledge;
mod layers;
mod limits;
mod load;
mod mysql_address;
mod network;
mod origin;
mod redis_address;
mod secret;
mod server;
mod sessions;
mod sites;
mod spans;
mod store;
mod telemetry;
mod tools;
mod turn;
mod whole;

pub use actions::Actions;
pub use assistants::{Assistant, faults as assistant_faults};
pub use auth::{Auth, Oidc};
pub use brownout::Brownout;
pub use cache::Cache;
pub use embedding::Embedding;
pub use guard::{Grounding, Guard, GuardAction, GuardActions, GuardSite};
pub use handoff::Handoff;
pub use hours::Hours;
pub use inference::{Backend, BackendKind, Inference, Lanes, Tier};
pub use knowledge::Knowledge;
pub use limits::Limits;
pub use load::{Faults, Sources};
pub use mysql_address::{MysqlAddress, MysqlFault, MysqlTls};
pub use network::Network;
pub use origin::OriginPattern;
pub use redis_address::{AddressFault, RedisAddress};
pub use secret::Secret;
pub use server::{ProxyHeader, Server};
pub use sessions::Sessions;
pub use sites::{DEMO_SITE, Site, topic_confidence};
pub use store::{Store, StoreMode};
pub use telemetry::{LogFormat, Telemetry};
pub use tools::{
    Approval, Effect, Identity, McpServer, McpTool, Method, Shop, Template, Tool, Tools, Undo,
    WebSearch, read_tool, schema_faults, validator, written_tool,
};
pub use turn::Turn;
pub use whole::Config;
