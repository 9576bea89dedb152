//! What every store must do, as tests over the ports alone. A store passes by adding to its tests, with
//! the feature `testing` of this crate switched on:
//!
//! ```ignore
//! use storage::conformance::Fresh;
//!
//! async fn fresh() -> Fresh {
//!     let folder = tempfile::tempdir().expect("a folder");
//!     let store = SqliteStore::open(&folder.path().join("test.db"), Options::default()).await;
//!     Fresh::new(store.expect("a store")).keeping(folder)
//! }
//!
//! storage::conformance_tests!(fresh);
//! ```
//!
//! Each test begins with an empty store. Ids and times are made up but grow together, as the engine makes
//! them, and all that is written refers to things that exist, so that a store is free to have foreign keys
//! and other constraints.

mod accounting;
mod activity;
mod approvals;
mod audit;
mod catalog;
mod commands;
mod explorer;
mod holders;
mod identity;
mod issue;
mod jobs;
mod keys;
mod ledger;
mod lists;
mod nodes;
mod passkeys;
mod populate;
mod postings;
mod providers;
mod random;
mod reconciliation;
mod round_trips;
mod scenario;
mod settlement;
mod throughput;
mod transactions;
mod usage;
mod world;

use std::{any::Any, sync::Arc};

use crate::Store;

pub use accounting::{
    ageing_adds_up_to_the_books, balances_of_a_kind_are_those_of_the_trial_balance,
    figures_keep_their_versions, settings_keep_their_versions, the_journal_equals_a_fold_over_the_log,
};
pub use activity::activity_follows_the_log;
pub use approvals::{
    approvals_take_their_steps, uses_are_counted_by_day, uses_are_counted_once_by_key,
    uses_at_once_do_not_exceed_the_limit,
};
pub use audit::{
    audit_finds_what_contradicts_the_log, audit_is_clean_after_a_claim_moved_on, audit_is_clean_on_good_data,
};
pub use catalog::{
    a_catalog_change_wakes_who_waits, catalog_refuses_conflicts, catalog_round_trips,
    catalog_survives_two_writers,
};
pub use explorer::{Explored, explore};
pub use holders::{
    gifts_take_one_step_at_a_time, holders_round_trip, messages_are_taken_when_due,
    payment_codes_are_used_once, secrets_of_holders_are_rekeyed, sign_in_codes_are_bounded,
};
pub use identity::{
    a_new_password_ends_other_sessions, a_try_that_succeeded_is_taken_back, codes_are_good_once,
    invitations_are_accepted_once, roles_change_under_their_version, sessions_advance_once,
    the_trail_is_filtered_and_paged, tries_are_counted_before_they_are_judged,
    users_change_under_their_version, views_belong_to_their_user,
};
pub use issue::{
    batches_round_trip_and_page, cards_and_progress_are_written_together, export_is_claimed_once,
    taken_numbers_are_reported_and_nothing_is_written,
};
pub use jobs::{
    due_cards_are_found_at_their_moment, due_holds_are_found_at_their_moment, expiring_cards_are_paged,
};
pub use keys::{keys_in_use_are_known, numbers_are_rekeyed, one_time_passwords_are_rekeyed};
pub use ledger::{
    a_roll_up_changes_no_total, currencies_are_never_added_together, totals_equal_a_fold_over_all_transfers,
    value_in_another_currency_than_its_card_is_found, value_without_a_currency_is_corrupt,
};
pub use lists::{
    card_chains_include_the_second_card, long_lists_are_searched_to_the_end,
    operations_are_filtered_and_paged, transfers_are_paged,
};
pub use nodes::{
    a_node_number_given_back_is_free, a_node_number_taken_over_has_moments_of_its_own,
    job_leases_have_one_holder, moments_of_a_node_only_grow, node_numbers_are_lent_once,
};
pub use passkeys::{passkeys_are_used_in_order, passkeys_round_trip, the_last_passkey_is_kept};
pub use populate::populate;
pub use postings::{audit_finds_postings_astray, postings_are_written_read_and_listed};
pub use providers::{
    identity_providers_change_under_their_version, secrets_of_providers_are_resealed,
    sessions_end_with_what_let_them_in, sign_ins_are_taken_once,
};
pub use random::random_commands_agree;
pub use reconciliation::{
    differences_change_under_their_version, own_records_are_what_the_log_says,
    reconciliations_round_trip_and_are_made_once,
};
pub use round_trips::{
    cards_round_trip, compensations_and_tombstones_round_trip, holds_round_trip, operations_round_trip,
    transfers_round_trip,
};
pub use settlement::{
    account_numbers_are_sealed, accruals_are_written_by_one, agreements_are_versions,
    audit_holds_lines_against_the_log, calendars_are_replaced_by_year, lines_are_written_once,
    movements_follow_the_log, payees_are_in_force_by_date, payouts_take_their_steps,
    statements_are_closed_once,
};
pub use throughput::{Throughput, follow_whole_log};
pub use transactions::{
    a_dropped_transaction_leaves_no_trace, a_refused_commit_leaves_no_trace, concurrent_writers_lose_nothing,
    every_need_is_answered, keys_are_unique_within_a_client, keys_of_every_form_are_found,
    numbers_are_found_by_any_index, readers_see_only_what_is_committed, traces_are_unique,
};
pub use usage::{use_is_added_up, use_is_forgotten, use_told_at_once_is_not_lost};

/// An empty store, with what must live as long as it, such as a temporary folder.
pub struct Fresh {
    /// The store.
    pub store: Arc<dyn Store>,
    _kept: Option<Box<dyn Any + Send + Sync>>,
}

impl Fresh {
    /// A store that needs nothing else.
    pub fn new(store: impl Store + 'static) -> Self {
        Self { store: Arc::new(store), _kept: None }
    }

    /// The same, and something that is dropped after it.
    #[must_use]
    pub fn keeping(self, what: impl Any + Send + Sync) -> Self {
        Self { store: self.store, _kept: Some(Box::new(what)) }
    }
}

/// Writes one test for each thing that a store must do. Takes an `async fn() -> Fresh`.
#[macro_export]
macro_rules! conformance_tests {
    ($fresh:path) => {
        $crate::conformance_tests! { @each $fresh;
            a_catalog_change_wakes_who_waits
            a_dropped_transaction_leaves_no_trace
            a_node_number_given_back_is_free
            a_node_number_taken_over_has_moments_of_its_own
            a_refused_commit_leaves_no_trace
            a_roll_up_changes_no_total
            activity_follows_the_log
            accruals_are_written_by_one
            agreements_are_versions
            ageing_adds_up_to_the_books
            approvals_take_their_steps
            uses_are_counted_by_day
            uses_are_counted_once_by_key
            uses_at_once_do_not_exceed_the_limit
            audit_finds_postings_astray
            differences_change_under_their_version
            own_records_are_what_the_log_says
            reconciliations_round_trip_and_are_made_once
            audit_finds_what_contradicts_the_log
            audit_is_clean_after_a_claim_moved_on
            audit_holds_lines_against_the_log
            audit_is_clean_on_good_data
            balances_of_a_kind_are_those_of_the_trial_balance
            batches_round_trip_and_page
            calendars_are_replaced_by_year
            card_chains_include_the_second_card
            cards_and_progress_are_written_together
            cards_round_trip
            catalog_refuses_conflicts
            catalog_round_trips
            catalog_survives_two_writers
            compensations_and_tombstones_round_trip
            concurrent_writers_lose_nothing
            currencies_are_never_added_together
            due_cards_are_found_at_their_moment
            due_holds_are_found_at_their_moment
            every_need_is_answered
            expiring_cards_are_paged
            export_is_claimed_once
            figures_keep_their_versions
            gifts_take_one_step_at_a_time
            holders_round_trip
            messages_are_taken_when_due
            payment_codes_are_used_once
            secrets_of_holders_are_rekeyed
            sign_in_codes_are_bounded
            holds_round_trip
            job_leases_have_one_holder
            keys_are_unique_within_a_client
            keys_in_use_are_known
            keys_of_every_form_are_found
            lines_are_written_once
            long_lists_are_searched_to_the_end
            moments_of_a_node_only_grow
            movements_follow_the_log
            node_numbers_are_lent_once
            numbers_are_found_by_any_index
            numbers_are_rekeyed
            one_time_passwords_are_rekeyed
            operations_are_filtered_and_paged
            operations_round_trip
            postings_are_written_read_and_listed
            account_numbers_are_sealed
            payees_are_in_force_by_date
            payouts_take_their_steps
            readers_see_only_what_is_committed
            statements_are_closed_once
            settings_keep_their_versions
            taken_numbers_are_reported_and_nothing_is_written
            the_journal_equals_a_fold_over_the_log
            totals_equal_a_fold_over_all_transfers
            traces_are_unique
            transfers_are_paged
            transfers_round_trip
            value_in_another_currency_than_its_card_is_found
            use_is_added_up
            use_is_forgotten
            use_told_at_once_is_not_lost
            value_without_a_currency_is_corrupt
            a_new_password_ends_other_sessions
            a_try_that_succeeded_is_taken_back
            codes_are_good_once
            invitations_are_accepted_once
            roles_change_under_their_version
            sessions_advance_once
            the_trail_is_filtered_and_paged
            tries_are_counted_before_they_are_judged
            users_change_under_their_version
            views_belong_to_their_user
            identity_providers_change_under_their_version
            secrets_of_providers_are_resealed
            sessions_end_with_what_let_them_in
            sign_ins_are_taken_once
            passkeys_are_used_in_order
            passkeys_round_trip
            the_last_passkey_is_kept
        }

        #[test]
        fn random_commands_agree() {
            $crate::conformance::random_commands_agree(|| $fresh());
        }
    };
    (@each $fresh:path; $($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::conformance::$name($fresh().await).await;
            }
        )*
    };
}

#[cfg(test)]
mod memory_passes {
    use super::Fresh;
    use crate::memory::MemoryStore;

    async fn fresh() -> Fresh {
        Fresh::new(MemoryStore::new())
    }

    crate::conformance_tests!(fresh);
}
