//! What was acknowledged is read back, whoever has come how far: the follower that feeds the cached
//! states, or the lanes that feed the read models (issue 8).

use std::sync::Arc;
use std::time::Duration;

use dossier::domain::ids::TenantId;
use dossier::domain::tenant::{ApplicationCommand, Command, Event, Tenant};
use dossier::engine::write::execute::{CommandContext, Executed};
use dossier::engine::{Engine, Priority, Settings};
use dossier::intake::operator;
use uuid::Uuid;

use crate::support::api::engine;
use crate::support::database::database;

const LONG: Duration = Duration::from_secs(20);

async fn ordered(engine: &Engine, tenant: TenantId, command: Command) -> Executed<Vec<Event>> {
    let context = CommandContext {
        tenant,
        envelope: Arc::new(operator("test")),
        area: "tenant",
        priority: Priority::Caller,
    };
    engine.order::<Tenant>(&context, tenant.0, (), command).await.unwrap()
}

fn registered(name: &str) -> Command {
    Command::RegisterTenant { name: name.to_owned() }
}

async fn requires_verification(engine: &Engine, tenant: TenantId) -> bool {
    engine.catalogue(tenant).await.unwrap().verifies_new_profiles
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_waits_for_the_cached_states_when_the_read_models_have_passed_them() {
    let database = database().await;
    let other = engine(database.clone()).await;
    let settings = Settings {
        database,
        pool_connections: 1,
        next_start: None,
        alone: false,
        projecting: true,
    };
    let engine = Engine::start(settings).await.unwrap();
    let tenant = TenantId(Uuid::now_v7());
    assert!(ordered(&engine, tenant, registered("one")).await.folded);
    // The follower has no connection to read what comes from elsewhere; the lanes have their own.
    let held = engine.connection().await.unwrap();
    ordered(&other, TenantId(Uuid::now_v7()), registered("elsewhere")).await;
    let command =
        Command::ForApplications(ApplicationCommand::RequireVerification { required: true });
    let executed = ordered(&engine, tenant, command).await;
    let position = executed.position.unwrap();
    assert!(engine.projections.wait_folded(position, LONG).await);
    assert!(engine.followed() < position);
    // This is what a server did that said it had folded.
    assert!(!requires_verification(&engine, tenant).await);
    assert!(!executed.folded);
    assert!(engine.readable() < position);
    assert!(engine.reach(position, true).await.is_err());
    drop(held);
    assert!(engine.wait_readable(position, LONG).await);
    assert!(engine.readable() >= position);
    assert!(requires_verification(&engine, tenant).await);
}
