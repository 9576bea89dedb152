//! One issuer with a store of lines in memory: what the service does with the database.

use std::collections::{BTreeMap, HashMap};

use domain::{
    AgreementId, Amount, BusinessDate, ClientId, Currency, IssuerId, MerchantId, OperationId, OperationKind,
    StatementId, Timestamp, posting::PostedTransfer,
};
use jiff::tz::TimeZone;
use settlement::{
    Agreement, Books, Calendar, Fold, Line, Movement, Refunded, SplitPart, Statement, Terms,
    closing::{self, Until},
    fold::{Open, Originals, With},
};

pub(crate) const ISSUER: IssuerId = IssuerId::new(1);
pub(crate) const CNY: Currency = Currency::CNY;

pub(crate) fn mer(number: i64) -> MerchantId {
    MerchantId::new(number)
}

pub(crate) fn amount(minor: i64) -> Amount {
    Amount::new(minor).expect("an amount")
}

pub(crate) fn day(text: &str) -> BusinessDate {
    BusinessDate::parse(text).expect("a date")
}

/// A moment in Shanghai.
pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{text}+08:00")).expect("a moment")
}

pub(crate) fn terms(json: &str) -> Terms {
    let json = if json.contains("\"cycle\"") {
        json.to_owned()
    } else {
        json.replacen('{', r#"{"cycle":{"kind":"t_plus","days":1},"#, 1).replace(",}", "}")
    };
    let terms: Terms = serde_json::from_str(&json).expect("terms");
    terms.check().expect("terms within their bounds");
    terms
}

pub(crate) fn agreement(number: i64, merchant: Option<i64>, from: &str, terms: Terms) -> Agreement {
    Agreement {
        id: AgreementId::new(number),
        issuer: ISSUER,
        merchant: merchant.map(mer),
        currency: CNY,
        effective_from: day(from),
        terms,
        created_by: ClientId::new(1),
        created_at: at("2026-01-01T00:00:00"),
    }
}

/// The log, what was written of it, and the fold.
pub(crate) struct World {
    pub(crate) books: Books,
    pub(crate) fold: Fold,
    pub(crate) log: Vec<Movement>,
    pub(crate) taken: usize,
    pub(crate) next: i64,
    pub(crate) lines: HashMap<(OperationId, MerchantId), Line>,
    pub(crate) order: Vec<Line>,
    pub(crate) parts: Vec<SplitPart>,
    pub(crate) refunded: HashMap<(OperationId, MerchantId), Refunded>,
    pub(crate) opened: Vec<Statement>,
    pub(crate) closed: Vec<Statement>,
    pub(crate) posted: Vec<(StatementId, Vec<PostedTransfer>)>,
}

impl World {
    pub(crate) fn new(agreements: Vec<Agreement>) -> Self {
        let zone = TimeZone::get("Asia/Shanghai").expect("bundled");
        Self {
            books: Books::new(ISSUER, zone, Calendar::mainland_china(), agreements),
            fold: Fold::new(),
            log: Vec::new(),
            taken: 0,
            next: 0,
            lines: HashMap::new(),
            order: Vec::new(),
            parts: Vec::new(),
            refunded: HashMap::new(),
            opened: Vec::new(),
            closed: Vec::new(),
            posted: Vec::new(),
        }
    }

    /// One merchant (1) with one agreement.
    pub(crate) fn of(json: &str) -> Self {
        Self::new(vec![agreement(1, Some(1), "2026-01-01", terms(json))])
    }

    pub(crate) fn op(
        &mut self,
        kind: OperationKind,
        merchant: i64,
        moment: &str,
        delta: i64,
        original: Option<i64>,
    ) -> i64 {
        self.push(kind, merchant, Some(merchant), at(moment), delta, original)
    }

    pub(crate) fn push(
        &mut self,
        kind: OperationKind,
        merchant: i64,
        named: Option<i64>,
        moment: Timestamp,
        delta: i64,
        original: Option<i64>,
    ) -> i64 {
        self.next += 1;
        let id = OperationId::new(self.next);
        self.log.push(Movement {
            operation: id,
            kind,
            at: moment,
            issuer: ISSUER,
            merchant: mer(merchant),
            named: named.map(mer),
            currency: CNY,
            delta,
            original: original.map(OperationId::new),
        });
        self.next
    }

    pub(crate) fn sale(&mut self, moment: &str, amount: i64) -> i64 {
        self.op(OperationKind::Redemption, 1, moment, amount, None)
    }

    pub(crate) fn refund(&mut self, moment: &str, amount: i64, original: i64) -> i64 {
        self.op(OperationKind::Refund, 1, moment, -amount, Some(original))
    }

    /// Takes the next `count` movements in.
    pub(crate) fn take(&mut self, count: usize) {
        let movements: Vec<Movement> = self.log.iter().skip(self.taken).take(count).copied().collect();
        self.taken += movements.len();
        let mut originals = Originals::default();
        let mut wanted = Originals::needed(&movements);
        while !wanted.is_empty() {
            let found: Vec<Line> = wanted.iter().filter_map(|key| self.lines.get(key)).copied().collect();
            wanted = found.iter().filter_map(|line| self.add_original(*line, &mut originals)).collect();
        }
        let mut id = self.next;
        let mut next_id = || {
            id += 1;
            StatementId::new(id)
        };
        let now = at("2026-01-01T00:00:00");
        let with = With { books: &self.books, originals, now, next_id: &mut next_id };
        let portion = self.fold.portion(&movements, with).expect("movements that fold");
        self.next = id;
        for line in portion.lines {
            assert!(self.lines.insert((line.operation, line.merchant), line).is_none(), "one line for each");
            self.order.push(line);
        }
        self.parts.extend(portion.parts);
        self.refunded.extend(portion.refunded.into_iter().map(|r| ((r.original, r.merchant), r)));
        self.opened.extend(portion.statements);
    }

    fn add_original(&self, line: Line, originals: &mut Originals) -> Option<(OperationId, MerchantId)> {
        let key = (line.operation, line.merchant);
        let of = |part: &&SplitPart| (part.operation, part.merchant) == key;
        let parts = self.parts.iter().filter(of).copied().collect();
        originals.add(line, parts, self.refunded.get(&key).copied())
    }

    /// Takes everything in and closes what was over at a moment, once. What it posts goes to the log.
    pub(crate) fn close_once(
        &mut self,
        moment: &str,
        rejected: &BTreeMap<(MerchantId, Currency), Amount>,
    ) -> usize {
        self.take(usize::MAX);
        let until = Until { moment: at(moment), day: day("9999-12-31"), early: None };
        let due = self.fold.due(&self.books, until, rejected).expect("figures that fit");
        self.finish(due, moment)
    }

    /// Closes what has no lines but is due.
    pub(crate) fn close_idle(
        &mut self,
        moment: &str,
        rejected: &BTreeMap<(MerchantId, Currency), Amount>,
    ) -> usize {
        let until = Until { moment: at(moment), day: day("9999-12-31"), early: None };
        let mut id = self.next;
        let mut next_id = || {
            id += 1;
            StatementId::new(id)
        };
        let due = self.fold.idle(&self.books, until, rejected, at(moment), &mut next_id);
        self.next = id;
        self.finish(due.expect("figures that fit"), moment)
    }

    fn finish(&mut self, due: Vec<Statement>, moment: &str) -> usize {
        let count = due.len();
        for frozen in self.fold.frozen(due) {
            let statement = frozen.statement;
            let receivers = frozen.receivers.unwrap_or_else(|| self.receivers_of(statement.id));
            let transfers = closing::transfers(&statement, &receivers).expect("amounts that fit");
            self.post(&statement, &transfers, at(moment));
            let statement = closing::close(statement, None, frozen.last_digest, at(moment));
            self.fold.closed(std::slice::from_ref(&statement));
            self.posted.push((statement.id, transfers));
            self.closed.push(statement);
        }
        count
    }

    pub(crate) fn receivers_of(&self, statement: StatementId) -> BTreeMap<MerchantId, i64> {
        let mut receivers = BTreeMap::new();
        for part in self.parts.iter().filter(|part| part.statement == statement) {
            *receivers.entry(part.receiver).or_default() += part.amount;
        }
        receivers
    }

    fn post(&mut self, statement: &Statement, transfers: &[PostedTransfer], moment: Timestamp) {
        let mut deltas: BTreeMap<i64, i64> = BTreeMap::new();
        for transfer in transfers {
            for (account, sign) in [(transfer.debit, -1), (transfer.credit, 1)] {
                if let domain::Account::Merchant(merchant) = account {
                    *deltas.entry(merchant.get()).or_default() += sign * transfer.amount.get();
                }
            }
        }
        self.next += 1;
        let id = self.next;
        for (merchant, delta) in deltas.into_iter().filter(|(_, delta)| *delta != 0) {
            let named = Some(statement.merchant.get());
            self.push(OperationKind::Settlement, merchant, named, moment, delta, None);
            self.next = id;
            self.log.last_mut().expect("pushed").operation = OperationId::new(id);
        }
    }

    /// Makes the fold again from what was written.
    pub(crate) fn restart(&mut self) {
        let mut fold = Fold::new();
        for statement in &self.closed {
            fold.resume_last(statement.clone());
        }
        let open = self.opened.iter().filter(|s| !self.closed.iter().any(|c| c.id == s.id));
        for statement in open {
            let mut open = Open::new(statement.clone());
            open.receivers = None;
            for line in self.order.iter().filter(|line| line.statement == statement.id) {
                settlement::fold::add_line(&mut open.statement.figures.sums, line).expect("fits");
                open.newest = Some(line.operation);
                open.residue = line.residue;
                if line.kind == settlement::MovementKind::Sale {
                    *open.volumes.entry(line.day.month()).or_default() += line.amount;
                }
            }
            let parts = self.parts.iter().filter(|part| part.statement == statement.id);
            open.statement.figures.sums.splits_out = parts.map(|part| part.amount).sum();
            fold.resume_open(open);
        }
        self.fold = fold;
    }
}
