//! The real embedding model, if `make model` was run.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};

use crate::{
    config::{Config, Embedding, Sources},
    embedding::{self, EmbedderHandle, embed},
};

/// Texts with their vectors; empty without a model.
#[derive(Default)]
pub struct Vectors(HashMap<String, Arc<[f32]>>);

impl Vectors {
    pub fn of(&self, text: &str) -> Option<&[f32]> {
        self.0.get(text).map(|vector| &**vector)
    }
}

/// Starts the model; without one, prints a line and returns `None`.
pub fn start() -> Option<EmbedderHandle> {
    let config = Config::load(&Sources::default()).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let embedding =
        Embedding { model_dir: root.join(&config.embedding.model_dir), ..config.embedding };
    let arbiter = actix::Arbiter::current();
    match embedding::start(&embedding, &root.join(&config.server.data_dir), &arbiter) {
        Ok(handle) => Some(handle),
        Err(error) => {
            println!("without vectors: {error}");
            None
        }
    }
}

pub async fn vectors(handle: &EmbedderHandle, texts: impl IntoIterator<Item = String>) -> Vectors {
    let embedded = stream::iter(texts).map(|text| async {
        let embedding = embed(&handle.embed, text.clone(), Duration::from_secs(60)).await.unwrap();
        (text, embedding.vector)
    });
    Vectors(embedded.buffer_unordered(64).collect().await)
}
