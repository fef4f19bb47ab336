//! The bytes of attachments in a folder.

use std::fs::{File, FileTimes};
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use dossier::attachments::{Content, Error, Piece, Place, Settings, Store};
use dossier::domain::attachment::Digest;
use dossier::domain::ids::TenantId;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(0x7e));
const OTHER: TenantId = TenantId(Uuid::from_u128(0x7f));

pub(super) fn chunks(
    content: &[&'static str],
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + use<> {
    let content: Vec<_> =
        content.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
    stream::iter(content)
}

pub(super) async fn text(piece: Piece) -> String {
    let chunks: Vec<Bytes> = piece.chunks.try_collect().await.unwrap();
    String::from_utf8(chunks.concat()).unwrap()
}

async fn open(folder: &Path) -> Store {
    Store::open(Settings::new(folder, None).unwrap()).await.unwrap()
}

/// Every file below, by its path from there.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.strip_prefix(folder).unwrap().display().to_string()),
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn what_was_put_is_got_under_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let content = store.put(TENANT, chunks(&["hello ", "world"]), 11).await.unwrap();
    assert_eq!(content.bytes, 11);
    assert_eq!(content.md5, "5eb63bbbe01eeed093cb22bb8f5acdc3");
    let sha256 = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
    assert_eq!(content.digest.to_string(), sha256);
    let piece = store.get(TENANT, content.digest, None).await.unwrap().unwrap();
    assert_eq!((piece.bytes_total, piece.range.clone()), (11, 0..11));
    assert_eq!(text(piece).await, "hello world");
    let place = format!("attachments/{}/b9/{sha256}", TENANT.0);
    assert_eq!(files(folder.path()), [place]);
}

#[tokio::test]
async fn a_range_is_got_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let content = store.put(TENANT, chunks(&["hello world"]), 11).await.unwrap();
    let piece = store.get(TENANT, content.digest, Some(6..99)).await.unwrap().unwrap();
    assert_eq!((piece.bytes_total, piece.range.clone()), (11, 6..11));
    assert_eq!(text(piece).await, "world");
}

#[tokio::test]
async fn an_empty_content_is_one_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let content = store.put(TENANT, chunks(&[]), 0).await.unwrap();
    assert_eq!(content.bytes, 0);
    assert_eq!(content.md5, "d41d8cd98f00b204e9800998ecf8427e");
    let piece = store.get(TENANT, content.digest, None).await.unwrap().unwrap();
    assert_eq!(text(piece).await, "");
}

#[tokio::test]
async fn the_same_content_twice_is_one_object_of_a_tenant() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let both =
        futures_util::future::join_all((0..8).map(|_| store.put(TENANT, chunks(&["same"]), 9)));
    let kept: Vec<Content> = both.await.into_iter().map(Result::unwrap).collect();
    assert!(kept.iter().all(|content| *content == kept[0]));
    store.put(OTHER, chunks(&["same"]), 9).await.unwrap();
    assert_eq!(files(folder.path()).len(), 2);
    store.remove(TENANT, kept[0].digest).await.unwrap();
    assert!(store.get(TENANT, kept[0].digest, None).await.unwrap().is_none());
    assert!(store.get(OTHER, kept[0].digest, None).await.unwrap().is_some());
}

#[tokio::test]
async fn one_byte_too_many_is_refused_as_soon_as_it_comes_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    // What never ends is refused all the same.
    let endless = stream::iter([Bytes::from_static(b"12345"), Bytes::from_static(b"6")])
        .map(Ok::<_, std::io::Error>)
        .chain(stream::pending());
    let refused = store.put(TENANT, endless, 5).await;
    assert!(matches!(refused, Err(Error::TooLarge { bytes_max: 5 })));
    assert_eq!(files(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let broken = chunks(&["half"]).chain(stream::iter([Err(std::io::Error::other("reset"))]));
    assert!(matches!(store.put(TENANT, broken, 99).await, Err(Error::Broken(_))));
    let waiting = chunks(&["half"]).chain(stream::pending());
    let mut receiving = Box::pin(store.spool(waiting, 99));
    assert!(futures_util::poll!(&mut receiving).is_pending());
    drop(receiving);
    assert_eq!(files(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_being_received_has_no_name_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let spooled = store.spool(chunks(&["not kept"]), 99).await.unwrap();
    assert_eq!(spooled.content.bytes, 8);
    assert_eq!(files(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn more_uploads_at_once_than_allowed_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { spools_max: 1, ..Settings::new(folder.path(), None).unwrap() };
    let store = Store::open(settings).await.unwrap();
    let first = store.spool(chunks(&["a"]), 9).await.unwrap();
    assert!(matches!(store.spool(chunks(&["b"]), 9).await, Err(Error::Overloaded)));
    drop(first);
    assert!(store.spool(chunks(&["b"]), 9).await.is_ok());
}

#[tokio::test]
async fn removing_what_is_gone_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    store.remove(TENANT, Digest([7; 32])).await.unwrap();
    assert_eq!(store.kept_at(TENANT, Digest([7; 32])).await.unwrap(), None);
}

#[tokio::test]
async fn listing_passes_over_what_is_not_ours() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let content = store.put(TENANT, chunks(&["mine"]), 9).await.unwrap();
    let root = folder.path().join("attachments");
    std::fs::write(root.join("README"), "").unwrap();
    let inner = root.join(TENANT.0.to_string()).join("00");
    std::fs::create_dir_all(&inner).unwrap();
    // At a place that is not its digest's.
    std::fs::write(inner.join(content.digest.to_string()), "").unwrap();
    let listed: Vec<_> = store.list().try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].tenant, listed[0].digest), (TENANT, content.digest));
    assert_eq!(listed[0].bytes, 4);
    assert_eq!(store.kept_at(TENANT, content.digest).await.unwrap(), Some(listed[0].kept_at));
}

#[tokio::test]
async fn only_what_a_crash_left_more_than_an_hour_ago_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let staging = folder.path().join("attachments/staging");
    for (name, age) in [("left", 61), ("left#1", 61), ("being-written#1", 59)] {
        let file = File::create(staging.join(name)).unwrap();
        let at = file.metadata().unwrap().modified().unwrap() - Duration::from_secs(age * 60);
        file.set_times(FileTimes::new().set_modified(at)).unwrap();
    }
    assert_eq!(store.sweep().await.unwrap(), 2);
    assert_eq!(files(folder.path()), ["attachments/staging/being-written#1"]);
}

#[tokio::test]
async fn keeping_again_makes_an_object_young_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let content = store.put(TENANT, chunks(&["again"]), 9).await.unwrap();
    let path =
        folder.path().join("attachments").join(&files(&folder.path().join("attachments"))[0]);
    let file = File::options().write(true).open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH)).unwrap();
    let old = store.kept_at(TENANT, content.digest).await.unwrap().unwrap();
    assert_eq!(old.timestamp(), 0);
    store.put(TENANT, chunks(&["again"]), 9).await.unwrap();
    assert!(store.kept_at(TENANT, content.digest).await.unwrap().unwrap().timestamp() > 0);
}

#[test]
fn a_place_is_a_folder_or_a_bucket() {
    let bucket = |bucket: &str, prefix: &str| Place::Bucket {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
    };
    assert_eq!(Place::parse("s3://b").unwrap(), bucket("b", ""));
    assert_eq!(Place::parse("s3://b/one/two/").unwrap(), bucket("b", "one/two"));
    assert_eq!(Place::parse("file:///var/a").unwrap(), Place::Folder("/var/a".into()));
    assert_eq!(Place::parse("data/a").unwrap(), Place::Folder("data/a".into()));
    for wrong in ["", "s3://", "s3:///p", "gs://b", "https://host/b", "file://"] {
        assert!(matches!(Place::parse(wrong), Err(Error::Settings(_))), "{wrong}");
    }
}
