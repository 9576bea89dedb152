//! Tells the database several times a second what was counted here, and learns what other nodes counted:
//! beside the requests, so that limits cost them nothing.

use std::{sync::Weak, time::Duration};

use storage::Usage;

use crate::state::{AppState, Inner};

/// How often.
const EVERY: Duration = Duration::from_millis(250);
/// How long the database keeps a total that nobody adds to: several windows, and the longest debt.
const KEEP: Duration = Duration::from_mins(10);
/// The most that is told of one kind of limit at once.
const MOST: usize = 2_000;

/// Begins to, for as long as there is a state. Without a membership there is nobody to tell.
pub(crate) fn start(app: &AppState) {
    if app.options.membership.is_some() {
        tokio::spawn(run(app.downgrade()));
    }
}

async fn run(app: Weak<Inner>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(app) = app.upgrade() else { return };
        if let Err(error) = exchange(&app).await {
            tracing::warn!(%error, "limits could not be shared with other nodes; trying again");
        }
    }
}

async fn exchange(app: &Inner) -> storage::Result<()> {
    let now = app.engine.now();
    let (lookups, strangers) = (app.lookups.untold(now, MOST), app.addresses.untold(now, MOST));
    let holders = app.wallet_limits.untold(now, MOST);
    let clients = app.clients.untold(MOST);
    let windows = lookups.iter().chain(&strangers).chain(&holders).copied();
    let all: Vec<Usage> = windows.chain(clients.iter().map(|(_, usage)| *usage)).collect();
    if all.is_empty() {
        return Ok(());
    }
    let totals = app.engine.store().share_usage(&all, KEEP).await?;
    let mut totals = totals.into_iter();
    for (told, total) in lookups.iter().zip(totals.by_ref()) {
        app.lookups.settle(now, told, total);
    }
    for (told, total) in strangers.iter().zip(totals.by_ref()) {
        app.addresses.settle(now, told, total);
    }
    for (told, total) in holders.iter().zip(totals.by_ref()) {
        app.wallet_limits.settle(now, told, total);
    }
    for ((client, told), total) in clients.iter().zip(totals) {
        app.clients.settle(*client, told.used, total);
    }
    Ok(())
}
