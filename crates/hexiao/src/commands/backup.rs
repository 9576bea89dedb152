//! `hexiao backup`: one file that is a consistent picture of one moment, also while a server runs.

use serde_json::json;

use crate::{
    cli::{Backup, Global},
    database::{Database, Purpose},
    failure::{Failure, Result},
    output,
};

pub(crate) async fn run(global: &Global, args: &Backup) -> Result {
    if args.to.try_exists()? {
        return Err(Failure::usage(format!("--to {}: exists already; name a new file", args.to.display())));
    }
    let database = Database::open(global, Purpose::Read).await?;
    let store = database.file("hexiao backup", "use pg_basebackup or your server's own backups")?;
    store.backup(&args.to).await?;
    let bytes = std::fs::metadata(&args.to)?.len();
    let machine = json!({ "file": args.to, "bytes": bytes });
    let people = format!(
        "{}: {} bytes. It is of use only together with the key ring: keep copies of the two apart.",
        args.to.display(),
        output::count(bytes)
    );
    output::print(global.json, &machine, &people)
}
