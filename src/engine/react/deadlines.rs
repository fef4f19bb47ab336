//! Ends what time ends, and what ends with its owner: sessions, emulations, drafts, exports.
//! `kept/tickets` ends tickets that nobody used.

use chrono::Utc;
use metrics::gauge;

use crate::domain::draft::{self, Draft};
use crate::domain::export::{self, Export};
use crate::domain::ids::{SessionId, TenantId};
use crate::domain::session::{self, Session};
use crate::domain::{Area, Occurred};
use crate::engine::Engine;
use crate::engine::write::execute::OneOrder;
use crate::projections::deadlines;
use crate::store::{Doing, Error};

use super::emulations::cut;
use super::{command, wait_for_folds};

/// Passed deadlines taken at once.
const DEADLINES_AT_ONCE: i64 = 200;

/// Ends everything that is due.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Corrupt`].
pub async fn react_to_time(engine: &Engine) -> Result<(), Error> {
    let client = engine.connection().await?;
    let rows = deadlines::read::due(&client, Utc::now(), DEADLINES_AT_ONCE)
        .await
        .doing("reading deadlines")?;
    let live = deadlines::read::emulation_count(&client).await.doing("counting emulations")?;
    drop(client);
    gauge!("dossier_emulations_active").set(live as f64);
    let mut defect = None;
    for row in &rows {
        match end(engine, row, row.version, "expired").await {
            Ok(()) => {}
            // A failure of one does not stop the others.
            Err(error @ Error::Corrupt(..)) => defect = Some(error),
            Err(error) => return Err(error),
        }
    }
    if !rows.is_empty() {
        wait_for_folds(engine).await?;
    }
    defect.map_or(Ok(()), Err)
}

/// Ends the sessions and closes the drafts of a profile that was deleted.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Corrupt`].
pub async fn end_owned(engine: &Engine, cause: &Occurred) -> Result<(), Error> {
    loop {
        let client = engine.connection().await?;
        let (tenant, owner) = (cause.tenant_id.0, cause.stream_id);
        let rows = deadlines::read::of_subject(&client, tenant, owner, DEADLINES_AT_ONCE)
            .await
            .doing("reading what it owned")?;
        drop(client);
        if rows.is_empty() {
            return Ok(());
        }
        for row in &rows {
            end(engine, row, cause.position, "owner_deleted").await?;
        }
        wait_for_folds(engine).await?;
    }
}

/// Ends the subject of a deadline.
async fn end(
    engine: &Engine,
    row: &deadlines::Row,
    cause: i64,
    reason: &'static str,
) -> Result<(), Error> {
    let (tenant, id) = (TenantId(row.tenant_id), row.stream_id);
    match Area::named(&row.area) {
        Some(Area::Emulation) => cut(engine, tenant, SessionId(id), cause, None).await,
        Some(Area::Session) => {
            let order = OneOrder::<Session>::new(id, session::Command::EndSession { reason });
            command(engine, tenant, "session", "end_session", cause, &order).await
        }
        Some(Area::Draft) => {
            let order = OneOrder::<Draft>::new(id, draft::Command::CloseDraft { reason });
            command(engine, tenant, "draft", "close_draft", cause, &order).await
        }
        Some(Area::Export) => {
            engine.remove_file(id).await?;
            let order = OneOrder::<Export>::new(id, export::Command::PurgeExport);
            command(engine, tenant, "export", "purge_export", cause, &order).await
        }
        Some(Area::Tenant | Area::Profile | Area::Access | Area::Operation) | None => Ok(()),
    }
}
