//! Reads operations of an OpenAPI document (3.0 or 3.1) as declarations of tools, which a person
//! reviews before a shop has them. Pure: the document is plain JSON, and nothing is fetched.

mod error;
mod operation;
mod schema;
mod written;

use serde_json::Value;

pub use self::error::OpenApiError;
use self::operation::Operation;
pub(super) use self::schema::plain;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The declarations of these operations, by their `operationId`, as TOML for `[[sites]]`. `server`
/// takes the place of the address in the document.
///
/// # Errors
/// [`OpenApiError`], for the first operation that has one.
pub fn import(
    document: &Value,
    operations: &[String],
    server: Option<&str>,
) -> Result<String, OpenApiError> {
    let read = read(document, operations, server)?;
    Ok(read.iter().map(written::tool).collect::<Vec<_>>().join("\n"))
}

/// A declaration of one operation, for review.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub name: String,
    /// In the form of `[[sites.tools]]`, without its name.
    pub declaration: Value,
    /// Headers and cookies, which no argument can be.
    pub left_out: Vec<String>,
}

/// As [`import`], as values.
///
/// # Errors
/// As [`import`].
pub fn drafts(
    document: &Value,
    operations: &[String],
    server: Option<&str>,
) -> Result<Vec<Draft>, OpenApiError> {
    let read = read(document, operations, server)?.into_iter();
    let draft = |operation: Operation| Draft {
        declaration: written::declaration(&operation),
        name: operation.name,
        left_out: operation.left_out,
    };
    Ok(read.map(draft).collect())
}

fn read(
    document: &Value,
    operations: &[String],
    server: Option<&str>,
) -> Result<Vec<Operation>, OpenApiError> {
    let version = document["openapi"].as_str().unwrap_or_default();
    if !version.starts_with("3.0") && !version.starts_with("3.1") {
        return Err(OpenApiError::NotOpenApi);
    }
    let operations = operations.iter().map(|name| {
        let (path, method) = find(document, name)?;
        Operation::read(document, path, method, name, server)
    });
    operations.collect()
}

/// Path and method of an operation.
fn find<'a>(document: &'a Value, name: &str) -> Result<(&'a str, &'static str), OpenApiError> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        METHODS.iter().filter_map(move |method| {
            Some((path.as_str(), *method, item[*method]["operationId"].as_str()?))
        })
    });
    let all: Vec<_> = all.collect();
    let found = all.iter().find(|(_, _, id)| *id == name);
    found.map(|(path, method, _)| (*path, *method)).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|(_, _, id)| *id).collect();
        OpenApiError::NoOperation { name: name.to_owned(), known: known.join(", ") }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{Config, Sources};

    fn document(version: &str) -> Value {
        json!({
            "openapi": version,
            "servers": [{"url": "https://{region}.shop.example/v1/", "variables": {"region": {"default": "eu"}}}],
            "paths": {
                "/parcels/{parcel-id}": {
                    "parameters": [{"$ref": "#/components/parameters/Parcel"}],
                    "get": {
                        "operationId": "getParcel",
                        "summary": "Where a parcel\nis.",
                        "parameters": [
                            {"name": "filter[lang]", "in": "query", "schema": {"type": "string", "nullable": true}},
                            {"name": "X-Tenant", "in": "header", "required": true, "schema": {"type": "string"}}
                        ]
                    },
                    "post": {
                        "operationId": "holdParcel",
                        "description": "Keeps a parcel.",
                        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Hold"}}}}
                    },
                    "put": {
                        "operationId": "treeParcel",
                        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}}
                    }
                }
            },
            "components": {
                "parameters": {"Parcel": {"name": "parcel-id", "in": "path", "required": true,
                    "description": "Its \"number\".", "schema": {"$ref": "#/components/schemas/Id"}}},
                "schemas": {
                    "Id": {"type": "string", "pattern": "^[0-9]+$", "example": "12"},
                    "Hold": {"type": "object", "required": ["days"], "properties": {
                        "days": {"type": "integer", "minimum": 0, "exclusiveMinimum": true, "maximum": 9},
                        "note": {"type": "string", "nullable": true},
                        "ids": {"type": "array", "items": {"$ref": "#/components/schemas/Id"}}
                    }},
                    "Tree": {"type": "object", "properties": {"tree": {"$ref": "#/components/schemas/Tree"}}}
                }
            }
        })
    }

    fn imported(names: &[&str], server: Option<&str>) -> Result<String, OpenApiError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        import(&document("3.0.3"), &names, server)
    }

    /// The tools of a site with this TOML.
    fn loaded(tools: &str) -> Vec<crate::config::Tool> {
        let site = "[[sites]]\nid = \"shop\"\nname = \"S\"\nsite_key = \"pk_s\"\n";
        let file = Some(("test.toml".to_owned(), format!("{site}{tools}")));
        let config = Config::load(&Sources { file, ..Sources::default() });
        config
            .map_or_else(|faults| panic!("{faults}\n{tools}"), |config| config.sites[0].all_tools())
    }

    #[test]
    fn a_read_is_imported_as_a_declaration_that_is_valid() {
        let toml = imported(&["getParcel"], None).unwrap();
        let tools = loaded(&toml);
        let tool = &tools[0];
        assert_eq!(tool.name, "get_parcel");
        assert_eq!(tool.description, "Where a parcel is.");
        assert_eq!(tool.url, "https://eu.shop.example/v1/parcels/{parcel-id}");
        assert_eq!(tool.query["filter[lang]"], "{filter_lang}");
        assert_eq!(
            tool.parameters,
            json!({
                "type": "object",
                "required": ["parcel-id"],
                "properties": {
                    "parcel-id": {"type": "string", "pattern": "^[0-9]+$", "description": "Its \"number\"."},
                    "filter_lang": {"type": "string"}
                }
            })
        );
        assert_eq!(tool.identity, crate::config::Identity::Customer, "the strictest one");
        assert!(toml.contains("# The header X-Tenant"), "{toml}");
    }

    #[test]
    fn a_write_needs_an_outcome_before_it_is_valid() {
        let toml = imported(&["holdParcel"], Some("https://own.example/api")).unwrap();
        let outcome = "outcome_url = \"https://own.example/api/writes/{key}\"";
        let tools = loaded(&toml.replace("outcome_url = \"\"", outcome));
        let tool = &tools[0];
        assert_eq!(tool.url, "https://own.example/api/parcels/{parcel-id}");
        assert_eq!(tool.body["ids"], "{ids}");
        let properties = &tool.parameters["properties"];
        assert_eq!(
            properties["days"],
            json!({"type": "integer", "exclusiveMinimum": 0, "maximum": 9})
        );
        assert_eq!(properties["note"]["type"], json!(["string", "null"]));
        assert_eq!(properties["ids"]["items"]["pattern"], "^[0-9]+$");
        assert_eq!(tool.parameters["required"], json!(["parcel-id", "days"]));
    }

    #[test]
    fn what_cannot_be_imported_says_why() {
        let known = "getParcel, holdParcel, treeParcel".to_owned();
        let name = "getParcels".to_owned();
        assert_eq!(imported(&["getParcels"], None), Err(OpenApiError::NoOperation { name, known }));
        assert_eq!(
            imported(&["treeParcel"], None),
            Err(OpenApiError::Endless("treeParcel".into()))
        );
        let mut laughing = document("3.1.0");
        for n in 0..4 {
            let next = json!({"$ref": format!("#/components/schemas/L{}", n + 1)});
            let ten = vec![next; 10];
            laughing["components"]["schemas"][format!("L{n}")] = json!({"allOf": ten});
        }
        laughing["components"]["schemas"]["L4"] = json!({"type": "string"});
        laughing["components"]["schemas"]["Id"] = json!({"$ref": "#/components/schemas/L0"});
        let names = ["getParcel".to_owned()];
        let endless = OpenApiError::Endless("getParcel".into());
        assert_eq!(import(&laughing, &names, None), Err(endless));
        assert_eq!(import(&document("2.0"), &names, None), Err(OpenApiError::NotOpenApi));
        assert_eq!(import(&json!([]), &names, None), Err(OpenApiError::NotOpenApi));
        let mut relative = document("3.1.0");
        relative["servers"] = json!([{"url": "/v1"}]);
        assert_eq!(import(&relative, &names, None), Err(OpenApiError::NoServer));
        let mut broken = document("3.1.0");
        broken["components"]["schemas"]["Id"] = json!({"$ref": "other.json#/Id"});
        let fault = OpenApiError::NoReference("other.json#/Id".into());
        assert_eq!(import(&broken, &names, None), Err(fault));
    }

    #[test]
    fn text_of_a_document_stays_text() {
        let mut hostile = document("3.1.0");
        let get = &mut hostile["paths"]["/parcels/{parcel-id}"]["get"];
        get["summary"] = json!("x\"\n[[sites.tools]]\nname = \"evil\"\n#");
        get["operationId"] = json!("get\n[[sites]]");
        let toml = import(&hostile, &["get\n[[sites]]".to_owned()], None).unwrap();
        let tools = loaded(&toml);
        assert_eq!(tools.len(), 1, "{toml}");
        assert_eq!(tools[0].name, "get_sites");
    }
}
