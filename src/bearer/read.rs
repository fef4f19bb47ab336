//! Reads a key set's text from a file or an address: bounded in time and size.
//!
//! Redirects to another scheme are never followed. Other machines are never read over plain HTTP,
//! nor through a proxy. The text is not checked here.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, ClientBuilder, StatusCode, Url};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::bearer::KeySource;

/// Longest wait for the key set of an issuer, in seconds.
const READ_SECONDS_MAX: u64 = 5;
/// Largest key set of an issuer, in bytes.
const KEY_SET_BYTES_MAX: usize = 256 * 1024;
const REDIRECTS_MAX: usize = 3;

/// Made at first use: a server whose issuers have files needs no root certificates.
#[derive(Default)]
pub(super) struct Reader {
    encrypted: OnceLock<Client>,
    plain: OnceLock<Client>,
}

/// Why the text could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("the address is neither https nor http on this machine")]
    AddressRefused,
    #[error("preparing the HTTP client")]
    Client(#[source] reqwest::Error),
    #[error("fetching the key set")]
    Fetch(#[source] reqwest::Error),
    #[error("fetching the key set: the answer's status is {0}")]
    Status(StatusCode),
    #[error("reading the key file")]
    File(#[source] io::Error),
    #[error("the key file is not a regular file")]
    NotAFile,
    #[error("the key set is larger than {KEY_SET_BYTES_MAX} bytes")]
    TooLarge,
    #[error("reading the key set took longer than {READ_SECONDS_MAX} s")]
    TooSlow,
    #[error("making out the key set")]
    NotAKeySet(#[source] serde_json::Error),
}

impl Reader {
    pub(super) async fn read(&self, source: &KeySource) -> Result<Vec<u8>, ReadError> {
        let reading = async {
            match source {
                KeySource::File(path) => read_file(path).await,
                KeySource::Url(text) => self.fetch(text).await,
            }
        };
        let outcome = tokio::time::timeout(Duration::from_secs(READ_SECONDS_MAX), reading).await;
        outcome.unwrap_or(Err(ReadError::TooSlow))
    }

    async fn fetch(&self, text: &str) -> Result<Vec<u8>, ReadError> {
        let address = address(text).ok_or(ReadError::AddressRefused)?;
        let client = self.client(&address)?;
        let request = client.get(address).header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(fetch_error)?;
        if response.status() != StatusCode::OK {
            return Err(ReadError::Status(response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fetch_error)? {
            if body.len() + chunk.len() > KEY_SET_BYTES_MAX {
                return Err(ReadError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn client(&self, address: &Url) -> Result<&Client, ReadError> {
        let (cell, builder) = if address.scheme() == "https" {
            (&self.encrypted, Client::builder().https_only(true))
        } else {
            // A proxy would take requests for this machine elsewhere. The system's certificates,
            // which may be missing, are not used.
            (&self.plain, Client::builder().no_proxy().tls_certs_only([]))
        };
        match cell.get() {
            Some(client) => Ok(client),
            None => {
                let client = prepared(builder).map_err(ReadError::Client)?;
                Ok(cell.get_or_init(|| client))
            }
        }
    }
}

/// The address of a key set, if it may be fetched.
pub(super) fn address(text: &str) -> Option<Url> {
    let address = Url::parse(text).ok()?;
    let anonymous = address.username().is_empty() && address.password().is_none();
    (anonymous && is_permitted(&address)).then_some(address)
}

fn prepared(builder: ClientBuilder) -> Result<Client, reqwest::Error> {
    builder
        .redirect(Policy::custom(redirected))
        .timeout(Duration::from_secs(READ_SECONDS_MAX))
        .pool_max_idle_per_host(0)
        .user_agent(concat!("dossier/", env!("CARGO_PKG_VERSION")))
        .build()
}

fn redirected(attempt: Attempt<'_>) -> Action {
    let from = attempt.previous();
    let same_scheme = from.iter().all(|address| address.scheme() == attempt.url().scheme());
    if from.len() <= REDIRECTS_MAX && same_scheme && is_permitted(attempt.url()) {
        attempt.follow()
    } else {
        attempt.error("redirected too often, or to where no keys are fetched from")
    }
}

/// Keys that came unencrypted over a network could be anybody's.
fn is_permitted(address: &Url) -> bool {
    match (address.scheme(), address.host_str()) {
        ("https", Some(_)) => true,
        ("http", Some("localhost")) => true,
        ("http", Some(host)) => {
            let number = host.trim_matches(['[', ']']).parse::<IpAddr>();
            number.is_ok_and(|number| number.is_loopback())
        }
        _ => false,
    }
}

/// The log line has the address already, without its possible secrets.
fn fetch_error(error: reqwest::Error) -> ReadError {
    ReadError::Fetch(error.without_url())
}

async fn read_file(path: &Path) -> Result<Vec<u8>, ReadError> {
    // Opening a pipe would wait for a writer, perhaps without end.
    let is_file = tokio::fs::metadata(path).await.map_err(ReadError::File)?.is_file();
    if !is_file {
        return Err(ReadError::NotAFile);
    }
    let file = File::open(path).await.map_err(ReadError::File)?;
    let mut text = Vec::new();
    let bound = KEY_SET_BYTES_MAX as u64 + 1;
    file.take(bound).read_to_end(&mut text).await.map_err(ReadError::File)?;
    if text.len() > KEY_SET_BYTES_MAX {
        return Err(ReadError::TooLarge);
    }
    Ok(text)
}
