//! The search index against a scan: whatever was put, replaced and removed, both find the same.

use std::collections::BTreeMap;

use dossier::projections::profile_search::index::{Access, Document, Index, Page, Query};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

/// Parts of names and addresses that share letters, so that terms are found in and across them.
const WORDS: [&str; 9] = ["a", "an", "ann", "anna", "maria", "hannah", "ém", "жан", "o'b"];
const DOMAINS: [&str; 4] = ["@example.com", "@mail.example.org", "@anna", "@"];
const TERMS: [&str; 24] = [
    "",
    "a",
    "n",
    "z",
    "@",
    "é",
    "ж",
    "an",
    "ma",
    "zz",
    "@e",
    "жа",
    "ann",
    "nna",
    "exa",
    "com",
    "@example",
    "example.com",
    "@anna",
    "a@a",
    "anna ma",
    "maria@mail.",
    "nobody",
    "a\nm",
];
const ROLES: [&str; 3] = ["admin", "member", "guest"];
const DEPARTMENTS: u128 = 5;

#[derive(Clone, Debug)]
enum Change {
    Put(Document),
    Remove(Uuid),
}

proptest! {
    #[test]
    fn an_index_finds_what_a_scan_finds(
        loaded in vec(document(0..60), 0..60),
        changes in vec(change(0..90), 0..60),
        queries in vec(query(), 1..8),
    ) {
        let mut documents = by_id(&loaded);
        let mut index = Index::load(documents.values().cloned());
        for change in changes {
            apply(&mut index, &mut documents, change);
        }
        prop_assert_eq!(index.len(), documents.len());
        for query in queries {
            prop_assert_eq!(sorted(index.search(&query)), scan(&documents, &query));
        }
    }

    #[test]
    fn loading_comes_to_the_same_as_putting_one_by_one(
        loaded in vec(document(0..20).prop_map(active), 0..40),
        queries in vec(query(), 1..8),
    ) {
        let bulk = Index::load(loaded.clone());
        let mut single = Index::new();
        loaded.into_iter().for_each(|document| single.put(document));
        prop_assert_eq!(bulk.len(), single.len());
        for query in queries {
            prop_assert_eq!(sorted(bulk.search(&query)), sorted(single.search(&query)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1))]

    /// As many as it takes for blocks, runs of the order and domains to overflow.
    #[test]
    fn a_large_index_finds_what_a_scan_finds(
        patterns in vec(document(0..1), 300..301),
        changes in vec(change(0..18_000), 500..501),
        queries in vec(query(), 10..11),
    ) {
        let loaded = (0..18_000).zip(patterns.iter().cycle()).map(|(number, pattern)| {
            let text = format!("{}\nn{number}@at{}", pattern.text, number % 1_500);
            Document { id: Uuid::from_u128(number), text, ..pattern.clone() }
        });
        let mut documents = by_id(&loaded.collect::<Vec<_>>());
        let mut index = Index::load(documents.values().cloned());
        for change in changes {
            apply(&mut index, &mut documents, change);
        }
        prop_assert_eq!(index.len(), documents.len());
        let of_few = ["n77@", "@at1499", "at12"].map(holding);
        let deep = [15_000, 16_500].map(|offset| Query { offset, limit: 30, ..everything() });
        for query in queries.into_iter().chain(of_few).chain(deep) {
            prop_assert_eq!(sorted(index.search(&query)), scan(&documents, &query));
        }
    }
}

#[test]
fn an_index_emptied_and_filled_again_finds_only_what_is_new() {
    let old = (0..3_000).map(|number| named(number, &format!("old {number:05}")));
    let mut index = Index::load(old);
    let (kept, removed): (Vec<_>, Vec<_>) = (0..3_000).partition(|number| number % 10 == 0);
    removed.into_iter().for_each(|number| index.remove(Uuid::from_u128(number)));
    let page = index.search(&Query { offset: 298, ..everything() });
    assert_eq!(page.ids, [Uuid::from_u128(2_980), Uuid::from_u128(2_990)]);
    assert_eq!(page.total, 300);

    kept.into_iter().for_each(|number| index.remove(Uuid::from_u128(number)));
    assert!(index.is_empty());
    assert_eq!(index.search(&everything()), Page::default());

    (0..3_000).rev().for_each(|number| index.put(named(number, &format!("new {number:05}"))));
    let page = index.search(&Query { offset: 2_000, limit: 2, ..everything() });
    assert_eq!(page.ids, [Uuid::from_u128(2_000), Uuid::from_u128(2_001)]);
    assert_eq!(page.total, 3_000);
    assert_eq!(index.search(&holding("old")), Page::default());
}

/// Every pair of letters of one is in the other, so only reading tells them apart.
#[test]
fn texts_of_the_same_letters_are_told_apart() {
    let texts = (0..2_000).map(|number| {
        let text = if number % 2 == 0 { "nnan" } else { "anna" };
        Document { text: text.to_owned(), name_key: None, ..named(number, text) }
    });
    let mut index = Index::load(texts);
    let page = index.search(&holding("anna"));
    assert_eq!(page.total, 1_000);
    assert_eq!(page.ids[..2], [Uuid::from_u128(1), Uuid::from_u128(3)]);

    (20..2_000).for_each(|number| index.remove(Uuid::from_u128(number)));
    let page = index.search(&holding("anna"));
    assert_eq!(page.ids, [1, 3, 5, 7, 9, 11, 13, 15, 17, 19].map(Uuid::from_u128));
}

/// The new address has every pair of letters of the old domain.
#[test]
fn an_address_given_up_is_found_no_more() {
    let mut index = Index::new();
    for (number, address) in [(1, "x@anna"), (2, "y@anna"), (1, "nnan@an")] {
        index.put(Document { text: address.to_owned(), name_key: None, ..named(number, "") });
    }
    assert_eq!(index.search(&holding("@anna")).ids, [Uuid::from_u128(2)]);
}

#[test]
fn a_department_named_twice_counts_once() {
    let department = Uuid::from_u128(1);
    let twice = Document { departments: vec![department; 2], ..named(1, "anna") };
    let index = Index::load((2..300).map(|number| named(number, "maria")).chain([twice]));
    assert_eq!(index.search(&everything()).departments, [(department, 299)]);
    assert_eq!(index.search(&holding("anna")).departments, [(department, 1)]);
}

#[test]
fn a_profile_that_becomes_inactive_is_found_no_more() {
    let mut index = Index::load([named(1, "anna"), named(2, "maria")]);
    index.put(Document { active: false, ..named(1, "anna") });
    assert_eq!(index.search(&everything()).ids, [Uuid::from_u128(2)]);
    assert_eq!(index.len(), 1);
}

/// What the index is held to, by looking at every document.
fn scan(documents: &BTreeMap<Uuid, Document>, query: &Query) -> Page {
    let visible: Vec<_> =
        documents.values().filter(|document| is_visible(document, query)).collect();
    let in_departments = |document: &Document| {
        query.departments.is_empty() || shares(&query.departments, &document.departments)
    };
    let in_role = |document: &Document| query.role.is_none() || document.role == query.role;
    let mut found = Vec::new();
    let (mut departments, mut roles) = (BTreeMap::new(), BTreeMap::new());
    for document in visible {
        if in_departments(document) && in_role(document) {
            found.push(document);
        }
        if in_role(document) {
            document.departments.iter().for_each(|id| *departments.entry(*id).or_default() += 1);
        }
        if let Some(role) = document.role.clone().filter(|_| in_departments(document)) {
            *roles.entry(role).or_default() += 1;
        }
    }
    found.sort_by_key(|document| (document.name_key.is_none(), &document.name_key, document.id));
    Page {
        total: found.len() as u64,
        ids: found.iter().map(|found| found.id).skip(query.offset).take(query.limit).collect(),
        departments: departments.into_iter().collect(),
        roles: roles.into_iter().collect(),
    }
}

fn is_visible(document: &Document, query: &Query) -> bool {
    let term = query.term.as_deref().unwrap_or_default();
    let accessible = match &query.access {
        Access::All => true,
        Access::Departments(held) => {
            document.departments.is_empty() || shares(held, &document.departments)
        }
    };
    let role_visible = match &document.role {
        Some(role) => query.roles.contains(role),
        None => query.without_role,
    };
    !query.nothing
        && document.text.contains(term)
        && !term.contains('\n')
        && query.exclude != Some(document.id)
        && accessible
        && role_visible
}

fn shares(some: &[Uuid], others: &[Uuid]) -> bool {
    some.iter().any(|id| others.contains(id))
}

fn sorted(mut page: Page) -> Page {
    page.departments.sort();
    page.roles.sort();
    page
}

fn apply(index: &mut Index, documents: &mut BTreeMap<Uuid, Document>, change: Change) {
    match change {
        Change::Put(document) => {
            documents.remove(&document.id);
            if document.active {
                documents.insert(document.id, document.clone());
            }
            index.put(document);
        }
        Change::Remove(id) => {
            documents.remove(&id);
            index.remove(id);
        }
    }
}

/// The active ones, of those with the same id the last.
fn by_id(documents: &[Document]) -> BTreeMap<Uuid, Document> {
    let active = documents.iter().filter(|document| document.active);
    active.map(|document| (document.id, document.clone())).collect()
}

fn everything() -> Query {
    Query {
        term: None,
        exclude: None,
        roles: ROLES.map(str::to_owned).to_vec(),
        without_role: true,
        access: Access::All,
        departments: Vec::new(),
        role: None,
        nothing: false,
        offset: 0,
        limit: 100,
    }
}

fn holding(term: &str) -> Query {
    Query { term: Some(term.to_owned()), ..everything() }
}

fn named(number: u128, name: &str) -> Document {
    Document {
        id: Uuid::from_u128(number),
        name_key: Some(name.to_owned()),
        text: format!("{name}\n{number}@example.com"),
        role: Some("member".to_owned()),
        departments: vec![Uuid::from_u128(1)],
        active: true,
    }
}

fn active(document: Document) -> Document {
    Document { active: true, ..document }
}

fn change(ids: std::ops::Range<u128>) -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => document(ids.clone()).prop_map(Change::Put),
        1 => ids.prop_map(|id| Change::Remove(Uuid::from_u128(id))),
    ]
}

fn document(ids: std::ops::Range<u128>) -> impl Strategy<Value = Document> {
    let name = option::weighted(0.8, vec(select(&WORDS[..]), 1..4));
    let emails = vec((select(&WORDS[..]), select(&DOMAINS[..])), 0..3);
    let role = option::weighted(0.9, select(&ROLES[..]));
    let numbers = (ids, any::<bool>(), 0..10);
    (numbers, name, emails, role, departments()).prop_map(
        |((id, key_apart, inactive), name, emails, role, departments)| {
            let name = name.map(|words| words.join(" "));
            let lines = name.iter().cloned().chain(emails.iter().map(|(a, b)| format!("{a}{b}")));
            Document {
                id: Uuid::from_u128(id),
                text: lines.collect::<Vec<_>>().join("\n"),
                name_key: name.map(|name| if key_apart { format!("{name}!") } else { name }),
                role: role.map(str::to_owned),
                departments,
                active: inactive != 0,
            }
        },
    )
}

fn query() -> impl Strategy<Value = Query> {
    let visible = (vec(select(&ROLES[..]), 0..4), any::<bool>(), access());
    let filters = (departments(), option::weighted(0.3, select(&ROLES[..])), 0..20);
    let page = (prop_oneof![Just(0_usize), 0..70_usize], 0..30_usize);
    (select(&TERMS[..]), option::of(0..90_u128), visible, filters, page).prop_map(
        |(term, exclude, (roles, without_role, access), (departments, role, nothing), page)| {
            Query {
                term: Some(term.to_owned()),
                exclude: exclude.map(Uuid::from_u128),
                roles: roles.into_iter().map(str::to_owned).collect(),
                without_role,
                access,
                departments,
                role: role.map(str::to_owned),
                nothing: nothing == 0,
                offset: page.0,
                limit: page.1,
            }
        },
    )
}

fn access() -> impl Strategy<Value = Access> {
    prop_oneof![Just(Access::All), departments().prop_map(Access::Departments)]
}

fn departments() -> impl Strategy<Value = Vec<Uuid>> {
    let chosen = proptest::sample::subsequence((0..DEPARTMENTS).collect::<Vec<_>>(), 0..3);
    chosen.prop_map(|numbers| numbers.into_iter().map(Uuid::from_u128).collect())
}
