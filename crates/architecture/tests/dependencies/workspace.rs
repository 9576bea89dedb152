//! What cargo says about the workspace, reduced to what the rules ask. Needs no network: only the
//! manifests (`cargo metadata --no-deps`) and the lock file are read.

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
    /// Package name → names it depends on, of all versions together. A lock file holds every
    /// platform and the features of the whole workspace, so this errs on the strict side.
    pub(crate) locked: BTreeMap<String, Vec<String>>,
}

impl Workspace {
    pub(crate) fn read() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo starts");
        assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
        let root = metadata["workspace_root"].as_str().expect("a workspace has a root");
        let lock = read(&Path::new(root).join("Cargo.lock"));
        assert!(lock.contains("[[package]]"), "Cargo.lock lists no package");
        let root_manifest = read(&Path::new(root).join("Cargo.toml"));
        Self::parse(&metadata, |manifest| read(Path::new(manifest)), &root_manifest, &lock)
    }

    /// `manifest` gives the text of a Cargo.toml by its path.
    pub(crate) fn parse(
        metadata: &Value,
        manifest: impl Fn(&str) -> String,
        root_manifest: &str,
        lock: &str,
    ) -> Self {
        let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
        let packages =
            packages.iter().map(|package| parse_package(package, &manifest, root_manifest)).collect();
        Self { packages, locked: parse_lock(lock) }
    }
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

/// Reads the names out of a lock file, whose layout cargo writes line by line:
/// `name = "a"`, then `dependencies = [`, then ` "b",` or ` "b 1.2.3",`.
fn parse_lock(lock: &str) -> BTreeMap<String, Vec<String>> {
    let mut locked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut package = String::new();
    for line in lock.lines() {
        if let Some(name) = line.strip_prefix("name = \"") {
            name.trim_end_matches('"').clone_into(&mut package);
            locked.entry(package.clone()).or_default();
        } else if let Some(quoted) = line.strip_prefix(" \"") {
            let name = quoted.split(['"', ' ']).next().unwrap_or_default();
            locked.entry(package.clone()).or_default().push(name.to_owned());
        }
    }
    locked
}
