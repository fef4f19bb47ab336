//! The search index in memory: one for each tenant, fed by the fold of `profile_search`.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use deadpool_postgres::ClientWrapper;
use futures_util::{StreamExt, pin_mut};
use metrics::{gauge, histogram};
use uuid::Uuid;

use crate::projections::Key;
use crate::projections::profile_search::index::{Document, Index, Page, Query};
use crate::projections::profile_search::{ProfileSearch, Row, read};

use super::folder::{Change, Observer, load_rows};

/// The indexes of all tenants.
#[derive(Default)]
pub struct SearchIndexes {
    tenants: RwLock<HashMap<Uuid, Arc<RwLock<Index>>>>,
}

impl SearchIndexes {
    /// What the index of a tenant finds. Takes milliseconds at worst: for large tenants, call it on
    /// a thread for blocking work.
    pub fn search(&self, tenant: Uuid, query: &Query) -> Page {
        let started = Instant::now();
        let index = self.index(tenant);
        let page = index.read().unwrap_or_else(PoisonError::into_inner).search(query);
        histogram!("dossier_search_index_duration_seconds").record(started.elapsed());
        page
    }

    /// How many profiles a tenant's index holds.
    pub fn len(&self, tenant: Uuid) -> usize {
        self.index(tenant).read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Adds or removes documents.
    pub fn change(&self, changes: impl Iterator<Item = (Key, Option<Document>)>) {
        let mut by_tenant: HashMap<Uuid, Vec<(Uuid, Option<Document>)>> = HashMap::new();
        for ((tenant, id), document) in changes {
            by_tenant.entry(tenant).or_default().push((id, document));
        }
        for (tenant, changes) in by_tenant {
            let index = self.index(tenant);
            let mut index = index.write().unwrap_or_else(PoisonError::into_inner);
            for (id, document) in changes {
                match document {
                    Some(document) => index.put(document),
                    None => index.remove(id),
                }
            }
        }
    }

    /// Loads the documents of these profiles from `profile_search`.
    ///
    /// # Errors
    /// The driver's.
    pub async fn reread(
        &self,
        client: &ClientWrapper,
        keys: &[Key],
    ) -> Result<(), tokio_postgres::Error> {
        let mut documents: HashMap<Key, Option<Document>> =
            keys.iter().map(|key| (*key, None)).collect();
        for row in load_rows::<ProfileSearch>(client, keys).await? {
            documents.insert((row.tenant_id, row.id), Some(row.document()));
        }
        self.change(documents.into_iter());
        Ok(())
    }

    /// Loads the index of a tenant from `profile_search`.
    ///
    /// # Errors
    /// The driver's.
    pub async fn load(
        &self,
        client: &ClientWrapper,
        tenant: Uuid,
    ) -> Result<(), tokio_postgres::Error> {
        let started = Instant::now();
        let rows = read::all(client, tenant).await?;
        pin_mut!(rows);
        let mut documents = Vec::new();
        while let Some(row) = rows.next().await {
            documents.push(read::decode(&row?)?.document());
        }
        let count = documents.len();
        let index = tokio::task::spawn_blocking(move || Index::load(documents)).await;
        let Ok(index) = index else { return Ok(()) };
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        tenants.insert(tenant, Arc::new(RwLock::new(index)));
        drop(tenants);
        histogram!("dossier_search_index_load_duration_seconds").record(started.elapsed());
        tracing::info!(profiles = count, "loaded the search index of a tenant: {count} profiles");
        Ok(())
    }

    /// Updates the metrics of sizes.
    pub fn observe(&self) {
        let tenants: Vec<_> = {
            let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
            tenants.values().cloned().collect()
        };
        let (mut profiles, mut bytes) = (0, 0);
        for index in tenants {
            let index = index.read().unwrap_or_else(PoisonError::into_inner);
            profiles += index.len();
            bytes += index.memory_bytes();
        }
        gauge!("dossier_search_index_profiles").set(profiles as f64);
        gauge!("dossier_search_index_bytes").set(bytes as f64);
    }

    fn index(&self, tenant: Uuid) -> Arc<RwLock<Index>> {
        let known =
            self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        if let Some(index) = known {
            return index;
        }
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        tenants.entry(tenant).or_insert_with(|| Arc::new(RwLock::new(Index::new()))).clone()
    }
}

/// Keeps the indexes equal to the rows.
pub struct Indexing(pub Arc<SearchIndexes>);

impl Observer<ProfileSearch> for Indexing {
    fn changed(&mut self, changes: &[Change<Row>]) {
        let changed = changes.iter().filter(|change| change.before != change.after);
        self.0.change(changed.map(|one| (one.key, one.after.as_ref().map(Row::document))));
    }
}
