//! The tables of the profile read models, as POST /docs shows them: read off the very statements
//! that create them (contract 4.10). Never asks the database.

use crate::projections::catalogue::Catalogue;
use crate::projections::profile_counts::ProfileCounts;
use crate::projections::profile_drafts_view::ProfileDraftsView;
use crate::projections::profile_search::ProfileSearch;
use crate::projections::profiles_view::ProfilesView;
use crate::projections::shared_values::SharedValues;
use crate::projections::{self, ReadModel as _};

/// A read model as documented.
pub struct ReadModel {
    /// The name of its folder, table and checkpoint.
    pub name: &'static str,
    /// How its rows come about, in words.
    pub definition: &'static str,
    table: &'static str,
}

/// A column as documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The column.
    pub name: &'static str,
    /// Its type, as `table.sql` writes it.
    pub sql_type: &'static str,
    /// Whether it may be null.
    pub nullable: bool,
}

impl ReadModel {
    /// The columns of its table, in order.
    pub fn columns(&self) -> Vec<Column> {
        let lines = projections::column_lines(self.table);
        let columns = lines.filter_map(|line| {
            let mut words = line.split_whitespace();
            let (name, sql_type) = (words.next()?, words.next()?);
            Some(Column { name, sql_type, nullable: !line.contains("not null") })
        });
        columns.collect()
    }
}

/// Contract 3: a row per profile.
pub const PROFILES_VIEW: ReadModel = ReadModel {
    name: ProfilesView::NAME,
    definition: "One row per live profile, folded from the events of its stream. \
                 A deleted profile has none.",
    table: ProfilesView::TABLE,
};

/// Contract 3: what the search index is loaded from.
pub const PROFILE_SEARCH: ReadModel = ReadModel {
    name: ProfileSearch::NAME,
    definition: "One row per live profile with what it can be found by and sorted by. \
                 The search index in memory is loaded from it.",
    table: ProfileSearch::TABLE,
};

/// Contract 3: how many profiles there are, by what they have in common.
pub const PROFILE_COUNTS: ReadModel = ReadModel {
    name: ProfileCounts::NAME,
    definition: "One row per counter: each event adds what its profile stands for after it and \
                 takes away what it stood for before.",
    table: ProfileCounts::TABLE,
};

/// Contract 3: a row per draft.
pub const PROFILE_DRAFTS_VIEW: ReadModel = ReadModel {
    name: ProfileDraftsView::NAME,
    definition: "One row per open draft with what its last save stored. A closed draft has none.",
    table: ProfileDraftsView::TABLE,
};

/// Contract 3: names, e-mail addresses and limits by their shared ids.
pub const SHARED_VALUES: ReadModel = ReadModel {
    name: SharedValues::NAME,
    definition: "One row per name, e-mail address and request limit that any event of the tenant \
                 has carried, by the id that equal values share.",
    table: SharedValues::TABLE,
};

/// Contract 3: what a tenant's catalogue holds, roles and departments among it.
pub const CATALOGUE: ReadModel = ReadModel {
    name: Catalogue::NAME,
    definition: "One row per entry of the tenant's catalogue as it was last defined, a role or a \
                 department by its kind. Requests read the same events from memory.",
    table: Catalogue::TABLE,
};
