//! Defaults ← file ← environment ← flags. Reports all faults together, each with its key.

use std::{collections::BTreeMap, fmt};

use super::{across, layers::Layers, whole::Config};

const EXAMPLE: &str = include_str!("../../rushdesk.toml.example");
const ENV_PREFIX: &str = "RUSHDESK__";

/// The sources of a configuration. The environment is passed in, so that tests never change the
/// process.
#[derive(Debug, Default)]
pub struct Sources {
    /// Name (for messages) and text of the file.
    pub file: Option<(String, String)>,
    pub env: BTreeMap<String, String>,
    /// `section.key` and its value, as given on the command line.
    pub flags: Vec<(String, String)>,
}

/// All faults, one line each.
#[derive(Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} fault(s):", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl std::error::Error for Faults {}

impl Config {
    /// Reads and checks everything. Opens no port and no file.
    ///
    /// # Errors
    /// All faults at once: unknown keys, wrong types, values out of range.
    pub fn load(sources: &Sources) -> Result<Self, Faults> {
        let mut layers = Layers::over(EXAMPLE);
        if let Some((name, text)) = &sources.file {
            layers.file(text, name);
        }
        for (name, text) in &sources.env {
            let Some(path) = name.strip_prefix(ENV_PREFIX) else { continue };
            layers.set(&path.to_lowercase().replace("__", "."), text, name);
        }
        for (path, text) in &sources.flags {
            layers.set(path, text, "command line");
        }
        let read = layers.read::<Self>();
        let mut faults = layers.faults;
        if let Some((config, unsure)) = &read {
            config.check_sections(unsure, &mut faults);
            if unsure.is_empty() {
                across::check(config, &mut faults);
            }
        }
        match read {
            Some((config, _)) if faults.is_empty() => Ok(config),
            _ => Err(Faults(faults)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::layers::shown;

    pub fn load(file: &str, env: &[(&str, &str)]) -> Result<Config, Faults> {
        Config::load(&Sources {
            file: Some(("test.toml".into(), file.into())),
            env: env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            flags: Vec::new(),
        })
    }

    /// Each of `keys` is the start of exactly one fault, and there is no other.
    #[track_caller]
    pub fn assert_faults(file: &str, env: &[(&str, &str)], keys: &[&str]) {
        let faults = load(file, env).unwrap_err();
        for key in keys {
            assert!(faults.0.iter().any(|fault| fault.starts_with(key)), "{key}: {faults}");
        }
        assert_eq!(faults.0.len(), keys.len(), "{faults}");
    }

    #[test]
    fn the_defaults_are_a_valid_configuration() {
        let config = Config::load(&Sources::default()).unwrap();
        assert!(config.is_embedded());
        assert_eq!(config.limits.visitor_messages_per_hour, 100);
        assert!(config.inference.backends.is_empty() && config.sites.is_empty());
    }

    #[test]
    fn what_the_example_shows_is_a_valid_configuration() {
        let config = load(&shown(EXAMPLE), &[]).unwrap();
        assert_eq!(config.auth.oidc[0].site, config.sites[0].id);
        assert_eq!(config.inference.backends[0].slots, 16);
    }

    #[test]
    fn the_environment_wins_over_the_file_and_flags_win_over_both() {
        let env = [("RUSHDESK__TURN__PASSAGES", "7"), ("RUSHDESK__TURN__PROMPT_TOKENS", "70")];
        let sources = Sources {
            file: Some(("test.toml".into(), "[turn]\npassages = 2\nhistory_tokens = 9\n".into())),
            env: env.map(|(name, text)| (name.into(), text.into())).into(),
            flags: vec![("turn.prompt_tokens".into(), "80".into())],
        };
        let turn = Config::load(&sources).unwrap().turn;
        assert_eq!((turn.history_tokens, turn.passages, turn.prompt_tokens), (9, 7, 80));
    }

    #[test]
    fn every_fault_is_reported_at_once_with_its_key() {
        let file = "[turn]\npassages = \"many\"\ntimeout_ms = -1\nbogus = 1\n[nope]\nx = 1\n\
             [[inference.backends]]\nname = \"a\"\nkind = \"vllm\"\nslot = 1\n";
        let env = [("RUSHDESK__SERVER__LISTEN", "here"), ("RUSHDESK__CACHE__THRESHOLD", "1.5")];
        let keys = [
            "turn.passages: invalid type",
            "turn.timeout_ms: invalid value",
            "turn.bogus: unknown key (test.toml)",
            "nope: unknown section (test.toml)",
            "inference.backends[0].slot: unknown key (test.toml)",
            "inference.backends[0].url: is missing",
            "inference.backends[0].model: is missing",
            "inference.backends[0].slots: is missing",
            "server.listen: ",
            "cache.threshold: must lie between 0 and 1",
        ];
        assert_faults(file, &env, &keys);
    }

    #[test]
    fn a_section_that_cannot_be_read_is_not_checked_with_values_of_the_example() {
        // Otherwise the site of the example would be unknown.
        assert_faults(
            "[[auth.oidc]]\nissuer = \"\"",
            &[],
            &[
                "auth.oidc[0].site: is missing",
                "auth.oidc[0].audience: is missing",
                "auth.oidc[0].jwks_url: is missing",
                "auth.oidc[0].role_claim: is missing",
            ],
        );
    }

    #[test]
    fn a_fault_is_reported_under_the_key_that_is_wrong() {
        let example: toml::Table = EXAMPLE.parse().unwrap();
        let mut found = 0;
        for (section, keys) in example {
            for (key, value) in keys.as_table().unwrap() {
                let wrong = match value {
                    toml::Value::Integer(_) => "0",
                    toml::Value::Float(_) => "-1.0",
                    _ => continue,
                };
                let Err(faults) = load(&format!("[{section}]\n{key} = {wrong}"), &[]) else {
                    continue;
                };
                let path = format!("{section}.{key}: ");
                assert!(faults.0.iter().all(|fault| fault.starts_with(&path)), "{path}{faults}");
                found += 1;
            }
        }
        assert!(found > 30, "only {found} numbers are checked");
    }
}
