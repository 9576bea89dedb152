//! How fast a store lets settlement follow a log: for examples that measure it. Not a test.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use domain::{BusinessDate, IssuerId, MerchantId, OperationId, StatementId, Timestamp};
use settlement::{Line, Movement, Statement, StatementStatus, statement::Figures};

use crate::{Accrual, LogPosition, Store};

/// What was done, and how long it took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Throughput {
    /// Movements that were read.
    pub movements: u64,
    /// Statements that were opened.
    pub statements: u64,
    /// The time for reading.
    pub reading: Duration,
    /// The time for writing.
    pub writing: Duration,
    /// The longest write of a portion.
    pub longest: Duration,
}

/// What the writing side remembers of a merchant.
struct Known {
    statement: StatementId,
    newest: OperationId,
}

/// Follows the whole log of an issuer and writes a line for each movement, `portion` operations at a time.
///
/// # Panics
/// If the store refuses anything.
pub async fn follow_whole_log(store: &dyn Store, issuer: IssuerId, portion: usize) -> Throughput {
    let (mut done, mut at, mut revision) = (Throughput::default(), LogPosition::START, 0);
    let mut known: HashMap<MerchantId, Known> = HashMap::new();
    loop {
        let began = Instant::now();
        let page = store.movements(issuer, at, portion).await.expect("movements");
        done.reading += began.elapsed();
        done.movements += u64::try_from(page.items.len()).expect("a number");
        at = page.position;
        let mut accrual = Accrual {
            issuer,
            expected: revision,
            position: at,
            statements: Vec::new(),
            lines: Vec::with_capacity(page.items.len()),
            parts: Vec::new(),
            refunded: Vec::new(),
        };
        page.items.iter().for_each(|movement| add(&mut accrual, &mut known, movement));
        done.statements += u64::try_from(accrual.statements.len()).expect("a number");
        if page.operations > 0 {
            let began = Instant::now();
            store.accrue(&accrual).await.expect("accrued");
            done.writing += began.elapsed();
            done.longest = done.longest.max(began.elapsed());
            revision += 1;
        }
        if page.caught_up {
            return done;
        }
    }
}

fn add(accrual: &mut Accrual, known: &mut HashMap<MerchantId, Known>, movement: &Movement) {
    let day = BusinessDate::from_stored(20_260_301);
    let next = StatementId::new(1_000_000 + i64::try_from(known.len()).expect("a number"));
    let mut previous = None;
    let known = known.entry(movement.merchant).or_insert_with(|| {
        accrual.statements.push(opened(next, movement, day));
        Known { statement: next, newest: OperationId::new(-1) }
    });
    if known.newest.get() >= 0 {
        previous = Some(known.newest);
    }
    known.newest = movement.operation;
    accrual.lines.push(Line {
        operation: movement.operation,
        merchant: movement.merchant,
        statement: known.statement,
        previous,
        kind: movement.line_kind().expect("a line"),
        day,
        amount: movement.delta,
        fee: movement.delta / 100,
        agreement: None,
        original: None,
        refunded_before: domain::Amount::ZERO,
        residue: 0,
        late: false,
    });
}

fn opened(id: StatementId, movement: &Movement, day: BusinessDate) -> Statement {
    Statement {
        id,
        issuer: movement.issuer,
        merchant: movement.merchant,
        currency: movement.currency,
        status: StatementStatus::Open,
        period_from: day,
        period_to: day,
        ends_at: Timestamp::MAX,
        due_on: day,
        due_estimated: false,
        agreement: None,
        first_line: Some(movement.operation),
        newest_line: None,
        figures: Figures::default(),
        previous: None,
        operation: None,
        digest: None,
        created_at: movement.at,
        closed_at: None,
    }
}

impl std::fmt::Display for Throughput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rate = |time: Duration| u128::from(self.movements) * 1_000 / time.as_millis().max(1);
        write!(
            f,
            "{} movements of {} merchants: read {}/s, written {}/s, longest write {} ms, together {:.1} s",
            self.movements,
            self.statements,
            rate(self.reading),
            rate(self.writing),
            self.longest.as_millis(),
            (self.reading + self.writing).as_secs_f64()
        )
    }
}
