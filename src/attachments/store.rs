//! The object store: contents by tenant and digest. A key is made only of an id and a digest, so no
//! path contains what a user wrote.

use std::error::Error as StdError;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{
    ClientOptions, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload,
    RetryConfig,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::domain::attachment::Digest;
use crate::domain::ids::TenantId;

use super::{Content, Error, Place, Settings, Spooled};

/// Longest wait for one answer of S3; its tries end soon after the second.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
const TRIES_TIME_MAX: Duration = Duration::from_secs(15);
/// Tries after the first.
const RETRIES_MAX: usize = 2;
/// The subfolder for files being written. No tenant's id has this form.
const STAGING: &str = "staging";
/// A file that is older than this in [`STAGING`] was left by a crash.
const STAGED_TIME_MAX: Duration = Duration::from_secs(60 * 60);

/// An object in a list of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub tenant: TenantId,
    pub digest: Digest,
    pub bytes: u64,
    /// When it was last stored, by the store's clock.
    pub kept_at: DateTime<Utc>,
}

/// Objects in the order in which the store lists them.
pub type Objects = BoxStream<'static, Result<Object, Error>>;

/// A content, or a range of it, being sent.
pub struct Piece {
    /// Size of the whole content.
    pub bytes_total: u64,
    /// The bytes that `chunks` gives.
    pub range: Range<u64>,
    pub chunks: BoxStream<'static, Result<Bytes, Error>>,
}

/// A permit to hold one content in memory.
pub struct Turn(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// A handle to the store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    /// The folder of files being written, if the store is a folder.
    staging: Option<PathBuf>,
    spool_folder: PathBuf,
    spools: Arc<Semaphore>,
    sends: Arc<Semaphore>,
}

impl Store {
    /// Opens the store. A bucket is not contacted.
    ///
    /// # Errors
    /// [`Error::Settings`], [`Error::Unavailable`].
    pub async fn open(settings: Settings) -> Result<Store, Error> {
        make_folder(&settings.spool_folder).await?;
        let (objects, staging): (Arc<dyn ObjectStore>, _) = match &settings.place {
            Place::Folder(folder) => {
                let staging = folder.join(STAGING);
                make_folder(&staging).await?;
                let files = LocalFileSystem::new_with_prefix(folder).map_err(wrong)?;
                // An upload is answered once its event is durable; its content must be durable too.
                (Arc::new(files.with_fsync(true)), Some(staging))
            }
            Place::Bucket { bucket, prefix } => {
                let objects = open_bucket(bucket, &settings.environment)?;
                let prefix = Path::parse(prefix)
                    .map_err(|error| Error::Settings(format!("the prefix {prefix}: {error}")))?;
                (Arc::new(PrefixStore::new(objects, prefix)), None)
            }
        };
        Ok(Store {
            objects,
            staging,
            spool_folder: settings.spool_folder,
            spools: Arc::new(Semaphore::new(settings.spools_max)),
            sends: Arc::new(Semaphore::new(settings.sends_max)),
        })
    }

    /// Receives a content of at most `bytes_max` bytes: hashed, on disk, not in the store yet.
    /// Dropping it, or the call, removes it.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Broken`], [`Error::Overloaded`], [`Error::Unavailable`].
    pub async fn spool<S, E>(&self, chunks: S, bytes_max: u64) -> Result<Spooled, Error>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let place = self.spools.clone().try_acquire_owned().map_err(|_| Error::Overloaded)?;
        Spooled::receive(&self.spool_folder, place, chunks, bytes_max).await
    }

    /// Waits for a turn to store a content: few are in memory at once, however many were received.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn turn(&self) -> Result<Turn, Error> {
        let turn = self.sends.clone().acquire_owned().await;
        turn.map(Turn)
            .map_err(|closed| Error::Unavailable("waiting to keep an attachment", closed.into()))
    }

    /// Stores a content for a tenant. If it is there already, its age counts from now on.
    /// Afterwards the object is there, complete, under its digest.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn keep(
        &self,
        tenant: TenantId,
        mut spooled: Spooled,
        _turn: Turn,
    ) -> Result<Content, Error> {
        let failed = Error::unavailable("keeping an attachment");
        let content = spooled.read().await.map_err(|error| failed(error.into()))?;
        let (to, payload) = (key(tenant, spooled.content.digest), PutPayload::from_bytes(content));
        if self.staging.is_some() {
            // After a crash during the write, `sweep` removes its file.
            let staged = Path::from_iter([STAGING, &Uuid::new_v4().to_string()]);
            let put = self.objects.put(&staged, payload).await;
            put.map_err(|error| failed(error.into()))?;
            self.objects.rename(&staged, &to).await.map_err(|error| failed(error.into()))?;
        } else {
            self.objects.put(&to, payload).await.map_err(|error| failed(error.into()))?;
        }
        Ok(spooled.content)
    }

    /// Receives a content and stores it for a tenant.
    ///
    /// # Errors
    /// Those of [`Store::spool`] and [`Store::keep`].
    pub async fn put<S, E>(
        &self,
        tenant: TenantId,
        chunks: S,
        bytes_max: u64,
    ) -> Result<Content, Error>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let spooled = self.spool(chunks, bytes_max).await?;
        let turn = self.turn().await?;
        self.keep(tenant, spooled, turn).await
    }

    /// A tenant's content, or the part of it in `range`, which must begin inside it; None if there
    /// is no such content.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn get(
        &self,
        tenant: TenantId,
        digest: Digest,
        range: Option<Range<u64>>,
    ) -> Result<Option<Piece>, Error> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let failed = Error::unavailable("reading an attachment");
        match self.objects.get_opts(&key(tenant, digest), options).await {
            Ok(found) => Ok(Some(Piece {
                bytes_total: found.meta.size,
                range: found.range.clone(),
                chunks: found
                    .into_stream()
                    .map(move |chunk| chunk.map_err(|error| failed(error.into())))
                    .boxed(),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// When a tenant's content was last stored; None if there is none.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn kept_at(
        &self,
        tenant: TenantId,
        digest: Digest,
    ) -> Result<Option<DateTime<Utc>>, Error> {
        match self.objects.head(&key(tenant, digest)).await {
            Ok(found) => Ok(Some(found.last_modified)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::Unavailable("looking for an attachment", error.into())),
        }
    }

    /// Removes a tenant's content, if it is there.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn remove(&self, tenant: TenantId, digest: Digest) -> Result<(), Error> {
        match self.objects.delete(&key(tenant, digest)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::Unavailable("removing an attachment", error.into())),
        }
    }

    /// Every object, read while it is asked for. Objects that are not ours are skipped.
    pub fn list(&self) -> Objects {
        let found = self.objects.list(None).filter_map(|found| async move {
            match found {
                Ok(found) => object(&found).map(Ok),
                Err(error) => Some(Err(Error::Unavailable("listing attachments", error.into()))),
            }
        });
        found.boxed()
    }

    /// Removes files that a crash left half written more than an hour ago; returns how many. A
    /// bucket has none, since its objects appear complete or not at all.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn sweep(&self) -> Result<u64, Error> {
        let Some(staging) = self.staging.clone() else { return Ok(0) };
        let failed = Error::unavailable("sweeping what was half written");
        let swept = tokio::task::spawn_blocking(move || sweep(&staging)).await;
        let swept = swept.map_err(|error| failed(error.into()))?;
        swept.map_err(|error| failed(error.into()))
    }
}

fn sweep(staging: &FilePath) -> std::io::Result<u64> {
    let mut swept = 0;
    for file in std::fs::read_dir(staging)? {
        let file = file?;
        // It may have been renamed in the meantime: then it is no longer being written.
        let Ok(written_at) = file.metadata().and_then(|about| about.modified()) else { continue };
        if written_at.elapsed().is_ok_and(|age| age > STAGED_TIME_MAX) {
            swept += u64::from(std::fs::remove_file(file.path()).is_ok());
        }
    }
    Ok(swept)
}

/// The key of a tenant's content.
fn key(tenant: TenantId, digest: Digest) -> Path {
    let (tenant, digest) = (tenant.to_string(), digest.to_string());
    Path::from_iter([tenant.as_str(), &digest[..2], &digest])
}

/// The tenant and the digest in this key.
fn object(found: &ObjectMeta) -> Option<Object> {
    let mut parts = found.location.parts();
    let tenant = TenantId(parts.next()?.as_ref().parse().ok()?);
    let digest: Digest = parts.nth(1)?.as_ref().parse().ok()?;
    let ours = key(tenant, digest) == found.location;
    ours.then_some(Object { tenant, digest, bytes: found.size, kept_at: found.last_modified })
}

fn open_bucket(
    bucket: &str,
    environment: &[(String, String)],
) -> Result<impl ObjectStore + use<>, Error> {
    let mut builder = AmazonS3Builder::new();
    for (name, value) in environment.iter().filter(|(name, _)| name.starts_with("AWS_")) {
        // The environment also contains variables for other programs.
        if let Ok(name) = name.to_ascii_lowercase().parse() {
            builder = builder.with_config(name, value);
        }
    }
    let retry = RetryConfig {
        max_retries: RETRIES_MAX,
        retry_timeout: TRIES_TIME_MAX,
        ..RetryConfig::default()
    };
    let mut options = ClientOptions::new().with_timeout(ANSWER_TIME_MAX);
    if environment.iter().any(|(name, value)| name == "AWS_ALLOW_HTTP" && value == "true") {
        options = options.with_allow_http(true);
    }
    let builder = builder.with_bucket_name(bucket).with_retry(retry).with_client_options(options);
    builder.build().map_err(wrong)
}

async fn make_folder(folder: &FilePath) -> Result<(), Error> {
    let mut builder = tokio::fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(folder).await;
    made.map_err(|error| {
        Error::Settings(format!("making the folder {}: {error}", folder.display()))
    })
}

fn wrong(error: object_store::Error) -> Error {
    Error::Settings(error.to_string())
}
