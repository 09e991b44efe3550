//! What tools are: their declarations, and what is wrong with them.

mod address;
mod builtin;
mod check;
mod declaration;
mod places;
mod schema;
mod section;
mod template;

pub(super) use self::{builtin::all, check::declared};
pub use self::{
    declaration::{Effect, Identity, Method, Shop, Tool},
    schema::validator,
    section::Tools,
    template::Template,
};
