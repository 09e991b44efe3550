//! The bytes of a streamed answer, as vLLM and Ollama write them.
//!
//! vLLM's shapes follow version 0.32 byte for byte (one event a chunk, `system_fingerprint` only on
//! the last JSON event, an error frame with spaces after its colons). Ollama's follow its API
//! documentation.

use bytes::Bytes;
use clap::ValueEnum;
use serde_json::json;
use uuid::Uuid;

/// Which server is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Vllm,
    Ollama,
}

/// Stands where a real vLLM puts its version and configuration.
const FINGERPRINT: &str = "vllm-0.32.0-simulator";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub prompt: usize,
    pub completion: usize,
}

/// Writes the frames of one answer.
pub struct Frames {
    kind: Kind,
    model: String,
    id: String,
    created: i64,
    /// vLLM only: the client asked for the usage event.
    usage_event: bool,
}

impl Frames {
    pub fn new(kind: Kind, model: &str, request_id: Option<&str>, usage_event: bool) -> Self {
        let id = match request_id {
            Some(id) => format!("chatcmpl-{id}"),
            None => format!("chatcmpl-{:016x}", Uuid::new_v4().as_u64_pair().0),
        };
        let created = jiff::Timestamp::now().as_second();
        Self { kind, model: model.to_owned(), id, created, usage_event }
    }

    /// vLLM's role event, which comes with the first token.
    pub fn opening(&self) -> Option<Bytes> {
        (self.kind == Kind::Vllm).then(|| {
            self.event(
                r#"[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":null,"prompt_text":null"#,
            )
        })
    }

    /// One token. `piece` must not need escaping.
    pub fn token(&self, piece: &str) -> Bytes {
        match self.kind {
            Kind::Vllm => self.delta("content", piece),
            Kind::Ollama => self.line(&format!(r#"{{"role":"assistant","content":"{piece}"}}"#)),
        }
    }

    /// One token of reasoning. `piece` must not need escaping.
    pub fn thought(&self, piece: &str) -> Bytes {
        match self.kind {
            Kind::Vllm => self.delta("reasoning", piece),
            Kind::Ollama => {
                self.line(&format!(r#"{{"role":"assistant","content":"","thinking":"{piece}"}}"#))
            }
        }
    }

    /// All frames after the last token of a whole answer.
    pub fn finish(&self, reason: &str, usage: Usage) -> Vec<Bytes> {
        if self.kind == Kind::Ollama {
            return vec![self.done(reason, usage)];
        }
        let fingerprint = format!(r#","system_fingerprint":"{FINGERPRINT}""#);
        let finish = format!(
            r#"[{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"{reason}","stop_reason":null,"token_ids":null}}]"#
        );
        if !self.usage_event {
            return vec![self.event(&(finish + &fingerprint)), Self::end_marker()];
        }
        let Usage { prompt, completion } = usage;
        let total = prompt + completion;
        let usage = format!(
            r#"[],"usage":{{"prompt_tokens":{prompt},"total_tokens":{total},"completion_tokens":{completion}}}"#
        );
        vec![self.event(&finish), self.event(&(usage + &fingerprint)), Self::end_marker()]
    }

    /// An error after the headers: vLLM still ends with `[DONE]` and a clean end of the body.
    pub fn error(&self) -> Vec<Bytes> {
        match self.kind {
            Kind::Vllm => vec![
                Bytes::from_static(
                    b"data: {\"error\": {\"message\": \"EngineCore encountered an issue. See stack trace (above) for the root cause.\", \"type\": \"InternalServerError\", \"param\": null, \"code\": 500}}\n\n",
                ),
                Self::end_marker(),
            ],
            Kind::Ollama => vec![Bytes::from_static(
                b"{\"error\":\"an error was encountered while running the model: simulated\"}\n",
            )],
        }
    }

    /// Frames that are not valid JSON, then the usual end marker.
    pub fn garbage(&self) -> Vec<Bytes> {
        match self.kind {
            Kind::Vllm => vec![
                Bytes::from_static(b"data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"delta\":\n\n"),
                Bytes::from_static(b"data: \xff\xfe\x00 not text\n\n"),
                Self::end_marker(),
            ],
            Kind::Ollama => vec![
                Bytes::from_static(b"{\"model\":\"sim\",\"message\":{\n"),
                Bytes::from_static(b"\xff\xfe\x00 not text\n"),
            ],
        }
    }

    /// The whole answer as one JSON body.
    pub fn whole(&self, text: &str, thought: &str, reason: &str, usage: Usage) -> String {
        let thought = (!thought.is_empty()).then_some(thought);
        if self.kind == Kind::Ollama {
            let thought = thought.map(|t| format!(r#","thinking":{}"#, json!(t)));
            let message = format!(
                r#"{{"role":"assistant","content":{}{}}}"#,
                json!(text),
                thought.as_deref().unwrap_or("")
            );
            return self.done_line(&message, reason, usage);
        }
        let Usage { prompt, completion } = usage;
        let Self { id, created, model, .. } = self;
        format!(
            r#"{{"id":"{id}","object":"chat.completion","created":{created},"model":"{model}","choices":[{{"index":0,"message":{{"role":"assistant","content":{text},"refusal":null,"annotations":null,"audio":null,"function_call":null,"reasoning":{thought}}},"logprobs":null,"finish_reason":"{reason}","stop_reason":null,"token_ids":null,"routed_experts":null}}],"service_tier":null,"system_fingerprint":"{FINGERPRINT}","usage":{{"prompt_tokens":{prompt},"total_tokens":{total},"completion_tokens":{completion},"prompt_tokens_details":null,"completion_tokens_details":null}},"prompt_logprobs":null,"prompt_token_ids":null,"prompt_text":null,"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null}}"#,
            text = json!(text),
            thought = json!(thought),
            total = prompt + completion,
        )
    }

    fn end_marker() -> Bytes {
        Bytes::from_static(b"data: [DONE]\n\n")
    }

    fn delta(&self, field: &str, piece: &str) -> Bytes {
        self.event(&format!(
            r#"[{{"index":0,"delta":{{"{field}":"{piece}"}},"logprobs":null,"finish_reason":null,"token_ids":null}}]"#
        ))
    }

    fn event(&self, choices_and_rest: &str) -> Bytes {
        let Self { id, created, model, .. } = self;
        Bytes::from(format!(
            "data: {{\"id\":\"{id}\",\"object\":\"chat.completion.chunk\",\"created\":{created},\"model\":\"{model}\",\"choices\":{choices_and_rest}}}\n\n"
        ))
    }

    fn line(&self, message: &str) -> Bytes {
        let (model, at) = (&self.model, jiff::Timestamp::now());
        Bytes::from(format!(
            "{{\"model\":\"{model}\",\"created_at\":\"{at}\",\"message\":{message},\"done\":false}}\n"
        ))
    }

    fn done(&self, reason: &str, usage: Usage) -> Bytes {
        let line = self.done_line(r#"{"role":"assistant","content":""}"#, reason, usage);
        Bytes::from(line + "\n")
    }

    fn done_line(&self, message: &str, reason: &str, usage: Usage) -> String {
        let (model, at) = (&self.model, jiff::Timestamp::now());
        let elapsed_s = u64::try_from(at.as_second() - self.created).unwrap_or(0);
        let elapsed = (elapsed_s * 1_000_000_000).max(1_000_000);
        let Usage { prompt, completion } = usage;
        format!(
            r#"{{"model":"{model}","created_at":"{at}","message":{message},"done":true,"done_reason":"{reason}","total_duration":{elapsed},"load_duration":1000000,"prompt_eval_count":{prompt},"prompt_eval_duration":1000000,"eval_count":{completion},"eval_duration":{elapsed}}}"#
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(kind: Kind, usage_event: bool) -> Frames {
        Frames {
            kind,
            model: "tiny-chat".into(),
            id: "chatcmpl-8ddf1e315c732642".into(),
            created: 1_795_227_855,
            usage_event,
        }
    }

    const USAGE: Usage = Usage { prompt: 13, completion: 13 };

    /// The expected lines are copied from a recording of vLLM 0.32, except for the fingerprint.
    #[test]
    fn a_vllm_stream_has_the_bytes_of_the_recording() {
        let vllm = frames(Kind::Vllm, true);
        assert_eq!(
            vllm.opening().unwrap(),
            "data: {\"id\":\"chatcmpl-8ddf1e315c732642\",\"object\":\"chat.completion.chunk\",\"created\":1795227855,\"model\":\"tiny-chat\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}],\"prompt_token_ids\":null,\"prompt_text\":null}\n\n"
        );
        assert_eq!(
            vllm.token("Hel"),
            "data: {\"id\":\"chatcmpl-8ddf1e315c732642\",\"object\":\"chat.completion.chunk\",\"created\":1795227855,\"model\":\"tiny-chat\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"},\"logprobs\":null,\"finish_reason\":null,\"token_ids\":null}]}\n\n"
        );
        let [finish, usage, done] = &vllm.finish("stop", USAGE)[..] else { panic!() };
        assert_eq!(
            finish,
            "data: {\"id\":\"chatcmpl-8ddf1e315c732642\",\"object\":\"chat.completion.chunk\",\"created\":1795227855,\"model\":\"tiny-chat\",\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\",\"stop_reason\":null,\"token_ids\":null}]}\n\n"
        );
        assert_eq!(
            usage,
            "data: {\"id\":\"chatcmpl-8ddf1e315c732642\",\"object\":\"chat.completion.chunk\",\"created\":1795227855,\"model\":\"tiny-chat\",\"choices\":[],\"usage\":{\"prompt_tokens\":13,\"total_tokens\":26,\"completion_tokens\":13},\"system_fingerprint\":\"vllm-0.32.0-simulator\"}\n\n"
        );
        assert_eq!(done, "data: [DONE]\n\n");
    }

    #[test]
    fn without_usage_the_fingerprint_rides_on_the_finish_event() {
        let [finish, _done] = &frames(Kind::Vllm, false).finish("length", USAGE)[..] else {
            panic!()
        };
        let text = std::str::from_utf8(finish).unwrap();
        assert!(text.contains("\"finish_reason\":\"length\""));
        assert!(
            text.ends_with("}],\"system_fingerprint\":\"vllm-0.32.0-simulator\"}\n\n"),
            "{text}"
        );
    }

    #[test]
    fn every_good_frame_is_json_and_garbage_is_not() {
        for kind in [Kind::Vllm, Kind::Ollama] {
            let frames = frames(kind, true);
            let json = |frame: &Bytes| {
                let frame = frame.strip_prefix(b"data: ").unwrap_or(frame);
                serde_json::from_slice::<serde_json::Value>(frame)
            };
            let mut good = vec![frames.token(" a"), frames.thought(" b")];
            good.extend(frames.finish("stop", USAGE).into_iter().chain(frames.error()));
            good.extend(frames.opening());
            good.push(frames.whole("a \"b\"", "c", "stop", USAGE).into());
            for frame in good.iter().filter(|frame| !frame.ends_with(b"[DONE]\n\n")) {
                assert!(json(frame).is_ok(), "{frame:?}");
            }
            let garbage = frames.garbage();
            assert!(garbage[..2].iter().all(|frame| json(frame).is_err()));
        }
    }

    #[test]
    fn ollama_ends_with_a_done_line_that_counts() {
        let [done] = &frames(Kind::Ollama, false).finish("stop", USAGE)[..] else { panic!() };
        let done: serde_json::Value = serde_json::from_slice(done).unwrap();
        assert_eq!(done["done"], true);
        assert_eq!(done["done_reason"], "stop");
        assert_eq!((&done["prompt_eval_count"], &done["eval_count"]), (&json!(13), &json!(13)));
    }
}
