//! Finds a model in an Ollama on the same machine, so that a first start needs no configuration.

use std::time::Duration;

use reqwest::{Client, redirect};
use serde::Deserialize;
use tokio::time::timeout;

use crate::config::{Backend, BackendKind, Secret, Tier};

/// Ollama runs one request of a model at a time unless configured otherwise.
const SLOTS: usize = 1;
const CONTEXT_TOKENS: u32 = 8192;

#[derive(Deserialize)]
struct Tags {
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    #[serde(default)]
    details: Details,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    family: String,
}

/// The first model at `url` that can chat, as a backend called `ollama`. `None` if nothing answers
/// within `deadline` or only embedding models are installed.
pub async fn discover_ollama(url: &str, deadline: Duration) -> Option<Backend> {
    let url = url.trim_end_matches('/');
    let tags = timeout(deadline, tags(url)).await.ok()??;
    let model = tags.models.into_iter().find(Tag::can_chat)?.name;
    Some(Backend {
        name: "ollama".into(),
        kind: BackendKind::Ollama,
        url: url.to_owned(),
        model,
        api_key: Secret::default(),
        slots: SLOTS,
        requests_per_second: 0,
        context_tokens: CONTEXT_TOKENS,
        tier: Tier::Full,
        thinks: false,
        gpus: 0.0,
        gpu_hour_cost: 0.0,
    })
}

async fn tags(url: &str) -> Option<Tags> {
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().ok()?;
    let response = client.get(format!("{url}/api/tags")).send().await.ok()?;
    response.error_for_status().ok()?.json().await.ok()
}

impl Tag {
    /// `/api/tags` lists no capabilities, but embedding models belong to the BERT family or have
    /// "embed" in their names.
    fn can_chat(&self) -> bool {
        !self.details.family.contains("bert") && !self.name.contains("embed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: &str = r#"{"models":[
        {"name":"nomic-embed-text:latest","model":"nomic-embed-text:latest","size":1,"digest":"d",
         "details":{"format":"gguf","family":"nomic-bert","families":["nomic-bert"]}},
        {"name":"llama3.2:3b","model":"llama3.2:3b","size":1,"digest":"d",
         "details":{"format":"gguf","family":"llama","families":["llama"]}}]}"#;

    #[test]
    fn embedding_models_are_passed_by() {
        let tags: Tags = serde_json::from_str(TAGS).unwrap();
        let names: Vec<_> = tags.models.iter().filter(|tag| tag.can_chat()).collect();
        assert_eq!(names.len(), 1);
        assert_eq!(names[0].name, "llama3.2:3b");
    }

    #[tokio::test]
    async fn nothing_there_is_no_backend() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let found = discover_ollama(&format!("http://{closed}"), Duration::from_secs(2)).await;
        assert!(found.is_none());
    }
}
