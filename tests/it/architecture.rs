//! The source keeps to the table of `ARCHITECTURE.md`, and the document names every route.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use rushdesk::http::docs::ApiDoc;
use utoipa::OpenApi;

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

#[test]
fn imports_run_downwards() {
    let (rows, exceptions) = table();
    let source = root().join("src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    let mut faults = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&source).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_string_lossy();
        let module = module.trim_end_matches(".rs").to_owned();
        if ["main", "lib"].contains(&module.as_str()) {
            continue;
        }
        let row = rows.get(&module).unwrap_or_else(|| panic!("{module} is not in the table"));
        // Tests may reach for whatever they need.
        let text = fs::read_to_string(&file).unwrap();
        let is_test = inside.components().any(|part| {
            let part = part.as_os_str().to_string_lossy();
            part.trim_end_matches(".rs") == "tests" || part == "evaluation.rs"
        });
        if is_test {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for target in imports(code) {
            let Some(other) = rows.get(&target) else { continue };
            let allowed = exceptions.get(&module).is_some_and(|set| set.contains(&target));
            if target != module && other >= row && !allowed {
                faults.push(format!(
                    "{}: {module} (row {row}) names {target} (row {other})",
                    inside.display()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Modules that `code` names as `crate::x` or inside `use crate::{x::…, y::…}`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let name = |text: &str| -> String {
        text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                c if begins && !c.is_whitespace() => {
                    found.insert(name(&group[index..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn the_reader_of_imports_sees_what_it_must() {
    let code = "use crate::{a::{X, y::Z}, b,\n    c::D};\nfn f() { crate::e::g(); }";
    assert_eq!(imports(code).into_iter().collect::<Vec<_>>(), ["a", "b", "c", "e"]);
    let (rows, exceptions) = table();
    assert_eq!(rows["domain"], 1);
    assert!(exceptions["cache"].contains("embedding"), "{exceptions:?}");
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
                if path == "/" || path == "/docs" || path.starts_with("/assets/") {
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
