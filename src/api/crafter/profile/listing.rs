//! Reads lists of profiles and answers with them. However long a list is, few of its profiles are
//! in memory at once: what does not fit into one page is streamed.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::api::app::App;
use crate::api::crafter::answer::Answer;
use crate::api::crafter::call::Call;
use crate::api::crafter::entitled::Given;
use crate::api::crafter::error::{Failure, JSON};
use crate::api::crafter::find::{self, FoundTenant};
use crate::api::crafter::parameters::{Page, Sort, SortOrder};
use crate::api::crafter::selector::Bean;
use crate::api::crafter::types::profile::Profile as Wire;
use crate::domain::attributes::{AttributeToReturn, returned};
use crate::domain::filter::{Filter, Path, check_path};
use crate::domain::object_id::shown;
use crate::engine::{Doing, Error};
use crate::projections::profile_documents::read::{Asked, Direction, Found, pages};

/// Profiles read at once.
const PAGE_ROWS: usize = 1_000;
/// Longest wait for a turn to read.
const TURN_WAIT_MAX: Duration = Duration::from_secs(2);
/// Pages that may wait while the client reads slowly.
const PAGES_WAITING_MAX: usize = 2;

/// Which of a tenant's profiles are wanted.
pub struct Wanted {
    pub filter: Filter,
    pub sort: Option<Sort>,
    pub page: Page,
    /// Whether the caller wrote the filter: if it takes too long, the error is the caller's.
    pub is_query: bool,
}

/// The field to sort by, if the caller may read it.
pub fn sorted_by(call: &Call, tenant: &FoundTenant, sort: &Sort) -> Option<Path> {
    let path = Path::parse(&sort.by).ok()?;
    let reads = |name: &str| call.caller.reads(&tenant.catalogue, name);
    check_path(&path, &reads, true).is_ok().then_some(path)
}

/// How the list is sorted.
pub fn direction(sort: &Sort) -> Direction {
    match sort.order {
        SortOrder::Ascending => Direction::Ascending,
        SortOrder::Descending => Direction::Descending,
    }
}

/// The first profiles of a list.
///
/// # Errors
/// [`Failure::InvalidQuery`] for a query that takes too long, [`Failure::Unavailable`].
pub async fn first_page(
    app: &App,
    call: &Call,
    tenant: &FoundTenant,
    wanted: Wanted,
) -> Result<Vec<Found>, Failure> {
    let (mut read, end) = reading(app, call, tenant, wanted).await?;
    match read.recv().await {
        Some(page) => Ok(page),
        None => Err(end.await.unwrap_or(Ok(())).err().unwrap_or(Failure::Internal)),
    }
}

/// A turn to read a list. Callers wait for it for a bounded time.
///
/// # Errors
/// [`Failure::Overloaded`].
pub async fn turn(app: &App) -> Result<OwnedSemaphorePermit, Failure> {
    let turn = tokio::time::timeout(TURN_WAIT_MAX, app.applications.lists.clone().acquire_owned());
    turn.await.map_err(|_| Failure::Overloaded)?.map_err(|_| Failure::Overloaded)
}

/// How the reading of a list ended.
type End = oneshot::Receiver<Result<(), Failure>>;

/// Starts to read a list in a task of its own, which ends when nobody takes its pages.
async fn reading(
    app: &App,
    call: &Call,
    tenant: &FoundTenant,
    wanted: Wanted,
) -> Result<(mpsc::Receiver<Vec<Found>>, End), Failure> {
    let turn = turn(app).await?;
    let mut client = app.engine.connection().await?;
    let path = wanted.sort.as_ref().and_then(|sort| sorted_by(call, tenant, sort));
    let tenant = tenant.id.0;
    let (handed, read) = mpsc::channel(PAGES_WAITING_MAX);
    let (ended, end) = oneshot::channel();
    tokio::spawn(async move {
        let asked = Asked {
            tenant,
            filter: &wanted.filter,
            sort: wanted.sort.as_ref().zip(path.as_ref()).map(|(sort, by)| (by, direction(sort))),
            skip: i64::from(wanted.page.start),
            limit: wanted.page.count.map(i64::from),
        };
        let read = pages(&mut client, asked, PAGE_ROWS, handed).await.doing("listing profiles");
        drop(turn);
        let is_query = wanted.is_query;
        let _ = ended.send(read.map_err(|error| match is_query {
            true => failed(error),
            false => error.into(),
        }));
    });
    Ok((read, end))
}

/// A list while it is sent.
struct Listed {
    call: Call,
    tenant: FoundTenant,
    attributes: AttributeToReturn,
    read: mpsc::Receiver<Vec<Found>>,
    end: End,
    /// Whether an item was sent already, so that a comma comes next.
    begun: bool,
    turn: Option<OwnedSemaphorePermit>,
}

/// Answers with a list: a short one at once, a longer one while it is read.
///
/// # Errors
/// As [`first_page`].
pub async fn list(app: &App, call: Call, tenant: FoundTenant, wanted: Wanted) -> Answer {
    let attributes = call.parameters.attribute_to_return()?;
    let (read, end) = reading(app, &call, &tenant, wanted).await?;
    let mut listed = Listed { call, tenant, attributes, read, end, begun: false, turn: None };
    let first = listed.next_page().await?.ok_or(Failure::Internal)?;
    let Some(second) = listed.next_page().await? else {
        return Ok(answer(Body::from(format!("[{first}]"))));
    };
    // From here on a connection is held for as long as the client reads.
    let turn = app.applications.long_lists.clone().try_acquire_owned();
    listed.turn = Some(turn.map_err(|_| Failure::Overloaded)?);
    let begun = Bytes::from(format!("[{first}{second}"));
    let rest = stream::unfold(Some(listed), |listed| async {
        let mut listed = listed?;
        // A list that breaks off must not look complete.
        match listed.next_page().await {
            Ok(Some(page)) => Some((Ok(Bytes::from(page)), Some(listed))),
            Ok(None) => Some((Ok(Bytes::from_static(b"]")), None)),
            Err(failure) => Some((Err(failure), None)),
        }
    });
    let whole = stream::once(async { Ok::<_, Failure>(begun) }).chain(rest);
    Ok(answer(Body::from_stream(whole)))
}

fn answer(body: Body) -> Response {
    ([(CONTENT_TYPE, JSON)], body).into_response()
}

impl Listed {
    /// The items of the next page, after a comma if items were sent before; None at the end.
    async fn next_page(&mut self) -> Result<Option<String>, Failure> {
        let Some(page) = self.read.recv().await else {
            let ended = (&mut self.end).await;
            return ended.unwrap_or(Err(Failure::Internal)).map(|()| None);
        };
        if !page.is_empty() {
            // Contract 1: the tenant is read when the first of its profiles is found.
            find::may_manage(&self.call, &self.tenant.name)?;
        }
        let mut items = String::new();
        for found in page {
            let bean = wire(&self.call, &self.tenant, found, &self.attributes)?;
            let mut bean = serde_json::to_value(bean).map_err(|_| Failure::Internal)?;
            if let Some(selector) = &self.call.selector {
                bean = selector.kept(Bean::Profile, bean);
            }
            if self.begun {
                items.push(',');
            }
            self.begun = true;
            items.push_str(&bean.to_string());
        }
        Ok(Some(items))
    }
}

/// A profile as answers show it.
///
/// # Errors
/// [`Failure::Internal`] for an attribute that is not JSON.
pub fn wire(
    call: &Call,
    tenant: &FoundTenant,
    found: Found,
    wanted: &AttributeToReturn,
) -> Result<Wire, Failure> {
    let mut attributes = Given::new();
    for (name, value) in found.attributes {
        if call.caller.reads(&tenant.catalogue, &name) {
            let value: Value = serde_json::from_str(value.get()).map_err(|_| Failure::Internal)?;
            attributes.insert(name, value);
        }
    }
    Ok(Wire {
        username: found.username,
        email: found.email,
        verified: found.verified,
        enabled: found.enabled,
        created_on: instant(found.created_on),
        last_modified: instant(found.last_modified),
        tenant: tenant.name.clone(),
        roles: found.roles,
        attributes: returned(&attributes, wanted, |_| true, true),
        id: shown(found.id),
    })
}

fn instant(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(milliseconds).unwrap_or_default()
}

/// A query that takes too long or cannot be evaluated is the caller's error; the rest are outages.
pub fn failed(error: Error) -> Failure {
    match error.sql_state() {
        Some("57014") => Failure::InvalidQuery("it takes too long".to_owned()),
        Some(code) if code.starts_with("22") => {
            Failure::InvalidQuery("it cannot be evaluated".to_owned())
        }
        _ => error.into(),
    }
}
