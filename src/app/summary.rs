//! The summary that is printed at the start.

use std::{fmt, net::SocketAddr};

use crate::http::state::App;

/// What runs where, and what is missing.
pub struct Summary {
    lines: Vec<(&'static str, String)>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n  Rushdesk {}\n", env!("CARGO_PKG_VERSION"))?;
        for (name, text) in &self.lines {
            writeln!(f, "  {name:<10} {text}")?;
        }
        writeln!(f)
    }
}

impl Summary {
    pub(super) fn of(
        app: &App,
        address: SocketAddr,
        models: &[String],
        demo_documents: usize,
    ) -> Self {
        let config = &app.config;
        let (stores, data) = if config.is_embedded() {
            ("SQLite and a cache in this process", config.server.data_dir.display().to_string())
        } else {
            ("MySQL, Redis", "in the stores".to_owned())
        };
        let model = if models.is_empty() {
            "none configured; answers are quoted from the knowledge".to_owned()
        } else {
            models.join(", ")
        };
        let embedder = app.ports.embedder.as_ref().map_or_else(
            || "missing (run `make model`); search by words only, no semantic cache".to_owned(),
            |embedder| embedder.id.to_string(),
        );
        let scheme = if config.server.tls().is_some() { "https" } else { "http" };
        let mut lines = vec![
            ("chat", format!("{scheme}://{address}/")),
            ("API", format!("{scheme}://{address}/docs")),
            ("metrics", format!("{scheme}://{address}/metrics")),
            ("stores", stores.to_owned()),
            ("data", data),
            ("embedder", embedder),
            ("model", model),
        ];
        if config.is_embedded() {
            lines.push(("demo", format!("site key pk_demo, {demo_documents} documents")));
        }
        Self { lines }
    }
}
