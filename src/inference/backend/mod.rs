//! A backend: one model, on a server or in this process, and how requests reach it.
//!
//! A backend knows nothing about slots, breakers or queues; stations do.

mod about;
mod local;
mod ollama;
mod openai;
mod remote;
pub mod vllm;

use std::sync::Arc;

pub use self::{
    about::{About, BackendId},
    local::{Job, Jobs, Local, LocalStream},
    remote::{Remote, RemoteStream, StartError},
    vllm::Look,
};
use super::{chat::ChatRequest, outcome::Outcome, stream::Item};

#[derive(Debug)]
pub enum Backend {
    Remote(Remote),
    Local(Local),
}

impl Backend {
    pub fn about(&self) -> &About {
        match self {
            Self::Remote(remote) => &remote.about,
            Self::Local(local) => &local.about,
        }
    }

    pub fn id(&self) -> BackendId {
        self.about().id
    }

    /// The configured name; the label in metrics and logs.
    pub fn name(&self) -> &Arc<str> {
        &self.about().name
    }

    pub fn model(&self) -> &str {
        &self.about().model
    }

    /// Sends the request and waits until it is accepted, without a time limit of its own. Sends
    /// `traceparent` over the network if the request is traced.
    pub async fn open(
        &self,
        chat: &ChatRequest,
        traceparent: Option<&str>,
    ) -> Result<TokenStream, Outcome> {
        match self {
            Self::Remote(remote) => remote.open(chat, traceparent).await.map(TokenStream::Remote),
            Self::Local(local) => local.open(chat).map(TokenStream::Local),
        }
    }

    /// Checks whether the backend responds.
    pub async fn is_there(&self) -> bool {
        match self {
            Self::Remote(remote) => remote.is_there().await,
            Self::Local(local) => local.is_there(),
        }
    }

    /// Whether the backend counts its own requests.
    pub fn reports_load(&self) -> bool {
        matches!(self, Self::Remote(remote) if remote.reports_load())
    }

    /// Reads the backend's own count of its requests.
    pub async fn ask_load(&self) -> Look {
        match self {
            Self::Remote(remote) => remote.ask_load().await,
            Self::Local(_) => Look::Absent,
        }
    }
}

/// One answer on its way from a backend. Dropping it ends the request.
#[derive(Debug)]
pub enum TokenStream {
    Remote(RemoteStream),
    Local(LocalStream),
}

impl TokenStream {
    /// The next item; `None` once the answer was proven complete and handed on whole.
    ///
    /// Cancel safe. Has no time limit of its own on the answer.
    pub async fn next(&mut self) -> Result<Option<Item>, Outcome> {
        match self {
            Self::Remote(stream) => stream.next().await,
            Self::Local(stream) => stream.next().await,
        }
    }

    /// Whether the model sent reasoning in a separate field before it answered.
    pub fn has_reasoned(&self) -> bool {
        matches!(self, Self::Remote(stream) if stream.has_reasoned())
    }
}
