//! Read models: tables that can always be made again from the log. Each folder is one: its table,
//! its fold (pure) and its queries. The engine loads and stores rows and keeps checkpoints.

pub mod audit_log;
pub mod catalogue;
pub mod deadlines;
pub mod profile_attachments;
pub mod profile_changes;
pub mod profile_counts;
pub mod profile_documents;
pub mod profile_drafts_view;
pub mod profile_holdings;
pub mod profile_search;
pub mod profile_snapshots;
pub mod profiles_view;
pub mod shared_values;

use std::fmt::Debug;

use tokio_postgres::types::{FromSqlOwned, ToSql};
use uuid::Uuid;

use crate::domain::profile::{Past, Step};
use crate::domain::{Area, Occurred};

/// Names a row: a tenant and an id. The id alone is not enough, since callers choose ids and two
/// tenants may choose the same one.
pub type Key = (Uuid, Uuid);

/// Groups of read models that are folded apart, so that none waits for another's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Requests wait for these: a command is answered once they are folded.
    Views,
    /// Auditors search these. They have many indexes, and no command waits for them.
    Audit,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Lane; 2] = [Lane::Views, Lane::Audit];

    /// Its name in metrics and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Lane::Views => "views",
            Lane::Audit => "audit",
        }
    }
}

/// What every read model declares.
pub trait ReadModel: Send + Sync + 'static {
    /// Folder, table and wire name.
    const NAME: &'static str;
    /// Raised when table or fold change; the table is then filled anew in a schema of its own.
    const VERSION: u32;
    /// What creates the table in the schema that the search path names first.
    const TABLE: &'static str;
    /// The lane in which it is folded.
    const LANE: Lane = Lane::Views;
    /// Whether `POST /refresh` replays it (contract 4.14).
    const REFRESHED: bool = false;
    /// A row, as the composite type of its table.
    type Row: ToSql + FromSqlOwned + Clone + PartialEq + Debug + Send + Sync + 'static;

    /// The schema that holds this version's table.
    fn schema() -> String {
        format!("{}_v{}", Self::NAME, Self::VERSION)
    }
}

/// A read model whose every row is fed by one stream; an event touches at most one row.
pub trait RowModel: ReadModel {
    /// The row that the event touches.
    fn key(event: &Occurred) -> Option<Key>;
    /// The row after an event that it has not seen yet.
    fn evolve(row: Option<Self::Row>, event: &Occurred) -> Option<Self::Row>;
    /// The row's key.
    fn key_of(row: &Self::Row) -> Key;
    /// The version of the last event that touched the row.
    fn version_of(row: &Self::Row) -> i64;
    /// About how many bytes of the row callers chose without a small bound.
    fn weight(_: &Self::Row) -> usize {
        0
    }
    /// The areas whose events feed it.
    const AREAS: &'static [Area];
    /// The stream that feeds the row.
    fn source_of(row: &Self::Row) -> (Area, Uuid);
    /// The column that holds the id of the stream that feeds a row.
    const SOURCE_COLUMN: &'static str = "id";

    /// The row after an event. An event that the row has seen already changes nothing.
    fn fold(row: Option<Self::Row>, event: &Occurred) -> Option<Self::Row> {
        let seen = row.as_ref().is_some_and(|row| Self::version_of(row) >= event.version);
        if seen { row } else { Self::evolve(row, event) }
    }
}

/// A read model whose rows are only ever inserted; a row that exists already stays.
pub trait InsertModel: ReadModel {
    /// The rows that the event brings.
    fn rows(event: &Occurred) -> Vec<Self::Row>;
}

/// An [`InsertModel`] with at most one row for each event, found by the event's position.
pub trait EntryModel: InsertModel {
    /// The position of the row's event.
    fn position_of(row: &Self::Row) -> i64;
}

/// An [`InsertModel`] whose rows have ids. Several events may bring the same row.
pub trait ValueModel: InsertModel {
    /// The row's id, unique in its tenant.
    fn id_of(row: &Self::Row) -> Uuid;
}

/// An event of a profile, and what it did to the profile.
#[derive(Clone, Copy, Debug)]
pub struct Transition<'a> {
    pub event: &'a Occurred,
    /// The profile after the event.
    pub past: &'a Past,
    /// What the event changed; None when no field differs.
    pub step: Option<&'a Step>,
}

/// Tells a row of a [`TransitionModel`] from all others of its tenant: the profile, the position of
/// the event, and which of the event's rows it is.
pub type TransitionKey = (Uuid, i64, String);

/// A read model whose rows follow from what each event did to a profile. Rows are only ever
/// inserted. Its table has the columns tenant_id and profile_id, with an index that begins with
/// them.
pub trait TransitionModel: ReadModel {
    /// The rows that the event brings.
    fn rows(transition: Transition<'_>) -> Vec<Self::Row>;
    /// The row's key.
    fn key_of(row: &Self::Row) -> TransitionKey;
}

/// Which counter: tenant, dimension, key.
pub type Counter = (Uuid, &'static str, String);

/// A read model of counters with the columns tenant_id, dimension, key and profiles. Each counter
/// is the number of rows of another read model that have something in common. Both are stored in
/// the same transaction.
pub trait CounterModel: ReadModel {
    /// The read model whose rows are counted.
    type Counted: RowModel;
    /// SQL that counts the rows of a tenant, as dimension, key, profiles. `$1` is the tenant.
    const RECOUNT: &'static str;
    /// The counters in which a row counts, each once.
    fn counters_of(row: &<Self::Counted as ReadModel>::Row) -> Vec<Counter>;
}

/// An operation on every read model, whatever its kind.
pub trait Visitor {
    /// For rows that change.
    fn rows<M: RowModel>(&mut self);
    /// For rows that are inserted, at most one for each event.
    fn entries<M: EntryModel>(&mut self);
    /// For rows that are inserted, each id once.
    fn values<M: ValueModel>(&mut self);
    /// For rows that are inserted as profiles change.
    fn transitions<M: TransitionModel>(&mut self);
    /// For counters. They come after the read model that they count.
    fn counters<M: CounterModel>(&mut self);
}

/// Visits every read model, in the order in which messages list them.
pub fn visit(visitor: &mut impl Visitor) {
    visitor.rows::<profiles_view::ProfilesView>();
    visitor.rows::<profile_search::ProfileSearch>();
    visitor.counters::<profile_counts::ProfileCounts>();
    visitor.rows::<profile_documents::ProfileDocuments>();
    visitor.rows::<profile_attachments::ProfileAttachments>();
    visitor.rows::<profile_drafts_view::ProfileDraftsView>();
    visitor.rows::<catalogue::Catalogue>();
    visitor.rows::<deadlines::Deadlines>();
    visitor.values::<shared_values::SharedValues>();
    visitor.entries::<audit_log::AuditLog>();
    visitor.transitions::<profile_changes::ProfileChanges>();
    visitor.transitions::<profile_holdings::ProfileHoldings>();
    visitor.transitions::<profile_snapshots::ProfileSnapshots>();
}

/// A read model without its types: what its name, schema and lane are.
#[derive(Clone, Debug)]
pub struct Definition {
    pub name: &'static str,
    pub schema: String,
    /// The SQL that creates its table.
    pub table: &'static str,
    pub lane: Lane,
    /// Whether `POST /refresh` replays it.
    pub refreshed: bool,
}

/// Every read model.
pub fn all() -> Vec<Definition> {
    struct Definitions(Vec<Definition>);
    impl Definitions {
        fn add<M: ReadModel>(&mut self) {
            self.0.push(Definition {
                name: M::NAME,
                schema: M::schema(),
                table: M::TABLE,
                lane: M::LANE,
                refreshed: M::REFRESHED,
            });
        }
    }
    impl Visitor for Definitions {
        fn rows<M: RowModel>(&mut self) {
            self.add::<M>();
        }
        fn entries<M: EntryModel>(&mut self) {
            self.add::<M>();
        }
        fn values<M: ValueModel>(&mut self) {
            self.add::<M>();
        }
        fn transitions<M: TransitionModel>(&mut self) {
            self.add::<M>();
        }
        fn counters<M: CounterModel>(&mut self) {
            self.add::<M>();
        }
    }
    let mut definitions = Definitions(vec![]);
    visit(&mut definitions);
    definitions.0
}

/// The names of all read models, as `rebuild` and `verify` take them.
pub fn names() -> Vec<&'static str> {
    all().into_iter().map(|model| model.name).collect()
}

/// The names of the read models that `POST /refresh` replays, in order (contract 4.14).
pub fn refreshed() -> Vec<&'static str> {
    all().into_iter().filter(|model| model.refreshed).map(|model| model.name).collect()
}

/// The schema of every read model, for a search path.
pub fn schemas() -> Vec<String> {
    all().into_iter().map(|model| model.schema).collect()
}

/// The lines of a `table.sql` that define its columns, in order. Each column is one line.
pub fn column_lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    let body = table.split_once('(').map_or("", |(_, body)| body);
    let lines = body.lines().map(str::trim).take_while(|line| !line.starts_with(");"));
    lines.filter(|line| !line.is_empty() && !line.starts_with("constraint"))
}
