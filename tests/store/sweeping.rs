//! What is past its time goes, however much of it there is.

use dossier::engine::react::sweep::sweep;

use crate::support::api::Api;

const ROWS: i64 = 12_345;

const FILL: &str = "
    insert into ops.idempotent_answers
    select gen_random_uuid(), gen_random_uuid(), 200, '{}', '', now() - interval '1 day'
    from generate_series(1, $1::bigint)";
const FILL_CLAIMS: &str = "
    insert into log.claims
    select gen_random_uuid(), 'test', gen_random_uuid(), gen_random_uuid(), now() - interval '1 day'
    from generate_series(1, $1::bigint)";
const LEFT: &str = "select
    (select count(*) from ops.idempotent_answers where expires_at < now()),
    (select count(*) from log.claims where expires_at < now())";

/// Issue 8: one statement had to remove all of it within its deadline, or nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_goes_in_slices_and_a_table_that_cannot_be_swept_keeps_no_other_waiting() {
    let api = Api::start().await;
    let client = api.superuser().await;
    // Too slow for one statement's deadline, if one had to remove them all.
    let slow = "
        revoke delete on ops.idempotent_answers from dossier_app;
        create function log.slowly() returns trigger language plpgsql as $$
        begin
            perform pg_sleep(0.001);
            return old;
        end
        $$;
        create trigger slowly before delete on log.claims
            for each row execute function log.slowly()";
    client.batch_execute(slow).await.unwrap();
    client.execute(FILL, &[&ROWS]).await.unwrap();
    client.execute(FILL_CLAIMS, &[&ROWS]).await.unwrap();
    let left = async || {
        let row = client.query_one(LEFT, &[]).await.unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1))
    };
    let mut rounds = 0;
    while left().await.1 > 0 {
        sweep(&api.engine).await;
        rounds += 1;
        assert!(rounds < 8, "{:?} are left", left().await);
    }
    assert_eq!(left().await, (ROWS, 0));
    client.batch_execute("grant delete on ops.idempotent_answers to dossier_app").await.unwrap();
    sweep(&api.engine).await;
    assert_eq!(left().await, (0, 0));
}
