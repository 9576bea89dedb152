//! From statement to bank, and back.

use domain::{
    Account, Currency, IdempotencyKey, PayeeId, PostedTransfer, Posting, PostingKind, command::Actor,
};
use engine::Intent;
use finance::settlement::{
    Decision, FinanceError, NewPayee, Payer, PayoutFormat, add_payee, approve_payouts, confirm_payouts,
    pay_invoice, reject_payouts, return_payouts, seal_accounts, send_payouts,
};
use settlement::{Payee, PayoutStatus};

use crate::world::{CHECKER, Database, ISSUER, MAKER, World, day, mer};

on_both!(
    a_second_client_decides_and_a_rejected_amount_is_payable_again,
    account_numbers_are_sealed_and_open_for_the_bank_alone,
    statements_are_the_ledger_through_every_step,
);

async fn a_second_client_decides_and_a_rejected_amount_is_payable_again(database: Database) {
    let world = World::begin_on(database, "2026-11-16T12:00:00").await;
    world.sale(1, 900).await;
    world.at("2026-11-17T00:00:10");
    world.settle().await;
    let id = world.payouts().await[0].id;
    let own = Decision { issuer: ISSUER, client: MAKER };
    let other = Decision { issuer: ISSUER, client: CHECKER };
    let refused = approve_payouts(&world.engine, own, &[id]).await;
    assert!(matches!(refused, Err(FinanceError::SameClient(payout)) if payout == id));
    let early = confirm_payouts(&world.engine, other, &[id]).await;
    assert!(matches!(early, Err(FinanceError::Status { .. })));
    let early = return_payouts(&world.engine, other, &[id], "closed account").await;
    assert!(matches!(early, Err(FinanceError::Status { .. })));
    assert_eq!(world.owed(1).await, 900, "nothing was posted");
    reject_payouts(&world.engine, other, &[id], "wrong account").await.expect("rejected");
    // Nothing happens on the 17th: the amount alone makes a statement.
    world.at("2026-11-18T00:00:10");
    let report = world.settle().await;
    assert_eq!((report.statements, report.payouts), (1, 1));
    let statements = world.statements().await;
    let f = statements[1].figures;
    assert_eq!((f.opening, f.payouts_rejected.get(), f.payout.get()), (0, 900, 900));
    let payouts = world.payouts().await;
    assert_eq!(payouts[0].credited_in, Some(statements[1].id));
    let approved = approve_payouts(&world.engine, other, &[payouts[1].id]).await.expect("approved");
    assert_eq!(approved[0].status, PayoutStatus::Approved);
    world.at("2026-11-19T00:00:10");
    assert_eq!(world.settle().await.statements, 0, "it is taken up once");
}

const NUMBER: &str = "6222021202012345678";

async fn account_numbers_are_sealed_and_open_for_the_bank_alone(database: Database) {
    let world = World::begin_on(database, "2026-11-16T12:00:00").await;
    let (engine, store) = (&world.engine, world.engine.store());
    let new = NewPayee {
        merchant: mer(1),
        currency: Currency::CNY,
        effective_from: day("2026-11-01"),
        holder_name: "Tea Ltd".to_owned(),
        account_number: NUMBER.to_owned(),
        bank_name: "ICBC".to_owned(),
        bic: None,
        clearing_code: Some("102331000019".to_owned()),
    };
    let made = add_payee(engine, ISSUER, MAKER, new).await.expect("an account");
    let stored = store.payee(made.id).await.expect("read").expect("stored");
    assert_eq!((&*stored.account_number, stored.sealed.is_some()), ("***************5678", true));
    assert_eq!(stored, made);
    // A row from before numbers were sealed.
    let before = Payee {
        id: PayeeId::new(engine.next_id()),
        effective_from: day("2026-11-02"),
        account_number: "110902000012345678".to_owned(),
        sealed: None,
        ..made
    };
    store.append_payee(&before).await.expect("a plain one");
    assert_eq!(seal_accounts(store.as_ref(), engine.vault()).await.expect("sealed"), 1);
    assert_eq!(seal_accounts(store.as_ref(), engine.vault()).await.expect("nothing to do"), 0);
    let sealed = store.payee(before.id).await.expect("read").expect("stored");
    assert_eq!((&*sealed.account_number, sealed.sealed.is_some()), ("**************5678", true));
    // The file for the bank has the plain number of the account in force.
    world.sale(1, 900).await;
    world.at("2026-11-17T00:00:10");
    world.settle().await;
    let ids = [world.payouts().await[0].id];
    let other = Decision { issuer: ISSUER, client: CHECKER };
    approve_payouts(engine, other, &ids).await.expect("approved");
    let payer = Payer {
        holder_name: "Issuer".to_owned(),
        account_number: "6222000000000000".to_owned(),
        bank_name: None,
        bic: None,
        clearing_code: Some("102331000019".to_owned()),
    };
    let sent = send_payouts(engine, other, &ids, payer, day("2026-11-17"), PayoutFormat::Pain001).await;
    let text = String::from_utf8(sent.expect("a file").bytes).expect("a text");
    world.statements_are_the_ledger().await;
    return_payouts(engine, other, &ids, "no such account").await.expect("returned");
    assert!(text.contains("110902000012345678") && !text.contains(NUMBER), "{text}");
}

async fn statements_are_the_ledger_through_every_step(database: Database) {
    let world = World::begin_on(database, "2026-11-16T12:00:00").await;
    assert_eq!(world.statements_are_the_ledger().await, 0, "no merchant has a statement");
    world.agree(Some(2), "2026-11-16", r#"{"cycle":{"kind":"t_plus","days":1},"negative":"invoice"}"#).await;
    let sale = world.sale(1, 900).await;
    let other = world.sale(2, 500).await;
    assert_eq!(world.settle().await.statements, 0);
    assert_eq!(world.statements_are_the_ledger().await, 2, "lines of what is open count");
    world.refund(sale, 100).await;
    assert_eq!(world.statements_are_the_ledger().await, 2, "what was not taken in yet does not");
    world.at("2026-11-17T00:00:10");
    world.settle().await;
    // The second merchant has been paid by hand for all that it sold, and now gives it back.
    let by = Decision { issuer: ISSUER, client: CHECKER };
    let ids: Vec<_> = world.payouts().await.iter().map(|payout| payout.id).collect();
    reject_payouts(&world.engine, by, &ids[..1], "not now").await.expect("rejected");
    world.statements_are_the_ledger().await;
    world.refund(other, 500).await;
    world.refund_to_a_card(2, 300).await;
    world.at("2026-11-18T00:00:10");
    world.settle().await;
    let statements = world.statements().await;
    let invoiced = statements.iter().rfind(|s| s.merchant == mer(2)).expect("a statement");
    assert!(!invoiced.figures.invoiced.is_zero(), "{:?}", invoiced.figures);
    let amount = invoiced.figures.invoiced;
    let paid = pay_invoice(&world.engine, ISSUER, invoiced.id, amount, None).await.expect("paid");
    let again = pay_invoice(&world.engine, ISSUER, invoiced.id, amount, None).await.expect("the same");
    assert_eq!((again.replayed, again.operation.id), (true, paid.operation.id));
    assert_eq!(world.statements_are_the_ledger().await, 2);
    // A payment that no payout knows of.
    let account = (Account::Merchant(mer(1)), Account::Bank(ISSUER));
    let posting = Posting {
        kind: PostingKind::Payout,
        currency: Currency::CNY,
        merchant: Some(mer(1)),
        transfers: vec![PostedTransfer {
            debit: account.0,
            credit: account.1,
            amount: crate::world::amount(7),
        }],
        reason: None,
    };
    let key = IdempotencyKey::parse("stray").expect("a key");
    let actor = Actor { client: CHECKER, issuer: ISSUER, merchant: None };
    let stray = world.engine.submit(Intent::post(actor, key, posting, None)).await.expect("taken");
    assert!(stray.expect("an answer").operation.is_approved());
    let found = world.engine.store().settled_balances(ISSUER).await.expect("balances").differences;
    let found: Vec<_> = found.iter().map(|wrong| (wrong.merchant, wrong.statements - wrong.ledger)).collect();
    assert_eq!(found, [(mer(1), 7)]);
    let report = world.engine.store().audit().await.expect("a report");
    let found: Vec<&str> = report.violations.iter().map(|violation| violation.invariant).collect();
    assert_eq!(found, ["accounts_match_statements"]);
}
