//! Tests of reading the dependency graph.

use super::Metadata;

const JSON: &str = r#"{
  "packages": [
    {"id": "a#1", "name": "a", "version": "1.0.0", "license": "MIT", "source": null,
     "targets": [{"kind": ["lib"], "src_path": "/w/a/src/lib.rs"},
                 {"kind": ["test"], "src_path": "/w/a/tests/t.rs"}]},
    {"id": "b#1", "name": "b", "version": "2.0.0", "license": null,
     "source": "registry+x", "targets": []},
    {"id": "c#1", "name": "c", "version": "3.0.0", "license": "MIT",
     "source": "registry+x", "targets": []},
    {"id": "w#1", "name": "elsewhere", "version": "3.0.0", "license": "MIT",
     "source": "registry+x", "targets": []}
  ],
  "resolve": {"nodes": [
    {"id": "a#1", "deps": [
      {"pkg": "b#1", "dep_kinds": [{"kind": null}, {"kind": "dev"}]},
      {"pkg": "c#1", "dep_kinds": [{"kind": "dev"}]}]},
    {"id": "b#1", "deps": [{"pkg": "a#1", "dep_kinds": [{"kind": "build"}]}]},
    {"id": "c#1", "deps": []}
  ]}
}"#;

#[test]
fn packages_roots_and_needs_are_read() {
    let metadata = Metadata::parse(JSON.as_bytes()).expect("metadata");
    let names: Vec<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let a = metadata.own().next().expect("a");
    assert_eq!(a.roots, ["/w/a/src/lib.rs"]);
    assert_eq!(a.needs, ["b#1"]);
}

#[test]
fn closures_end_on_circles() {
    let metadata = Metadata::parse(JSON.as_bytes()).expect("metadata");
    let a = metadata.own().next().expect("a");
    let reached: Vec<&str> = metadata
        .closure(a)
        .iter()
        .map(|p| p.name.as_str())
        .collect();
    assert_eq!(reached, ["b", "a"]);
}

#[test]
fn other_output_is_an_error() {
    assert!(Metadata::parse(b"not json").is_err());
}
