//! `dossier serve`: the server, from start to a clean stop.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::extract::ConnectInfo;
use axum::{Extension, middleware};
use clap::Args;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::api::app::App;
use crate::api::{observe, routes};
use crate::bearer::{LEEWAY_SECONDS, Verifier};
use crate::engine::kept::attachments::Collector;
use crate::engine::react;

use super::open::Directory;
use super::{Place, applications, demo};

/// Run the server
#[derive(Args)]
#[command(after_help = "Examples:
  dossier serve --demo
  dossier serve --listen 0.0.0.0:8080 --ops-listen 127.0.0.1:8081 --data-dir /var/lib/dossier
  dossier serve --database-url postgres://dossier@db/dossier")]
pub struct Arguments {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", env = "DOSSIER_LISTEN")]
    listen: SocketAddr,
    /// The address of /metrics, /healthz and /readyz; required unless --listen is loopback
    #[arg(long, value_name = "ADDRESS", env = "DOSSIER_OPS_LISTEN")]
    ops_listen: Option<SocketAddr>,
    /// Fill the directory with real people, and print credentials (loopback only)
    #[arg(long)]
    demo: bool,
    /// An origin whose pages may call from a browser, as scheme and host; repeatable, or separated
    /// by commas; * allows every origin
    #[arg(long, value_name = "ORIGIN", env = "DOSSIER_CORS_ORIGIN", value_delimiter = ',')]
    cors_origin: Vec<String>,
    /// How far the clocks of token issuers may be ahead (`nbf`, `iat`), 0 to 300; `exp` is exact
    #[arg(long, value_name = "SECONDS", default_value_t = LEEWAY_SECONDS,
        env = "DOSSIER_CLOCK_LEEWAY", value_parser = clap::value_parser!(i64).range(0..=300))]
    clock_leeway: i64,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    applications: applications::Arguments,
}

/// Bounds of the buckets of durations, in seconds.
const DURATION_BUCKETS: [f64; 14] =
    [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 30.0];

/// Most connections at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 8_192;
/// Longest time to receive the head of a request.
const HEADER_TIME_MAX: Duration = Duration::from_secs(10);
/// Longest head of a request, in bytes, which is also how much is read ahead. A hundred uploads at
/// once must not hold a hundred large buffers.
const READ_BYTES_MAX: usize = 64 << 10;
/// Pause after a connection could not be accepted: most likely too many files are open.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// How often unused attachments are removed.
const COLLECT_EVERY: Duration = Duration::from_secs(60);
/// Longest wait for running requests when the server is told to stop.
const STOP_TIME_MAX: Duration = Duration::from_secs(10);

/// Runs until told to stop.
///
/// # Errors
/// What failed, and what to do.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let loopback = arguments.listen.ip().is_loopback();
    if arguments.demo && !loopback {
        anyhow::bail!("--demo serves on loopback only: its credentials are for trials");
    }
    // Settings are checked before anything is started.
    let _ = with_cors_origins(axum::Router::new(), &arguments.cors_origin)?;
    let metrics = start_metrics()?;
    let listener = bind(arguments.listen).await?;
    let ops_listener = match arguments.ops_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let place = arguments.place.clone();
    let directory = tokio::select! {
        opened = open(&place) => opened?,
        () = told_to_stop() => return Ok(ExitCode::from(130)),
    };
    let issuer = directory.local_issuer().await?;
    let engine = directory.engine.clone();
    let applications = &arguments.applications;
    let applications = match applications.open(&engine, &place.data_dir, arguments.demo).await {
        Ok(applications) => applications,
        Err(error) => {
            directory.close().await?;
            return Err(error);
        }
    };
    let leeway = chrono::Duration::seconds(arguments.clock_leeway);
    let verifier = Verifier::new(issuer.clone(), leeway);
    let app = App::new(engine.clone(), verifier, applications, metrics, loopback);
    engine.keep(tokio::spawn(react::run(engine.clone())));
    let address = listener.local_addr().context("reading the address")?;
    if arguments.demo {
        let ready = demo::prepare(&directory, &issuer, &place.data_dir, address).await;
        match ready {
            Ok(text) => println!("{text}"),
            Err(error) => {
                directory.close().await?;
                return Err(error.context("preparing the demo"));
            }
        }
    }
    tracing::info!(%address, "listening on http://{address}, where /docs describes the API");
    if engine.head().await? == 0 {
        tracing::info!(
            "the directory is empty: make a tenant with `dossier apply FILE`, or start with --demo \
             to look at one with real people"
        );
    }
    let router = with_cors_origins(routes::router(app.clone()), &arguments.cors_origin)?;
    let served = until_stopped(app, (listener, router), ops_listener).await;
    directory.close().await?;
    served?;
    if engine.went_back().is_cancelled() {
        anyhow::bail!(
            "the log went back or began another epoch while the server ran: start it again, so \
             that it forgets what it holds in memory (see ops/runbooks/backup-and-restore.md)"
        );
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Serves both listeners until told to stop, or until the log has gone back.
async fn until_stopped(
    app: Arc<App>,
    (listener, router): (TcpListener, axum::Router),
    ops_listener: Option<TcpListener>,
) -> anyhow::Result<()> {
    let stopping = CancellationToken::new();
    let went_back = app.engine.went_back();
    let main = serve(listener, router, stopping.clone());
    let kept = keep(app.clone(), stopping.clone());
    let ops = async {
        match ops_listener {
            Some(listener) => serve(listener, routes::ops_router(app), stopping.clone()).await,
            None => Ok(()),
        }
    };
    let stop = async {
        tokio::select! {
            () = told_to_stop() => tracing::info!("stopping: finishing what is in flight"),
            // Memory holds what is no longer in the log: only a new start forgets it.
            () = went_back.cancelled() => {}
        }
        stopping.cancel();
    };
    let (main, ops, (), ()) = tokio::join!(main, ops, kept, stop);
    main.and(ops)
}

/// Tasks beside requests, until told to stop; they must end before the database does: sending
/// e-mails, storing the last use of tickets, removing unused attachments.
async fn keep(app: Arc<App>, stopping: CancellationToken) {
    let applications = &app.applications;
    let idle_max = chrono::Duration::seconds(applications.settings.ticket_seconds_max);
    let tickets = applications.tickets.clone().keep(app.engine.clone(), idle_max, stopping.clone());
    let collecting = async {
        let mut collector = Collector::default();
        let mut round = tokio::time::interval(COLLECT_EVERY);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = round.tick() => {}
            }
            let now = chrono::Utc::now();
            let done = collector.round(&app.engine, &applications.attachments, now);
            tokio::select! {
                () = stopping.cancelled() => return,
                done = done => if let Err(error) = done {
                    tracing::warn!(error = %error, "could not collect attachments, trying again");
                }
            }
        }
    };
    tokio::join!(tickets, collecting, applications.outbox.run(stopping.clone()));
}

/// The router, also for pages of these other origins.
fn with_cors_origins(router: axum::Router, origins: &[String]) -> anyhow::Result<axum::Router> {
    routes::with_origins(router, origins).map_err(|why| anyhow::anyhow!("--cors-origin: {why}"))
}

/// The server owns its data directory; a second server is told so.
async fn open(place: &Place) -> anyhow::Result<Directory> {
    match &place.database_url {
        Some(url) => Directory::on_server(url, place.owner_database_url.as_deref()).await,
        None => Directory::embedded(&place.data_dir, Default::default()).await,
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address}: is another server running there?"))
}

async fn serve(
    listener: TcpListener,
    router: axum::Router,
    stopping: CancellationToken,
) -> anyhow::Result<()> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME_MAX)
        .max_buf_size(READ_BYTES_MAX);
    builder.http2().timer(TokioTimer::new());
    let router = router.layer(middleware::from_fn(observe::with_host));
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // At the bound, further connections wait in the system's backlog.
        let permit = connections.clone().acquire_owned().await.context("counting connections")?;
        let (stream, address) = tokio::select! {
            () = stopping.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(error = %error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                    continue;
                }
            },
        };
        let _ = stream.set_nodelay(true);
        let router = router.clone().layer(Extension(ConnectInfo(address)));
        let service = TowerToHyperService::new(router);
        let connection =
            builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Its errors come from the client's side; failed requests are logged elsewhere.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    // Open connections without a request must not delay the stop for long.
    let _ = tokio::time::timeout(STOP_TIME_MAX, graceful.shutdown()).await;
    Ok(())
}

/// Resolves at Ctrl-C or SIGTERM.
pub async fn told_to_stop() {
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(_) => return std::future::pending().await,
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let events = Matcher::Full("dossier_append_batch_events".to_owned());
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(seconds, &DURATION_BUCKETS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(events, &[1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0])
        })
        .context("setting up the metrics")?;
    let handle = builder.install_recorder().context("setting up the metrics")?;
    metrics_process::Collector::default().describe();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(std::time::Duration::from_secs(5));
        loop {
            tick.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}
