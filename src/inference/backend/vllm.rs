//! What a vLLM reports about its load at `GET /metrics`, in the Prometheus text format.

/// The engine's own count of its requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    pub running: usize,
    /// Accepted but not scheduled yet.
    pub waiting: usize,
    /// Share of the key-value cache in use, 0 to 1.
    pub cache_usage: f64,
}

/// The result of reading a backend's metrics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Look {
    Seen(Load),
    /// No answer, or an unreadable one.
    Missed,
    /// The backend has no metrics.
    Absent,
}

/// Reads the gauges. Counts of several engines are added up; of their caches the fullest counts.
/// Returns `None` if the text does not say how many requests wait. The gauge of the cache is called
/// `kv_cache_usage_perc`, before version 0.10 `gpu_cache_usage_perc`.
pub fn load(metrics: &str) -> Option<Load> {
    let mut load = Load { running: 0, waiting: 0, cache_usage: 0.0 };
    let mut counted = false;
    for line in metrics.lines() {
        let Some(rest) = line.strip_prefix("vllm:") else { continue };
        let name = rest.split(['{', ' ']).next().unwrap_or_default();
        let value = rest.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
        let Some(value) = value.filter(|value| value.is_finite() && *value >= 0.0) else {
            continue;
        };
        match name {
            "num_requests_running" => load.running = load.running.saturating_add(value as usize),
            "num_requests_waiting" => {
                counted = true;
                load.waiting = load.waiting.saturating_add(value as usize);
            }
            "kv_cache_usage_perc" | "gpu_cache_usage_perc" => {
                load.cache_usage = load.cache_usage.max(value);
            }
            _ => {}
        }
    }
    counted.then_some(load)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_of_all_engines_are_read_under_both_names() {
        let text = "# HELP vllm:num_requests_running Number of requests in model execution batches.\n\
            # TYPE vllm:num_requests_running gauge\n\
            vllm:num_requests_running{engine=\"0\",model_name=\"a b\"} 12.0\n\
            vllm:num_requests_running{engine=\"1\",model_name=\"a b\"} 3.0\n\
            vllm:num_requests_waiting{engine=\"0\",model_name=\"a b\"} 4.0\n\
            vllm:num_requests_waiting_by_reason{engine=\"0\",reason=\"capacity\"} 4.0\n\
            vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"a b\"} 0.5\n\
            vllm:kv_cache_usage_perc{engine=\"1\",model_name=\"a b\"} 0.97\n";
        assert_eq!(load(text), Some(Load { running: 15, waiting: 4, cache_usage: 0.97 }));
        let older =
            "vllm:num_requests_waiting 0\nvllm:gpu_cache_usage_perc{model_name=\"m\"} 0.25\n";
        assert_eq!(load(older), Some(Load { running: 0, waiting: 0, cache_usage: 0.25 }));
    }

    #[test]
    fn what_is_not_vllms_says_nothing() {
        assert_eq!(load(""), None);
        assert_eq!(load("<html>404</html>"), None);
        assert_eq!(load("vllm:num_requests_waiting NaN\n"), None);
        let absurd = "vllm:num_requests_waiting 1e300\n".repeat(2);
        assert_eq!(load(&absurd).map(|load| load.waiting), Some(usize::MAX));
    }
}
