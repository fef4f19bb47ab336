//! What every handler works with.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use moka::sync::Cache;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::bearer::Verifier;
use crate::engine::Engine;
use crate::engine::quota::Quota;

use super::crafter::services::Services;
use super::identity::KnownKey;

/// Requests worked on at once; one more is answered 503.
const REQUESTS_MAX: usize = 1_024;
/// Requests with large bodies worked on at once: read into values, a body takes several times as
/// much memory, and so do the events that come of it.
const LARGE_REQUESTS_MAX: usize = 64;
/// Large bodies in memory at once, whoever sends them.
const LARGE_BODIES_MAX: usize = 512;

/// The application: shared by all requests.
pub struct App {
    pub engine: Arc<Engine>,
    pub verifier: Verifier,
    pub quota: Quota,
    /// What the Crafter Profile face works with.
    pub applications: Services,
    /// API keys seen lately, by their digest. Whether one still holds is read from its stream.
    pub keys: Cache<[u8; 32], KnownKey>,
    /// The session of a (tenant, real actor, token session), once opened.
    pub sessions: Cache<(Uuid, Uuid, String), Uuid>,
    pub requests: Arc<Semaphore>,
    pub large_requests: Arc<Semaphore>,
    pub large_bodies: Arc<Semaphore>,
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
    /// Whether `/metrics` is served by the main listener, which then is loopback.
    pub metrics_here: bool,
}

impl App {
    /// The application over an engine.
    pub fn new(
        engine: Arc<Engine>,
        verifier: Verifier,
        applications: Services,
        metrics: PrometheusHandle,
        metrics_here: bool,
    ) -> Arc<App> {
        let quota = Quota::new(engine.pool.clone());
        Arc::new(App {
            engine,
            verifier,
            quota,
            applications,
            keys: Cache::builder()
                .max_capacity(10_000)
                .time_to_live(Duration::from_secs(300))
                .build(),
            sessions: Cache::new(50_000),
            requests: Arc::new(Semaphore::new(REQUESTS_MAX)),
            large_requests: Arc::new(Semaphore::new(LARGE_REQUESTS_MAX)),
            large_bodies: Arc::new(Semaphore::new(LARGE_BODIES_MAX)),
            metrics,
            metrics_here,
        })
    }
}
