//! What a configuration must fulfil beyond its types.

use super::{Config, DEMO_SITE, MysqlAddress, RedisAddress, StoreMode};
use crate::domain::SiteId;

pub fn check(config: &Config, faults: &mut Vec<String>) {
    let mut require = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };
    let secret = config.auth.jwt_secret.expose();
    let secret_file = !config.auth.jwt_secret_file.as_os_str().is_empty();
    let signs = secret_file || !secret.is_empty();
    match config.store.mode {
        StoreMode::Embedded => {
            let loopback = config.server.listen.ip().is_loopback();
            require(
                loopback || signs,
                "auth.jwt_secret: set a secret of at least 32 bytes before listening beyond this machine",
            );
        }
        StoreMode::Distributed => {
            if let Err(fault) = MysqlAddress::parse(config.store.mysql_url.expose()) {
                require(false, &format!("store.mysql_url: {fault}"));
            }
            if let Err(fault) = RedisAddress::parse(config.store.redis_url.expose()) {
                require(false, &format!("store.redis_url: {fault}"));
            }
            require(
                signs,
                "auth.jwt_secret: distributed mode needs a secret of at least 32 bytes, the same on every replica",
            );
        }
    }
    require(
        secret.is_empty() || !secret_file,
        "auth.jwt_secret_file: give either it or auth.jwt_secret",
    );
    require(
        config.server.tls_cert.as_os_str().is_empty()
            == config.server.tls_key.as_os_str().is_empty(),
        "server.tls_cert: give it together with server.tls_key, or none of both",
    );
    require(
        secret.is_empty() || secret.len() >= 32,
        "auth.jwt_secret: must have at least 32 bytes; `openssl rand -hex 32` makes one",
    );
    require(
        !["change", "example", "secret-secret"].iter().any(|word| secret.contains(word)),
        "auth.jwt_secret: is an example; `openssl rand -hex 32` makes a real one",
    );
    require(
        (0.0..=1.0).contains(&config.cache.threshold),
        "cache.threshold: must lie between 0 and 1",
    );
    require(
        (0.0..=1.0).contains(&config.turn.answer_confidence),
        "turn.answer_confidence: must lie between 0 and 1",
    );
    require(
        config.brownout.climb.is_sorted() && !config.brownout.climb[0].is_zero(),
        "brownout.climb_ms: must ascend from more than 0",
    );
    require(
        (0.0..=1.0).contains(&config.inference.hedge_budget),
        "inference.hedge_budget: must lie between 0 and 1",
    );
    require(
        (0.0..=1.0).contains(&config.telemetry.otlp_sample),
        "telemetry.otlp_sample: must lie between 0 and 1",
    );
    if let Err(error) = config.telemetry.filter() {
        let how = "write a level such as `info`, or `warn,rushdesk=debug`";
        require(false, &format!("telemetry.log: {error}: {how}"));
    }
    let endpoint = &config.telemetry.otlp_endpoint;
    require(
        endpoint.is_empty() || is_http(endpoint),
        "telemetry.otlp_endpoint: must be an http:// or https:// address, or empty",
    );
    for (value, key) in [
        (config.server.max_connections, "server.max_connections"),
        (config.server.max_body_bytes, "server.max_body_bytes"),
        (config.store.redis_pool, "store.redis_pool"),
        (config.store.archive_pool, "store.archive_pool"),
        (config.store.flush_batch, "store.flush_batch"),
        (config.auth.password_workers, "auth.password_workers"),
        (config.sessions.max_sessions, "sessions.max_sessions"),
        (config.sessions.max_turns, "sessions.max_turns"),
        (config.sessions.max_streams, "sessions.max_streams"),
        (config.sessions.tail_events, "sessions.tail_events"),
        (config.sessions.max_message_chars, "sessions.max_message_chars"),
        (config.turn.prompt_tokens, "turn.prompt_tokens"),
        (config.turn.max_answer_bytes, "turn.max_answer_bytes"),
        (config.turn.passages, "turn.passages"),
        (config.inference.max_queue, "inference.max_queue"),
        (config.embedding.threads, "embedding.threads"),
        (config.embedding.max_queue, "embedding.max_queue"),
        (config.embedding.batch_tokens, "embedding.batch_tokens"),
        (config.embedding.max_tokens, "embedding.max_tokens"),
        (config.knowledge.max_document_bytes, "knowledge.max_document_bytes"),
        (config.knowledge.max_documents, "knowledge.max_documents"),
        (config.knowledge.max_passages, "knowledge.max_passages"),
        (config.knowledge.passage_chars, "knowledge.passage_chars"),
        (config.limits.visitor_messages_per_hour as usize, "limits.visitor_messages_per_hour"),
        (config.limits.visitor_burst as usize, "limits.visitor_burst"),
        (config.limits.site_messages_per_second as usize, "limits.site_messages_per_second"),
        (config.limits.site_burst as usize, "limits.site_burst"),
        (config.limits.site_logins_per_second as usize, "limits.site_logins_per_second"),
        (config.brownout.short_answer_tokens as usize, "brownout.short_answer_tokens"),
        (config.brownout.tickets_at_once, "brownout.tickets_at_once"),
        (config.inference.attempts as usize, "inference.attempts"),
        (config.inference.breaker_failures as usize, "inference.breaker_failures"),
        (config.inference.load_interval.as_millis() as usize, "inference.load_interval_ms"),
        (config.inference.promote_after.as_millis() as usize, "inference.promote_after_ms"),
        (config.inference.lanes.checkout as usize, "inference.lanes.checkout"),
        (config.inference.lanes.order as usize, "inference.lanes.order"),
        (config.inference.lanes.paid as usize, "inference.lanes.paid"),
        (config.inference.lanes.browse as usize, "inference.lanes.browse"),
    ] {
        require(value > 0, &format!("{key}: must be at least 1"));
    }
    check_backends(config, faults);
    check_sites(config, faults);
    check_providers(config, faults);
}

fn check_providers(config: &Config, faults: &mut Vec<String>) {
    for (index, provider) in config.auth.oidc.iter().enumerate() {
        let mut fault = |name: &str, what: &str| {
            faults.push(format!("auth.oidc[{index}].{name}: {what}"));
        };
        if !has_site(config, &provider.site) {
            fault("site", "there is no such site in [[sites]]");
        }
        if provider.issuer.is_empty() {
            fault("issuer", "must be the `iss` of the provider's tokens");
        }
        if config.auth.oidc[..index].iter().any(|other| other.issuer == provider.issuer) {
            fault("issuer", "is used twice");
        }
        if provider.audience.is_empty() {
            fault("audience", "must be an `aud` that only tokens for this service have");
        }
        if !is_safe(&provider.jwks_url) {
            fault("jwks_url", "must be an https:// address, or http:// on this machine");
        }
        if provider.role_claim.is_empty() {
            fault("role_claim", "must name the claim that holds a person's roles");
        }
        if provider.admin.is_empty() && provider.agent.is_empty() {
            fault("agent", "give values of `role_claim` for `agent`, `admin` or both");
        }
    }
}

/// Whether nobody on the way can change what is fetched from there.
fn is_safe(address: &str) -> bool {
    reqwest::Url::parse(address).is_ok_and(|url| {
        let ip = || url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse().ok());
        let is_here = || ip().is_some_and(|ip: std::net::IpAddr| ip.is_loopback());
        url.scheme() == "https" || (url.scheme() == "http" && is_here())
    })
}

fn check_backends(config: &Config, faults: &mut Vec<String>) {
    for (index, backend) in config.inference.backends.iter().enumerate() {
        let key = |name: &str| format!("inference.backends[{index}].{name}");
        if backend.slots == 0 {
            faults.push(format!("{}: must be at least 1", key("slots")));
        }
        if backend.name.is_empty() || backend.name.len() > 40 {
            faults.push(format!("{}: must have 1 to 40 characters", key("name")));
        }
        if config.inference.backends[..index].iter().any(|other| other.name == backend.name) {
            faults.push(format!("{}: `{}` is used twice", key("name"), backend.name));
        }
        if !is_http(&backend.url) {
            faults.push(format!("{}: must be an http:// or https:// address", key("url")));
        }
        for (value, name) in [(backend.gpus, "gpus"), (backend.gpu_hour_cost, "gpu_hour_cost")] {
            if !(value.is_finite() && value >= 0.0) {
                faults.push(format!("{}: must be 0 or more", key(name)));
            }
        }
    }
}

fn is_http(address: &str) -> bool {
    reqwest::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// The demo site of the embedded mode is in no file.
fn has_site(config: &Config, id: &SiteId) -> bool {
    let is_demo = config.is_embedded() && id.as_str() == DEMO_SITE;
    is_demo || config.sites.iter().any(|site| site.id == *id)
}

fn check_sites(config: &Config, faults: &mut Vec<String>) {
    for site in &config.auth.operator_sites {
        if !has_site(config, site) {
            faults.push(format!("auth.operator_sites: there is no site `{site}` in [[sites]]"));
        }
    }
    for (index, site) in config.sites.iter().enumerate() {
        let key = |name: &str| format!("sites[{index}].{name}");
        if site.site_key.len() < 4 {
            faults.push(format!("{}: must have at least 4 characters", key("site_key")));
        }
        let twice = |other: &super::Site| other.id == site.id || other.site_key == site.site_key;
        if config.sites[..index].iter().any(twice) {
            faults.push(format!("{}: `id` and `site_key` must be unique", key("id")));
        }
        for origin in &site.allowed_origins {
            if !is_origin(origin) {
                let fault = format!("`{origin}` is not an origin such as https://shop.example");
                faults.push(format!("{}: {fault}", key("allowed_origins")));
            }
        }
        let secret = site.identity_secret.expose();
        if !secret.is_empty() && secret.len() < 32 {
            faults.push(format!("{}: must have at least 32 bytes", key("identity_secret")));
        }
    }
}

/// Scheme, host and port as a browser sends them in `Origin`: also what a policy may name.
fn is_origin(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
    })
}
