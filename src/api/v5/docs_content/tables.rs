//! The tables of the profile read models, as POST /docs shows them. Never read from the database:
//! what is shown is what was written here (contract 4.10).

/// A read model as documented.
pub struct ReadModel {
    /// The name of its folder, table and checkpoint.
    pub name: &'static str,
    /// How its rows come about, in words.
    pub definition: &'static str,
    /// The columns of its table, in order.
    pub columns: &'static [Column],
}

/// A column as documented.
pub struct Column {
    /// The column.
    pub name: &'static str,
    /// Its type, as `table.sql` writes it.
    pub sql_type: &'static str,
    /// Whether it may be null.
    pub nullable: bool,
}

/// Every read model documented.
pub const READ_MODELS: [&ReadModel; 5] =
    [&PROFILES_VIEW, &PROFILE_SEARCH, &PROFILE_COUNTS, &PROFILE_DRAFTS_VIEW, &SHARED_VALUES];

/// Contract 3: a row per profile.
pub const PROFILES_VIEW: ReadModel = ReadModel {
    name: "profiles_view",
    definition: "One row per live profile, folded from the events of its stream. \
                 A deleted profile has none.",
    columns: &[
        column("tenant_id", "uuid"),
        column("id", "uuid"),
        column("version", "bigint"),
        nullable("name_id", "uuid"),
        nullable("name", "text"),
        column("email_ids", "uuid[]"),
        column("emails", "text[]"),
        column("role_keys", "text[]"),
        column("department_ids", "uuid[]"),
        nullable("request_limit_id", "uuid"),
        nullable("requests_per_day", "int"),
        column("active", "bool"),
        column("attributes", "json"),
        column("created_at", "timestamptz"),
        column("updated_at", "timestamptz"),
    ],
};

/// Contract 3: what the search index is loaded from.
pub const PROFILE_SEARCH: ReadModel = ReadModel {
    name: "profile_search",
    definition: "One row per live profile with what it can be found by and sorted by. \
                 The search index in memory is loaded from it.",
    columns: &[
        column("tenant_id", "uuid"),
        column("id", "uuid"),
        column("version", "bigint"),
        nullable("name", "text"),
        nullable("name_key", "text"),
        column("emails", "text[]"),
        column("role_keys", "text[]"),
        column("department_ids", "uuid[]"),
        nullable("requests_per_day", "int"),
        column("active", "bool"),
    ],
};

/// Contract 3: how many profiles there are, by what they have in common.
pub const PROFILE_COUNTS: ReadModel = ReadModel {
    name: "profile_counts",
    definition: "One row per counter: each event adds what its profile stands for after it and \
                 takes away what it stood for before.",
    columns: &[
        column("tenant_id", "uuid"),
        column("counter", "text"),
        column("key", "text"),
        column("count", "bigint"),
    ],
};

/// Contract 3: a row per draft.
pub const PROFILE_DRAFTS_VIEW: ReadModel = ReadModel {
    name: "profile_drafts_view",
    definition: "One row per draft with what its last save stored. A closed draft stays, inactive.",
    columns: &[
        column("tenant_id", "uuid"),
        column("id", "uuid"),
        column("version", "bigint"),
        column("owner_id", "uuid"),
        column("group_id", "uuid"),
        column("session_id", "uuid"),
        nullable("name_id", "uuid"),
        nullable("flag_id", "uuid"),
        column("department_ids", "uuid[]"),
        column("email_ids", "uuid[]"),
        column("role_ids", "uuid[]"),
        column("request_limit_ids", "uuid[]"),
        column("generated", "bool"),
        column("mcp", "bool"),
        column("active", "bool"),
        column("created_at", "timestamptz"),
        column("saved_at", "timestamptz"),
    ],
};

/// Contract 3: names, e-mail addresses and limits by their shared ids.
pub const SHARED_VALUES: ReadModel = ReadModel {
    name: "shared_values",
    definition: "One row per name, e-mail address and request limit that any event of the tenant \
                 has carried, by the id that equal values share.",
    columns: &[
        column("tenant_id", "uuid"),
        column("id", "uuid"),
        column("kind", "text"),
        column("value", "text"),
    ],
};

const fn column(name: &'static str, sql_type: &'static str) -> Column {
    Column { name, sql_type, nullable: false }
}

const fn nullable(name: &'static str, sql_type: &'static str) -> Column {
    Column { name, sql_type, nullable: true }
}
