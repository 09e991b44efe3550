//! Errands: what a shopper wants done with a tool of the shop, understood without a model.
//!
//! [`plan`] reads a message and the conversation before it, and either asks for what is missing or
//! says which tool to call. [`render`] puts what a tool has found into words and cards, [`effect`]
//! says what an action would change, and [`Reply`] what the service says where nothing was found or
//! done.
//!
//! Pure: it never calls a tool, and what it plans keeps its placeholders. The values behind those of
//! names and addresses are read only to tell common words from them and to see what an address lacks.

mod address;
mod answered;
mod call;
mod chosen;
mod effect;
mod items;
mod masks;
mod memory;
mod numbers;
mod plan;
mod product;
mod render;
mod reply;
mod said;
mod slots;
mod text;
mod vocabulary;
mod wish;

#[cfg(test)]
mod tests;

pub use self::{
    call::{Call, Errand, Named, Pick, Proof, Wanted},
    chosen::chosen,
    effect::effect,
    plan::{Heard, plan},
    render::{Rendered, render},
    reply::{Reply, comes_next, refused},
    said::orders_in,
};
