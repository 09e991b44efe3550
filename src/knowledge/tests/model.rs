//! The real embedding model, if `make model` was run.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};

use crate::{
    config::{Config, Embedding, Sources},
    embedding::{
        self, EmbedStartError, EmbedderHandle,
        messages::{Role, embed_as},
    },
};

const LONG: Duration = Duration::from_secs(60);

/// Texts with their vectors; empty without a model.
#[derive(Default)]
pub struct Vectors(HashMap<String, Arc<[f32]>>);

impl Vectors {
    pub fn of(&self, text: &str) -> Option<&[f32]> {
        self.0.get(text).map(|vector| &**vector)
    }

    pub fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// Starts the model; without one, prints a line and returns `None`.
pub fn start() -> Option<EmbedderHandle> {
    let config = Config::load(&Sources::default()).unwrap();
    match start_in(config.embedding.model_dir) {
        Ok(handle) => Some(handle),
        Err(error) => {
            println!("without vectors: {error}");
            None
        }
    }
}

/// Starts the model in a folder, which may be relative to the repository.
pub fn start_in(model_dir: PathBuf) -> Result<EmbedderHandle, EmbedStartError> {
    let config = Config::load(&Sources::default()).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let embedding = Embedding { model_dir: root.join(model_dir), ..config.embedding };
    let arbiter = actix::Arbiter::current();
    embedding::start(&embedding, &root.join(&config.server.data_dir), &arbiter)
}

pub async fn vectors(handle: &EmbedderHandle, texts: impl IntoIterator<Item = String>) -> Vectors {
    vectors_as(Role::Question, handle, texts).await
}

pub async fn vectors_as(
    role: Role,
    handle: &EmbedderHandle,
    texts: impl IntoIterator<Item = String>,
) -> Vectors {
    let embedded = stream::iter(texts).map(|text| async {
        let embedding = embed_as(role, &handle.embed, text.clone(), LONG).await.unwrap();
        (text, embedding.vector)
    });
    Vectors(embedded.buffer_unordered(64).collect().await)
}
