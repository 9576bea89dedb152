//! `hexiao restore`: a backup takes the place of a database.

use serde_json::json;

use crate::{
    cli::{Global, Restore},
    database::only_files,
    failure::{Failure, Result},
    key_source::KeySource,
    output,
};

pub(crate) async fn run(global: &Global, args: &Restore) -> Result {
    let database = global.database();
    let Some(path) = database.path() else {
        return Err(only_files("hexiao restore", "use your server's own backups"));
    };
    let (from, to) = (args.from.clone(), path.to_owned());
    for leftover in ["", "-wal", "-shm"] {
        let mut name = to.clone().into_os_string();
        name.push(leftover);
        if std::path::Path::new(&name).try_exists()? {
            return Err(Failure::usage(format!(
                "{} exists; move it away first, together with its -wal and -shm files, and do not delete them",
                name.display()
            )));
        }
    }
    if args.at.is_some() && !from.is_dir() {
        return Err(Failure::usage(
            "--at needs the folder of an archive as --from: a backup is of one moment",
        ));
    }
    let at = args.at.map(jiff::Timestamp::as_microsecond);
    let recovered = tokio::task::spawn_blocking(move || {
        if from.is_dir() {
            return storage_sqlite::recover(&from, at, &to).map(Some);
        }
        storage_sqlite::restore(&from, &to).map(|()| None)
    });
    let until = recovered.await??.map(|done| jiff::Timestamp::from_microsecond(done.until)).transpose()?;
    let keys = KeySource::of(global);
    let ready = keys.load().is_ok();
    let machine = json!({ "database": database.to_string(), "key_ring_found": ready, "until": until.map(|at| at.to_string()) });
    let next = if ready { String::new() } else { format!("Put the key ring at {keys}. ") };
    let until = until.map(|at| format!(" as it was at {at}")).unwrap_or_default();
    let people =
        format!("{} is restored{until}. {next}Now run: hexiao verify --db {database}", path.display());
    output::print(global.json, &machine, &people)
}
