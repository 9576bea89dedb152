//! What cargo says about the workspace, reduced to what the rules ask: the manifests (`cargo metadata
//! --no-deps`), and what the pure crate is built from (`cargo tree`). Needs no network.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Reaches tests and benches only.
    pub(crate) dev: bool,
    /// Features that are turned on in it.
    pub(crate) features: Vec<String>,
}

pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: String,
    /// Lints of the workspace that it neither inherits nor states.
    pub(crate) missing_lints: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
    /// Its features, each with what it turns on.
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    /// Package name → names it depends on, of all versions together, with the features that the pure
    /// crate asks for. What other crates turn on in the same libraries, it cannot know of.
    pub(crate) built_from: BTreeMap<String, Vec<String>>,
}

impl Workspace {
    pub(crate) fn read() -> Self {
        let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1", "--offline"]);
        let metadata: Value = serde_json::from_str(&metadata).expect("cargo metadata prints JSON");
        let root = metadata["workspace_root"].as_str().expect("a workspace has a root");
        let tree = ["tree", "--locked", "--offline", "--package", crate::rules::PURE_CRATE];
        let tree =
            cargo(&[&tree[..], &["--edges", "normal,build", "--prefix", "depth", "--no-dedupe"]].concat());
        assert!(tree.starts_with(&format!("0{} ", crate::rules::PURE_CRATE)), "cargo tree: {tree}");
        let root_manifest = read(&Path::new(root).join("Cargo.toml"));
        Self::parse(&metadata, |manifest| read(Path::new(manifest)), &root_manifest, &tree)
    }

    /// `manifest` gives the text of a Cargo.toml by its path.
    pub(crate) fn parse(
        metadata: &Value,
        manifest: impl Fn(&str) -> String,
        root_manifest: &str,
        tree: &str,
    ) -> Self {
        let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
        let packages =
            packages.iter().map(|package| parse_package(package, &manifest, root_manifest)).collect();
        Self { packages, built_from: parse_tree(tree) }
    }
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(value: &Value) -> String {
    value.as_str().expect("cargo metadata: a string").to_owned()
}

fn parse_package(package: &Value, manifest: &impl Fn(&str) -> String, root_manifest: &str) -> Package {
    let path = text(&package["manifest_path"]);
    let folder = Path::new(&path).parent().and_then(Path::file_name).expect("a manifest lies in a folder");
    let dependencies = package["dependencies"].as_array().expect("a package lists its dependencies");
    Package {
        name: text(&package["name"]),
        folder: folder.to_string_lossy().into_owned(),
        missing_lints: missing_lints(&manifest(&path), root_manifest),
        dependencies: dependencies
            .iter()
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                dev: dependency["kind"] == "dev",
                features: texts(&dependency["features"]),
            })
            .collect(),
        features: features(&package["features"]),
    }
}

/// Absent where nothing is listed.
fn texts(list: &Value) -> Vec<String> {
    list.as_array().map_or_else(Vec::new, |list| list.iter().map(text).collect())
}

fn features(table: &Value) -> BTreeMap<String, Vec<String>> {
    let Some(table) = table.as_object() else { return BTreeMap::new() };
    table.iter().map(|(name, on)| (name.clone(), texts(on))).collect()
}

/// Cargo does not tell which lints a package has, so the manifest is asked. A package inherits the
/// workspace's lints or, because cargo lets nobody add to what is inherited, states all of them and
/// its own. Gives those that it lacks, each as it stands in the workspace's manifest.
fn missing_lints(manifest: &str, root_manifest: &str) -> Vec<String> {
    if table(manifest, "[lints]").any(|line| line == "workspace = true")
        || manifest.lines().any(|line| line.trim() == "lints.workspace = true")
    {
        return Vec::new();
    }
    let mut missing = Vec::new();
    for tool in ["rust", "clippy"] {
        let header = format!("[lints.{tool}]");
        let own: Vec<&str> = table(manifest, &header).collect();
        let header = format!("[workspace.lints.{tool}]");
        let wanted = table(root_manifest, &header).map(str::to_owned);
        missing.extend(wanted.filter(|line| !own.contains(&line.as_str())));
    }
    missing
}

/// The lines of one table of a manifest, without comments.
fn table<'a>(manifest: &'a str, header: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.skip_while(move |line| *line != header).skip(1).take_while(|line| !line.starts_with('['))
}

/// Reads the names out of a tree, which cargo writes line by line with the depth before each name:
/// `1sha2 v0.11.1`, then `2digest v0.11.3`.
fn parse_tree(tree: &str) -> BTreeMap<String, Vec<String>> {
    let mut built_from: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut above: Vec<String> = Vec::new();
    for line in tree.lines() {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(depth) = line[..digits].parse::<usize>() else { continue };
        let name = line[digits..].split(' ').next().unwrap_or_default().to_owned();
        above.truncate(depth);
        if let Some(user) = above.last() {
            built_from.entry(user.clone()).or_default().push(name.clone());
        }
        above.push(name);
    }
    built_from
}
