//! The rows of `profile_attachments`, folded and read.

use std::collections::HashSet;

use dossier::domain::Area;
use dossier::domain::attachment::Digest;
use dossier::domain::ids::AttachmentId;
use dossier::domain::profile::{Attachment, Event, Registration};
use dossier::projections::RowModel;
use dossier::projections::profile_attachments::{ProfileAttachments, Row, read};
use uuid::Uuid;

use crate::support::api::engine;
use crate::support::database::database;

use super::folds::{TENANT, folded, occurred, stream_id};

fn stored(id: u128, name: &str, digest: u8) -> Event {
    Event::AttachmentStored(Attachment {
        id: AttachmentId(Uuid::from_u128(id)),
        name: name.to_owned().into(),
        content_type: "image/png".to_owned(),
        bytes: 23_142,
        md5: "5eb63bbbe01eeed093cb22bb8f5acdc3".to_owned(),
        digest: Digest([digest; 32]),
    })
}

fn row_of<const COUNT: usize>(events: [Event; COUNT]) -> Option<Row> {
    folded::<ProfileAttachments>(events)
}

#[test]
fn attachments_gather_in_one_row_of_their_profile() {
    let row =
        row_of([stored(1, "one", 9), Event::ProfileActivated {}, stored(2, "two", 8)]).unwrap();
    assert_eq!(ProfileAttachments::key_of(&row), (TENANT.0, stream_id(Area::Profile)));
    assert_eq!(row.version, 3);
    let names: Vec<_> = row.attachments.0.iter().map(|one| one.name.0.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(row.digests, [[8; 32], [9; 32]]);
    assert_eq!(row.attachments.0[1].id.0, Uuid::from_u128(2));
}

#[test]
fn the_same_name_again_replaces_the_content_and_frees_the_old_one() {
    let row = row_of([stored(1, "one", 9), stored(2, "two", 8), stored(1, "one", 7)]).unwrap();
    assert_eq!(row.attachments.0.len(), 2);
    assert_eq!(row.attachments.0[0].digest, Digest([7; 32]));
    assert_eq!(row.attachments.0[0].id.0, Uuid::from_u128(1));
    assert_eq!(row.digests, [[7; 32], [8; 32]]);
}

#[test]
fn a_content_under_two_names_is_referred_to_until_both_are_gone() {
    let row = row_of([stored(1, "one", 9), stored(2, "two", 9)]).unwrap();
    assert_eq!(row.digests, [[9; 32]]);
    let row = row_of([stored(1, "one", 9), stored(2, "two", 9), stored(1, "one", 8)]).unwrap();
    assert_eq!(row.digests, [[8; 32], [9; 32]]);
}

#[test]
fn deleting_the_profile_drops_them_all() {
    assert_eq!(row_of([stored(1, "one", 9), Event::ProfileDeleted {}]), None);
    assert_eq!(row_of([Event::ProfileDeleted {}]), None);
}

#[test]
fn attachments_of_a_deleted_profile_do_not_come_back_with_another_of_its_id() {
    let again = Event::ProfileRegistered(Registration::default());
    assert_eq!(row_of([stored(1, "one", 9), Event::ProfileDeleted {}, again]), None);
}

#[test]
fn an_event_seen_before_changes_nothing() {
    let row = row_of([stored(1, "one", 9), stored(1, "one", 8)]);
    let again = ProfileAttachments::fold(row.clone(), &occurred(1, stored(1, "one", 9)));
    assert_eq!(again, row);
}

#[test]
fn other_events_touch_no_row() {
    assert_eq!(ProfileAttachments::key(&occurred(1, Event::ProfileActivated {})), None);
}

#[tokio::test]
async fn what_is_referred_to_is_read_for_one_tenant() {
    let engine = engine(database().await).await;
    let client = engine.connection().await.unwrap();
    let row = row_of([stored(1, "one", 9), stored(2, "two", 8)]).unwrap();
    let sql = "insert into profile_attachments select * from unnest($1::profile_attachments[])";
    client.execute(sql, &[&vec![row.clone()]]).await.unwrap();
    let (tenant, other) = (TENANT.0, Uuid::from_u128(0x7f));
    let asked = [Digest([7; 32]), Digest([8; 32]), Digest([9; 32])];
    let referred = read::referred(&client, tenant, &asked[..2]).await.unwrap();
    assert_eq!(referred, HashSet::from([asked[1]]));
    assert_eq!(read::referred(&client, other, &asked).await.unwrap(), HashSet::new());
    assert_eq!(read::referred(&client, tenant, &[]).await.unwrap(), HashSet::new());
}
