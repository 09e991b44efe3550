//! One operation of a document.

use std::collections::BTreeMap;

use reqwest::Url;
use serde_json::{Map, Value};

use super::{
    error::OpenApiError,
    schema::{plain, resolved},
};

/// What of an operation a declaration says.
pub(super) struct Operation {
    pub name: String,
    pub description: String,
    pub method: &'static str,
    pub url: String,
    /// Name in the query, and argument.
    pub query: BTreeMap<String, String>,
    /// Field of the body, and argument.
    pub body: BTreeMap<String, String>,
    pub properties: Map<String, Value>,
    pub required: Vec<String>,
    /// Headers and cookies, which no argument can be.
    pub left_out: Vec<String>,
}

impl Operation {
    pub(super) fn read(
        document: &Value,
        path: &str,
        method: &'static str,
        id: &str,
        server: Option<&str>,
    ) -> Result<Self, OpenApiError> {
        let item = &document["paths"][path];
        let operation = &item[method];
        let text = |key: &str| operation[key].as_str().filter(|text| !text.trim().is_empty());
        let description = text("summary").or(text("description")).unwrap_or(id);
        let mut read = Self {
            name: snake(id),
            description: description.split_whitespace().collect::<Vec<_>>().join(" "),
            method,
            url: String::new(),
            query: BTreeMap::new(),
            body: BTreeMap::new(),
            properties: Map::new(),
            required: Vec::new(),
            left_out: Vec::new(),
        };
        let mut path = path.to_owned();
        // Those of the operation replace those of the path with the same name.
        let mut parameters = BTreeMap::new();
        for parameter in [&item["parameters"], &operation["parameters"]]
            .into_iter()
            .filter_map(Value::as_array)
            .flatten()
        {
            let parameter = resolved(document, parameter)?;
            let of = |key: &str| parameter[key].as_str().unwrap_or_default().to_owned();
            parameters.insert((of("in"), of("name")), parameter);
        }
        for ((place, name), parameter) in parameters {
            if !matches!(place.as_str(), "path" | "query") {
                read.left_out.push(format!("{place} {name}"));
                continue;
            }
            let mut schema = plain(document, &parameter["schema"], id)?;
            if let Some(keys) = schema.as_object_mut() {
                let text = parameter["description"].as_str();
                keys.extend(text.map(|text| ("description".to_owned(), text.into())));
                // A value that is null is left out of an address anyway.
                if let Some(Value::Array(kinds)) = keys.get("type") {
                    let kind = kinds.iter().find(|kind| **kind != "null").cloned();
                    keys.extend(kind.map(|kind| ("type".to_owned(), kind)));
                }
            }
            let argument = read.argument(&name, schema);
            if place == "path" || parameter["required"] == true {
                read.required.push(argument.clone());
            }
            match place.as_str() {
                "path" => path = path.replace(&format!("{{{name}}}"), &format!("{{{argument}}}")),
                _ => drop(read.query.insert(name, format!("{{{argument}}}"))),
            }
        }
        read.read_body(document, operation, id)?;
        read.url = format!("{}{path}", base(document, server)?);
        Ok(read)
    }

    fn read_body(
        &mut self,
        document: &Value,
        operation: &Value,
        id: &str,
    ) -> Result<(), OpenApiError> {
        let body = resolved(document, &operation["requestBody"])?;
        if body.is_null() || self.method == "get" {
            return Ok(());
        }
        let schema = plain(document, &body["content"]["application/json"]["schema"], id)?;
        let properties = schema["properties"].as_object();
        let properties = properties.ok_or_else(|| OpenApiError::Body(id.to_owned()))?;
        for (name, property) in properties {
            let argument = self.argument(name, property.clone());
            let required = schema["required"].as_array();
            if required.is_some_and(|required| required.iter().any(|one| one == name)) {
                self.required.push(argument.clone());
            }
            self.body.insert(name.clone(), format!("{{{argument}}}"));
        }
        Ok(())
    }

    /// Adds an argument, and returns its name, which is a word and its own.
    fn argument(&mut self, name: &str, schema: Value) -> String {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let words = name.split(|c| !is_of_name(c)).filter(|word| !word.is_empty());
        let mut argument = words.collect::<Vec<_>>().join("_");
        if !argument.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            argument.insert(0, '_');
        }
        while self.properties.contains_key(&argument) {
            argument.push('_');
        }
        self.properties.insert(argument.clone(), schema);
        argument
    }
}

/// `getParcel` as `get_parcel`.
fn snake(id: &str) -> String {
    let mut name = String::new();
    for c in id.chars() {
        if !c.is_ascii_alphanumeric() || c.is_ascii_uppercase() {
            name.push('_');
        }
        name.extend(c.is_ascii_alphanumeric().then(|| c.to_ascii_lowercase()));
    }
    let words = name.split('_').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

/// The address in front of all paths, without a `/` at its end.
fn base(document: &Value, server: Option<&str>) -> Result<String, OpenApiError> {
    let first = &document["servers"][0];
    let mut url = server.or(first["url"].as_str()).unwrap_or_default().to_owned();
    for (name, variable) in first["variables"].as_object().into_iter().flatten() {
        let value = variable["default"].as_str().unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), value);
    }
    let is_whole = Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if is_whole { Ok(url.trim_end_matches('/').to_owned()) } else { Err(OpenApiError::NoServer) }
}
