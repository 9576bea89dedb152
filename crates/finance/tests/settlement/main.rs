//! Settlement end to end, on both databases: sales through the engine, statements, payouts, and runs that are
//! killed.

/// Tests of functions that take a database, on each.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name(crate::world::Database::Sqlite).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name(crate::world::Database::Postgres).await;
                }
            )*
        }
    };
}

mod crashes;
mod payouts;
mod statements;
mod world;
