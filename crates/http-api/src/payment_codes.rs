//! Payment codes in requests: from 20 digits that a till read to the card that they stand for.
//!
//! A code is used up before the request is decided ([`wallet`]). What nobody's device made counts as a failing
//! look-up, of the client, of the device that it names, of the issuer and over all, and everything that is refused
//! leaves at the strokes of a clock, so that neither the answer's time nor the number of tries helps a guesser.

use std::time::Duration;

use domain::{
    IdempotencyKey, IssuerId,
    command::{CardRef, NumberIndex},
};
use tokio::time::Instant;
use wallet::{CodeRefused, PaymentCode, Presented};

use crate::{
    answer::in_time,
    auth::Caller,
    error::{Code, Problem},
    lookup_limit::Lookup,
    state::AppState,
    wire::paying_card::{PayingCard, TypedCode},
};

/// Codes of a batch that are looked at together.
const TOGETHER: usize = 8;
/// Refusals are answered at multiples of this after the request came.
const STROKE: Duration = Duration::from_millis(40);

/// The card of a payment.
pub(crate) async fn card_of(
    app: &AppState,
    caller: &Caller,
    key: &IdempotencyKey,
    card: &PayingCard,
) -> Result<CardRef, Problem> {
    let code = match card {
        PayingCard::Named(card) => return card.find_by(app.engine.vault(), "/card"),
        PayingCard::Code(code) => *code,
    };
    let mut found = cards_of(app, caller, &[(code, key.to_text())]).await?;
    found.pop().unwrap_or_else(|| Err(refused(CodeRefused::Unknown)))
}

/// The cards of several codes, each with the key of its request.
pub(crate) async fn cards_of(
    app: &AppState,
    caller: &Caller,
    codes: &[(TypedCode, String)],
) -> Result<Vec<Result<CardRef, Problem>>, Problem> {
    let started = Instant::now();
    let issuer = caller.issuer()?;
    let mut answers = Vec::with_capacity(codes.len());
    for portion in codes.chunks(TOGETHER) {
        answers.extend(portion_of(app, caller, issuer, portion).await?);
    }
    if answers.iter().any(Result::is_err) {
        tokio::time::sleep_until(next_stroke(started)).await;
    }
    Ok(answers)
}

async fn portion_of(
    app: &AppState,
    caller: &Caller,
    issuer: IssuerId,
    portion: &[(TypedCode, String)],
) -> Result<Vec<Result<CardRef, Problem>>, Problem> {
    // While they are looked at they all count as failed, so they take as many turns as they are.
    let turns = in_time(app, app.lookups.turns(portion.len())).await?;
    let at = app.engine.now();
    let mut counted = Vec::with_capacity(portion.len());
    let mut presented = Vec::with_capacity(portion.len());
    for (code, key) in portion {
        let lookup = Lookup { client: caller.0.id, issuer, number: subject(issuer, *code) };
        let admitted = app.lookups.count(lookup, at, app.nodes());
        if let (Ok(()), TypedCode::Possible(code)) = (&admitted, code) {
            presented.push(Presented { code: *code, key: key.clone() });
        }
        counted.push((lookup, admitted, *code));
    }
    let found = in_time(app, app.wallet.use_codes(issuer, caller.0.id, &presented)).await??;
    drop(turns);
    let mut found = found.into_iter();
    let answer = |(lookup, admitted, code): (Lookup, Result<(), Problem>, TypedCode)| {
        admitted?;
        let found = match code {
            TypedCode::Possible(_) => found.next().unwrap_or(Err(CodeRefused::Unknown)),
            TypedCode::Impossible => Err(CodeRefused::Unknown),
        };
        if found != Err(CodeRefused::Unknown) {
            app.lookups.forgive(lookup, at);
        }
        found.map_err(refused)
    };
    Ok(counted.into_iter().map(answer).collect())
}

/// The card that a code stands for, to look at and not to pay with.
pub(crate) async fn look_at(app: &AppState, caller: &Caller, code: TypedCode) -> Result<CardRef, Problem> {
    let started = Instant::now();
    let issuer = caller.issuer()?;
    let lookup = Lookup { client: caller.0.id, issuer, number: subject(issuer, code) };
    let turn = in_time(app, app.lookups.turn()).await?;
    let at = app.engine.now();
    app.lookups.count(lookup, at, app.nodes())?;
    let found = match code {
        TypedCode::Possible(code) => in_time(app, app.wallet.look_at_code(issuer, &code)).await??,
        TypedCode::Impossible => Err(CodeRefused::Unknown),
    };
    drop(turn);
    if found != Err(CodeRefused::Unknown) {
        app.lookups.forgive(lookup, at);
    }
    if found.is_err() {
        tokio::time::sleep_until(next_stroke(started)).await;
    }
    found.map_err(refused)
}

/// What look-ups are counted under for a code: its device's tag, within the issuer. No index of a number looks
/// like that.
fn subject(issuer: IssuerId, code: TypedCode) -> Option<NumberIndex> {
    let TypedCode::Possible(code) = code else { return None };
    Some(index_of(issuer, code))
}

fn index_of(issuer: IssuerId, code: PaymentCode) -> NumberIndex {
    let mut subject = [0; 16];
    subject[..8].copy_from_slice(&issuer.get().to_be_bytes());
    subject[8..12].copy_from_slice(b"code");
    subject[12..].copy_from_slice(&code.tag().to_be_bytes());
    NumberIndex(subject)
}

fn refused(why: CodeRefused) -> Problem {
    let problem = match why {
        CodeRefused::Used => Problem::new(
            Code::CodeUsed,
            "this payment code was used by another request; let the holder show the next one",
        ),
        CodeRefused::Expired => {
            Problem::new(Code::CodeExpired, "this payment code is too old; let the holder show a fresh one")
        }
        CodeRefused::Unknown => Problem::new(
            Code::CodeUnknown,
            "no device shows this payment code now; read it again, or let the holder show a fresh one",
        ),
    };
    problem.at("/card/code")
}

/// What a payment's refusal means where its card was named by a code: that the code's card is bound to somebody
/// else by now, or that the request is too late to be decided for the first time.
pub(crate) fn after_code(card: &PayingCard, problem: Problem) -> Problem {
    match card {
        PayingCard::Code(_) if problem.code() == "card_unknown" => refused(CodeRefused::Expired),
        _ => problem,
    }
}

/// The next stroke of a clock that began with the request.
pub(crate) fn next_stroke(started: Instant) -> Instant {
    let strokes = started.elapsed().as_millis() / STROKE.as_millis() + 1;
    started + STROKE * u32::try_from(strokes).unwrap_or(u32::MAX)
}
