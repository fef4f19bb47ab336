//! Statements that come true together or not at all, whatever becomes of who sent them (issue 8).

use std::time::Duration;

use dossier::engine::fold::connection::{Connection, connect};
use dossier::engine::fold::flight::{Write, in_one_flight};
use uuid::Uuid;

use crate::support::database::database;

const INSERT: &str = "insert into views.mends (tenant_id) values ($1)";

fn insert(tenant: Uuid) -> Write<'static> {
    Write::new(INSERT, vec![Box::new(tenant)])
}

async fn count(on: &Connection) -> i64 {
    let counted = on.client.query_one("select count(*) from views.mends", &[]).await;
    counted.unwrap().get(0)
}

#[tokio::test]
async fn all_of_a_flight_comes_true_or_nothing() {
    let connection = connect(&database().await).await.unwrap();
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    // The server refuses a statement amid the others.
    let twice = [insert(one), insert(one), insert(other)];
    let refused = in_one_flight(&connection.client, &twice).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "23505");
    assert_eq!(count(&connection).await, 0);
    // A value cannot even be sent.
    let unsent = [insert(one), Write::new(INSERT, vec![Box::new("no id")]), insert(other)];
    assert!(in_one_flight(&connection.client, &unsent).await.is_err());
    assert_eq!(count(&connection).await, 0);
    in_one_flight(&connection.client, &[insert(one), insert(other)]).await.unwrap();
    assert_eq!(count(&connection).await, 2);
}

#[tokio::test]
async fn what_was_sent_comes_true_though_its_sender_says_no_more() {
    let database = database().await;
    let connection = connect(&database).await.unwrap();
    let other = connect(&database).await.unwrap();
    let slow = Write::new("select pg_sleep(3)", vec![]);
    let writes = [insert(Uuid::from_u128(1)), slow];
    let under_way = "select count(*) from pg_stat_activity
        where datname = current_database() and state = 'active' and query = 'select pg_sleep(3)'";
    let sent = async {
        while other.client.query_one(under_way, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        done = in_one_flight(&connection.client, &writes) => panic!("{done:?}"),
        () = sent => {}
    }
    // As if this process were paused here: it says nothing more.
    let committed = async {
        while count(&other).await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), committed).await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_waits_for_a_lane_is_ended_and_the_lane_told() {
    let connection = connect(&database().await).await.unwrap();
    connection.client.batch_execute("begin").await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), connection.ended.cancelled()).await.unwrap();
}
