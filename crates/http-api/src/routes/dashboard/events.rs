//! Tells a page that there is something new, so that it need not ask again and again.
//!
//! Invariant: a stream ends after some minutes, and a browser then opens it anew: through the gate, so that nobody
//! listens for longer than that after his session or his key has ended.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::IssuerId;
use futures_util::stream;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use crate::{auth::Caller, dashboard::Listening, error::Problem, state::AppState};

/// At most one event in this time.
const EVERY: Duration = Duration::from_secs(1);
/// How long a stream lasts.
const LASTS: Duration = Duration::from_mins(5);
/// How often something is sent, so that a connection that is gone is noticed.
const ALIVE: Duration = Duration::from_secs(15);
/// How soon the browser opens the next one.
const AGAIN: Duration = Duration::from_secs(2);

/// Something new on the dashboard
///
/// A stream of server-sent events: `tick` at the beginning, and whenever sales, refunds or declines were made since,
/// at most once a second. It carries no figures; ask for the dashboard again. It ends after five minutes, or when
/// the server stops: open it anew.
#[utoipa::path(
    get,
    path = "/v1/dashboard/events",
    tag = "dashboard",
    operation_id = "listen_to_dashboard",
    responses(
        (status = 200, description = "The events.", body = String, content_type = "text/event-stream"),
    ),
)]
pub(crate) async fn events(State(app): State<AppState>, caller: Caller) -> Result<Response, Problem> {
    let issuer = caller.issuer()?;
    let place = app.dashboard.listen(caller.0.id)?;
    let changes = app.dashboard.follower.changes();
    crate::dashboard::follow(&app);
    let listener = Listener {
        issuer,
        changes,
        told: None,
        end: Instant::now() + LASTS,
        leaving: Arc::clone(&app.options.leaving),
        _place: place,
    };
    let events = stream::unfold(listener, async |mut listener| {
        listener.next().await.then(|| (Ok::<_, Infallible>(tick()), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response())
}

fn tick() -> Event {
    Event::default().event("tick").retry(AGAIN).data("{}")
}

type Changes = watch::Receiver<(u64, Arc<HashSet<IssuerId>>)>;

struct Listener {
    issuer: IssuerId,
    changes: Changes,
    /// How often something was counted, for whomever, when this was told last. None: it was told nothing yet.
    told: Option<u64>,
    end: Instant,
    leaving: Arc<AtomicBool>,
    _place: Listening,
}

impl Listener {
    /// Waits for something new. `false`: the stream ends.
    async fn next(&mut self) -> bool {
        if self.told.is_none() {
            self.told = Some(self.changes.borrow_and_update().0);
            return true;
        }
        sleep(EVERY).await;
        while Instant::now() < self.end && !self.leaving.load(Ordering::Relaxed) {
            if self.is_new() {
                return true;
            }
            // Looks up now and then whether the server is about to stop.
            if let Ok(Err(_)) = timeout(EVERY, self.changes.changed()).await {
                return false;
            }
        }
        false
    }

    /// Whether something was counted for this issuer since. Where several changes came at once it is not known for
    /// whom they were.
    fn is_new(&mut self) -> bool {
        let (times, issuers) = &*self.changes.borrow_and_update();
        let told = self.told.unwrap_or(0);
        self.told = Some(*times);
        *times > told + 1 || (*times == told + 1 && issuers.contains(&self.issuer))
    }
}
