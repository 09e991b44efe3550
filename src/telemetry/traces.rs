//! OpenTelemetry traces. Without `telemetry.otlp_endpoint` all functions here do nothing.
//!
//! One trace covers the HTTP request, its turn, the wait for a slot, the embedding and the
//! generation at a backend. The transaction that makes the turn durable is a trace of its own that
//! links to it. A span contains names, numbers and ids, never text of a person, a document or a
//! model.

use std::time::Duration;

use opentelemetry::{
    propagation::{Extractor, TextMapPropagator as _},
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing::{Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, filter::FilterFn, registry::LookupSpan};

use super::export;
use crate::config::Telemetry;

pub use export::METRICS;

/// The W3C header.
pub const TRACEPARENT: &str = "traceparent";
/// Time for the last spans when the process ends.
const FAREWELL: Duration = Duration::from_secs(5);

/// The exporter. Stop it last.
#[must_use = "spans that wait are lost without `stop`"]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Sends waiting spans, with a time limit. Blocks.
    pub fn stop(self) {
        if let Some(provider) = self.0 {
            // The outage of the collector was logged; the spans are lost.
            let _ = provider.shutdown_with_timeout(FAREWELL);
        }
    }
}

/// The layer that exports our spans, if traces are on. Events are not exported.
pub(super) fn layer<S>(config: &Telemetry) -> anyhow::Result<(Option<impl Layer<S>>, Traces)>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    if config.otlp_endpoint.is_empty() {
        return Ok((None, Traces(None)));
    }
    let provider = export::provider(config)?;
    let ours = |meta: &Metadata<'_>| meta.is_span() && meta.target().starts_with("rushdesk");
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("rushdesk"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_filter(FilterFn::new(ours));
    Ok((Some(layer), Traces(Some(provider))))
}

/// Makes `span` part of the caller's trace, if `traceparent` names one.
pub fn join(span: &Span, traceparent: Option<&str>) {
    let Some(traceparent) = traceparent else { return };
    let context = TraceContextPropagator::new().extract(&Parent(traceparent));
    if context.span().span_context().is_valid() {
        // A span that is not exported has no parent to set.
        let _ = span.set_parent(context);
    }
}

/// The `traceparent` of requests to others within `span`; `None` if it is not traced.
pub fn traceparent(span: &Span) -> Option<String> {
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| {
        let (trace, parent, flags) =
            (context.trace_id(), context.span_id(), context.trace_flags().to_u8());
        format!("00-{trace}-{parent}-{flags:02x}")
    })
}

/// Links `span` to the trace of `traceparent`.
pub fn link(span: &Span, traceparent: &str) {
    let context = TraceContextPropagator::new().extract(&Parent(traceparent));
    span.add_link(context.span().span_context().clone());
}

struct Parent<'a>(&'a str);

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}
