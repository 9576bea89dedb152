//! The files, found by path: those that were built in, or those of a folder.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hasher},
    io,
    path::Path,
};

use crate::{Entry, encoding::Encoding};

/// The files of `web/dist` as this was built, by name.
static BUILT_IN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));
const NOT_BUILT: &str = include_str!("not_built.html");
/// What a page has where the nonce of its styles belongs.
const NONCE: &str = "__CSP_NONCE__";
/// The folder whose files have a digest of their content in their names.
const HASHED: &str = "assets/";

/// The most files that are taken from a folder.
const MAX_FILES: usize = 4096;
/// The most bytes that are taken from a folder.
const MAX_BYTES: u64 = 256 << 20;
/// How deep folders may lie in one another.
const MAX_DEPTH: usize = 8;

/// Why the files of a folder cannot be served.
#[derive(Debug)]
pub enum SiteError {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It has no `index.html`.
    NoPage,
    /// It has more than is served.
    TooMuch,
}

impl std::fmt::Display for SiteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "cannot be read: {why}"),
            Self::NoPage => f.write_str("has no index.html; build the screens first: make build"),
            Self::TooMuch => {
                write!(f, "has more than {MAX_FILES} files or {} MiB: not the built screens", MAX_BYTES >> 20)
            }
        }
    }
}

impl std::error::Error for SiteError {}

impl From<io::Error> for SiteError {
    fn from(why: io::Error) -> Self {
        Self::Unreadable(why)
    }
}

type Bytes = Cow<'static, [u8]>;

/// A file with its packed forms.
struct File {
    plain: Bytes,
    packed: [Option<Bytes>; 2],
    media_type: &'static str,
    tag: String,
    is_immutable: bool,
}

/// A file in the form that the browser takes.
pub struct Found<'s> {
    /// What to send.
    pub body: &'s Bytes,
    /// How it is packed, for Content-Encoding.
    pub encoding: Option<&'static str>,
    /// Whether other browsers would get another form.
    pub varies: bool,
    /// Its Content-Type.
    pub media_type: &'static str,
    /// Its ETag.
    pub tag: String,
    /// Whether its name changes with its content, so that it can be kept for ever.
    pub is_immutable: bool,
}

/// The files.
pub struct Site {
    files: BTreeMap<String, File>,
    is_built: bool,
}

impl Site {
    /// Those that were built in.
    pub fn built_in() -> Self {
        Self::of(BUILT_IN.iter().map(|(name, bytes)| ((*name).to_owned(), Cow::Borrowed(*bytes))).collect())
    }

    /// Those of a folder, read now and kept in memory: for work on the screens without building the server.
    pub fn from_folder(folder: &Path) -> Result<Self, SiteError> {
        let mut files = BTreeMap::new();
        collect(folder, "", 0, &mut 0, &mut files)?;
        let site = Self::of(files);
        if site.is_built { Ok(site) } else { Err(SiteError::NoPage) }
    }

    fn of(mut all: BTreeMap<String, Bytes>) -> Self {
        let names: Vec<String> = all.keys().filter(|name| !is_packed(name)).cloned().collect();
        let mut files = BTreeMap::new();
        for name in names {
            let packed =
                Encoding::BY_SIZE.map(|encoding| all.remove(&format!("{name}{}", encoding.suffix())));
            if let Some(plain) = all.remove(&name) {
                files.insert(name.clone(), File::new(&name, plain, packed));
            }
        }
        let is_built = files.contains_key(Entry::Console.file());
        Self { files, is_built }
    }

    /// Whether there are screens, and not only the page that says that there are none.
    pub fn is_built(&self) -> bool {
        self.is_built
    }

    /// The file at this path of a URL, in a form that this value of Accept-Encoding takes. Pages are not files.
    pub fn file(&self, path: &str, accept: &str) -> Option<Found<'_>> {
        let name = path.strip_prefix('/')?;
        if Entry::ALL.iter().any(|entry| entry.file() == name) {
            return None;
        }
        self.files.get(name).map(|file| file.in_form(accept))
    }

    /// The text of a page, with this nonce for its styles.
    pub fn page(&self, entry: Entry, nonce: &str) -> String {
        let file = self.files.get(entry.file());
        let text = file.and_then(|file| std::str::from_utf8(&file.plain).ok()).unwrap_or(NOT_BUILT);
        text.replace(NONCE, nonce)
    }
}

impl File {
    fn new(name: &str, plain: Bytes, packed: [Option<Bytes>; 2]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(&plain);
        let tag = format!("{:016x}-{:x}", hasher.finish(), plain.len());
        Self { media_type: media_type(name), is_immutable: name.starts_with(HASHED), plain, packed, tag }
    }

    fn in_form(&self, accept: &str) -> Found<'_> {
        let chosen = Encoding::BY_SIZE.iter().zip(&self.packed).find_map(|(encoding, bytes)| {
            Some((encoding, bytes.as_ref()?)).filter(|(e, _)| e.is_accepted(accept))
        });
        let encoding = chosen.map(|(encoding, _)| encoding.name());
        Found {
            body: chosen.map_or(&self.plain, |(_, bytes)| bytes),
            encoding,
            varies: self.packed.iter().any(Option::is_some),
            media_type: self.media_type,
            tag: encoding
                .map_or_else(|| format!("\"{}\"", self.tag), |name| format!("\"{}-{name}\"", self.tag)),
            is_immutable: self.is_immutable,
        }
    }
}

fn is_packed(name: &str) -> bool {
    Encoding::BY_SIZE.iter().any(|encoding| name.ends_with(encoding.suffix()))
}

/// By the ending; what is not known is offered for download, and never run.
fn media_type(name: &str) -> &'static str {
    match Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn collect(
    folder: &Path,
    prefix: &str,
    depth: usize,
    bytes: &mut u64,
    files: &mut BTreeMap<String, Bytes>,
) -> Result<(), SiteError> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Notes of the build, not for browsers.
        if name.starts_with('.') {
            continue;
        }
        let name = format!("{prefix}{name}");
        let about = entry.metadata()?;
        if about.is_dir() && depth < MAX_DEPTH {
            collect(&entry.path(), &format!("{name}/"), depth + 1, bytes, files)?;
        } else if about.is_file() {
            *bytes = bytes.saturating_add(about.len());
            if *bytes > MAX_BYTES || files.len() >= MAX_FILES {
                return Err(SiteError::TooMuch);
            }
            files.insert(name, Cow::Owned(fs::read(entry.path())?));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built() -> (tempfile::TempDir, Site) {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        write(
            "index.html",
            "<meta name=\"csp-nonce\" content=\"__CSP_NONCE__\"><style nonce=\"__CSP_NONCE__\">",
        );
        write("till.html", "till __CSP_NONCE__");
        write("assets/app-1a2b.js", "plain script");
        write("assets/app-1a2b.js.br", "brotli");
        write("assets/app-1a2b.js.gz", "gzip");
        write("favicon.svg", "<svg/>");
        write(".vite/manifest.json", "{}");
        let site = Site::from_folder(folder.path()).expect("a site");
        (folder, site)
    }

    #[test]
    fn a_file_comes_in_the_smallest_form_that_is_taken() {
        let (_folder, site) = built();
        for (accept, body, encoding) in [
            ("gzip, br", "brotli", Some("br")),
            ("gzip", "gzip", Some("gzip")),
            ("identity", "plain script", None),
        ] {
            let found = site.file("/assets/app-1a2b.js", accept).expect("a file");
            assert_eq!((found.body.as_ref(), found.encoding), (body.as_bytes(), encoding));
            assert!(found.varies && found.is_immutable);
            assert_eq!(found.media_type, "text/javascript; charset=utf-8");
        }
        let icon = site.file("/favicon.svg", "br").expect("a file");
        assert!(!icon.varies && !icon.is_immutable && icon.encoding.is_none());
        let other = site.file("/assets/app-1a2b.js", "br").expect("a file").tag;
        assert_ne!(
            other,
            site.file("/assets/app-1a2b.js", "").expect("a file").tag,
            "forms have tags of their own"
        );
    }

    #[test]
    fn nothing_else_is_a_file() {
        let (_folder, site) = built();
        for path in [
            "",
            "/",
            "/index.html",
            "/till.html",
            "//favicon.svg",
            "/assets/",
            "/assets/app-1a2b.js.br",
            "/.vite/manifest.json",
            "/../Cargo.toml",
        ] {
            assert!(site.file(path, "br").is_none(), "{path}");
        }
    }

    #[test]
    fn a_page_has_the_nonce_wherever_it_belongs() {
        let (_folder, site) = built();
        let page = site.page(Entry::Console, "abc");
        assert_eq!(page, "<meta name=\"csp-nonce\" content=\"abc\"><style nonce=\"abc\">");
        assert_eq!(site.page(Entry::Till, "abc"), "till abc");
        assert!(site.page(Entry::Wallet, "abc").contains("make build"), "what is missing says so");
    }

    #[test]
    fn a_folder_that_is_not_the_screens_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(Site::from_folder(folder.path()), Err(SiteError::NoPage)));
        assert!(matches!(Site::from_folder(&folder.path().join("none")), Err(SiteError::Unreadable(_))));
    }

    #[test]
    fn without_screens_there_is_a_page_that_says_what_to_do() {
        let site = Site::of(BTreeMap::new());
        assert!(!site.is_built());
        for entry in Entry::ALL {
            let page = site.page(entry, "abc");
            assert!(page.contains("make build") && page.contains("/docs/"), "{page}");
            assert!(!page.contains(NONCE) && !page.contains("<script"), "{page}");
        }
    }
}
