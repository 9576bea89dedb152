//! The jobs that change value: releasing holds whose time ran out, expiring cards and lots. Under the keys
//! that the jobs of a server use, so that doing it twice does nothing twice.

use std::{rc::Rc, time::Duration};

use domain::{
    CardId, Command, IssuerId,
    command::{Actor, Release, SYSTEM_CLIENT},
};
use engine::{Engine, Intent, issue::job_key};

use crate::simulation::Simulation;

const RELEASE: u64 = u64::from_be_bytes(*b"release_");
/// The most that one round takes up.
const ROUND: usize = 100;

/// Looks for work now and then on any node, until aborted.
pub(crate) async fn run(simulation: Rc<Simulation>) {
    let environment = &simulation.environment;
    if environment.profile.jobs == 0 {
        return;
    }
    loop {
        tokio::time::sleep(Duration::from_millis(u64::from(environment.profile.jobs))).await;
        let node = environment.random().index(simulation.nodes.len());
        let Some(engine) = simulation.nodes[node].engine() else { continue };
        let mut intents = holds_to_release(&engine).await;
        intents.extend(cards_to_expire(&engine).await);
        if !intents.is_empty() {
            let _ = engine.submit_many(intents).await;
        }
    }
}

async fn holds_to_release(engine: &Engine) -> Vec<Intent> {
    let due = engine.store().due_holds(engine.now(), ROUND).await.unwrap_or_default();
    let release = |hold| Command::Release(Release { hold, expired: true });
    due.iter().filter_map(|due| intent(due.issuer, due.hold.get(), RELEASE, release(due.hold))).collect()
}

async fn cards_to_expire(engine: &Engine) -> Vec<Intent> {
    let due = engine.store().due_cards(engine.now(), None::<CardId>, ROUND).await.unwrap_or_default();
    let mut intents = Vec::new();
    for (card, issuer) in due {
        let Ok(Some(stored)) = engine.store().card(card).await else { continue };
        let newest = stored.last_operation.and_then(|id| u64::try_from(id.get()).ok()).unwrap_or(0);
        intents.extend(intent(issuer, card.get(), newest, Command::Expire(card)));
    }
    intents
}

fn intent(issuer: IssuerId, subject: i64, tag: u64, command: Command) -> Option<Intent> {
    Some(Intent {
        actor: Actor { client: SYSTEM_CLIENT, issuer, merchant: None },
        key: job_key(subject, tag)?,
        canonical: format!("job:{subject}:{tag}").into_bytes().into_boxed_slice(),
        command,
        trace: None,
        reference: None,
        metadata: None,
    })
}
