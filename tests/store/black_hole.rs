//! A database that takes what it is sent and says nothing: nobody waits for it for long.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dossier::store::{Database, Error};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;
use tokio_postgres::config::Host;

use super::append::{Log, one, stream};
use crate::support::database::database;

/// The same database behind a proxy that, when told so, swallows whatever comes.
async fn behind_a_proxy(database: &Database) -> (Database, watch::Sender<bool>) {
    let config = database.config();
    let Some(Host::Unix(folder)) = config.get_hosts().first() else { panic!("{config:?}") };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let socket: Arc<PathBuf> = Arc::new(folder.join(format!(".s.PGSQL.{port}")));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (swallowing, told) = watch::channel(false);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = UnixStream::connect(&*socket).await.unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(carry(from_client, to_server, told.clone()));
            tokio::spawn(carry(from_server, to_client, told.clone()));
        }
    });
    let mut through = tokio_postgres::Config::new();
    through
        .host("127.0.0.1")
        .port(address.port())
        .user(config.get_user().unwrap())
        .dbname(config.get_dbname().unwrap());
    if let Some(password) = config.get_password() {
        through.password(password);
    }
    (Database::new(through), swallowing)
}

async fn carry(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    swallowing: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if !*swallowing.borrow() && to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_says_nothing_is_unavailable_after_seconds_and_used_again_when_it_speaks() {
    let (database, swallowing) = behind_a_proxy(&database().await).await;
    let log = Log::on(&database).await;
    let kept = stream();
    log.append(one(kept, 0)).await.unwrap();
    assert_eq!(log.reader.head().await.unwrap(), 1);
    swallowing.send_replace(true);
    let started = Instant::now();
    let (appended, read, listening) =
        tokio::join!(log.append(one(stream(), 0)), log.reader.head(), database.listen("nothing"),);
    assert!(matches!(appended, Err(Error::Unavailable(..))), "{appended:?}");
    assert!(matches!(read, Err(Error::Unavailable(..))), "{read:?}");
    assert!(matches!(listening, Err(Error::Unavailable(..))));
    assert!(started.elapsed() < Duration::from_secs(40), "{:?}", started.elapsed());
    swallowing.send_replace(false);
    log.append(one(kept, 1)).await.unwrap();
    assert_eq!(log.reader.heads(&[kept]).await.unwrap(), [2]);
}
