//! Inside a folder imports run one way: no two files name each other, also not through others, and
//! none names what its folder's `mod.rs` holds or passes on, since that one names all of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::source::Source;

/// Every fault of every folder.
pub fn faults(sources: &[Source]) -> Vec<String> {
    let modules: BTreeSet<&[String]> = sources.iter().map(|source| &*source.module).collect();
    let folders: BTreeSet<&[String]> =
        modules.iter().filter_map(|module| Some(module.split_last()?.1)).collect();
    let named: Vec<_> = sources.iter().map(|source| (source, source.names())).collect();
    folders.into_iter().flat_map(|folder| faults_of(folder, &named, &modules)).collect()
}

/// Who names whom among the children of a folder, with a file that does.
type Edges<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>;

fn faults_of(
    folder: &[String],
    named: &[(&Source, BTreeSet<Vec<String>>)],
    modules: &BTreeSet<&[String]>,
) -> BTreeSet<String> {
    let mut edges = Edges::new();
    let mut faults = BTreeSet::new();
    let title = if folder.is_empty() { "src".to_owned() } else { folder.join("::") };
    for (source, names) in named {
        let Some([child, ..]) = source.module.strip_prefix(folder) else { continue };
        for inside in names.iter().filter_map(|name| name.strip_prefix(folder)) {
            let path = [folder, &inside[..inside.len().min(1)]].concat();
            match inside.first() {
                Some(other) if modules.contains(&path[..]) => {
                    if other != child {
                        edges.entry(child).or_default().entry(other).or_insert(&source.file);
                    }
                }
                // The crate's root has no items, only modules.
                _ if folder.is_empty() => {}
                item => {
                    let item = item.map_or("it", String::as_str);
                    faults.insert(format!("{}: names {item} of its parent {title}", source.file));
                }
            }
        }
    }
    for child in edges.keys() {
        let Some(way) = way_back(child, &edges) else { continue };
        let steps = way.iter().zip(way.iter().cycle().skip(1));
        let steps: Vec<_> =
            steps.map(|(from, to)| format!("{from} -> {to} ({})", edges[from][to])).collect();
        faults.insert(format!("circle in {title}: {}", steps.join(", ")));
    }
    faults
}

/// The shortest way from `child` to itself over others, of which none comes before it in the
/// alphabet: so a circle is found at one of its children only.
fn way_back<'a>(child: &'a str, edges: &Edges<'a>) -> Option<Vec<&'a str>> {
    let mut ways = VecDeque::from([vec![child]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in edges.get(way[way.len() - 1]).into_iter().flat_map(BTreeMap::keys) {
            if *next == child {
                return Some(way);
            }
            if *next > child && seen.insert(*next) {
                ways.push_back([&*way, &[*next]].concat());
            }
        }
    }
    None
}

/// A door is what others name: `messages.rs` names no actor, and no neighbour that names one.
pub fn faults_of_doors(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    let is_actor = |name: &[String]| name.iter().any(|part| part == "actor");
    for door in sources.iter().filter(|source| source.file.ends_with("messages.rs")) {
        let folder = &door.module[..door.module.len() - 1];
        for name in door.names() {
            if is_actor(&name) {
                faults.push(format!("{}: a door names {}", door.file, name.join("::")));
            }
            let neighbours = sources.iter().filter(|source| {
                source.module.len() > folder.len()
                    && source.module != door.module
                    && source.module.starts_with(folder)
                    && name.starts_with(&source.module)
            });
            for neighbour in neighbours.filter(|source| source.names().iter().any(|n| is_actor(n)))
            {
                faults.push(format!(
                    "{}: a door names {}, which names an actor",
                    door.file, neighbour.file
                ));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(files: &[(&str, &str)]) -> Vec<Source> {
        files.iter().map(|(file, code)| Source::new(file, code)).collect()
    }

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        faults(&made(files))
    }

    #[test]
    fn imports_that_run_one_way_are_no_fault() {
        let files = [
            ("lib.rs", "pub mod a; pub mod b;"),
            ("a/mod.rs", "mod x; mod y; pub use x::X; use y::Y;"),
            ("a/x.rs", "use super::y::Y; use crate::b::B;"),
            ("a/y.rs", "use self::z::Z;"),
            ("a/y/z.rs", "use crate::b; use super::w::W;"),
            ("a/y/w.rs", ""),
            ("b.rs", ""),
        ];
        assert_eq!(found(&files), [""; 0]);
    }

    #[test]
    fn two_files_that_name_each_other_are_a_circle() {
        let files = [
            ("a/mod.rs", "mod x; mod y;"),
            ("a/x.rs", "use super::y::Y;"),
            ("a/y.rs", "fn f() { crate::a::x::g() }"),
        ];
        assert_eq!(found(&files), ["circle in a: x -> y (a/x.rs), y -> x (a/y.rs)"]);
    }

    #[test]
    fn a_circle_over_a_folder_and_a_third_file_is_found_once() {
        let files = [
            ("a/x.rs", "use super::y::w::W;"),
            ("a/y/mod.rs", "mod w;"),
            ("a/y/w.rs", "use crate::a::z;"),
            ("a/z.rs", "use super::{x::X};"),
        ];
        assert_eq!(
            found(&files),
            ["circle in a: x -> y (a/x.rs), y -> z (a/y/w.rs), z -> x (a/z.rs)"]
        );
    }

    #[test]
    fn modules_of_the_crate_are_held_to_it_too() {
        let files =
            [("a/mod.rs", ""), ("a/x.rs", "use crate::b::B;"), ("b.rs", "use crate::a::x;")];
        assert_eq!(found(&files), ["circle in src: a -> b (a/x.rs), b -> a (b.rs)"]);
    }

    #[test]
    fn a_child_that_names_what_its_parent_holds_is_a_circle() {
        let files = [
            ("a/mod.rs", "mod x; mod y; pub use x::X; pub struct A;"),
            ("a/x.rs", "use super::A;"),
            ("a/y/mod.rs", "mod z;"),
            ("a/y/z.rs", "use crate::a::X; use super::*;"),
        ];
        assert_eq!(
            found(&files),
            [
                "a/x.rs: names A of its parent a",
                "a/y/z.rs: names X of its parent a",
                "a/y/z.rs: names it of its parent a::y",
            ]
        );
    }

    #[test]
    fn a_door_names_no_actor_and_no_neighbour_of_one() {
        let files = made(&[
            ("a/messages.rs", "use super::{plain::P, shell::S}; use crate::b::actor::B;"),
            ("a/plain.rs", ""),
            ("a/shell.rs", "use super::actor::A;"),
            ("a/actor.rs", "use super::messages::M;"),
            ("b/actor.rs", "use crate::a::messages::M;"),
        ]);
        assert_eq!(
            faults_of_doors(&files),
            [
                "a/messages.rs: a door names a/shell.rs, which names an actor",
                "a/messages.rs: a door names b::actor::B",
            ]
        );
    }
}
