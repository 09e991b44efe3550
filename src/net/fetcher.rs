//! Fetches small documents.

use std::time::Duration;

use reqwest::{Client, StatusCode, header, redirect::Policy};

/// Fetches small documents. Clones share the limits; connections are not kept.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    max_bytes: usize,
}

/// Why a document was not fetched. Never quotes the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("no response in time")]
    NoAnswer,
    /// This includes redirects.
    #[error("the response status is not 200")]
    Status,
    #[error("the response ended early")]
    Incomplete,
    #[error("the response is too large")]
    TooLarge,
}

impl Fetcher {
    /// `timeout` limits the whole response, `max_bytes` its body.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(timeout: Duration, max_bytes: usize) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(Policy::none())
            .timeout(timeout)
            // A kept connection would belong to the thread that opened it.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { client, max_bytes })
    }

    /// The body at `url`. `accept` is the expected type.
    ///
    /// # Errors
    /// Anything but a complete response with status 200 within the limits.
    pub async fn get(&self, url: &str, accept: &str) -> Result<Vec<u8>, FetchError> {
        let request = self.client.get(url).header(header::ACCEPT, accept);
        let mut response = request.send().await.map_err(|_| FetchError::NoAnswer)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| FetchError::Incomplete)? {
            if body.len() + chunk.len() > self.max_bytes {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// The result of a fetch of at most 8 bytes from a server that sends `answer` to any request.
    async fn fetched(answer: &str) -> Result<Vec<u8>, FetchError> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let fetcher = Fetcher::new(Duration::from_secs(5), 8).unwrap();
        let serve = async {
            let (mut connection, _) = listener.accept().await.unwrap();
            let _ = connection.read(&mut [0; 4096]).await.unwrap();
            connection.write_all(answer.as_bytes()).await.unwrap();
        };
        tokio::join!(fetcher.get(&url, "application/json"), serve).0
    }

    #[tokio::test]
    async fn a_small_answer_is_taken_as_it_is() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"a\": 1}";
        assert_eq!(fetched(answer).await.unwrap(), b"{\"a\": 1}");
    }

    #[tokio::test]
    async fn any_other_answer_is_refused() {
        for (answer, error) in [
            ("", FetchError::NoAnswer),
            (
                "HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n",
                FetchError::Status,
            ),
            ("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", FetchError::Status),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123456789", FetchError::TooLarge),
            ("HTTP/1.1 200 OK\r\n\r\n123456789", FetchError::TooLarge),
            ("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n1234", FetchError::Incomplete),
        ] {
            assert_eq!(fetched(answer).await, Err(error), "{answer}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_silent_is_waited_for_no_longer_than_the_timeout() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Accepts connections and never responds.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", silent.local_addr().unwrap());
        let fetcher = Fetcher::new(Duration::from_secs(3), 8).unwrap();
        assert_eq!(fetcher.get(&url, "*/*").await, Err(FetchError::NoAnswer));
    }
}
