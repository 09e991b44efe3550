//! The source keeps to the table and the rules of `ARCHITECTURE.md`, and the document names every
//! route.

mod circles;
mod places;
mod source;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use rushdesk::http::docs::ApiDoc;
use utoipa::OpenApi;

use self::source::Source;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Row of each module, and what a module may name beyond the rows below it.
fn table() -> (BTreeMap<String, u32>, BTreeMap<String, BTreeSet<String>>) {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (mut rows, mut exceptions) = (BTreeMap::new(), BTreeMap::<_, BTreeSet<_>>::new());
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Ok(row) = cells[0].parse::<u32>() else { continue };
        let names = |cell: &str| -> Vec<String> {
            cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        let modules = names(cells[1]);
        for module in &modules {
            rows.insert(module.clone(), row);
        }
        if cells[2] == "each other" {
            for module in &modules {
                exceptions.entry(module.clone()).or_default().extend(modules.clone());
            }
        }
        // `a` → `b`, `c`; `d` → `e`
        for pair in cells[2].split(';') {
            let Some((from, targets)) = pair.split_once("→") else { continue };
            for from in names(from) {
                exceptions.entry(from).or_default().extend(names(targets));
            }
        }
    }
    (rows, exceptions)
}

fn code() -> Vec<Source> {
    Source::all(&root().join("src"))
}

#[track_caller]
fn assert_none<T: AsRef<str>>(faults: &[T]) {
    let faults: Vec<&str> = faults.iter().map(AsRef::as_ref).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn imports_run_downwards() {
    let (rows, exceptions) = table();
    let mut faults = Vec::new();
    for source in code() {
        let Some(module) = source.module.first() else { continue };
        let row = rows.get(module).unwrap_or_else(|| panic!("{module} is not in the table"));
        let targets: BTreeSet<_> =
            source.names().into_iter().filter_map(|name| name.first().cloned()).collect();
        for target in targets {
            let Some(other) = rows.get(&target) else { continue };
            let allowed = exceptions.get(module).is_some_and(|set| set.contains(&target));
            if target != *module && other >= row && !allowed {
                faults.push(format!(
                    "{}: {module} (row {row}) names {target} (row {other})",
                    source.file
                ));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn the_table_is_read_with_its_exceptions() {
    let (rows, exceptions) = table();
    assert_eq!(rows["domain"], 1);
    assert!(exceptions["app"].contains("shutdown"), "{exceptions:?}");
}

#[test]
fn inside_a_folder_imports_run_one_way() {
    assert_none(&circles::faults(&code()));
}

#[test]
fn a_door_names_no_actor() {
    assert_none(&circles::faults_of_doors(&code()));
}

#[test]
fn what_is_counted_stands_in_metrics() {
    assert_none(&places::strays_that_count(&code()));
}

#[test]
fn the_actor_crate_is_named_in_doors_and_shells_only() {
    assert_none(&places::strays_that_act(&code()));
    assert_none(&places::needless_exceptions(&code()));
}

#[test]
fn the_document_names_every_route() {
    let document = serde_json::to_value(ApiDoc::openapi()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut files = Vec::new();
    sources(&root().join("src/http"), &mut files);
    let mut routes = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for method in ["get", "post", "put", "delete"] {
            for (at, _) in text.match_indices(&format!("[{method}(\"")) {
                let path = text[at..].split('"').nth(1).unwrap();
                // The page is for browsers.
                if path == "/"
                    || path == "/reset"
                    || path == "/console"
                    || path == "/docs"
                    || path.starts_with("/assets/")
                {
                    continue;
                }
                routes += 1;
                assert!(
                    document["paths"][path][method].is_object(),
                    "{method} {path} is not in the document"
                );
            }
        }
    }
    assert!(routes > 30, "only {routes} routes were found");
}

#[test]
fn the_example_documents_every_key() {
    let text = fs::read_to_string(root().join("rushdesk.toml.example")).unwrap();
    let mut commented = false;
    for line in text.lines() {
        let is_key = line.contains(" = ") && !line.starts_with('#');
        assert!(!is_key || commented, "no comment above: {line}");
        commented = line.starts_with('#') || (is_key && commented);
    }
}

#[test]
fn the_threat_model_names_tests_that_exist() {
    let text = fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let mut tests = 0;
    for word in text.split('`').skip(1).step_by(2) {
        if let Some((module, name)) = word.split_once("::") {
            let source = fs::read_to_string(root().join(format!("tests/it/{module}.rs"))).unwrap();
            assert!(source.contains(&format!("fn {name}(")), "{word} is not there");
            tests += 1;
        } else if word.starts_with("src/") || word.starts_with("tests/") {
            assert!(root().join(word).exists(), "{word} is not there");
        }
    }
    assert!(tests > 15, "only {tests} tests are named");
}
