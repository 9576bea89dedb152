//! Compares a workspace with the rules. Each violation is one line that names the crate, what is
//! wrong with it and where to turn.

use std::collections::BTreeSet;

use crate::rules::{self, Rule};
use crate::workspace::{Dependency, Package, Workspace};

pub(crate) fn violations(workspace: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    for package in &workspace.packages {
        found.extend(naming(package));
        found.extend(lints(package));
        match rules::of(&package.name) {
            None => {
                found.push(format!("`{}` has no row in rules.rs: say what it may depend on", package.name));
            }
            Some(rule) => found.extend(own_crates(package, rule)),
        }
        found.extend(reserved_libraries(package));
        found.extend(planted_bugs(package));
        if package.name == rules::PURE_CRATE {
            found.extend(impure_libraries(package, workspace));
        }
    }
    found
}

fn naming(package: &Package) -> Vec<String> {
    let name = &package.name;
    let mut found = Vec::new();
    if package.folder != *name {
        found.push(format!("`{name}` lives in the folder `{}`: give both one name", package.folder));
    }
    if rules::SAYS_NOTHING.contains(&name.as_str()) {
        found.push(format!("`{name}` is a name that says nothing: name the crate after what it does"));
    }
    found
}

fn lints(package: &Package) -> Option<String> {
    let missing = &package.missing_lints;
    (!missing.is_empty()).then(|| {
        let name = &package.name;
        format!(
            "`{name}` goes without lints of the workspace ({}): add [lints] workspace = true",
            missing.join(", ")
        )
    })
}

fn own_crates(package: &Package, rule: &Rule) -> Vec<String> {
    let ours = |dependency: &&Dependency| rules::of(&dependency.name).is_some();
    package.dependencies.iter().filter(ours).filter_map(|dependency| edge(rule, dependency)).collect()
}

fn edge(rule: &Rule, dependency: &Dependency) -> Option<String> {
    let target = dependency.name.as_str();
    if rule.uses.contains(&target) || (dependency.dev && rule.tests_use.contains(&target)) {
        return None;
    }
    let even = if dependency.dev { ", not even in tests" } else { "" };
    Some(format!("`{}` must not depend on `{target}`{even}", rule.name))
}

fn reserved_libraries(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    let mut found = Vec::new();
    for group in rules::RESERVED {
        for dependency in package.dependencies.iter().filter(|d| group.libraries.contains(&d.name.as_str())) {
            let allowed = group.homes.contains(&name) || (dependency.dev && group.test_homes.contains(&name));
            if !allowed {
                found.push(format!("`{name}` must not use `{}`: {}", dependency.name, group.why));
            }
        }
    }
    found
}

/// Bugs are planted where somebody asks for them on the command line, and nowhere else.
fn planted_bugs(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    let names_it = |on: &String| on.split('/').next_back() == Some(rules::PLANTED);
    let mut found = Vec::new();
    for dependency in package.dependencies.iter().filter(|d| d.features.iter().any(names_it)) {
        found.push(format!("`{name}` must not turn `planted` on in `{}`", dependency.name));
    }
    for (feature, on) in &package.features {
        let is_home = rules::PLANTED_IN.contains(&name) && feature == rules::PLANTED;
        if !is_home && (feature == rules::PLANTED || on.iter().any(names_it)) {
            found.push(format!("feature `{feature}` of `{name}` must not lead to `planted`"));
        }
    }
    found
}

/// Walks what the crate is built from, from everything that ships in it. Its tests may use what they like.
fn impure_libraries(package: &Package, workspace: &Workspace) -> Vec<String> {
    let mut found = BTreeSet::new();
    for direct in package.dependencies.iter().filter(|dependency| !dependency.dev) {
        for reached in closure(&direct.name, workspace) {
            if rules::IMPURE.contains(&reached) {
                let through = if reached == direct.name {
                    String::new()
                } else {
                    format!(" (through `{}`)", direct.name)
                };
                found.insert(format!("`{}` must not use `{reached}`{through}", package.name));
            }
        }
    }
    found.into_iter().collect()
}

fn closure<'a>(start: &'a str, workspace: &'a Workspace) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(workspace.built_from.get(name).into_iter().flatten().map(String::as_str));
        }
    }
    reached
}
