//! Lists of profiles: their order, their pages, and what is counted.

use dossier::domain::filter::{Filter, Path};
use dossier::domain::object_id::shown;
use dossier::projections::profile_documents::read::{Asked, Direction, Found, count, pages};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_postgres::Client;

use super::filtered_documents::{id, store, table};

/// Profiles with this `attributes.x`, or without; named by their places.
async fn profiles(values: &[Option<Value>]) -> Client {
    let client = table().await;
    let profile = |(number, value): (usize, &Option<Value>)| {
        let mut attributes = json!({ "number": number });
        if let Some(value) = value {
            attributes["x"] = value.clone();
        }
        json!({
            "_id": shown(id(999 - number as u64)), "username": number.to_string(),
            "verified": false, "enabled": true, "createdOn": 1000 - number, "lastModified": 0,
            "roles": [if number % 2 == 0 { "EVEN" } else { "ODD" }], "attributes": attributes,
        })
    };
    let profiles: Vec<Value> = values.iter().enumerate().map(profile).collect();
    store(&client, &profiles).await;
    client
}

/// All that is asked for, read three at a time.
async fn all(client: &mut Client, asked: Asked<'_>) -> Vec<Found> {
    let (handed, mut read) = mpsc::channel::<Vec<Found>>(1);
    let taking = async {
        let mut found = Vec::new();
        while let Some(page) = read.recv().await {
            assert!(page.len() <= 3);
            found.extend(page);
        }
        found
    };
    let (done, found) = tokio::join!(pages(client, asked, 3, handed), taking);
    done.unwrap();
    found
}

async fn listed(
    client: &mut Client,
    filter: &Filter,
    sort: Option<(&str, Direction)>,
    (skip, limit): (i64, Option<i64>),
) -> String {
    let sort = sort.map(|(path, direction)| (Path::parse(path).unwrap(), direction));
    let sort = sort.as_ref().map(|(path, direction)| (path, *direction));
    let asked = Asked { tenant: id(0), filter, sort, skip, limit };
    let names: Vec<String> =
        all(client, asked).await.into_iter().map(|found| found.username).collect();
    names.join(" ")
}

#[tokio::test]
async fn types_are_sorted_as_mongo_sorts_them_and_equals_stay_in_storage_order() {
    let values = [
        Some(json!(true)),
        Some(json!("b")),
        Some(json!([1])),
        Some(json!(10)),
        None,
        Some(json!("B")),
        Some(json!({"a": 1})),
        Some(json!(9.5)),
        Some(json!("é")),
        Some(Value::Null),
        Some(json!(10.0)),
        Some(json!(false)),
    ];
    let mut client = profiles(&values).await;
    let all = Filter::everything();
    let mut sorted = async |direction| {
        listed(&mut client, &all, Some(("attributes.x", direction)), (0, None)).await
    };
    assert_eq!(sorted(Direction::Ascending).await, "4 9 7 3 10 5 1 8 6 2 11 0");
    assert_eq!(sorted(Direction::Descending).await, "0 11 2 6 8 1 5 3 10 7 4 9");
}

#[tokio::test]
async fn a_list_is_in_storage_order_unless_it_is_sorted() {
    let mut client = profiles(&vec![None; 5]).await;
    let all = Filter::everything();
    let whole = (0, None);
    assert_eq!(listed(&mut client, &all, None, whole).await, "0 1 2 3 4");
    for (path, direction, expected) in [
        ("username", Direction::Descending, "4 3 2 1 0"),
        ("createdOn", Direction::Ascending, "4 3 2 1 0"),
        ("_id", Direction::Descending, "0 1 2 3 4"),
        ("email", Direction::Ascending, "0 1 2 3 4"),
        ("nobody", Direction::Descending, "0 1 2 3 4"),
        ("attributes.number", Direction::Descending, "4 3 2 1 0"),
    ] {
        assert_eq!(
            listed(&mut client, &all, Some((path, direction)), whole).await,
            expected,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_page_is_cut_from_what_fits() {
    let mut client = profiles(&vec![None; 8]).await;
    let odd = Filter::has_text(Path::parse("roles").unwrap(), "ODD");
    assert_eq!(listed(&mut client, &odd, None, (1, Some(2))).await, "3 5");
    assert_eq!(listed(&mut client, &odd, None, (3, Some(2))).await, "7");
    assert_eq!(listed(&mut client, &odd, None, (4, None)).await, "");
    let sort = Some(("username", Direction::Descending));
    assert_eq!(listed(&mut client, &odd, sort, (0, Some(1))).await, "7");
}

#[tokio::test]
async fn only_the_tenant_that_is_asked_is_listed_and_counted() {
    let mut client = profiles(&[Some(json!("a")), None]).await;
    let filter = Filter::has(Path::parse("attributes.x").unwrap());
    assert_eq!(count(&client, id(0), &filter).await.unwrap(), 1);
    assert_eq!(count(&client, id(1), &filter).await.unwrap(), 0);
    let asked = |tenant| Asked { tenant, filter: &filter, sort: None, skip: 0, limit: None };
    let found = all(&mut client, asked(id(0))).await.remove(0);
    assert_eq!((found.id, found.roles), (id(999), vec!["EVEN".to_owned()]));
    assert_eq!(found.attributes["x"].get(), "\"a\"");
    assert!(all(&mut client, asked(id(1))).await.is_empty());
}

#[tokio::test]
async fn large_profiles_come_few_at_a_time() {
    let large = json!("x".repeat(50_000));
    let values: Vec<Option<Value>> = vec![Some(large); 200];
    let mut client = profiles(&values).await;
    let everything = Filter::everything();
    let asked = Asked { tenant: id(0), filter: &everything, sort: None, skip: 0, limit: None };
    let (handed, mut read) = mpsc::channel::<Vec<Found>>(1);
    let taking = async {
        let mut sizes = Vec::new();
        while let Some(page) = read.recv().await {
            sizes.push(page.len());
        }
        sizes
    };
    let (done, sizes) = tokio::join!(pages(&mut client, asked, 1_000, handed), taking);
    done.unwrap();
    assert_eq!(sizes.iter().sum::<usize>(), 200);
    // Nothing is known of the first ones; then it is about a mebibyte.
    assert!(sizes[0] <= 64 && sizes[1..].iter().all(|size| *size <= 26), "{sizes:?}");
}
