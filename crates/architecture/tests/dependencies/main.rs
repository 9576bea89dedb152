//! The dependency direction of ARCHITECTURE.md, enforced on the real workspace, and the proof that
//! each rule can be broken: the same checker must object to a fabricated workspace that breaks it.
//!
//! `rules` is the table to edit when a crate joins; `workspace` reads what cargo says; `check`
//! compares the two.

mod check;
mod rules;
mod workspace;

use check::violations;
use serde_json::{Value, json};
use workspace::Workspace;

#[test]
fn the_workspace_keeps_the_dependency_direction() {
    let found = violations(&Workspace::read());
    assert!(
        found.is_empty(),
        "ARCHITECTURE.md is broken in {} place(s):\n  {}",
        found.len(),
        found.join("\n  ")
    );
}

#[test]
fn every_allowed_edge_names_a_crate_of_the_table() {
    for rule in rules::CRATES {
        for name in rule.uses.iter().chain(rule.tests_use) {
            assert!(
                rules::of(name).is_some(),
                "`{}` may use `{name}`, which has no row of its own",
                rule.name
            );
        }
    }
}

#[test]
fn the_table_itself_has_no_cycle() {
    for rule in rules::CRATES {
        assert!(!reaches(rule.name, rule.name), "the table lets `{}` depend on itself", rule.name);
    }
}

/// Whether the allowed (not test-only) edges lead from `from` to `to` in one step or more.
fn reaches(from: &str, to: &str) -> bool {
    let mut seen: Vec<&str> = Vec::new();
    let mut open: Vec<&str> = rules::of(from).map_or_else(Vec::new, |rule| rule.uses.to_vec());
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if !seen.contains(&name) {
            seen.push(name);
            open.extend(rules::of(name).into_iter().flat_map(|rule| rule.uses));
        }
    }
    false
}

/// One made-up package as `cargo metadata` describes it. A dependency written `dev:name` is a
/// dev-dependency.
fn package(name: &str, folder: &str, dependencies: &[&str]) -> Value {
    let dependencies: Vec<Value> = dependencies
        .iter()
        .map(|written| match written.strip_prefix("dev:") {
            Some(name) => json!({ "name": name, "kind": "dev" }),
            None => json!({ "name": written, "kind": null }),
        })
        .collect();
    json!({
        "name": name,
        "manifest_path": format!("/made-up/crates/{folder}/Cargo.toml"),
        "dependencies": dependencies,
    })
}

const ROOT: &str = r#"
[workspace.lints.rust]
unsafe_code = "forbid"

[workspace.lints.clippy]
# A comment is no lint.
all = { level = "warn", priority = -1 }
"#;
const INHERITS: &str = "[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n";

fn made_up(packages: &[Value], manifest: &str, tree: &str) -> Workspace {
    Workspace::parse(&json!({ "packages": packages }), |_| manifest.to_owned(), ROOT, tree)
}

/// The checker's verdict on one made-up package must name every text in `expected`; an empty list
/// means that it must find nothing.
fn expect(package: Value, expected: &[&str]) {
    let found = violations(&made_up(&[package], INHERITS, ""));
    assert_eq!(found.is_empty(), expected.is_empty(), "expected {expected:?}, found {found:?}");
    for text in expected {
        assert!(found.iter().any(|line| line.contains(text)), "no {text:?} in {found:?}");
    }
}

#[test]
fn a_healthy_made_up_workspace_passes() {
    expect(package("domain", "domain", &["thiserror", "dev:proptest"]), &[]);
    expect(package("storage", "storage", &["domain"]), &[]);
    expect(package("storage-sqlite", "storage-sqlite", &["storage", "domain", "rusqlite"]), &[]);
    expect(package("engine", "engine", &["storage", "domain", "vault", "dev:storage-sqlite"]), &[]);
    expect(package("http-api", "http-api", &["engine", "axum"]), &[]);
    expect(package("load-generator", "load-generator", &["dev:axum"]), &[]);
    expect(package("hexiao", "hexiao", &["storage-sqlite", "http-api", "jobs", "axum"]), &[]);
}

#[test]
fn every_rule_can_be_broken() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("domain", &["storage"], &["`domain` must not depend on `storage`"]),
        ("domain", &["dev:engine"], &["`domain` must not depend on `engine`, not even in tests"]),
        ("domain", &["tokio"], &["`domain` must not use `tokio`"]),
        ("domain", &["getrandom", "rusqlite"], &["must not use `getrandom`", "must not use `rusqlite`"]),
        ("storage", &["vault"], &["`storage` must not depend on `vault`"]),
        ("storage-sqlite", &["domain", "vault"], &["`storage-sqlite` must not depend on `vault`"]),
        ("storage-sqlite", &["engine"], &["`storage-sqlite` must not depend on `engine`"]),
        ("engine", &["storage-sqlite"], &["`engine` must not depend on `storage-sqlite`"]),
        ("engine", &["axum"], &["`engine` must not use `axum`"]),
        ("http-api", &["storage-sqlite"], &["`http-api` must not depend on `storage-sqlite`"]),
        ("http-api", &["rusqlite"], &["`http-api` must not use `rusqlite`"]),
        ("jobs", &["http-api"], &["`jobs` must not depend on `http-api`"]),
        ("load-generator", &["axum"], &["`load-generator` must not use `axum`"]),
        ("hexiao", &["tokio-postgres"], &["`hexiao` must not use `tokio-postgres`"]),
        ("hexiao", &["simulation"], &["`hexiao` must not depend on `simulation`"]),
        ("surprise", &[], &["`surprise` has no row"]),
        ("common", &[], &["`common` is a name that says nothing"]),
    ];
    for (name, dependencies, expected) in cases {
        expect(package(name, name, dependencies), expected);
    }
}

#[test]
fn nothing_that_ships_turns_planted_bugs_on() {
    let with = |name: &str, features: Value, turned_on: Value| {
        let mut made = package(name, name, &[]);
        made["features"] = features;
        made["dependencies"] = json!([{ "name": "engine", "kind": null, "features": turned_on }]);
        made
    };
    expect(with("simulation", json!({ "planted": ["engine/planted"] }), json!([])), &[]);
    expect(
        with("hexiao", json!({}), json!(["planted"])),
        &["`hexiao` must not turn `planted` on in `engine`"],
    );
    let by_default = json!({ "default": ["planted"], "planted": [] });
    expect(with("simulation", by_default, json!([])), &["feature `default` of `simulation`"]);
    expect(with("hexiao", json!({ "x": ["engine/planted"] }), json!([])), &["feature `x` of `hexiao`"]);
}

#[test]
fn a_folder_must_bear_the_name_of_its_crate() {
    expect(package("domain", "rules", &[]), &["`domain` lives in the folder `rules`"]);
}

#[test]
fn a_crate_without_the_workspace_lints_is_found() {
    let all = "all = { level = \"warn\", priority = -1 }";
    let full = format!("[lints.rust]\nunsafe_code = \"forbid\"\n\n[lints.clippy]\n{all}\npanic = \"warn\"\n");
    let cases: &[(&str, &[&str])] = &[
        (INHERITS, &[]),
        ("lints.workspace = true\n[package]\n", &[]),
        (&full, &[]),
        ("[package]\nname = \"domain\"\n", &["unsafe_code = \"forbid\"", all]),
        ("[lints.rust]\nunsafe_code = \"forbid\"\n", &[all]),
        ("[lints.rust]\nunsafe_code = \"allow\"\n", &["unsafe_code = \"forbid\"", all]),
        ("[lints]\n[dependencies]\nworkspace = true\n", &["unsafe_code = \"forbid\"", all]),
    ];
    for (manifest, missing) in cases {
        let found = violations(&made_up(&[package("domain", "domain", &[])], manifest, ""));
        let expected = format!("`domain` goes without lints of the workspace ({})", missing.join(", "));
        match found.as_slice() {
            [] => assert!(missing.is_empty(), "{manifest:?} passed"),
            [one] => assert!(!missing.is_empty() && one.starts_with(&expected), "{manifest:?}: {one}"),
            more => panic!("{manifest:?}: {more:?}"),
        }
    }
}

#[test]
fn a_forbidden_library_behind_another_one_is_found() {
    let tree =
        "0domain v0.1.0 (/made-up)\n1innocent v1.0.0\n2middleman v2.0.0\n3getrandom v0.4.0\n1other v1.0.0\n";
    let uses_it = made_up(&[package("domain", "domain", &["innocent"])], INHERITS, tree);
    let found = violations(&uses_it);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("`domain` must not use `getrandom` (through `innocent`)"), "{found:?}");

    let only_in_tests = made_up(&[package("domain", "domain", &["dev:innocent"])], INHERITS, tree);
    assert_eq!(violations(&only_in_tests), Vec::<String>::new());
}
