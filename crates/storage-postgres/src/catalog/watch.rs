//! Hearing of changes of the catalog, whichever node made them.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle, time::sleep};

use super::CHANNEL;
use crate::{
    Options,
    address::Address,
    connect::{Opened, Purpose},
};

/// How long it waits before it connects again.
const AGAIN: Duration = Duration::from_millis(500);

/// A connection of its own that listens, opened again whenever it ends.
pub(crate) struct Watch {
    told: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watch {
    pub(crate) fn start(address: Arc<Address>, options: Options) -> Self {
        let (tell, told) = watch::channel(0);
        let task = tokio::spawn(async move {
            loop {
                listen(&address, &options, &tell).await;
                // What was told meanwhile is not known: whoever waits looks for himself.
                tell.send_modify(|count| *count += 1);
                sleep(AGAIN).await;
            }
        });
        Self { told, task }
    }

    /// Changes whenever the catalog may have.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.told.clone()
    }
}

async fn listen(address: &Address, options: &Options, tell: &watch::Sender<u64>) {
    let Ok(opened) = address.open(Purpose::Read, options).await else { return };
    let Opened { client, mut notifications, task, .. } = opened;
    if client.batch_execute(&format!("LISTEN {CHANNEL}")).await.is_err() {
        task.abort();
        return;
    }
    tell.send_modify(|count| *count += 1);
    while notifications.changed().await.is_ok() {
        tell.send_modify(|count| *count += 1);
    }
    task.abort();
}
