//! The same rules a second time: plain numbers, one card at a time, no transfers, no ids.
//!
//! Written from the description of the rules, not from their code, and only for the program of
//! [`crate::script`]: value comes from two sources and lots do not expire before their card. It predicts
//! whether a step is approved and for how much, what every card is worth afterwards, and what each merchant is owed.

use std::collections::HashMap;

use domain::{
    Account, Card, MerchantId,
    account::AccountKind,
    card::{CloseReason, StateCode},
    lot::{LotOrder, LotSource},
    policy::refund::Cause,
};

use crate::{
    fixture,
    memory::{Answer, Memory},
    script::{self, Act, BALANCE_CAP, DAILY_AMOUNT, DAILY_COUNT, REDEMPTION, Step, VALID_DAYS},
};

/// Paid and bonus value.
type Value = [i64; 2];

const DAY: i64 = 86_400_000_000;
const SHANGHAI: i64 = 8 * 3_600_000_000;
const WINDOW: i64 = DAY;
const HOLD: i64 = 900_000_000;

/// What a step comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// So much was done.
    Approved(i64),
    /// The rules said no.
    Declined,
    /// It made no sense.
    Refused,
    /// The answer of the operation of this step again.
    Replayed(usize),
}

impl Outcome {
    /// What an answer comes to.
    ///
    /// # Panics
    /// If the answer is that of no script.
    pub fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Decided(operation) if operation.is_approved() => Self::Approved(operation.approved.get()),
            Answer::Decided(_) => Self::Declined,
            Answer::Refused(_) => Self::Refused,
            Answer::Replayed(operation) => {
                let position = operation.id.get() - script::id(0).get();
                Self::Replayed(usize::try_from(position).expect("an operation of the script"))
            }
        }
    }
}

enum Stop {
    Decline,
    Refuse,
    Replay(usize),
}

type Step_<T = i64> = Result<T, Stop>;

fn unless(bad: bool) -> Step_<()> {
    if bad { Err(Stop::Decline) } else { Ok(()) }
}

fn sense(makes: bool) -> Step_<()> {
    if makes { Ok(()) } else { Err(Stop::Refuse) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Stocked,
    Active,
    Frozen,
    Lost,
    Expired,
    /// With the card that replaced it, or into which it was merged.
    Closed {
        replaced_by: Option<usize>,
        merged_into: Option<usize>,
    },
}

const CLOSED: State = State::Closed { replaced_by: None, merged_into: None };

#[derive(Clone, Debug)]
struct ModelCard {
    state: State,
    value: Value,
    claim: Value,
    /// What was granted and neither moved on nor taken back: the rest of it was used.
    granted: Value,
    sold: i64,
    held: i64,
    day: i64,
    count: u32,
    used: i64,
    member: Option<u8>,
    ends: Option<i64>,
}

impl ModelCard {
    fn total(&self) -> i64 {
        self.value[0] + self.value[1]
    }

    fn claims(&self) -> i64 {
        self.claim[0] + self.claim[1]
    }

    fn past(&self, now: i64) -> bool {
        self.ends.is_some_and(|end| end <= now)
    }

    fn usable(&self, now: i64) -> bool {
        self.state == State::Active && !self.past(now)
    }

    fn grant(&mut self, parts: &[(usize, i64)], way: i64) {
        for (source, amount) in parts {
            self.granted[*source] += way * amount;
        }
    }

    /// What the law gives back. The card is closed.
    fn refund(&mut self, cause: Cause, now: i64) -> Step_ {
        unless(!matches!(self.state, State::Active | State::Expired) || self.held > 0)?;
        let [paid, bonus] = self.granted;
        let used = paid + bonus - self.total() - self.claims();
        let back = match cause {
            Cause::Holder => (paid - used).max(0),
            Cause::Operator if paid + bonus == 0 => 0,
            Cause::Operator => {
                let (whole, twice) = (paid + bonus, 2 * used * paid);
                let (down, rest) = (twice / (2 * whole), twice % (2 * whole));
                paid - down - i64::from(rest > whole || (rest == whole && down % 2 == 1))
            }
            Cause::CoolingOff => {
                unless(used > 0 || date(now) > date(self.sold) + 7)?;
                paid
            }
        };
        (self.value, self.claim, self.state) = ([0; 2], [0; 2], CLOSED);
        Ok(back)
    }

    /// Value may still come and go, if only for staff.
    fn lives(&self) -> bool {
        matches!(self.state, State::Active | State::Frozen | State::Lost)
    }
}

/// What was recorded of a step.
#[derive(Clone, Debug)]
struct Done {
    step: Step,
    approved: Option<i64>,
    at: i64,
    card: Option<usize>,
    other: Option<usize>,
    /// Value that it took off its card, or put onto it, by source in the order of consumption.
    parts: Vec<(usize, i64)>,
    /// For a refund: whether it went to the claims of its card.
    to_claims: bool,
    refunded: i64,
    reversed_by: Option<usize>,
    /// The reversal that came first.
    before: Option<usize>,
}

#[derive(Clone, Debug)]
struct ModelHold {
    card: usize,
    amount: i64,
    captured: i64,
    open: bool,
    made: i64,
}

#[derive(Clone, Copy, Debug)]
enum Key {
    Taken(usize),
    Tombstone(usize),
}

/// The state of the model.
#[derive(Clone, Debug)]
pub struct Model {
    order: LotOrder,
    cards: Vec<ModelCard>,
    done: HashMap<usize, Done>,
    holds: HashMap<usize, ModelHold>,
    keys: HashMap<usize, Key>,
    /// The key of each step of the script.
    key_of: HashMap<usize, usize>,
    /// What the merchants are owed. Cards are only used at the first one.
    owed: [i64; 2],
}

fn date(at: i64) -> i64 {
    (at + SHANGHAI).div_euclid(DAY)
}

fn end_of_validity(from: i64) -> i64 {
    (date(from) + i64::from(VALID_DAYS) + 1) * DAY - SHANGHAI - 1
}

/// Which way a step moves what the first merchant is owed.
fn sold(step: &Step) -> i64 {
    match step {
        Step::Redeem { .. } | Step::Capture { .. } => 1,
        Step::Refund { .. } | Step::UnlinkedRefund { .. } => -1,
        _ => 0,
    }
}

/// Which way a posting moves what both merchants are owed.
fn posted(pair: (AccountKind, AccountKind), way: u8) -> [i64; 2] {
    match pair {
        (AccountKind::Merchant, AccountKind::Merchant) if way & 32 == 0 => [-1, 1],
        (AccountKind::Merchant, AccountKind::Merchant) => [1, -1],
        (AccountKind::Merchant, _) => [-1, 0],
        (_, AccountKind::Merchant) => [1, 0],
        _ => [0, 0],
    }
}

fn sum(parts: &[(usize, i64)]) -> i64 {
    parts.iter().map(|(_, amount)| amount).sum()
}

impl Model {
    /// The model of a script that has not begun.
    pub fn new(order: LotOrder, acts: &[Act]) -> Self {
        let stocked = ModelCard {
            state: State::Stocked,
            value: [0; 2],
            claim: [0; 2],
            granted: [0; 2],
            sold: 0,
            held: 0,
            day: 0,
            count: 0,
            used: 0,
            member: None,
            ends: None,
        };
        Self {
            order,
            cards: vec![stocked; usize::from(script::CARDS) + 1],
            done: HashMap::new(),
            holds: HashMap::new(),
            keys: HashMap::new(),
            key_of: acts.iter().map(|act| (act.position, act.key)).collect(),
            owed: [0; 2],
        }
    }

    /// Predicts what a step comes to, and takes it.
    pub fn step(&mut self, act: &Act) -> Outcome {
        let now = act.now.micros();
        let mut before = None;
        match self.keys.get(&act.key) {
            Some(Key::Taken(earlier)) if self.done[earlier].step == act.step => {
                return Outcome::Replayed(*earlier);
            }
            Some(Key::Taken(_)) => return Outcome::Refused,
            Some(Key::Tombstone(reversal)) => before = Some(*reversal),
            None => {}
        }
        let mut done = Done {
            step: act.step.clone(),
            approved: None,
            at: now,
            card: None,
            other: None,
            parts: Vec::new(),
            to_claims: false,
            refunded: 0,
            reversed_by: None,
            before: None,
        };
        let saved = self.clone();
        let outcome = match self.act(act, before.is_some(), &mut done) {
            Ok(approved) => {
                done.approved = Some(approved);
                self.owe(&act.step, approved);
                Outcome::Approved(approved)
            }
            Err(stop) => {
                *self = saved;
                match stop {
                    Stop::Decline => Outcome::Declined,
                    Stop::Refuse => return Outcome::Refused,
                    Stop::Replay(earlier) => return Outcome::Replayed(earlier),
                }
            }
        };
        done.before = before.filter(|_| outcome == Outcome::Declined);
        self.keys.insert(act.key, Key::Taken(act.position));
        self.done.insert(act.position, done);
        outcome
    }

    fn act(&mut self, act: &Act, tombstoned: bool, done: &mut Done) -> Step_ {
        let now = act.now.micros();
        match act.step {
            Step::Activate { card, amount, bonus } => {
                done.card = Some(card.into());
                unless(tombstoned)?;
                let order = vec![(0, amount), (1, bonus)];
                let card = &mut self.cards[usize::from(card)];
                unless(card.state != State::Stocked || amount + bonus > BALANCE_CAP)?;
                card.state = State::Active;
                card.ends = Some(end_of_validity(now));
                card.sold = now;
                self.put(card_index(act), &order, done);
                Ok(amount)
            }
            Step::Load { card, amount, bonus } => {
                sense(amount > 0)?;
                done.card = Some(card.into());
                unless(tombstoned)?;
                self.room(card.into(), amount + bonus, now)?;
                self.put(card.into(), &[(0, amount), (1, bonus)], done);
                Ok(amount)
            }
            Step::UnlinkedRefund { card, amount } => {
                sense(amount > 0)?;
                done.card = Some(card.into());
                unless(tombstoned)?;
                self.room(card.into(), amount, now)?;
                self.put(card.into(), &[(0, amount)], done);
                Ok(amount)
            }
            Step::Adjust { card, credit, amount } => {
                sense(amount > 0)?;
                done.card = Some(card.into());
                unless(tombstoned)?;
                self.adjust(card.into(), credit, amount, now, done)
            }
            Step::Redeem { card, amount, partial } => {
                sense(amount > 0)?;
                done.card = Some(card.into());
                unless(tombstoned)?;
                let approved = self.pay(card.into(), amount, partial, now)?;
                done.parts = self.consume(card.into(), approved);
                Ok(approved)
            }
            Step::Hold { card, amount } => {
                sense(amount > 0)?;
                done.card = Some(card.into());
                unless(tombstoned)?;
                let approved = self.pay(card.into(), amount, false, now)?;
                self.cards[usize::from(card)].held += approved;
                let card = card.into();
                let hold = ModelHold { card, amount: approved, captured: 0, open: true, made: now };
                self.holds.insert(act.position, hold);
                Ok(approved)
            }
            Step::Capture { of, amount, is_final } => {
                self.capture(of, amount, is_final, tombstoned, now, done)
            }
            Step::Release { of, expired } => self.release(of, expired, tombstoned, now, done),
            Step::Refund { of, amount } => self.refund(of, amount, tombstoned, done),
            Step::Reverse { of } => self.reverse(of, act, tombstoned, done),
            Step::Post { amount, .. } => {
                sense(amount > 0)?;
                unless(tombstoned)?;
                Ok(amount)
            }
            _ => self.status(act, tombstoned, done),
        }
    }

    /// What a step that was approved changes about what the merchants are owed.
    fn owe(&mut self, step: &Step, approved: i64) {
        match *step {
            Step::Reverse { of } => {
                let key = self.key_of.get(&of).copied().unwrap_or(of);
                let Some(Key::Taken(original)) = self.keys.get(&key) else { return };
                self.owed[0] -= sold(&self.done[original].step) * approved;
            }
            Step::Post { kind, way, amount } => {
                let [first, second] = posted(kind.pairs()[usize::from(way) % kind.pairs().len()], way);
                self.owed[0] += first * amount;
                self.owed[1] += second * amount;
            }
            ref other => self.owed[0] += sold(other) * approved,
        }
    }

    fn room(&self, card: usize, coming: i64, now: i64) -> Step_<()> {
        let card = &self.cards[card];
        unless(!card.usable(now) || card.total() + coming > BALANCE_CAP)
    }

    fn put(&mut self, card: usize, parts: &[(usize, i64)], done: &mut Done) {
        for (source, amount) in parts {
            self.cards[card].value[*source] += amount;
        }
        self.cards[card].grant(parts, 1);
        done.parts = parts.to_vec();
    }

    fn adjust(&mut self, card: usize, credit: bool, amount: i64, now: i64, done: &mut Done) -> Step_ {
        let it = &self.cards[card];
        let open = matches!(it.state, State::Active | State::Frozen) && !it.past(now);
        unless(!open)?;
        if credit {
            unless(it.total() + amount > BALANCE_CAP)?;
            self.put(card, &[(0, amount)], done);
        } else {
            unless(it.total() - it.held < amount)?;
            done.parts = self.consume(card, amount);
            self.cards[card].grant(&done.parts, -1);
        }
        Ok(amount)
    }

    /// The checks of a payment, and the day's counters.
    fn pay(&mut self, card: usize, amount: i64, partial: bool, now: i64) -> Step_ {
        let card = &mut self.cards[card];
        unless(!card.usable(now) || amount < REDEMPTION.0 || amount > REDEMPTION.1)?;
        let available = card.total() - card.held;
        let take = if amount > available && partial { available } else { amount };
        unless(take > available || take < REDEMPTION.0)?;
        if card.day != date(now) {
            (card.day, card.count, card.used) = (date(now), 0, 0);
        }
        card.count += 1;
        card.used += take;
        unless(card.count > DAILY_COUNT || card.used > DAILY_AMOUNT)?;
        Ok(take)
    }

    fn uncount(&mut self, card: usize, made: i64, count: u32, amount: i64) {
        let card = &mut self.cards[card];
        if card.day == date(made) {
            card.count = card.count.saturating_sub(count);
            card.used = (card.used - amount).max(0);
        }
    }

    fn consume(&mut self, card: usize, amount: i64) -> Vec<(usize, i64)> {
        let [paid, bonus] = self.cards[card].value;
        let total = paid + bonus;
        let (order, from_paid) = match self.order {
            LotOrder::PaidFirst => ([0, 1], amount.min(paid)),
            LotOrder::BonusFirst => ([1, 0], amount - amount.min(bonus)),
            // The larger remainder is rounded up, the paid one where they are equal.
            LotOrder::ProRata => {
                ([0, 1], if total == 0 { 0 } else { (2 * amount * paid + total) / (2 * total) })
            }
        };
        let parts = [from_paid, amount - from_paid];
        for source in order {
            self.cards[card].value[source] -= parts[source];
        }
        order.into_iter().map(|source| (source, parts[source])).filter(|(_, part)| *part > 0).collect()
    }

    fn capture(
        &mut self,
        of: usize,
        amount: Option<i64>,
        is_final: bool,
        tombstoned: bool,
        now: i64,
        done: &mut Done,
    ) -> Step_ {
        let Some(hold) = self.holds.get(&of).cloned() else { return Err(Stop::Refuse) };
        sense(amount != Some(0))?;
        done.card = Some(hold.card);
        unless(tombstoned)?;
        let left = hold.amount - hold.captured;
        let amount = amount.unwrap_or(left);
        unless(!hold.open || now >= hold.made + HOLD || amount > left)?;
        done.parts = self.consume(hold.card, amount);
        let over = is_final || amount == left;
        self.cards[hold.card].held -= if over { left } else { amount };
        if over {
            self.uncount(hold.card, hold.made, 0, left - amount);
        }
        let hold = self.holds.get_mut(&of).expect("just read");
        hold.captured += amount;
        hold.open = !over;
        Ok(amount)
    }

    fn release(&mut self, of: usize, expired: bool, tombstoned: bool, now: i64, done: &mut Done) -> Step_ {
        let Some(hold) = self.holds.get(&of).cloned() else { return Err(Stop::Refuse) };
        done.card = Some(hold.card);
        unless(tombstoned)?;
        sense(!expired || (hold.open && now >= hold.made + HOLD))?;
        unless(!hold.open)?;
        Ok(self.end_hold(of))
    }

    fn end_hold(&mut self, of: usize) -> i64 {
        let hold = self.holds[&of].clone();
        let left = hold.amount - hold.captured;
        self.uncount(hold.card, hold.made, u32::from(hold.captured == 0), left);
        self.cards[hold.card].held -= left;
        self.holds.get_mut(&of).expect("just read").open = false;
        left
    }

    fn in_use(&self, card: usize) -> usize {
        let mut card = card;
        for _ in 0..8 {
            match self.cards[card].state {
                State::Closed { replaced_by: Some(next), .. }
                | State::Closed { merged_into: Some(next), .. } => card = next,
                _ => break,
            }
        }
        card
    }

    /// Puts value back where its holder can use it. Returns the card, and whether it is only a claim.
    fn give_back(&mut self, card: usize, parts: &[(usize, i64)]) -> (usize, bool) {
        let card = self.in_use(card);
        let claims = !self.cards[card].lives();
        for (source, amount) in parts {
            let to = if claims { &mut self.cards[card].claim } else { &mut self.cards[card].value };
            to[*source] += amount;
        }
        (card, claims)
    }

    fn refund(&mut self, of: usize, amount: Option<i64>, tombstoned: bool, done: &mut Done) -> Step_ {
        let Some(original) = self.done.get(&of).cloned() else { return Err(Stop::Refuse) };
        sense(matches!(original.step, Step::Redeem { .. } | Step::Capture { .. }) && amount != Some(0))?;
        let card = original.card.expect("a payment has a card");
        done.card = Some(self.in_use(card));
        unless(tombstoned || original.approved.is_none() || original.reversed_by.is_some())?;
        let left = original.approved.unwrap_or(0) - original.refunded;
        let amount = amount.unwrap_or(left);
        unless(amount == 0 || amount > left)?;
        done.parts = newest_first(&original.parts, original.refunded, amount);
        let (_, to_claims) = self.give_back(card, &done.parts);
        done.to_claims = to_claims;
        self.done.get_mut(&of).expect("just read").refunded += amount;
        Ok(amount)
    }

    fn reverse(&mut self, of: usize, act: &Act, tombstoned: bool, done: &mut Done) -> Step_ {
        let key = self.key_of.get(&of).copied().unwrap_or(of);
        unless(tombstoned || key == act.key)?;
        let original = match self.keys.get(&key) {
            None => {
                self.keys.insert(key, Key::Tombstone(act.position));
                return Ok(0);
            }
            Some(Key::Tombstone(first)) => return Err(Stop::Replay(*first)),
            Some(Key::Taken(position)) => *position,
        };
        let it = self.done[&original].clone();
        if let Some(first) = it.reversed_by.or(it.before) {
            return Err(Stop::Replay(first));
        }
        sense(!matches!(it.step, Step::Post { .. }))?;
        let Some(card) = it.card else { return Err(Stop::Decline) };
        let pays = matches!(it.step, Step::Redeem { .. } | Step::Capture { .. });
        done.card = Some(if pays { self.in_use(card) } else { card });
        self.done.get_mut(&original).expect("just read").reversed_by = Some(act.position);
        let Some(approved) = it.approved else { return Ok(0) };
        unless(act.now.micros() > it.at + WINDOW)?;
        self.undo(original, card, &it)?;
        Ok(approved)
    }

    fn undo(&mut self, position: usize, card: usize, it: &Done) -> Step_<()> {
        match it.step {
            Step::Redeem { .. } | Step::Capture { .. } => self.undo_payment(card, it),
            Step::Activate { .. } => {
                unless(self.cards[card].state != State::Active)?;
                self.take_back(card, &it.parts)?;
                self.cards[card].granted = [0; 2];
                let card = &mut self.cards[card];
                unless(card.total() + card.claims() > 0)?;
                (card.state, card.ends, card.member) = (State::Stocked, None, None);
                Ok(())
            }
            Step::Adjust { credit: false, .. } => {
                unless(!self.cards[card].lives())?;
                self.give_back(card, &it.parts);
                self.cards[card].grant(&it.parts, 1);
                Ok(())
            }
            Step::Load { .. } | Step::UnlinkedRefund { .. } | Step::Adjust { .. } => {
                self.take_back(card, &it.parts)?;
                self.cards[card].grant(&it.parts, -1);
                Ok(())
            }
            Step::Transfer { .. } => {
                unless(!self.cards[card].lives())?;
                let other = it.other.expect("a transfer has two cards");
                self.take_back(other, &it.parts)?;
                self.give_back(card, &it.parts);
                self.cards[other].grant(&it.parts, -1);
                self.cards[card].grant(&it.parts, 1);
                Ok(())
            }
            Step::Refund { of, .. } => self.undo_refund(of, card, it),
            Step::Hold { .. } => {
                let hold = &self.holds[&position];
                unless(!hold.open || hold.captured > 0)?;
                self.end_hold(position);
                Ok(())
            }
            _ => Err(Stop::Decline),
        }
    }

    /// Takes value off a card again, as far as it is still there and not held.
    fn take_back(&mut self, card: usize, parts: &[(usize, i64)]) -> Step_<()> {
        let card = &mut self.cards[card];
        unless(!card.lives())?;
        for (source, amount) in parts {
            card.value[*source] -= amount;
        }
        unless(card.value.iter().any(|value| *value < 0) || card.total() < card.held)
    }

    fn undo_payment(&mut self, card: usize, it: &Done) -> Step_<()> {
        unless(it.refunded > 0)?;
        let (to, _) = self.give_back(card, &it.parts);
        let replaced =
            matches!(self.cards[card].state, State::Closed { replaced_by: Some(by), .. } if by == to);
        if to != card && !replaced {
            return Ok(());
        }
        match it.step {
            Step::Capture { of, .. } => {
                let made = self.holds[&of].made;
                self.uncount(to, made, 0, sum(&it.parts));
            }
            _ => self.uncount(to, it.at, 1, sum(&it.parts)),
        }
        Ok(())
    }

    fn undo_refund(&mut self, redemption: usize, card: usize, it: &Done) -> Step_<()> {
        if it.to_claims {
            for (source, amount) in &it.parts {
                self.cards[card].claim[*source] -= amount;
            }
            unless(self.cards[card].claim.iter().any(|claim| *claim < 0))?;
        } else {
            self.take_back(card, &it.parts)?;
        }
        let paid = self.done.get_mut(&redemption).expect("a refund has a redemption");
        let amount = sum(&it.parts);
        let alone = paid.parts.len() == 1 || paid.refunded == amount;
        let newest = newest_first(&paid.parts, paid.refunded - amount, amount) == it.parts;
        let in_order = newest && paid.card == Some(card);
        unless(!(alone || in_order))?;
        paid.refunded -= amount;
        Ok(())
    }

    fn status(&mut self, act: &Act, tombstoned: bool, done: &mut Done) -> Step_ {
        let now = act.now.micros();
        match act.step {
            Step::Transfer { from, to, amount } => {
                let (from, to) = (usize::from(from), usize::from(to));
                sense(amount > 0 && from != to)?;
                (done.card, done.other) = (Some(from), Some(to));
                unless(tombstoned || !self.cards[from].usable(now))?;
                self.room(to, amount, now)?;
                unless(self.cards[from].total() - self.cards[from].held < amount)?;
                done.parts = self.consume(from, amount);
                for (source, part) in &done.parts {
                    self.cards[to].value[*source] += part;
                }
                self.cards[from].grant(&done.parts, -1);
                self.cards[to].grant(&done.parts, 1);
                return Ok(amount);
            }
            Step::Exchange { from, to, amount } => {
                let (from, to) = (usize::from(from), usize::from(to));
                sense(amount != Some(0) && from != to)?;
                (done.card, done.other) = (Some(from), Some(to));
                unless(tombstoned)?;
                return self.exchange(from, to, amount, now);
            }
            Step::Merge { from, to } | Step::Replace { from, to } => {
                let (from, to) = (usize::from(from), usize::from(to));
                sense(from != to)?;
                (done.card, done.other) = (Some(from), Some(to));
                unless(tombstoned)?;
                return self.move_all(&act.step, from, to, now);
            }
            _ => {}
        }
        let index = card_index(act);
        done.card = Some(index);
        if matches!(act.step, Step::Expire { .. }) {
            return self.expire(index, now);
        }
        unless(tombstoned)?;
        if let Step::HolderRefund { cause, .. } = act.step {
            let index = self.in_use(index);
            done.card = Some(index);
            return self.cards[index].refund(cause, now);
        }
        if matches!(act.step, Step::Reactivate { .. }) {
            return self.reactivate(index, now, done);
        }
        let card = &mut self.cards[index];
        let (active, frozen) = (card.state == State::Active, card.state == State::Frozen);
        match act.step {
            Step::Freeze { .. } => {
                unless(!active)?;
                card.state = State::Frozen;
            }
            Step::Unfreeze { .. } => {
                unless(!frozen)?;
                card.state = State::Active;
            }
            Step::ReportLost { .. } => {
                unless(!active && !frozen)?;
                card.state = State::Lost;
            }
            Step::Close { .. } => {
                unless(
                    matches!(card.state, State::Closed { .. })
                        || card.total() + card.held + card.claims() > 0,
                )?;
                card.state = CLOSED;
            }
            Step::Bind { member, .. } => {
                unless(!card.usable(now) || card.member.is_some_and(|bound| bound != member))?;
                card.member = Some(member);
            }
            Step::CashOut { .. } => return cash_out(card),
            Step::Inquire { .. } => unless(card.state == State::Stocked)?,
            ref other => unreachable!("{other:?}"),
        }
        Ok(0)
    }

    fn move_all(&mut self, step: &Step, from: usize, to: usize, now: i64) -> Step_ {
        let giver = self.cards[from].clone();
        unless(giver.past(now) || giver.held > 0)?;
        let total = giver.total();
        if matches!(step, Step::Merge { .. }) {
            unless(!giver.usable(now))?;
            self.room(to, total, now)?;
        } else {
            unless(!giver.lives() || self.cards[to].state != State::Stocked)?;
            let new = &mut self.cards[to];
            new.state = State::Active;
            (new.ends, new.member, new.sold) = (giver.ends, giver.member, now);
            (new.day, new.count, new.used) = (giver.day, giver.count, giver.used);
        }
        for source in 0..2 {
            self.cards[to].value[source] += giver.value[source];
            self.cards[from].value[source] = 0;
            // What was used goes along; what expired stays.
            self.cards[to].granted[source] += giver.granted[source] - giver.claim[source];
            self.cards[from].granted[source] = giver.claim[source];
        }
        let merged = matches!(step, Step::Merge { .. });
        self.cards[from].state =
            State::Closed { replaced_by: (!merged).then_some(to), merged_into: merged.then_some(to) };
        Ok(total)
    }

    fn exchange(&mut self, from: usize, to: usize, amount: Option<i64>, now: i64) -> Step_ {
        let giver = self.cards[from].clone();
        unless(!matches!(giver.state, State::Active | State::Expired))?;
        unless(self.cards[to].state != State::Stocked || giver.held > 0)?;
        let left = [0, 1].map(|source| giver.value[source] + giver.claim[source]);
        let total = left[0] + left[1];
        let amount = amount.unwrap_or(total);
        unless(amount > total || total == 0)?;
        unless(giver.state == State::Active && !giver.past(now))?;
        let paid = (2 * amount * left[0] + total) / (2 * total);
        for (source, share) in [paid, amount - paid].into_iter().enumerate() {
            let old = &mut self.cards[from];
            let claimed = share.min(old.claim[source]);
            old.claim[source] -= claimed;
            old.value[source] -= share - claimed;
            old.granted[source] -= share;
            let carried = if amount == total { std::mem::take(&mut old.granted[source]) } else { 0 };
            let new = &mut self.cards[to];
            new.value[source] += share;
            new.granted[source] += share + carried;
        }
        let new = &mut self.cards[to];
        (new.state, new.ends, new.member) = (State::Active, Some(end_of_validity(now)), giver.member);
        (new.day, new.count, new.used, new.sold) = (giver.day, giver.count, giver.used, now);
        if amount == total {
            self.cards[from].state = State::Closed { replaced_by: Some(to), merged_into: None };
        }
        Ok(amount)
    }

    fn expire(&mut self, card: usize, now: i64) -> Step_ {
        let card = &mut self.cards[card];
        let open = matches!(card.state, State::Active | State::Frozen);
        sense(open && card.past(now) && card.held == 0)?;
        card.state = State::Expired;
        let total = card.total();
        for source in 0..2 {
            card.claim[source] += card.value[source];
            card.value[source] = 0;
        }
        Ok(total)
    }

    fn reactivate(&mut self, index: usize, now: i64, done: &mut Done) -> Step_ {
        let to = self.in_use(index);
        let claims = self.cards[index].claims();
        if to == index {
            let card = &mut self.cards[index];
            let over = card.state == State::Expired || card.past(now);
            unless(!matches!(card.state, State::Expired | State::Active) || (!over && claims == 0))?;
            card.state = State::Active;
            if over {
                card.ends = Some(end_of_validity(now));
            }
        } else {
            unless(claims == 0 || self.cards[to].state != State::Active)?;
            done.other = Some(to);
        }
        let claim = std::mem::take(&mut self.cards[index].claim);
        for (source, claim) in claim.into_iter().enumerate() {
            self.cards[to].value[source] += claim;
            self.cards[index].granted[source] -= claim;
            self.cards[to].granted[source] += claim;
        }
        Ok(claims)
    }

    /// Compares what the model and a store make of every card and merchant. Names the first difference.
    pub fn compare(&self, memory: &Memory) -> Result<(), String> {
        for (index, expected) in self.cards.iter().enumerate().skip(1) {
            let id = domain::CardId::new(i64::try_from(index).expect("few cards"));
            compare_card(expected, &memory.cards[&id]).map_err(|e| format!("{id}: {e}"))?;
        }
        let owed = fixture::MERCHANTS.map(|merchant| balance(memory, merchant));
        if owed == self.owed {
            Ok(())
        } else {
            Err(format!("merchants are owed {owed:?}, should be {:?}", self.owed))
        }
    }

    /// Compares what the model and a store make of the card with this number.
    pub fn compare_one(&self, card: &Card) -> Result<(), String> {
        let index = usize::try_from(card.id.get()).map_err(|e| e.to_string())?;
        let expected = self.cards.get(index).ok_or("no card of the script")?;
        compare_card(expected, card)
    }
}

/// Credits less debits of a merchant's account.
fn balance(memory: &Memory, merchant: MerchantId) -> i64 {
    let account = Account::Merchant(merchant);
    let sides = memory.operations.values().flat_map(|recorded| &recorded.transfers).map(|transfer| {
        let sign = i64::from(transfer.credit == account) - i64::from(transfer.debit == account);
        sign * transfer.amount.get()
    });
    sides.sum()
}

fn compare_card(expected: &ModelCard, card: &Card) -> Result<(), String> {
    let by = |source: LotSource| card.lots.iter().filter(move |lot| lot.source == source);
    let value = |source| by(source).map(|lot| lot.remaining.get()).sum::<i64>();
    let claim = |source| by(source).map(|lot| lot.expired.get()).sum::<i64>();
    let [paid, bonus] = [LotSource::Paid, LotSource::Bonus];
    let is = ([value(paid), value(bonus)], [claim(paid), claim(bonus)], card.held.get());
    let should = (expected.value, expected.claim, expected.held);
    if is != should {
        return Err(format!("value, claims and held are {is:?}, should be {should:?}"));
    }
    let day = (card.day.count, card.day.amount.get());
    if expected.day != 0 && day != (expected.count, expected.used) {
        return Err(format!("used {day:?}, should be {:?}", (expected.count, expected.used)));
    }
    let ends = card.expires_at.map(domain::Timestamp::micros);
    let member = card.member.as_ref().map(|member| member != "m1");
    if ends != expected.ends || member != expected.member.map(|member| member != 1) {
        return Err("validity or member differ".to_owned());
    }
    let state = match expected.state {
        State::Stocked => StateCode::Stocked,
        State::Active => StateCode::Active,
        State::Frozen => StateCode::Frozen,
        State::Lost => StateCode::Lost,
        State::Expired => StateCode::Expired,
        State::Closed { .. } => StateCode::Closed,
    };
    let next = match &card.state {
        domain::CardState::Closed { reason: CloseReason::Replaced(id) | CloseReason::Merged(id) } => {
            Some(id.get())
        }
        _ => None,
    };
    let expected_next = match expected.state {
        State::Closed { replaced_by, merged_into } => replaced_by.or(merged_into),
        _ => None,
    };
    let same_next = next == expected_next.map(|n| i64::try_from(n).unwrap_or(-1));
    if card.state.code() == state && same_next {
        Ok(())
    } else {
        Err(format!("is {:?}, should be {:?}", card.state, expected.state))
    }
}

fn card_index(act: &Act) -> usize {
    match act.step {
        Step::Activate { card, .. }
        | Step::Freeze { card }
        | Step::Unfreeze { card }
        | Step::ReportLost { card }
        | Step::Expire { card }
        | Step::Reactivate { card }
        | Step::CashOut { card }
        | Step::HolderRefund { card, .. }
        | Step::Close { card }
        | Step::Bind { card, .. }
        | Step::Inquire { card } => card.into(),
        ref other => unreachable!("{other:?} is about no single card"),
    }
}

/// Pays out paid value and claims; bonus is forfeited.
fn cash_out(card: &mut ModelCard) -> Step_ {
    let ended = matches!(card.state, State::Expired | State::Closed { .. });
    unless(!ended && card.state != State::Active)?;
    unless(ended && card.total() + card.claims() == 0)?;
    unless(card.held > 0)?;
    let paid = card.value[0] + card.claim[0];
    (card.value, card.claim) = ([0; 2], [0; 2]);
    if !matches!(card.state, State::Closed { .. }) {
        card.state = CLOSED;
    }
    Ok(paid)
}

/// The parts of a consumption that a refund gives back, the newest first, after what was given back before.
fn newest_first(parts: &[(usize, i64)], already: i64, amount: i64) -> Vec<(usize, i64)> {
    let units = parts
        .iter()
        .rev()
        .flat_map(|(source, n)| std::iter::repeat_n(*source, usize::try_from(*n).unwrap_or(0)));
    let skip = usize::try_from(already).unwrap_or(0);
    let mut given: Vec<(usize, i64)> = Vec::new();
    for source in units.skip(skip).take(usize::try_from(amount).unwrap_or(0)) {
        match given.last_mut() {
            Some((last, n)) if *last == source => *n += 1,
            _ => given.push((source, 1)),
        }
    }
    given
}
