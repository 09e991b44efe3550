//! Sends spans to a collector: OTLP as protobuf over HTTP, on a thread of its own.
//!
//! Ended spans wait in a bounded queue. Further ones are dropped, so a slow or unreachable
//! collector has no other effect.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use metrics::counter;
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
    },
};

use super::metric::declare;
use crate::config::Telemetry;

/// Spans that wait to be sent; further ones are dropped.
const QUEUE: usize = 8_192;
const BATCH: usize = 512;
const INTERVAL: Duration = Duration::from_secs(2);
/// Timeout for one batch.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Path of the collector for traces.
const PATH: &str = "/v1/traces";

declare! {
    SPANS: counter "rushdesk_trace_spans_total" ["outcome"]
        "Spans that were `sent` to the collector, or `failed`"
        when "with `telemetry.otlp_endpoint`";
}

/// # Errors
/// If the client cannot be created.
pub fn provider(config: &Telemetry) -> anyhow::Result<SdkTracerProvider> {
    let base = config.otlp_endpoint.trim_end_matches('/');
    let endpoint = format!("{}{PATH}", base.strip_suffix(PATH).unwrap_or(base));
    let client = reqwest::blocking::Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .build()
        .context("telemetry.otlp_endpoint")?;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .with_timeout(TIMEOUT)
        .build()
        .context("telemetry.otlp_endpoint")?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(INTERVAL)
        .build();
    let processor =
        BatchSpanProcessor::builder(Watched { exporter, failing: AtomicBool::new(false) })
            .with_batch_config(batches)
            .build();
    // A caller's `traceparent` gives the trace id, but callers do not decide how many traces are
    // kept.
    let sampler = Sampler::TraceIdRatioBased(config.otlp_sample);
    Ok(SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_sampler(sampler)
        .with_resource(Resource::builder().with_service_name("rushdesk").build())
        .build())
}

/// Counts spans, and logs the start and the end of an outage of the collector.
struct Watched {
    exporter: opentelemetry_otlp::SpanExporter,
    failing: AtomicBool,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl SpanExporter for Watched {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let outcome = self.exporter.export(batch).await;
        let label = if outcome.is_ok() { "sent" } else { "failed" };
        counter!(SPANS, "outcome" => label).increment(spans);
        let was_failing = self.failing.swap(outcome.is_err(), Ordering::Relaxed);
        match (&outcome, was_failing) {
            (Err(_), false) => {
                tracing::warn!("telemetry.otlp_endpoint is unreachable; traces are dropped")
            }
            (Ok(()), true) => {
                tracing::info!("telemetry.otlp_endpoint is reachable; traces are sent again")
            }
            _ => {}
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
