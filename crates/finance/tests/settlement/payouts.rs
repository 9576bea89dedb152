//! From statement to bank, and back.

use finance::settlement::{
    Decision, FinanceError, approve_payouts, confirm_payouts, reject_payouts, return_payouts,
};
use settlement::PayoutStatus;

use crate::world::{CHECKER, ISSUER, MAKER, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_client_decides_and_a_rejected_amount_is_payable_again() {
    let world = World::begin("2026-11-16T12:00:00").await;
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
