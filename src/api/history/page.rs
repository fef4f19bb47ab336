//! Which page of a list, and how long: `limit`, `order` and `cursor` (History contract 0.5).

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query as QueryOf};
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use utoipa::{IntoParams, ToSchema};

use crate::api::app::App;
use crate::api::people::failure::Failure;
use crate::domain::ids::TenantId;
use crate::engine::history::Range;

use super::query::{Query, Scope};

/// Entries of a page if no limit is given.
const LIMIT_DEFAULT: i64 = 50;
/// Most entries of a page of the History API.
const LIMIT_MAX: i64 = 500;

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum EventOrder {
    #[default]
    Newest,
    Oldest,
}

/// Which page, and how long.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// `newest` or `oldest`: which come first.
    #[param(inline, value_type = Option<EventOrder>)]
    pub order: EventOrder,
    /// `next_cursor` of the page before. It belongs to that page's path, filters and order.
    pub cursor: Option<String>,
    /// 1 to 500; 50 by default.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<i64>,
    #[param(ignore)]
    scope: Scope,
}

/// How long a page is and where it begins, of a list with one order.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Limited {
    /// `next_cursor` of the page before. It belongs to that page's path and filters.
    pub cursor: Option<String>,
    /// 1 to 500; 50 by default.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<i64>,
    #[param(ignore)]
    scope: Scope,
}

impl Limited {
    /// Takes these from a query.
    pub fn take(query: &mut Query) -> Limited {
        let limit = query.one("limit", limit);
        let cursor = query.one("cursor", |text| Ok::<_, String>(text.to_owned()));
        Limited { cursor, limit, scope: query.scope() }
    }

    /// Most entries of the page.
    pub fn limit(&self) -> i64 {
        self.limit.unwrap_or(LIMIT_DEFAULT)
    }

    /// The cursor of the page that begins after the entry with this position and these parts.
    pub fn cursor_after(
        &self,
        app: &App,
        tenant: TenantId,
        position: i64,
        parts: &[&str],
    ) -> String {
        let token = app.engine.seal_position(tenant, position);
        let parts = serde_json::to_vec(parts).unwrap_or_default();
        format!("{token}.{}.{}", URL_SAFE_NO_PAD.encode(parts), self.scope)
    }

    /// The position and the parts of the entry after which the page begins; None on the first one.
    ///
    /// # Errors
    /// [`Failure::InvalidCursor`].
    pub fn place<const PARTS: usize>(
        &self,
        app: &App,
        tenant: TenantId,
    ) -> Result<Option<(i64, [String; PARTS])>, Failure> {
        let Some(cursor) = self.cursor.as_deref() else { return Ok(None) };
        let place = || {
            let (token, rest) = cursor.split_once('.')?;
            let (parts, scope) = rest.split_once('.')?;
            let position = app.engine.open_position(tenant, token).ok()?;
            let parts: Vec<String> =
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts).ok()?).ok()?;
            let fits = scope == self.scope.to_string() && !parts.iter().any(|it| it.contains('\0'));
            Some((position, parts.try_into().ok().filter(|_| fits)?))
        };
        place().map(Some).ok_or(Failure::InvalidCursor)
    }
}

fn limit(text: &str) -> Result<i64, String> {
    let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or(format!("a number from 1 to {LIMIT_MAX} is expected"))
}

/// The query of a request.
pub struct Asked(pub Query);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    /// Its mistakes are told only to callers that may ask at all.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asked, Infallible> {
        let path = parts.uri.path();
        Ok(Asked(match QueryOf::<Vec<(String, String)>>::try_from_uri(&parts.uri) {
            Ok(QueryOf(given)) => Query::new(path, given),
            Err(_) => {
                let mut unreadable = Query::new(path, vec![]);
                unreadable.mistake("", &"the query is not readable as UTF-8");
                unreadable
            }
        }))
    }
}

impl PageParameters {
    /// Takes these from a query.
    pub fn take(query: &mut Query) -> PageParameters {
        let order = query.one("order", |text| match text {
            "newest" => Ok(EventOrder::Newest),
            "oldest" => Ok(EventOrder::Oldest),
            _ => Err("newest or oldest is expected"),
        });
        let limit = query.one("limit", limit);
        let cursor = query.one("cursor", |text| Ok::<_, String>(text.to_owned()));
        PageParameters { order: order.unwrap_or_default(), cursor, limit, scope: query.scope() }
    }

    /// The range that they describe.
    ///
    /// # Errors
    /// [`Failure::InvalidCursor`].
    pub fn range(&self, app: &App, tenant: TenantId) -> Result<Range, Failure> {
        let bound = self.cursor.as_deref().map(|cursor| self.open(app, tenant, cursor));
        Ok(Range {
            bound: bound.transpose()?,
            oldest_first: self.order == EventOrder::Oldest,
            limit: self.limit.unwrap_or(LIMIT_DEFAULT),
        })
    }

    /// The cursor of the page that begins after this position.
    pub fn cursor_after(&self, app: &App, tenant: TenantId, position: i64) -> String {
        format!("{}{}", app.engine.seal_position(tenant, position), self.scope)
    }

    fn open(&self, app: &App, tenant: TenantId, cursor: &str) -> Result<i64, Failure> {
        let token = cursor.strip_suffix(&self.scope.to_string()).ok_or(Failure::InvalidCursor)?;
        app.engine.open_position(tenant, token).map_err(|_| Failure::InvalidCursor)
    }
}
