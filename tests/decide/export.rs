//! Exports: downloaded by whom they were made for and by superadmins, until they are purged.

use dossier::domain::export::{Command, Event, Export, HOURS_KEPT, Refusal, State};

use crate::support::given::{given, noon};

use super::person;

fn make() -> Command {
    Command::MakeExport {
        owner: person(1),
        file_name: "profiles.csv".to_owned(),
        row_count: 0,
        profile: Some(person(3)),
    }
}

fn made() -> Event {
    Event::ExportMade {
        owner: person(1),
        file_name: "profiles.csv".to_owned(),
        row_count: 0,
        profile: Some(person(3)),
    }
}

fn download(by: u128, superadmin: bool) -> Command {
    Command::DownloadExport { by: person(by), superadmin }
}

#[test]
fn an_export_goes_on_record_with_what_it_holds() {
    given::<Export>([]).when(make()).then([made()]);
    let State::Made { owner, made_at, .. } = given::<Export>([made()]).state else {
        panic!("not made")
    };
    assert_eq!((owner, made_at), (person(1), noon()));
}

#[test]
fn an_export_is_made_only_once() {
    given::<Export>([made()]).when(make()).refused(Refusal::AlreadyMade);
    given::<Export>([made(), Event::ExportPurged {}]).when(make()).refused(Refusal::AlreadyMade);
}

#[test]
fn the_one_it_was_made_for_and_superadmins_download_an_export() {
    given::<Export>([made()]).when(download(1, false)).then([Event::ExportDownloaded {}]);
    given::<Export>([made()]).when(download(2, true)).then([Event::ExportDownloaded {}]);
}

#[test]
fn each_download_goes_on_record() {
    let downloaded = given::<Export>([made(), Event::ExportDownloaded {}]);
    downloaded.when(download(1, false)).then([Event::ExportDownloaded {}]);
}

#[test]
fn nobody_else_learns_that_there_is_an_export() {
    given::<Export>([made()]).when(download(2, false)).refused(Refusal::UploadNotFound);
    given::<Export>([]).when(download(2, false)).refused(Refusal::UploadNotFound);
}

#[test]
fn a_purged_export_and_one_never_made_are_found_by_nobody() {
    for by in [download(1, false), download(2, true)] {
        given::<Export>([]).when(by.clone()).refused(Refusal::UploadNotFound);
        let purged = given::<Export>([made(), Event::ExportPurged {}]);
        purged.when(by).refused(Refusal::UploadNotFound);
    }
}

#[test]
fn only_what_was_made_is_purged_and_once() {
    given::<Export>([made()]).when(Command::PurgeExport).then([Event::ExportPurged {}]);
    given::<Export>([]).when(Command::PurgeExport).then_nothing();
    let purged = given::<Export>([made(), Event::ExportPurged {}]);
    purged.when(Command::PurgeExport).then_nothing();
}

#[test]
fn an_export_is_kept_for_a_day() {
    assert_eq!(HOURS_KEPT, 24);
}
