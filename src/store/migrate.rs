//! Migrates the schemas that must not be lost, and grants the running server its rights: to read
//! and insert events, and nothing more.

use tokio_postgres::Client;

use super::{Doing, Error};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The role of the running server on the embedded database.
pub const GRANTED_ROLE: &str = "dossier_app";

/// Applies missing migrations, then grants `role` its rights. `client` is connected as the owner.
///
/// # Errors
/// [`Error::Corrupt`] when the database is not what the migrations expect.
pub async fn migrate(client: &mut Client, role: Option<&str>) -> Result<(), Error> {
    // One process at a time: two that start together would apply the same file twice.
    let lock = "select pg_advisory_lock(hashtext('dossier_migrate'))";
    client.batch_execute(lock).await.doing("migrating the database")?;
    let applied = embedded::migrations::runner().run_async(client).await;
    let applied = match applied {
        Ok(_) => match role {
            Some(role) => client.batch_execute(&grants(role)).await.doing("migrating the database"),
            None => Ok(()),
        },
        Err(error) => Err(Error::Corrupt(format!("migrating the database: {error}"), None)),
    };
    let unlock = "select pg_advisory_unlock(hashtext('dossier_migrate'))";
    client.batch_execute(unlock).await.doing("migrating the database")?;
    applied
}

fn grants(role: &str) -> String {
    let role = format!("\"{}\"", role.replace('"', "\"\""));
    format!(
        "grant usage on schema log, ops, views to {role};
        grant select, insert on log.events to {role};
        grant select, insert, delete on log.claims to {role};
        grant select on log.epoch to {role};
        grant execute on all functions in schema log to {role};
        grant execute on function views.begin_mend, views.extend_folds to {role};
        grant select, insert, update, delete on all tables in schema ops to {role};
        grant select, insert, delete on all tables in schema views to {role};
        do $do$ begin
            execute format('grant create on database %I to {role}', current_database());
        end $do$;"
    )
}
