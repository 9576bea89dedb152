//! Use that nodes add up.

use std::{sync::Arc, time::Duration};

use super::Fresh;
use crate::{Usage, UsageKey};

const KEEP: Duration = Duration::from_hours(1);

fn key(kind: u8, subject: u8, window: i64) -> UsageKey {
    UsageKey { kind, subject: [subject; 16], window }
}

/// Totals add up by key, whole keys are told apart, and negative use takes back.
pub async fn use_is_added_up(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let check = async |used: &[(UsageKey, i64)], expect: &[i64]| {
        let used: Vec<_> = used.iter().map(|(key, used)| Usage { key: *key, used: *used }).collect();
        assert_eq!(store.share_usage(&used, KEEP).await.expect("totals"), expect, "{used:?}");
    };
    check(&[], &[]).await;
    check(&[(key(1, 7, 0), 5)], &[5]).await;
    check(&[(key(2, 7, 0), 1), (key(1, 7, 0), 2), (key(1, 8, 0), 3), (key(1, 7, -9), 4)], &[1, 7, 3, 4])
        .await;
    check(&[(key(1, 7, 0), 0), (key(1, 9, 0), 0), (key(1, 8, 0), -2)], &[7, 0, 1]).await;
    check(&[(key(255, 255, i64::MAX), i64::from(u32::MAX)), (key(1, 7, 0), 1)], &[u32::MAX.into(), 8]).await;
}

/// What nobody asks for is forgotten; what is asked for stays.
pub async fn use_is_forgotten(fresh: Fresh) {
    let store = fresh.store.as_ref();
    let (old, new) = (key(1, 1, 1), key(1, 1, 2));
    let tell = async |key: UsageKey, used: i64, keep: Duration| {
        store.share_usage(&[Usage { key, used }], keep).await.expect("a total")[0]
    };
    assert_eq!(tell(old, 5, Duration::ZERO).await, 5);
    assert_eq!(tell(new, 5, KEEP).await, 5);
    assert_eq!(tell(old, 1, KEEP).await, 1, "begun anew");
    assert_eq!(tell(new, 1, KEEP).await, 6);
    assert_eq!(tell(old, 0, KEEP).await, 1);
}

/// Nothing is lost between nodes that tell at once.
pub async fn use_told_at_once_is_not_lost(fresh: Fresh) {
    let mut telling = tokio::task::JoinSet::new();
    for node in 0..8_u8 {
        let store = Arc::clone(&fresh.store);
        telling.spawn(async move {
            for _ in 0..10 {
                // In another order on each node: a store must not lock itself up over that.
                let mut used: Vec<_> = (0..20).map(|n| Usage { key: key(1, n, 0), used: 1 }).collect();
                used.rotate_left(usize::from(node));
                store.share_usage(&used, KEEP).await.expect("totals");
            }
        });
    }
    telling.join_all().await;
    let all: Vec<_> = (0..20).map(|n| Usage { key: key(1, n, 0), used: 0 }).collect();
    assert_eq!(fresh.store.share_usage(&all, KEEP).await.expect("totals"), [80; 20]);
}
