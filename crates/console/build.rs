//! Puts the files of `web/dist` into the binary. Where they were not built (no Node.js on this machine), the list
//! is empty, and the server shows a plain page that says so: cargo alone always builds.
//!
//! `scripts/web` touches this file after it has built the screens: cargo cannot watch a folder that does not exist
//! yet without running this at every build.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// What else is in the folder is not for the binary.
const LARGEST: u64 = 16 << 20;

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let dist = here.join("../../web/dist");
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        println!("cargo::rerun-if-changed={}", dist.display());
        collect(&dist, "", &mut files);
        files.sort();
    }
    let mut code = String::from("&[\n");
    for (name, path) in &files {
        writeln!(code, "    ({name:?}, include_bytes!({:?})),", path.display().to_string()).expect("memory");
    }
    code.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("files.rs"), code).expect("cargo's own folder can be written");
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    for entry in entries {
        let entry = entry.expect("web/dist can be read");
        let name = entry.file_name().into_string().expect("names in web/dist are UTF-8");
        // Notes of the build, not for browsers.
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path().canonicalize().expect("it was there a moment ago");
        let kind = entry.metadata().expect("web/dist can be read");
        if kind.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), files);
        } else if kind.len() <= LARGEST && !has_extension(&name, "map") {
            files.push((format!("{prefix}{name}"), path));
        }
    }
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}
