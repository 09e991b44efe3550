//! Layers of a configuration, each overriding the one before: the example with the defaults, a
//! file, the environment, the command line.
//!
//! The example defines the valid keys. A list of tables is empty by default, so the example shows
//! one item as a comment; [`shown`] reads that, too. So one rule finds unknown keys at every depth.
//! An empty table of the example stands for a table with any keys.

use std::{collections::BTreeSet, mem};

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use toml::{Table, Value};

pub(super) struct Layers {
    values: Value,
    defaults: Value,
    /// Every valid key, with the example's value. Each list of tables holds one item.
    shape: Value,
    pub(super) faults: Vec<String>,
}

impl Layers {
    pub(super) fn over(example: &str) -> Self {
        let mut faults = Vec::new();
        let defaults = Value::Table(parse(example, "defaults", &mut faults));
        let shape = Value::Table(parse(&shown(example), "example", &mut faults));
        Self { values: defaults.clone(), defaults, shape, faults }
    }

    /// `source` is the name of the file in messages.
    pub(super) fn file(&mut self, text: &str, source: &str) {
        let layer = parse(text, source, &mut self.faults);
        self.put(Value::Table(layer), source);
    }

    /// One key, such as `section.key`. The type of the example's value decides how `text` is read:
    /// strings are taken as they are, and everything else is parsed as TOML.
    pub(super) fn set(&mut self, path: &str, text: &str, source: &str) {
        let known = path.split('.').try_fold(&self.shape, |at, key| at.get(key));
        let value = match known {
            // An unknown key is reported as such, whatever its value.
            None | Some(Value::String(_)) => Value::String(text.to_owned()),
            Some(_) => match text.parse() {
                Ok(value) => value,
                Err(_) => {
                    self.faults.push(format!("{path}: cannot be read ({source})"));
                    return;
                }
            },
        };
        let nested = |value, key: &str| Value::Table(Table::from_iter([(key.to_owned(), value)]));
        self.put(path.rsplit('.').fold(value, nested), source);
    }

    fn put(&mut self, layer: Value, source: &str) {
        let faults = &mut self.faults;
        let mut fault = |path: &str, what: &str| faults.push(format!("{path}: {what} ({source})"));
        let below = Some(self.values.clone());
        if let Some(values) = overlay(below, layer, &self.shape, "", &mut fault) {
            self.values = values;
        }
    }

    /// Reads the values. An invalid value is reported and replaced by the example's value, so that
    /// further faults are found. Also returns the sections in which such a replacement is not a
    /// default, because their content was not configured.
    pub(super) fn read<T: DeserializeOwned>(&mut self) -> Option<(T, BTreeSet<String>)> {
        let mut unsure = BTreeSet::new();
        loop {
            let error = match serde_path_to_error::deserialize(self.values.clone()) {
                Ok(read) => return Some((read, unsure)),
                Err(error) => error,
            };
            let (at, what) = (error.path(), error.inner().message());
            let path: Vec<&Segment> = at.iter().collect();
            let missing =
                what.strip_prefix("missing field `").and_then(|key| key.strip_suffix('`'));
            let is_default = match missing {
                Some(key) => {
                    self.faults.push(format!("{at}.{key}: is missing"));
                    self.add(&path, key)?;
                    false
                }
                None => {
                    self.faults.push(format!("{at}: {what}"));
                    self.replace(&path)?
                }
            };
            if let (Some(Segment::Map { key }), false) = (path.first(), is_default) {
                unsure.insert(key.clone());
            }
        }
    }

    /// Adds `key` to the table at `path`.
    fn add(&mut self, path: &[&Segment], key: &str) -> Option<()> {
        let shown = find(&mut self.shape, path)?.get(key)?.clone();
        find(&mut self.values, path)?.as_table_mut()?.insert(key.to_owned(), shown);
        Some(())
    }

    /// Replaces the value at `path`, or its parent if the example has no value there. Returns
    /// whether the new value is a default, or `None` if nothing changed.
    fn replace(&mut self, path: &[&Segment]) -> Option<bool> {
        let mut has = |path: &[&Segment]| {
            find(&mut self.values, path).is_some() && find(&mut self.shape, path).is_some()
        };
        let depth = (0..=path.len()).rev().find(|depth| has(&path[..*depth]))?;
        let path = &path[..depth];
        let (value, shown) = (find(&mut self.values, path)?, find(&mut self.shape, path)?);
        let before = mem::replace(value, shown.clone());
        (before != *shown).then(|| find(&mut self.defaults, path).is_some())
    }
}

fn parse(text: &str, source: &str, faults: &mut Vec<String>) -> Table {
    text.parse().unwrap_or_else(|error: toml::de::Error| {
        faults.push(format!("{source}: {}", error.message()));
        Table::new()
    })
}

/// The example with its commented lists of tables as TOML: `# [[list]]` and the `# key = value`
/// lines below it.
pub(super) fn shown(example: &str) -> String {
    let is_word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let is_toml = |line: &&str| {
        line.starts_with("[[") || line.split_once(" = ").is_some_and(|(key, _)| is_word(key))
    };
    let lines = example.lines().map(|line| line.strip_prefix("# ").filter(is_toml).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Merges `layer` over `base` and drops keys that `shape` does not have. Tables are merged, but a
/// table with any keys and a list replace the one below. A value of the wrong kind leaves `base` as
/// it is.
fn overlay(
    base: Option<Value>,
    layer: Value,
    shape: &Value,
    path: &str,
    fault: &mut impl FnMut(&str, &str),
) -> Option<Value> {
    match (layer, shape) {
        (layer @ Value::Table(_), Value::Table(shape)) if shape.is_empty() => Some(layer),
        (Value::Table(layer), Value::Table(shape)) => {
            let mut merged = match base {
                Some(Value::Table(base)) => base,
                _ => Table::new(),
            };
            for (key, value) in layer {
                let (path, kind) = match path {
                    "" => (key.clone(), "section"),
                    path => (format!("{path}.{key}"), "key"),
                };
                let Some(shape) = shape.get(&key) else {
                    fault(&path, &format!("unknown {kind}"));
                    continue;
                };
                let below = merged.remove(&key);
                if let Some(value) = overlay(below, value, shape, &path, fault) {
                    merged.insert(key, value);
                }
            }
            Some(Value::Table(merged))
        }
        (Value::Array(layer), Value::Array(shape)) if is_list_of_tables(shape) => {
            let items = layer.into_iter().enumerate().filter_map(|(index, item)| match item {
                Value::Table(_) => {
                    overlay(None, item, &shape[0], &format!("{path}[{index}]"), fault)
                }
                // Reading the value reports the fault.
                _ => Some(item),
            });
            Some(Value::Array(items.collect()))
        }
        (_, Value::Table(_)) => {
            fault(path, "must be a table");
            base
        }
        (_, Value::Array(shape)) if is_list_of_tables(shape) => {
            fault(path, "must be a list of tables");
            base
        }
        (layer, _) => Some(layer),
    }
}

fn is_list_of_tables(shape: &[Value]) -> bool {
    shape.first().is_some_and(Value::is_table)
}

/// The value at `path`. If a list is shorter, as in the example, its first item stands for all.
fn find<'a>(mut value: &'a mut Value, path: &[&Segment]) -> Option<&'a mut Value> {
    for segment in path {
        value = match segment {
            Segment::Map { key } => value.get_mut(key.as_str())?,
            Segment::Seq { index } => {
                let list = value.as_array_mut()?;
                let index = if *index < list.len() { *index } else { 0 };
                list.get_mut(index)?
            }
            Segment::Enum { .. } | Segment::Unknown => return Some(value),
        };
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;

    const EXAMPLE: &str = "
[desk]
# How many wait.
places = 3
share = 0.5

# One block for each assistant, for example = none
# [[desk.assistants]]
# name = \"order\"                # for people
# tone = { short = true, words = [\"please\"] }
# [[desk.assistants.tools]]
# url = \"http://shop\"
# [[desk.assistants.tools.headers]]
# name = \"accept\"
# value = \"text\"

# [[shops]]
# id = \"a\"
";

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Whole {
        desk: Desk,
        #[serde(default)]
        shops: Vec<Shop>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Desk {
        places: u8,
        share: f64,
        #[serde(default)]
        assistants: Vec<Assistant>,
    }

    #[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Assistant {
        name: String,
        #[serde(default)]
        tone: Tone,
        #[serde(default)]
        tools: Vec<Tool>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    #[serde(default, deny_unknown_fields)]
    struct Tone {
        short: bool,
        words: Vec<String>,
    }

    #[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Tool {
        url: String,
        #[serde(default)]
        headers: Vec<Header>,
    }

    #[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Header {
        name: String,
        value: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shop {
        id: String,
    }

    /// The result, and every fault.
    fn read(file: &str, sets: &[(&str, &str)]) -> (Option<Whole>, Vec<String>) {
        let mut layers = Layers::over(EXAMPLE);
        layers.file(file, "file");
        for (path, text) in sets {
            layers.set(path, text, "set");
        }
        let read = layers.read().map(|(whole, _)| whole);
        (read, layers.faults)
    }

    #[track_caller]
    fn assert_faults(file: &str, sets: &[(&str, &str)], expected: &[&str]) {
        let (_, faults) = read(file, sets);
        assert_eq!(faults, expected);
    }

    fn tool(url: &str) -> Tool {
        Tool { url: url.into(), headers: Vec::new() }
    }

    #[test]
    fn lists_are_empty_by_default() {
        let (whole, faults) = read("", &[]);
        assert_eq!(faults, [""; 0]);
        let desk = Desk { places: 3, share: 0.5, assistants: Vec::new() };
        assert_eq!(whole, Some(Whole { desk, shops: Vec::new() }));
    }

    #[test]
    fn a_list_in_a_list_is_read_from_the_file_and_replaced_as_a_whole() {
        let file = "[[desk.assistants]]\nname = \"a\"\n[[desk.assistants.tools]]\nurl = \"x\"\n\
             [[desk.assistants.tools]]\nurl = \"y\"\n[[desk.assistants]]\nname = \"b\"\n";
        let (whole, faults) = read(file, &[("desk.places", "4")]);
        let desk = whole.unwrap().desk;
        assert_eq!(faults, [""; 0]);
        assert_eq!((desk.places, desk.assistants.len()), (4, 2));
        assert_eq!(desk.assistants[0].tools, [tool("x"), tool("y")]);
        let list = r#"[{name = "c", tools = [{url = "z"}]}]"#;
        let (whole, faults) = read(file, &[("desk.assistants", list)]);
        let desk = whole.unwrap().desk;
        assert_eq!(faults, [""; 0]);
        assert_eq!(desk.assistants.len(), 1);
        assert_eq!(desk.assistants[0].tools, [tool("z")]);
    }

    #[test]
    fn unknown_keys_are_named_by_their_whole_path_at_every_depth() {
        let file = "top = 1\n[desk]\nplace = 1\n[[desk.assistants]]\nname = \"a\"\n\
             tone.long = true\n[[desk.assistants]]\nname = \"b\"\n[[desk.assistants.tools]]\n\
             url = \"x\"\nurls = 1\n[[shops]]\nid = \"s\"\nname = \"S\"\n";
        let sets = [("desk.nope.x", "1"), ("desk.assistants.0.name", "c"), ("nope", "1")];
        assert_faults(
            file,
            &sets,
            &[
                "desk.assistants[0].tone.long: unknown key (file)",
                "desk.assistants[1].tools[0].urls: unknown key (file)",
                "desk.place: unknown key (file)",
                "shops[0].name: unknown key (file)",
                "top: unknown section (file)",
                "desk.nope: unknown key (set)",
                "desk.assistants: must be a list of tables (set)",
                "nope: unknown section (set)",
            ],
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_whole_path_with_all_that_is_missing() {
        let file = "[desk]\nplaces = \"many\"\nshare = \"half\"\n[[desk.assistants]]\nname = 1\n\
             [[desk.assistants.tools]]\n[[desk.assistants.tools.headers]]\n";
        assert_faults(
            file,
            &[],
            &[
                "desk.assistants[0].name: invalid type: integer `1`, expected a string",
                "desk.assistants[0].tools[0].headers[0].name: is missing",
                "desk.assistants[0].tools[0].headers[0].value: is missing",
                "desk.assistants[0].tools[0].url: is missing",
                "desk.places: invalid type: string \"many\", expected u8",
                "desk.share: invalid type: string \"half\", expected f64",
            ],
        );
    }

    #[test]
    fn a_table_a_list_and_a_value_cannot_stand_for_each_other() {
        let file = "shops = 3\n[[desk]]\nplaces = 1\n";
        assert_faults(
            file,
            &[("desk.places", "[1]"), ("desk.assistants", "[1]")],
            &[
                "desk: must be a table (file)",
                "shops: must be a list of tables (file)",
                "desk.assistants[0]: invalid type: integer `1`, expected struct Assistant",
                "desk.places: invalid type: sequence, expected u8",
            ],
        );
        assert_faults(
            "",
            &[("desk.places", "{"), ("desk.share", "1")],
            &["desk.places: cannot be read (set)"],
        );
    }

    fn word() -> impl Strategy<Value = String> {
        "[a-z\"\\\\#=\\[{ ]{0,6}"
    }

    fn assistant() -> impl Strategy<Value = Assistant> {
        let header = (word(), word()).prop_map(|(name, value)| Header { name, value });
        let tool = (word(), prop::collection::vec(header, 0..3))
            .prop_map(|(url, headers)| Tool { url, headers });
        let tone = (any::<bool>(), prop::collection::vec(word(), 0..3))
            .prop_map(|(short, words)| Tone { short, words });
        (word(), tone, prop::collection::vec(tool, 0..3))
            .prop_map(|(name, tone, tools)| Assistant { name, tone, tools })
    }

    proptest! {
        #[test]
        fn any_nested_list_is_read_the_same_from_each_layer(
            assistants in prop::collection::vec(assistant(), 0..4),
        ) {
            let list = Value::try_from(&assistants).unwrap();
            let table = |key: &str, value| Value::Table(Table::from_iter([(key.to_owned(), value)]));
            let file = toml::to_string(&table("desk", table("assistants", list.clone()))).unwrap();
            let text = list.to_string();
            for (file, sets) in [(file.as_str(), &[][..]), ("", &[("desk.assistants", &*text)])] {
                let (whole, faults) = read(file, sets);
                prop_assert!(faults.is_empty(), "{faults:?}");
                prop_assert_eq!(&whole.unwrap().desk.assistants, &assistants);
            }
        }
    }
}
