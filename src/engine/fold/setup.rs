//! Makes missing schemas of read models. The running server does this itself, as their owner, since
//! read models can always be made again.

use tokio_postgres::Client;

use crate::projections::{self, Definition, schemas};
use crate::store::{Database, Doing, Error, begin_epoch};

/// Makes missing schemas, and makes those again that are ahead of the log. Several processes may do
/// so at once.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Corrupt`].
pub async fn make_read_models(database: &Database) -> Result<(), Error> {
    let (client, _driver) = database.connect().await?;
    if let Some(epoch) = begin_epoch(&client).await? {
        tracing::error!(
            epoch,
            "THE LOG IS NOT WHAT IT WAS: the database was restored or promoted, or the log ends \
             before what is known of it. Epoch {epoch} begins; position tokens and cursors from \
             before are refused"
        );
    }
    let lock = "select pg_advisory_lock(hashtext('dossier_read_models'))";
    client.batch_execute(lock).await.doing("making read models")?;
    drop_read_models_ahead(&client).await?;
    let mut made = Vec::new();
    for model in projections::all() {
        if make(&client, &model).await? {
            made.push(model.schema);
        }
    }
    if !made.is_empty() {
        tracing::info!(models = made.len(), "made the read models {}", made.join(", "));
    }
    let unlock = "select pg_advisory_unlock(hashtext('dossier_read_models'))";
    client.batch_execute(unlock).await.doing("making read models")
}

/// Drops read models that are ahead of the log: the lanes fold them again from the first event.
async fn drop_read_models_ahead(client: &Client) -> Result<(), Error> {
    // One statement sees one snapshot, although others append and fold meanwhile.
    let ahead = "select
        coalesce((select max(to_position) from views.folds), 0)
        > coalesce((select max(position) from log.events), 0)";
    if !client
        .query_one(ahead, &[])
        .await
        .doing("comparing the read models with the log")?
        .get::<_, bool>(0)
    {
        return Ok(());
    }
    tracing::error!("the read models are ahead of the log: all of them are made again");
    let drops = schemas().join(", ");
    let sql =
        format!("begin; drop schema if exists {drops} cascade; delete from views.folds; commit;");
    client.batch_execute(&sql).await.doing("comparing the read models with the log")
}

/// Makes a read model; false if it exists.
async fn make(client: &Client, model: &Definition) -> Result<bool, Error> {
    let Definition { schema, table, .. } = model;
    let known = "select 1 from pg_namespace where nspname = $1";
    if client.query_opt(known, &[schema]).await.doing("making a read model")?.is_some() {
        return Ok(false);
    }
    let sql = format!(
        "begin; create schema {schema}; set local search_path = {schema}, views; {table} commit;"
    );
    client.batch_execute(&sql).await.doing("making a read model")?;
    Ok(true)
}
