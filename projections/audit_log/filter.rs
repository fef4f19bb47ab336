//! Turns a filter of events into SQL that reads no more than it must: one index, in the order of
//! the page.

use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Which events are wanted: those that meet every condition. What is empty or None is no condition;
/// of a list, one value must match.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub streams: Vec<Uuid>,
    pub areas: Vec<String>,
    pub names: Vec<String>,
    pub operations: Vec<String>,
    pub faces: Vec<String>,
    pub channels: Vec<String>,
    pub real_actor: Option<Uuid>,
    pub effective_actor: Option<Uuid>,
    /// The real actor, or anyone in the chain of emulation.
    pub actor: Option<Uuid>,
    /// Whether the real actor acted as another.
    pub emulated: Option<bool>,
    pub grant: Option<Uuid>,
    pub session: Option<Uuid>,
    pub request: Option<Uuid>,
    pub correlation: Option<Uuid>,
    /// Of profiles that belonged to this department at the time.
    pub department: Option<String>,
    /// They changed one of these fields of a profile,
    pub fields: Vec<String>,
    /// or one of the fields of these groups: `attributes`, `attachments`.
    pub groups: Vec<String>,
    /// They became true at this time or later,
    pub occurred_from: Option<DateTime<Utc>>,
    /// and before this time.
    pub occurred_until: Option<DateTime<Utc>>,
    /// The positions, exclusive, between which they lie.
    pub between: (i64, i64),
}

/// What a single value must meet; `?` stands for the value.
const ACTOR: &str = "(entry.real_actor_id = ? or entry.effective_actor_id = ?
    or entry.middle_actor_ids @> array[?::uuid])";
/// An event that ends a membership belongs to it too.
const DEPARTMENT: &str = "entry.area = 'profile' and exists (
    select 1 from (
        select holds, position from profile_holdings as held
        where held.tenant_id = $1 and held.profile_id = entry.stream_id
            and held.kind = 'department' and held.key = ? and held.position <= entry.position
        order by held.position desc limit 1
    ) as newest
    where newest.holds or newest.position = entry.position)";
const CHANGES: &str = "entry.area = 'profile' and exists (
    select 1 from profile_changes as changed
    where changed.tenant_id = $1 and changed.profile_id = entry.stream_id
        and changed.position = entry.position";

type Value<'a> = &'a (dyn ToSql + Sync);

/// A part of the wanted events, found by one index.
struct Branch {
    /// Where the events come from.
    source: String,
    /// What of it orders them.
    place: &'static str,
    condition: String,
}

/// A filter as SQL. `$1` is the tenant; `$2` and `$3` are positions.
pub struct Question<'a> {
    filter: &'a Filter,
    conditions: Vec<String>,
    pub parameters: Vec<Value<'a>>,
    branches: Vec<Branch>,
}

impl<'a> Question<'a> {
    /// The question of a filter.
    pub fn of(tenant: &'a Uuid, filter: &'a Filter) -> Question<'a> {
        let parameters: Vec<Value<'a>> = vec![tenant, &filter.between.0, &filter.between.1];
        let mut question = Question { filter, conditions: vec![], parameters, branches: vec![] };
        // The condition that is likely to leave the fewest events comes first: it makes the
        // branches.
        question.correlation();
        question.equal("request_id", &filter.request);
        question.equal("grant_id", &filter.grant);
        question.equal("session_id", &filter.session);
        question.listed("stream_id", "uuid", &filter.streams);
        question.actor();
        question.equal("real_actor_id", &filter.real_actor);
        question.effective_actor();
        question.changed();
        question.listed("name", "text", &filter.names);
        question.listed("operation", "text", &filter.operations);
        question.filtered("entry.area = any(?)", some(&filter.areas));
        question.filtered("entry.face = any(?)", some(&filter.faces));
        question.filtered("entry.channel = any(?)", some(&filter.channels));
        question.filtered("entry.occurred_at >= ?", given(&filter.occurred_from));
        question.filtered("entry.occurred_at < ?", given(&filter.occurred_until));
        question.filtered(DEPARTMENT, given(&filter.department));
        if let Some(emulated) = filter.emulated {
            let comparison = if emulated { "<>" } else { "=" };
            let condition = format!("entry.effective_actor_id {comparison} entry.real_actor_id");
            question.conditions.push(condition);
        }
        question
    }

    /// Adds a parameter; returns how SQL names it.
    pub fn parameter(&mut self, value: Value<'a>) -> String {
        self.parameters.push(value);
        format!("${}", self.parameters.len())
    }

    /// Whether several branches may find the same event.
    pub fn may_repeat(&self) -> bool {
        self.filter.fields.len() + self.filter.groups.len() > 0
    }

    /// Queries for positions that together find all wanted events. `tail` ends each of them; it is
    /// told what orders the events.
    pub fn branches(&self, tail: &dyn Fn(&str) -> String) -> Vec<String> {
        let all = Branch::where_("true");
        let branches = if self.branches.is_empty() { &[all][..] } else { &self.branches };
        let others: String =
            self.conditions.iter().map(|condition| format!(" and {condition}")).collect();
        let query = |branch: &Branch| {
            let Branch { source, place, condition } = branch;
            let (each, table) = source.split_once(" each ").unwrap_or(("", source));
            let tail = tail(place);
            let query = format!(
                "select {place} from {table}
                where entry.tenant_id = $1 and {place} > $2 and {place} < $3
                    and {condition}{others} {tail}"
            );
            match each {
                "" => format!("({query})"),
                each => format!(
                    "(select found.position from unnest({each}) as wanted (value)
                    cross join lateral ({query}) as found)"
                ),
            }
        };
        branches.iter().map(query).collect()
    }

    /// Adds a condition that is only checked.
    fn filtered(&mut self, condition: &str, value: Option<Value<'a>>) {
        if let Some(value) = value {
            let place = self.parameter(value);
            self.conditions.push(condition.replace('?', &place));
        }
    }

    /// Adds a condition, and branches by which it is found unless there are some.
    fn found(&mut self, condition: &str, value: Value<'a>, branches: &[&str]) {
        let place = self.parameter(value);
        self.conditions.push(condition.replace('?', &place));
        if self.branches.is_empty() {
            let branch = |one: &&str| Branch::where_(&one.replace('?', &place));
            self.branches = branches.iter().map(branch).collect();
        }
    }

    fn equal(&mut self, column: &str, value: &'a Option<Uuid>) {
        if let Some(value) = value {
            let condition = format!("entry.{column} = ?");
            self.found(&condition, value, &[&condition]);
        }
    }

    fn listed<T: ToSql + Sync>(&mut self, column: &str, kind: &str, values: &'a Vec<T>) {
        if values.is_empty() {
            return;
        }
        let place = self.parameter(values);
        self.conditions.push(format!("entry.{column} = any({place})"));
        if self.branches.is_empty() {
            self.branches.push(Branch {
                source: format!("{place}::{kind}[] each audit_log as entry"),
                place: "entry.position",
                condition: format!("entry.{column} = wanted.value"),
            });
        }
    }

    fn correlation(&mut self) {
        if let Some(value) = &self.filter.correlation {
            let branches = [
                "entry.request_id = ?",
                "entry.correlation_id = ? and entry.correlation_id <> entry.request_id",
            ];
            self.found("entry.correlation_id = ?", value, &branches);
        }
    }

    fn actor(&mut self) {
        if let Some(value) = &self.filter.actor {
            let branches = [
                "entry.real_actor_id = ?",
                "entry.effective_actor_id = ? and entry.effective_actor_id <> entry.real_actor_id",
                "entry.middle_actor_ids @> array[?::uuid] and entry.middle_actor_ids is not null
                    and entry.real_actor_id <> ? and entry.effective_actor_id <> ?",
            ];
            self.found(ACTOR, value, &branches);
        }
    }

    fn effective_actor(&mut self) {
        if let Some(value) = &self.filter.effective_actor {
            let branches = [
                "entry.real_actor_id = ? and entry.effective_actor_id = ?",
                "entry.effective_actor_id = ? and entry.effective_actor_id <> entry.real_actor_id",
            ];
            self.found("entry.effective_actor_id = ?", value, &branches);
        }
    }

    /// Each field is found by itself, a group by all that begins with its name.
    fn changed(&mut self) {
        let Filter { fields, groups, .. } = self.filter;
        if fields.is_empty() && groups.is_empty() {
            return;
        }
        let (fields, groups) = (self.parameter(fields), self.parameter(groups));
        self.conditions.push(format!(
            "{CHANGES} and (changed.field = any({fields}::text[])
                or split_part(changed.field, '.', 1) = any({groups}::text[])))"
        ));
        if !self.branches.is_empty() {
            return;
        }
        for (list, condition) in [
            (fields, "changed.field = wanted.value"),
            (
                groups,
                "changed.field > wanted.value || '.'
                    and changed.field < wanted.value || U&'.\\+10FFFF'",
            ),
        ] {
            self.branches.push(Branch {
                source: format!(
                    "{list}::text[] each profile_changes as changed
                    join audit_log as entry on entry.tenant_id = changed.tenant_id
                        and entry.position = changed.position"
                ),
                place: "changed.position",
                condition: format!("changed.tenant_id = $1 and {condition}"),
            });
        }
    }
}

impl Branch {
    fn where_(condition: &str) -> Branch {
        let source = "audit_log as entry".to_owned();
        Branch { source, place: "entry.position", condition: condition.to_owned() }
    }
}

fn some<T: ToSql + Sync>(values: &Vec<T>) -> Option<Value<'_>> {
    (!values.is_empty()).then_some(values as Value<'_>)
}

fn given<T: ToSql + Sync>(value: &Option<T>) -> Option<Value<'_>> {
    value.as_ref().map(|value| value as Value<'_>)
}
