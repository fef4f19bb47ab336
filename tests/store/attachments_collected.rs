//! Contents that nothing refers to any more are collected, and no others.

use std::fs::{File, FileTimes};
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use dossier::attachments::{Settings as StoreSettings, Store};
use dossier::domain::attachment::Digest;
use dossier::domain::ids::TenantId;
use dossier::engine::kept::attachments::{Collector, OBJECTS_AT_ONCE, Round};
use dossier::engine::{Engine, Settings};
use dossier::store::Database;
use tempfile::TempDir;
use uuid::Uuid;

use super::attachments::chunks;
use crate::support::api::engine;
use crate::support::database::database;

const TENANT: TenantId = TenantId(Uuid::from_u128(0x7e));
const OTHER: TenantId = TenantId(Uuid::from_u128(0x7f));

/// An engine and a store of a test's own.
struct Place {
    engine: Arc<Engine>,
    store: Store,
    folder: TempDir,
}

impl Place {
    async fn new() -> Place {
        Place::on(database().await).await
    }

    async fn on(database: Database) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings::new(folder.path(), None).unwrap();
        let store = Store::open(settings).await.unwrap();
        Place { engine: engine(database).await, store, folder }
    }

    async fn keep(&self, tenant: TenantId, content: &'static str) -> Digest {
        let spooled = self.store.spool(chunks(&[content]), 99).await.unwrap();
        self.engine.keep_attachment(&self.store, tenant, spooled).await.unwrap().digest
    }

    async fn refer(&self, tenant: TenantId, digest: Digest) {
        let client = self.engine.connection().await.unwrap();
        let sql = "insert into profile_attachments values ($1, $2, 1, '[]', $3)";
        let digests = vec![digest.0.to_vec()];
        client.execute(sql, &[&tenant.0, &Uuid::new_v4(), &digests]).await.unwrap();
    }

    async fn is_kept(&self, tenant: TenantId, digest: Digest) -> bool {
        self.store.kept_at(tenant, digest).await.unwrap().is_some()
    }

    async fn round(&self, collector: &mut Collector, now: DateTime<Utc>) -> Round {
        collector.round(&self.engine, &self.store, now).await.unwrap()
    }
}

#[tokio::test]
async fn what_nothing_refers_to_is_collected_after_an_hour() {
    let place = Place::new().await;
    let (used, unused) = (place.keep(TENANT, "used").await, place.keep(TENANT, "unused").await);
    place.refer(TENANT, used).await;
    // Another tenant's use of the same content is none of this one's.
    place.refer(OTHER, unused).await;
    let mut collector = Collector::default();
    let kept_at = place.store.kept_at(TENANT, unused).await.unwrap().unwrap();
    let round = place.round(&mut collector, kept_at + TimeDelta::hours(1)).await;
    assert_eq!(round, Round { looked_at: 2, removed: 0, ended: true });
    let round = place.round(&mut collector, Utc::now() + TimeDelta::hours(2)).await;
    assert_eq!(round, Round { looked_at: 2, removed: 1, ended: true });
    assert!(place.is_kept(TENANT, used).await);
    assert!(!place.is_kept(TENANT, unused).await);
}

#[tokio::test]
async fn nothing_is_collected_by_a_process_that_cannot_tell_what_is_folded() {
    let database = database().await;
    let place = Place::on(database.clone()).await;
    let digest = place.keep(TENANT, "perhaps referred to").await;
    let settings = Settings {
        database,
        pool_connections: 2,
        next_start: None,
        alone: false,
        projecting: false,
    };
    let behind = Engine::start(settings).await.unwrap();
    let mut collector = Collector::default();
    let later = Utc::now() + TimeDelta::hours(2);
    let round = collector.round(&behind, &place.store, later).await.unwrap();
    assert_eq!(round, Round::default());
    assert!(place.is_kept(TENANT, digest).await);
    assert_eq!(place.round(&mut collector, later).await.removed, 1);
}

#[tokio::test]
async fn what_is_being_kept_again_is_not_collected() {
    let place = Place::new().await;
    let digest = place.keep(TENANT, "again").await;
    // An upload of the same content that has taken its lock and not written yet.
    let mut client = place.engine.connection().await.unwrap();
    let uploading = client.transaction().await.unwrap();
    let [a, b, c, d, ..] = digest.0;
    let key = i32::from_be_bytes([a, b, c, d]);
    let lock = "select pg_advisory_xact_lock_shared($1, $2)";
    uploading.execute(lock, &[&0x0a77_ac4e_i32, &key]).await.unwrap();
    let mut collector = Collector::default();
    let later = Utc::now() + TimeDelta::hours(2);
    assert_eq!(place.round(&mut collector, later).await.removed, 0);
    uploading.rollback().await.unwrap();
    assert_eq!(place.round(&mut collector, later).await.removed, 1);
}

#[tokio::test]
async fn uploads_and_collectors_at_once_lose_nothing_that_was_just_kept() {
    let place = Place::new().await;
    for _ in 0..20 {
        let digest = place.keep(TENANT, "contended").await;
        let name = digest.to_string();
        let path = format!("attachments/{}/{}/{name}", TENANT.0, &name[..2]);
        let file = File::options().write(true).open(place.folder.path().join(path)).unwrap();
        file.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH)).unwrap();
        // To this collector the object is old, and young once it is kept again.
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(2);
        let (mut one, mut other) = (Collector::default(), Collector::default());
        let (again, removed, more) = tokio::join!(
            place.keep(TENANT, "contended"),
            place.round(&mut one, now),
            place.round(&mut other, now)
        );
        assert!(removed.removed + more.removed <= 1);
        assert!(place.is_kept(TENANT, again).await);
    }
}

#[tokio::test]
async fn a_round_looks_at_a_bounded_number_and_the_next_goes_on_there() {
    let place = Place::new().await;
    let root = place.folder.path().join("attachments").join(TENANT.0.to_string());
    for number in 0..=OBJECTS_AT_ONCE {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        let digest = Digest(digest).to_string();
        std::fs::create_dir_all(root.join(&digest[..2])).unwrap();
        std::fs::write(root.join(&digest[..2]).join(&digest), "").unwrap();
    }
    let mut collector = Collector::default();
    let first = place.round(&mut collector, Utc::now()).await;
    assert_eq!(first, Round { looked_at: OBJECTS_AT_ONCE, removed: 0, ended: false });
    let second = place.round(&mut collector, Utc::now()).await;
    assert_eq!(second, Round { looked_at: 1, removed: 0, ended: true });
    let third = place.round(&mut collector, Utc::now()).await;
    assert_eq!(third.looked_at, OBJECTS_AT_ONCE);
}
