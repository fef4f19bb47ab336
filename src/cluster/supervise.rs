//! The task that watches the running server and restarts it when it dies.
//!
//! It never gives up: the cause, such as a full disk, may be removed later. Until then the server
//! is not ready.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, interval_at, sleep};
use tracing::{info, warn};

use crate::cluster::Health;
use crate::cluster::postmaster::{self, Postmaster};
use crate::cluster::site::Site;

const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// A server that ran at least this long did not die of its start.
const STEADY_AFTER: Duration = Duration::from_secs(60);
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Where the task publishes the server's state.
pub struct Told {
    pub health: watch::Sender<Health>,
    /// When the server will be started again, while it is down.
    pub next_start: watch::Sender<Option<Instant>>,
}

/// Keeps the server running until told to stop, and then shuts it down.
pub async fn supervise(
    site: Arc<Site>,
    mut postmaster: Postmaster,
    told: Told,
    mut stop: oneshot::Receiver<()>,
) {
    let mut pause = PAUSE_MIN;
    loop {
        let began = Instant::now();
        tokio::select! {
            // Also if the cluster was dropped without being stopped.
            _ = &mut stop => return postmaster.shut_down().await,
            () = watch_over(&site, &mut postmaster) => {}
        }
        told.health.send_modify(|health| health.postmaster = None);
        postmaster.discard_dead().await;
        if began.elapsed() > STEADY_AFTER {
            pause = PAUSE_MIN;
        }
        postmaster = tokio::select! {
            _ = &mut stop => return,
            restarted = restart(&site, &mut pause, &told.next_start) => restarted,
        };
        told.next_start.send_replace(None);
        told.health.send_modify(|health| {
            health.postmaster = postmaster.pid();
            health.restarts += 1;
        });
        info!("PostgreSQL runs again");
    }
}

/// Until the server dies, removes old logs.
async fn watch_over(site: &Site, postmaster: &mut Postmaster) {
    let mut prune = interval_at(Instant::now() + PRUNE_EVERY, PRUNE_EVERY);
    loop {
        tokio::select! {
            died = postmaster.wait_until_dead() => {
                match died {
                    Ok(status) => warn!("PostgreSQL died ({status})"),
                    Err(error) => warn!(%error, "lost sight of PostgreSQL"),
                }
                return;
            }
            _ = prune.tick() => postmaster::prune_logs(site),
        }
    }
}

/// Tries to restart the server, each time after a longer pause.
async fn restart(
    site: &Site,
    pause: &mut Duration,
    next_start: &watch::Sender<Option<Instant>>,
) -> Postmaster {
    loop {
        let milliseconds = pause.as_millis();
        warn!(milliseconds, "starting PostgreSQL again in {milliseconds} ms");
        next_start.send_replace(Some(Instant::now() + *pause));
        sleep(*pause).await;
        *pause = (*pause * 2).min(PAUSE_MAX);
        match postmaster::launch(site).await {
            Ok(postmaster) => return postmaster,
            Err(error) => {
                warn!(error = &error as &dyn std::error::Error, "could not start PostgreSQL again")
            }
        }
    }
}
