//! What an append promises.

use std::sync::Arc;

use dossier::store::{
    Append, Appended, Appender, AppenderSettings, AreaName, Claim, Database, Envelope, Error,
    Guard, NewEvent, Priority, Reader, StreamKey, StreamWrite,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::support::database::database;

/// An appender and a reader on one database.
pub struct Log {
    pub appender: Appender,
    pub reader: Reader,
    _fed: mpsc::Receiver<Vec<Arc<dossier::store::Recorded>>>,
}

impl Log {
    /// On a database of its own.
    pub async fn new() -> Log {
        Log::on(&database().await).await
    }

    /// On a database that others use too.
    pub async fn on(database: &Database) -> Log {
        let (feed, fed) = mpsc::channel(8);
        let settings = AppenderSettings { database: database.clone(), feed };
        let (appender, _task) = Appender::start(settings);
        Log { appender, reader: Reader::new(database.pool(4).unwrap()), _fed: fed }
    }

    pub async fn append(&self, append: Append) -> Result<Appended, Error> {
        self.appender.append(append, Priority::Caller).await
    }
}

/// A stream nobody has written.
pub fn stream() -> StreamKey {
    StreamKey {
        tenant_id: Uuid::nil(),
        area: AreaName::new("profile").unwrap(),
        id: Uuid::now_v7(),
    }
}

fn envelope() -> Arc<Envelope> {
    Arc::new(Envelope {
        request_id: Uuid::now_v7(),
        operation: "test",
        emulation: vec![Uuid::now_v7(), Uuid::now_v7()],
        grant_id: Some(Uuid::now_v7()),
        reason: Some("because".to_owned()),
        ..Envelope::nobody()
    })
}

/// One event for `stream`, expected at this version.
pub fn one(stream: StreamKey, expected_version: i64) -> Append {
    some(stream, expected_version, 1)
}

fn some(stream: StreamKey, expected_version: i64, count: usize) -> Append {
    let event = || NewEvent {
        id: Uuid::now_v7(),
        name: "ProfileDeactivated".to_owned(),
        schema_version: 1,
        occurred_at: None,
        payload: "{ \"kept\" :  1 }".to_owned(),
    };
    let events = (0..count).map(|_| event()).collect();
    Append {
        envelope: envelope(),
        writes: vec![StreamWrite { stream, expected_version, events }],
        guards: vec![],
        takes: vec![],
        releases: vec![],
        rows: vec![],
    }
}

fn claim(claim: Uuid, holder: Uuid) -> Claim {
    Claim { claim, kind: "test", tenant_id: Uuid::nil(), holder, expires_at: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_and_versions_have_no_gaps_however_many_append_at_once() {
    let log = Log::new().await;
    let appends = (0..500).map(|n| log.append(some(stream(), 0, 1 + n % 3)));
    let done = futures_util::future::join_all(appends).await;
    let mut next = 1;
    let mut ranges: Vec<(i64, i64)> = done
        .into_iter()
        .map(|done| done.map(|done| (done.first_position, done.last_position)).unwrap())
        .collect();
    ranges.sort_unstable();
    for (first, last) in ranges {
        assert_eq!(first, next);
        next = last + 1;
    }
    assert_eq!(log.reader.head().await.unwrap(), next - 1);
    assert_eq!(log.reader.broken_promises().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_comes_back_with_its_whole_envelope_and_exact_payload() {
    let log = Log::new().await;
    let stream = stream();
    let append = one(stream, 0);
    let sent = append.clone();
    log.append(append).await.unwrap();
    let read = log.reader.streams(&[(stream, 0)]).await.unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].envelope, sent.envelope);
    assert_eq!(read[0].payload, sent.writes[0].events[0].payload);
    assert_eq!(read[0].event_id, sent.writes[0].events[0].id);
    assert_eq!(read[0].occurred_at, read[0].recorded_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_than_the_expected_one_is_a_conflict_that_changes_nothing() {
    let log = Log::new().await;
    let stream = stream();
    log.append(one(stream, 0)).await.unwrap();
    for expected in [0, 2, 7] {
        let refused = log.append(one(stream, expected)).await;
        assert!(matches!(refused, Err(Error::Conflict(at)) if at == stream), "{refused:?}");
    }
    assert_eq!(log.reader.heads(&[stream]).await.unwrap(), [1]);
    log.append(one(stream, 1)).await.unwrap();
    assert_eq!(log.reader.heads(&[stream]).await.unwrap(), [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_a_new_process_has_never_seen_is_checked_too() {
    let database = database().await;
    let stream = stream();
    Log::on(&database).await.append(one(stream, 0)).await.unwrap();
    let log = Log::on(&database).await;
    let refused = log.append(one(stream, 5)).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    log.append(one(stream, 1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_holds_or_nothing_happens() {
    let log = Log::new().await;
    let (guarded, written) = (stream(), stream());
    log.append(one(guarded, 0)).await.unwrap();
    let stale = Guard { stream: guarded, version: 0 };
    let refused = log.append(Append { guards: vec![stale], ..one(written, 0) }).await;
    assert!(matches!(refused, Err(Error::Conflict(at)) if at == guarded), "{refused:?}");
    assert_eq!(log.reader.heads(&[written]).await.unwrap(), [0]);
    let held = Guard { stream: guarded, version: 1 };
    log.append(Append { guards: vec![held], ..one(written, 0) }).await.unwrap();
}

/// Issue 8: of two guards on one stream in one batch, only the later one was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_appends_that_read_a_stream_at_different_versions_the_older_is_a_conflict() {
    let database = database().await;
    let (log, other) = (Log::on(&database).await, Log::on(&database).await);
    for stale_first in [true, false].repeat(10) {
        // Another process wrote it: this one has no version of it in memory.
        let read = stream();
        other.append(one(read, 0)).await.unwrap();
        other.append(one(read, 1)).await.unwrap();
        let by = |version| {
            let guards = vec![Guard { stream: read, version }];
            log.append(Append { guards, ..one(stream(), 0) })
        };
        let (stale, current) = if stale_first {
            tokio::join!(by(1), by(2))
        } else {
            let (current, stale) = tokio::join!(by(2), by(1));
            (stale, current)
        };
        assert!(matches!(stale, Err(Error::Conflict(at)) if at == read), "{stale:?}");
        current.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_past_its_end_is_taken_as_if_it_were_none() {
    let log = Log::new().await;
    let (it, first, second) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let until = |holder, minutes| {
        let expires_at = Some(chrono::Utc::now() + chrono::TimeDelta::minutes(minutes));
        vec![Claim { expires_at, ..claim(it, holder) }]
    };
    log.append(Append { takes: until(first, -1), ..one(stream(), 0) }).await.unwrap();
    log.append(Append { takes: until(second, 1), ..one(stream(), 0) }).await.unwrap();
    assert_eq!(log.reader.claims(&[it]).await.unwrap()[&it].holder, second);
    let refused = log.append(Append { takes: until(first, 1), ..one(stream(), 0) }).await;
    assert!(matches!(refused, Err(Error::ClaimTaken(claim)) if claim == it), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_held_by_one_until_it_is_released() {
    let log = Log::new().await;
    let (it, first, second) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    log.append(Append { takes: vec![claim(it, first)], ..one(stream(), 0) }).await.unwrap();
    let again = Append { takes: vec![claim(it, second)], ..one(stream(), 0) };
    let refused = log.append(again.clone()).await;
    assert!(matches!(refused, Err(Error::ClaimTaken(claim)) if claim == it), "{refused:?}");
    // Released and taken in one append, it changes hands.
    log.append(Append { releases: vec![it], ..again }).await.unwrap();
    assert_eq!(log.reader.claims(&[it]).await.unwrap()[&it].holder, second);
    log.append(Append { releases: vec![it], ..one(stream(), 0) }).await.unwrap();
    assert!(log.reader.claims(&[it]).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_in_one_append_leaves_the_others_of_its_batch_standing() {
    let log = Log::new().await;
    let (taken, busy) = (Uuid::now_v7(), stream());
    log.append(Append { takes: vec![claim(taken, busy.id)], ..one(busy, 0) }).await.unwrap();
    let good = (0..50).map(|_| one(stream(), 0));
    let stale = Guard { stream: busy, version: 0 };
    let bad = (0..50).map(|n| match n % 3 {
        0 => one(busy, 0),
        1 => Append { takes: vec![claim(taken, Uuid::now_v7())], ..one(stream(), 0) },
        _ => Append { guards: vec![stale], ..one(stream(), 0) },
    });
    let appends = good.zip(bad).flat_map(|(good, bad)| [good, bad]);
    let done = futures_util::future::join_all(appends.map(|append| log.append(append))).await;
    for (place, done) in done.iter().enumerate() {
        assert_eq!(done.is_ok(), place % 2 == 0, "{place}: {done:?}");
    }
    assert_eq!(log.reader.head().await.unwrap(), 51);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_is_no_json_is_refused_alone() {
    let log = Log::new().await;
    let mut bad = one(stream(), 0);
    bad.writes[0].events[0].payload = "{".to_owned();
    let (good, refused) = tokio::join!(log.append(one(stream(), 0)), log.append(bad));
    assert!(good.is_ok() && matches!(refused, Err(Error::Corrupt(..))), "{refused:?}");
    assert_eq!(log.reader.head().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_beyond_the_bounds_is_refused_before_it_is_queued() {
    let log = Log::new().await;
    let writes = (0..129).flat_map(|_| one(stream(), 0).writes).collect();
    let refused = log.append(Append { writes, ..one(stream(), 0) }).await;
    assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
    let mut heavy = one(stream(), 0);
    heavy.writes[0].events[0].payload = format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20));
    assert!(matches!(log.append(heavy).await, Err(Error::TooLarge(_))));
    let nothing = Append { writes: vec![], ..one(stream(), 0) };
    assert!(matches!(log.append(nothing).await, Err(Error::TooLarge(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_role_can_neither_change_nor_remove_an_event() {
    let database = database().await;
    Log::on(&database).await.append(one(stream(), 0)).await.unwrap();
    let (client, _driver) = database.connect().await.unwrap();
    for statement in [
        "update log.events set name = 'Other'",
        "delete from log.events",
        "truncate log.events",
        "alter table log.events disable trigger all",
        "drop table log.events",
        "insert into log.epoch (epoch) values (9)",
    ] {
        let refused = client.batch_execute(statement).await.unwrap_err();
        let code = refused.code().map(|code| code.code().to_owned());
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_claims_and_operational_rows_are_of_one_transaction() {
    let database = database().await;
    let log = Log::on(&database).await;
    let it = Uuid::now_v7();
    let row = dossier::store::OperationalRow {
        table: &dossier::engine::kept::idempotent_answers::ANSWERS,
        row: serde_json::json!({
            "claim": it, "digest": it, "status": 200, "headers": {}, "body": "",
            "expires_at": "2999-01-01T00:00:00Z",
        }),
    };
    let append = Append { takes: vec![claim(it, it)], rows: vec![row], ..one(stream(), 0) };
    log.append(append).await.unwrap();
    let (client, _driver) = database.connect().await.unwrap();
    let sql = "select (select xmin::text from log.events),
        (select xmin::text from log.claims), (select xmin::text from ops.idempotent_answers)";
    let row = client.query_one(sql, &[]).await.unwrap();
    let transactions: [String; 3] = [row.get(0), row.get(1), row.get(2)];
    assert_eq!(transactions[0], transactions[1]);
    assert_eq!(transactions[1], transactions[2]);
}
