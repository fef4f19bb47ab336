//! What every handler needs.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;

use crate::bearer::Verifier;
use crate::engine::Engine;

use super::bounds::{LARGE_BODIES_MAX, LARGE_REQUESTS_MAX, REQUESTS_MAX};
use super::crafter::services::Services;
use super::people::known::Known;

/// The application: shared by all requests.
pub struct App {
    pub engine: Arc<Engine>,
    pub verifier: Verifier,
    /// What only the Crafter Profile API needs.
    pub applications: Services,
    /// What the credentials of people led to recently.
    pub known: Known,
    pub requests: Arc<Semaphore>,
    pub large_requests: Arc<Semaphore>,
    pub large_bodies: Arc<Semaphore>,
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
    /// Whether the main listener serves `/metrics`. It then is loopback.
    pub metrics_here: bool,
}

impl App {
    /// The application on top of an engine.
    pub fn new(
        engine: Arc<Engine>,
        verifier: Verifier,
        applications: Services,
        metrics: PrometheusHandle,
        metrics_here: bool,
    ) -> Arc<App> {
        Arc::new(App {
            engine,
            verifier,
            applications,
            known: Known::default(),
            requests: Arc::new(Semaphore::new(REQUESTS_MAX)),
            large_requests: Arc::new(Semaphore::new(LARGE_REQUESTS_MAX)),
            large_bodies: Arc::new(Semaphore::new(LARGE_BODIES_MAX)),
            metrics,
            metrics_here,
        })
    }
}
