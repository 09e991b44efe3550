//! The faults of a simulated model, selected by the model's name.

/// The behaviour behind a model name. `K` is the number of tokens sent before the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `sim`: no fault.
    None,
    /// `sim-stall`: takes the slot and never sends a token.
    Stall,
    /// `sim-die-K`: the connection breaks.
    Die(usize),
    /// `sim-error-K`: an error frame under 200, then the usual end marker.
    Error(usize),
    /// `sim-cut-K`: a clean end of the body without finish reason or end marker.
    Cut(usize),
    /// `sim-503`: the backend's queue is full.
    Busy,
    /// `sim-500`: refuses like a server that is shutting down.
    Broken,
    /// `sim-slow`: the first token and all gaps take ten times as long.
    Slow,
    /// `sim-think`: reasoning comes before the answer.
    Think,
    /// `sim-garbage`: three tokens, then frames that are not JSON, then the usual end.
    Garbage,
    /// `sim-empty`: finishes with `stop` and no text.
    Empty,
}

/// The models that a simulator lists.
pub const MODELS: [&str; 11] = [
    "sim",
    "sim-stall",
    "sim-die-5",
    "sim-error-5",
    "sim-cut-5",
    "sim-503",
    "sim-500",
    "sim-slow",
    "sim-think",
    "sim-garbage",
    "sim-empty",
];

impl Fault {
    /// `None` if the simulator does not have this model. Ollama's `:latest` is accepted.
    pub fn of_model(name: &str) -> Option<Self> {
        let name = name.strip_suffix(":latest").unwrap_or(name);
        let Some(kind) = name.strip_prefix("sim-") else {
            return (name == "sim").then_some(Self::None);
        };
        if let Some((kind, tokens)) = kind.split_once('-') {
            let tokens = tokens.parse().ok()?;
            return match kind {
                "die" => Some(Self::Die(tokens)),
                "error" => Some(Self::Error(tokens)),
                "cut" => Some(Self::Cut(tokens)),
                _ => None,
            };
        }
        match kind {
            "stall" => Some(Self::Stall),
            "503" => Some(Self::Busy),
            "500" => Some(Self::Broken),
            "slow" => Some(Self::Slow),
            "think" => Some(Self::Think),
            "garbage" => Some(Self::Garbage),
            "empty" => Some(Self::Empty),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_model_has_a_behaviour_and_others_have_none() {
        assert!(MODELS.iter().all(|model| Fault::of_model(model).is_some()));
        assert_eq!(Fault::of_model("sim-die-12"), Some(Fault::Die(12)));
        assert_eq!(Fault::of_model("sim:latest"), Some(Fault::None));
        for stranger in ["", "gpt-4", "sim-", "sim-die", "sim-die-x", "simulator"] {
            assert_eq!(Fault::of_model(stranger), None, "{stranger}");
        }
    }
}
