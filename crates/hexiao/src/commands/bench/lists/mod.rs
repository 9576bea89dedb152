//! `hexiao bench lists`: how long a page of a list takes over HTTP, among a million operations.
//!
//! One request at a time, as a person pages: the first page again and again, and then deep in the list page after
//! page. The filters are those of the screens, and those that find next to nothing are among them: they read most.

mod pages;
mod world;

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use self::{pages::List, world::World};
use super::server_process::ServerProcess;
use crate::{
    cli::{BenchLists, Global},
    failure::{Failure, Result},
    http_client::{ApiClient, ServerUrl},
    output::{self, count},
};

/// What a page may take.
const TARGET_MS: f64 = 150.0;
/// Requests before those that are counted.
const WARM_UP: u32 = 3;
/// How long the server may need until it has counted today's sales for its dashboard.
const COUNTED_WITHIN: Duration = Duration::from_mins(5);

pub(crate) async fn run(global: &Global, args: &BenchLists) -> Result {
    let (global, scratch) = super::scratch(global)?;
    let world = world::make(&global, args.operations).await?;
    let server = ServerProcess::start(&global)?;
    let mut pager = Pager { client: client(&server, &world)?, requests: args.requests };
    counted(&mut pager.client).await?;
    let mut measured = Vec::new();
    for list in pages::all(&world) {
        measured.push(pager.measure(list).await?);
    }
    server.stop()?;
    let shared = global.database().path().is_none();
    output::print(global.json, &machine(&measured, args, shared), &people(&measured, args))?;
    drop(scratch);
    Ok(())
}

fn client(server: &ServerProcess, world: &World) -> Result<ApiClient> {
    let key = world.authorization.strip_prefix("Bearer ").unwrap_or_default();
    Ok(ApiClient::new(&ServerUrl::at(server.address), key)?)
}

/// Waits until the dashboard has figures: before that it answers at once that it is not there yet.
async fn counted(client: &mut ApiClient) -> Result {
    let began = Instant::now();
    while client.get("/v1/dashboard").await?.status.as_u16() != 200 {
        if began.elapsed() > COUNTED_WITHIN {
            return Err(Failure::new("the dashboard was not ready in time"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// How long the pages of a list took.
struct Measured {
    name: &'static str,
    first: Spread,
    deep: Option<Spread>,
}

impl Measured {
    fn slowest_p99_ms(&self) -> f64 {
        self.deep.as_ref().map_or(self.first.p99, |deep| deep.p99.max(self.first.p99))
    }
}

/// Milliseconds.
struct Spread {
    p50: f64,
    p99: f64,
    max: f64,
}

impl Spread {
    /// By nearest rank.
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100).clamp(1, times.len().max(1));
            times.get(rank - 1).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        Self { p50: at(50), p99: at(99), max: at(100) }
    }

    fn json(&self) -> Value {
        let fine = |ms: f64| (ms * 100.0).round() / 100.0;
        json!({ "p50_ms": fine(self.p50), "p99_ms": fine(self.p99), "max_ms": fine(self.max) })
    }
}

struct Pager {
    client: ApiClient,
    requests: u32,
}

impl Pager {
    async fn measure(&mut self, list: List) -> Result<Measured> {
        for _ in 0..WARM_UP {
            self.page(&list.path, None).await?;
        }
        let mut first = Vec::new();
        for _ in 0..self.requests {
            first.push(self.page(&list.path, None).await?.0);
        }
        let deep = match self.deep_cursor(&list).await? {
            Some(cursor) => Some(Spread::of(self.walk(&list.path, &cursor).await?)),
            None => None,
        };
        Ok(Measured { name: list.name, first: Spread::of(first), deep })
    }

    /// A place far down in the list.
    async fn deep_cursor(&mut self, list: &List) -> Result<Option<String>> {
        let Some(from) = &list.deep else { return Ok(None) };
        let mut cursor = None;
        for _ in 0..from.pages {
            match self.page(&from.path, cursor.as_deref()).await?.1 {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        cursor.map(Some).ok_or_else(|| Failure::new(format!("{} has one page only", from.path)))
    }

    /// Page after page; from the same place again where the list ends.
    async fn walk(&mut self, path: &str, start: &str) -> Result<Vec<Duration>> {
        let (mut times, mut cursor) = (Vec::new(), start.to_owned());
        for _ in 0..self.requests {
            let (took, next) = self.page(path, Some(&cursor)).await?;
            times.push(took);
            cursor = next.unwrap_or_else(|| start.to_owned());
        }
        Ok(times)
    }

    /// How long a page took, and where the next begins.
    async fn page(&mut self, path: &str, cursor: Option<&str>) -> Result<(Duration, Option<String>)> {
        let join = if path.contains('?') { '&' } else { '?' };
        let path = cursor.map_or_else(|| path.to_owned(), |cursor| format!("{path}{join}cursor={cursor}"));
        let began = Instant::now();
        let answer = self.client.get(&path).await?;
        let took = began.elapsed();
        if answer.status.as_u16() != 200 {
            return Err(Failure::new(format!("{path}: {}", answer.problem())));
        }
        Ok((took, answer.body["next_cursor"].as_str().map(str::to_owned)))
    }
}

fn slowest(measured: &[Measured]) -> f64 {
    measured.iter().map(Measured::slowest_p99_ms).fold(0.0, f64::max)
}

fn machine(measured: &[Measured], args: &BenchLists, shared: bool) -> Value {
    let lists = measured.iter().map(|list| {
        let deep = list.deep.as_ref().map(Spread::json);
        json!({ "list": list.name, "first": list.first.json(), "deep": deep })
    });
    json!({ "lists": {
        "database": if shared { "postgresql" } else { "sqlite" },
        "operations": args.operations,
        "requests": args.requests,
        "target_ms": TARGET_MS,
        "slowest_p99_ms": (slowest(measured) * 100.0).round() / 100.0,
        "within_target": slowest(measured) <= TARGET_MS,
        "pages": lists.collect::<Vec<_>>(),
    }})
}

fn people(measured: &[Measured], args: &BenchLists) -> String {
    let mut text = format!(
        "a page among {} operations, milliseconds\n{:<44}{:>9}{:>9}{:>9}\n",
        count(args.operations),
        "",
        "median",
        "p99",
        "longest"
    );
    let mut line = |name: &str, spread: &Spread| {
        let _ = writeln!(text, "{name:<44}{:>9.1}{:>9.1}{:>9.1}", spread.p50, spread.p99, spread.max);
    };
    for list in measured {
        line(list.name, &list.first);
        if let Some(deep) = &list.deep {
            line("  deep in it", deep);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_are_by_nearest_rank() {
        let spread = Spread::of((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!([spread.p50, spread.p99, spread.max].map(|ms| format!("{ms:.0}")), ["100", "198", "200"]);
        let one = Spread::of(vec![Duration::from_millis(7)]);
        assert_eq!([one.p50, one.p99, one.max].map(|ms| format!("{ms:.0}")), ["7", "7", "7"]);
    }
}
