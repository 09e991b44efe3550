//! `demo-shop`: a shop's order system over real HTTP, as `docs/shop-api.md` describes it.
//!
//! It has the orders, products and stores of the demo shop. Days are counted from today, so it never
//! ages. What is changed is kept in memory, and in a journal if there is one. Some order numbers show
//! a fault (`fault`).

mod book;
mod codes;
mod data;
mod fault;
mod http;
mod journal;
mod stores;
mod wares;

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use actix_web::{App, HttpServer, dev::Server, web};
use anyhow::Context as _;

use self::{book::Book, codes::Codes};
pub use self::{
    data::{Added, Customer, MOST_ADDED, added},
    journal::{Deed, Entry, Outcome, ledger},
};

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// Callers must send it as `Authorization: Bearer`. Without it everybody may call.
    #[arg(long, env = "DEMO_SHOP_KEY")]
    pub key: Option<String>,
    /// Writes every action into this file before it is answered, and reads them at the start.
    #[arg(long)]
    pub journal: Option<PathBuf>,
    /// Milliseconds that a slow order takes.
    #[arg(long, default_value_t = 5_000)]
    pub slow_ms: u64,
    /// So many more orders, from FJ-20000 on.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(data::MOST_ADDED)))]
    pub orders: u32,
    /// Each action waits up to so many milliseconds before it is done, and again before it is answered.
    #[arg(long, default_value_t = 0)]
    pub pause_ms: u64,
}

/// What the handlers of one server share.
pub struct Shop {
    args: Args,
    book: Mutex<Book>,
    codes: Mutex<Codes>,
}

impl Shop {
    /// The book stays whole if a handler panics, since it is changed in one step.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As the book.
    fn codes(&self) -> MutexGuard<'_, Codes> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs until it gets a signal.
///
/// # Errors
/// If the address cannot be bound, or the journal cannot be read.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let (server, address) = start(args)?;
    println!("demo shop on http://{address} (made-up orders)");
    server.await.context("the demo shop ended")
}

/// Binds and starts; the caller awaits the [`Server`] or keeps its handle.
///
/// # Errors
/// If the address cannot be bound, or the journal cannot be read.
pub fn start(args: Args) -> anyhow::Result<(Server, SocketAddr)> {
    let listener = TcpListener::bind(args.listen)
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    let book = Mutex::new(Book::open(args.journal.as_deref(), args.orders)?);
    let shop = web::Data::new(Shop { args, book, codes: Mutex::default() });
    let server = HttpServer::new(move || App::new().app_data(shop.clone()).configure(http::routes))
        .workers(2)
        .tcp_nodelay(true)
        .shutdown_timeout(1)
        .listen(listener)?
        .run();
    Ok((server, address))
}
