//! Defaults ← file ← environment ← flags, and every fault at once, each with its key.

use std::{collections::BTreeMap, fmt};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::{Config, StoreMode};

const DEFAULTS: &str = include_str!("../../rushdesk.toml.example");
const ENV_PREFIX: &str = "RUSHDESK__";

/// What the configuration is made from. The environment is passed in, so that tests never touch the process.
#[derive(Debug, Default)]
pub struct Sources {
    /// Name (for messages) and text of the file.
    pub file: Option<(String, String)>,
    pub env: BTreeMap<String, String>,
    /// `section.key` and its value, as given on the command line.
    pub flags: Vec<(String, String)>,
}

/// Everything that is wrong, one line each.
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
    /// Reads and checks everything. Binds no port and opens no file.
    ///
    /// # Errors
    /// All faults at once: unknown keys, wrong types, values out of range.
    pub fn load(sources: &Sources) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let mut table = parse(DEFAULTS, "defaults", &mut faults);
        if let Some((name, text)) = &sources.file {
            let file = parse(text, name, &mut faults);
            overlay(&mut table, file, name, &mut faults);
        }
        for (name, text) in &sources.env {
            let Some(path) = name.strip_prefix(ENV_PREFIX) else { continue };
            let path = path.to_lowercase().replace("__", ".");
            set(&mut table, &path, text, name, &mut faults);
        }
        for (path, text) in &sources.flags {
            set(&mut table, path, text, "command line", &mut faults);
        }
        let config = Self::from_table(&mut table, &mut faults);
        if let Some(config) = &config {
            super::check::check(config, &mut faults);
        }
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(Faults(faults)),
        }
    }

    fn from_table(table: &mut Table, faults: &mut Vec<String>) -> Option<Self> {
        let server = section(table, "server", faults);
        let store = section(table, "store", faults);
        let auth = section(table, "auth", faults);
        let sessions = section(table, "sessions", faults);
        let turn = section(table, "turn", faults);
        let brownout = section(table, "brownout", faults);
        let inference = section(table, "inference", faults);
        let embedding = section(table, "embedding", faults);
        let cache = section(table, "cache", faults);
        let knowledge = section(table, "knowledge", faults);
        let limits = section(table, "limits", faults);
        let telemetry = section(table, "telemetry", faults);
        table.entry("sites").or_insert_with(|| Value::Array(Vec::new()));
        let sites = section(table, "sites", faults);
        Some(Self {
            server: server?,
            store: store?,
            auth: auth?,
            sessions: sessions?,
            turn: turn?,
            brownout: brownout?,
            inference: inference?,
            embedding: embedding?,
            cache: cache?,
            knowledge: knowledge?,
            limits: limits?,
            telemetry: telemetry?,
            sites: sites?,
        })
    }

    /// Whether everything lives in this one process.
    pub fn is_embedded(&self) -> bool {
        self.store.mode == StoreMode::Embedded
    }
}

fn parse(text: &str, name: &str, faults: &mut Vec<String>) -> Table {
    text.parse().unwrap_or_else(|error: toml::de::Error| {
        faults.push(format!("{name}: {}", error.message()));
        Table::new()
    })
}

/// Keys that hold lists of tables and are absent from the defaults.
fn is_list(path: &str) -> bool {
    matches!(path, "auth.oidc" | "inference.backends" | "sites")
}

fn overlay(base: &mut Table, file: Table, name: &str, faults: &mut Vec<String>) {
    for (key, value) in file {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(section)), Value::Table(values)) => {
                for (inner, value) in values {
                    let path = format!("{key}.{inner}");
                    if section.contains_key(&inner) || is_list(&path) {
                        section.insert(inner, value);
                    } else {
                        faults.push(format!("{path}: unknown key ({name})"));
                    }
                }
            }
            (None, value @ Value::Array(_)) if is_list(&key) => {
                base.insert(key, value);
            }
            (Some(_), _) => faults.push(format!("{key}: must be a section ({name})")),
            (None, _) => faults.push(format!("{key}: unknown section ({name})")),
        }
    }
}

/// Sets `path` from `text`: the type of the default decides how the text is read; lists are TOML.
fn set(table: &mut Table, path: &str, text: &str, name: &str, faults: &mut Vec<String>) {
    let toml_value = || format!("x = {text}").parse::<Table>().ok().and_then(|mut t| t.remove("x"));
    if path == "sites" {
        match toml_value() {
            Some(value) => drop(table.insert(path.to_owned(), value)),
            None => faults.push(format!("{path}: must be a TOML array of tables ({name})")),
        }
        return;
    }
    let Some((section, key)) = path.split_once('.') else {
        faults.push(format!("{path}: name a section and a key ({name})"));
        return;
    };
    let Some(Value::Table(section)) = table.get_mut(section) else {
        faults.push(format!("{path}: unknown section ({name})"));
        return;
    };
    let value = match section.get(key) {
        Some(Value::String(_)) => Some(Value::String(text.to_owned())),
        Some(Value::Float(_)) => text.parse().ok().map(Value::Float),
        Some(_) => toml_value(),
        None if is_list(path) => toml_value(),
        None => {
            faults.push(format!("{path}: unknown key ({name})"));
            return;
        }
    };
    match value {
        Some(value) => drop(section.insert(key.to_owned(), value)),
        None => faults.push(format!("{path}: cannot be read ({name})")),
    }
}

/// A key that cannot be read is reported and read again with its default, so that two wrong keys are two faults.
fn section<T: DeserializeOwned>(
    table: &mut Table,
    name: &str,
    faults: &mut Vec<String>,
) -> Option<T> {
    let mut value = table.remove(name)?;
    let defaults = DEFAULTS.parse::<Table>().ok().and_then(|mut t| t.remove(name));
    loop {
        let error = match serde_path_to_error::deserialize(value.clone()) {
            Ok(section) => return Some(section),
            Err(error) => error,
        };
        let path = error.path().to_string();
        let path = if path == "." { name.to_owned() } else { format!("{name}.{path}") };
        faults.push(format!("{path}: {}", error.inner().message()));
        let key = error.path().iter().next().map(ToString::to_string)?;
        let default = defaults.as_ref().and_then(|d| d.get(&key))?;
        let section = value.as_table_mut()?;
        if section.insert(key, default.clone()).as_ref() == Some(default) {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, env: &[(&str, &str)]) -> Result<Config, Faults> {
        Config::load(&Sources {
            file: Some(("test.toml".into(), file.into())),
            env: env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            flags: Vec::new(),
        })
    }

    #[test]
    fn the_defaults_are_a_valid_configuration() {
        let config = Config::load(&Sources::default()).unwrap();
        assert!(config.is_embedded());
        assert_eq!(config.limits.visitor_messages_per_hour, 100);
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let config = load("[turn]\npassages = 2\n", &[("RUSHDESK__TURN__PASSAGES", "7")]).unwrap();
        assert_eq!(config.turn.passages, 7);
    }

    #[test]
    fn every_fault_is_reported_at_once_with_its_key() {
        let faults = load(
            "[turn]\npassages = \"many\"\ntimeout_ms = -1\nbogus = 1\n[nope]\nx = 1\n",
            &[("RUSHDESK__SERVER__LISTEN", "here"), ("RUSHDESK__CACHE__THRESHOLD", "1.5")],
        )
        .unwrap_err();
        for key in [
            "turn.passages",
            "turn.timeout_ms",
            "turn.bogus",
            "nope",
            "server.listen",
            "cache.threshold",
        ] {
            assert!(faults.0.iter().any(|fault| fault.starts_with(key)), "{key}: {faults}");
        }
    }

    #[test]
    fn filters_can_be_read_traces_go_where_an_address_says_and_gpus_are_not_negative() {
        let config = Config::load(&Sources::default()).unwrap();
        assert!(config.telemetry.otlp_endpoint.is_empty());
        let backend = "name = \"a\"\nkind = \"vllm\"\nurl = \"http://a\"\nmodel = \"m\"\nslots = 1";
        let file = format!(
            "[telemetry]\nlog = \"rushdesk=loud\"\notlp_endpoint = \"collector:4318\"\notlp_sample = 2\n\
             [[inference.backends]]\n{backend}\ngpus = -1\ngpu_hour_cost = 2\n"
        );
        let faults = load(&file, &[]).unwrap_err();
        for key in [
            "telemetry.log",
            "telemetry.otlp_endpoint",
            "telemetry.otlp_sample",
            "inference.backends[0].gpus",
        ] {
            assert!(faults.0.iter().any(|fault| fault.starts_with(key)), "{key}: {faults}");
        }
        assert_eq!(faults.0.len(), 4, "{faults}");
    }

    #[test]
    fn a_site_that_is_nowhere_is_refused_in_every_mode() {
        let file = |site: &str| {
            format!(
                "[auth]\noperator_sites = [\"{site}\"]\n\
                 [[auth.oidc]]\nsite = \"{site}\"\nissuer = \"i\"\naudience = \"a\"\n\
                 jwks_url = \"https://id.example/keys\"\nrole_claim = \"r\"\nagent = [\"desk\"]\n\
                 [[sites]]\nid = \"shop\"\nname = \"S\"\nsite_key = \"pk_shop\"\n"
            )
        };
        for known in ["shop", "demo"] {
            load(&file(known), &[]).unwrap();
        }
        let distributed = [("RUSHDESK__STORE__MODE", "distributed")];
        for (site, env) in [("shpo", &[][..]), ("demo", &distributed)] {
            let faults = load(&file(site), env).unwrap_err();
            for key in ["auth.operator_sites", "auth.oidc[0].site"] {
                assert!(faults.0.iter().any(|fault| fault.starts_with(key)), "{key}: {faults}");
            }
        }
    }

    #[test]
    fn a_distributed_mode_without_its_secrets_is_refused() {
        let faults = load("[store]\nmode = \"distributed\"\n", &[]).unwrap_err();
        for key in ["store.mysql_url", "store.redis_url", "auth.jwt_secret"] {
            assert!(faults.0.iter().any(|fault| fault.starts_with(key)), "{key}: {faults}");
        }
    }
}
