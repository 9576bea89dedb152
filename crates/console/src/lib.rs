//! The screens: console, till and wallet, as files inside the binary, and what a browser is told about them.
//!
//! `web/` is built into `web/dist`, and `build.rs` puts that into the binary: a server is one file, and what it
//! serves is what it was built with. Knows nothing of HTTP servers: a path and headers in, a file and headers out.
//!
//! Invariant: a page may run scripts that came with it and nothing else. No inline script, no foreign host; styles
//! that libraries insert at run time carry a nonce that is new with every answer.

mod encoding;
mod entry;
mod policy;
mod site;

pub use entry::Entry;
pub use policy::{headers_of_file, headers_of_page};
pub use site::{Found, Site, SiteError};
