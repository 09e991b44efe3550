//! What tools are: their declarations, and what is wrong with them.

mod address;
mod bounds;
mod builtin;
mod check;
mod declaration;
mod mcp;
mod places;
mod schema;
mod section;
mod template;
mod undo;
mod web;

pub(super) use self::{
    builtin::{all, hooks},
    check::declared,
};
pub use self::{
    check::{read_tool, written_tool},
    declaration::{Approval, Effect, Identity, Method, Shop, Tool, Undo},
    mcp::{McpServer, McpTool},
    schema::{faults as schema_faults, validator},
    section::Tools,
    template::Template,
    web::WebSearch,
};
