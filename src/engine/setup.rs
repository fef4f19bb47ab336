//! Makes the schemas of read models that are not there yet. The running server does this itself,
//! as their owner: they can always be made again.

use tokio_postgres::Client;

use crate::projections::{
    ReadModel, audit_log, catalogue, deadlines, exports, profile_attachments, profile_counts,
    profile_documents, profile_drafts_view, profile_search, profiles_view, shared_values,
};
use crate::store::{Database, Error};

/// Makes what is missing. Several processes may do so at once.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Corrupt`].
pub async fn make_read_models(database: &Database) -> Result<(), Error> {
    let (client, _driver) = database.connect().await?;
    let failed = |error| Error::of_statement("making read models", error);
    let lock = "select pg_advisory_lock(hashtext('dossier_read_models'))";
    client.batch_execute(lock).await.map_err(failed)?;
    make::<audit_log::AuditLog>(&client).await?;
    make::<catalogue::Catalogue>(&client).await?;
    make::<deadlines::Deadlines>(&client).await?;
    make::<exports::Exports>(&client).await?;
    make::<profile_attachments::ProfileAttachments>(&client).await?;
    make::<profile_counts::ProfileCounts>(&client).await?;
    make::<profile_documents::ProfileDocuments>(&client).await?;
    make::<profile_drafts_view::ProfileDraftsView>(&client).await?;
    make::<profile_search::ProfileSearch>(&client).await?;
    make::<profiles_view::ProfilesView>(&client).await?;
    make::<shared_values::SharedValues>(&client).await?;
    let unlock = "select pg_advisory_unlock(hashtext('dossier_read_models'))";
    client.batch_execute(unlock).await.map_err(failed)
}

async fn make<M: ReadModel>(client: &Client) -> Result<(), Error> {
    let schema = M::schema();
    let failed = |error| Error::of_statement("making a read model", error);
    let known = "select 1 from pg_namespace where nspname = $1";
    if client.query_opt(known, &[&schema]).await.map_err(failed)?.is_some() {
        return Ok(());
    }
    let sql = format!(
        "begin; create schema {schema}; set local search_path = {schema}, views; {} commit;",
        M::TABLE
    );
    client.batch_execute(&sql).await.map_err(failed)?;
    tracing::info!(model = M::NAME, "made the read model {schema}");
    Ok(())
}
