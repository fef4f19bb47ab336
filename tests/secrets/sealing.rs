//! Sealed secrets, and the files their keys are in.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use dossier::cli::applications::sealing_keys;
use dossier::sealing::{KEY_VARIABLE, KeysError, OpenError, SealingKeys, context};
use tempfile::tempdir;
use uuid::Uuid;

use super::process;
use crate::support::api::engine;
use crate::support::database::database;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const NEWER: &str = "fFFEFDFCFBFAF9F8F7F6F5F4F3F2F1F0EFEEEDECEBEAE9E8E7E6E5E4E3E2E1E0";
const CONTEXT: &[u8] = b"tenant, stream, access token";
const SECRET: &[u8] = b"e8f5170c-877b-416f-b70f-4b09772f8e2d";
const RACE_VARIABLE: &str = "DOSSIER_TEST_SEALING_RACE";

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_sealed_something_is_missed_until_it_is_given_up() {
    let engine = engine(database().await).await;
    let folder = tempdir().unwrap();
    let file = folder.path().join("sealing.key");
    let open = async |given_up: &[String]| {
        let keys = sealing_keys(&engine, folder.path(), given_up).await;
        keys.map(|keys| keys.ids()).map_err(|error| error.to_string())
    };
    let made = open(&[]).await.unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(open(&[]).await.unwrap(), made);
    fs::remove_file(&file).unwrap();
    let told = open(&[]).await.unwrap_err();
    assert!(told.contains(&made[0]) && told.contains(KEY_VARIABLE), "{told}");
    assert!(told.contains(&format!("--without-sealing-key {}", made[0])), "{told}");
    assert!(!file.exists(), "no other key is made in silence");
    fs::write(&file, KEY).unwrap();
    assert!(open(&[]).await.unwrap_err().contains(&made[0]), "another key does not do");
    // A rotation: the newer one seals from now on, and both are needed.
    fs::write(&file, format!("{KEY}\n{}", text.lines().last().unwrap())).unwrap();
    let both = open(&[]).await.unwrap();
    assert_eq!(both[1..], made);
    fs::write(&file, KEY).unwrap();
    assert!(open(&[]).await.is_err());
    assert_eq!(open(&made).await.unwrap(), both[..1], "given up");
    assert_eq!(open(&[]).await.unwrap(), both[..1], "once and for all");
    engine.stop().await;
}

fn keys(setting: &str) -> SealingKeys {
    SealingKeys::from_setting(setting).unwrap()
}

fn opened(keys: &SealingKeys, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    keys.unseal(CONTEXT, sealed).map(|plain| plain.to_vec())
}

#[test]
fn what_was_sealed_is_opened() {
    let keys = keys(KEY);
    for secret in [&b""[..], b"x", SECRET, &[7; 5_000]] {
        let sealed = keys.seal(CONTEXT, secret);
        assert_eq!(sealed.len(), secret.len() + 33);
        assert_eq!(opened(&keys, &sealed).unwrap(), secret);
    }
}

#[test]
fn what_an_earlier_process_sealed_is_opened() {
    // Made apart from this code: nonce 64..6f, key id and additional data as `seal` has them.
    let hex = "01122badbb6465666768696a6b6c6d6e6f15c27dc4483e23b2ece4b1f99123a8348fac525b98db213de3d45b5af5fba8ef0f10b28549a06054432309088bb325f96244c241";
    let sealed: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap())
        .collect();
    assert_eq!(opened(&keys(KEY), &sealed).unwrap(), SECRET);
}

#[test]
fn the_same_secret_is_never_sealed_alike() {
    let keys = keys(KEY);
    assert_ne!(keys.seal(CONTEXT, SECRET), keys.seal(CONTEXT, SECRET));
    let sealed = keys.seal(CONTEXT, SECRET);
    assert!(!sealed.windows(8).any(|part| SECRET.windows(8).any(|plain| plain == part)));
}

#[test]
fn any_altered_byte_keeps_it_shut() {
    let keys = keys(KEY);
    let sealed = keys.seal(CONTEXT, SECRET);
    for place in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[place] ^= 1;
        let refusal = opened(&keys, &altered).unwrap_err();
        match place {
            0 => assert_eq!(refusal, OpenError::Form),
            1..5 => assert!(matches!(refusal, OpenError::KeyLost { .. })),
            _ => assert_eq!(refusal, OpenError::Altered),
        }
    }
}

#[test]
fn a_cut_or_longer_text_stays_shut() {
    let keys = keys(KEY);
    let sealed = keys.seal(CONTEXT, SECRET);
    for length in 0..sealed.len() {
        let expected = if length < 17 { OpenError::Form } else { OpenError::Altered };
        // Without a whole key id nothing is known of the key.
        assert_eq!(opened(&keys, &sealed[..length]), Err(expected), "{length} bytes");
    }
    assert_eq!(opened(&keys, &[&sealed[..], &[0]].concat()), Err(OpenError::Altered));
}

#[test]
fn a_secret_opens_in_its_own_context_only() {
    let keys = keys(KEY);
    let (tenant, stream) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let own = context(tenant, stream, "access_token");
    let sealed = keys.seal(&own, SECRET);
    assert_eq!(keys.unseal(&own, &sealed).unwrap().as_slice(), SECRET);
    for other in [
        context(stream, tenant, "access_token"),
        context(tenant, Uuid::from_u128(3), "access_token"),
        context(Uuid::from_u128(3), stream, "access_token"),
        context(tenant, stream, "ticket"),
        Vec::new(),
    ] {
        assert_eq!(keys.unseal(&other, &sealed), Err(OpenError::Altered));
    }
}

#[test]
fn after_a_rotation_the_new_key_seals_and_both_open() {
    let before = keys(KEY);
    let old = before.seal(CONTEXT, SECRET);
    let after = keys(&format!("{NEWER},{KEY}"));
    let new = after.seal(CONTEXT, SECRET);
    assert_eq!(opened(&after, &old).unwrap(), SECRET);
    assert_eq!(opened(&after, &new).unwrap(), SECRET);
    assert_eq!(opened(&keys(NEWER), &new).unwrap(), SECRET);
    assert!(matches!(opened(&before, &new), Err(OpenError::KeyLost { .. })));
}

#[test]
fn a_lost_key_is_named_with_where_it_was_looked_for() {
    let sealed = keys(KEY).seal(CONTEXT, SECRET);
    let refusal = opened(&keys(NEWER), &sealed).unwrap_err();
    let id: String = sealed[1..5].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        refusal.to_string(),
        format!(
            "it was sealed by key {id}, which is not among those of {KEY_VARIABLE}: \
             put that key back"
        )
    );
}

#[test]
fn a_setting_is_hexadecimal_or_base64() {
    let sealed = keys(KEY).seal(CONTEXT, SECRET);
    let bytes: Vec<u8> = (0..32).collect();
    for setting in [STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes), KEY.to_uppercase()] {
        assert_eq!(opened(&keys(&format!(" {setting} ,")), &sealed).unwrap(), SECRET);
    }
}

#[test]
fn a_setting_without_a_whole_key_is_refused_and_not_shown() {
    for empty in ["", " , "] {
        assert!(matches!(SealingKeys::from_setting(empty), Err(KeysError::Empty(_))));
    }
    let wide = "é".repeat(32);
    for text in [&KEY[1..], &KEY[..62], "hunter2", &KEY.replace('0', "+"), &wide] {
        let refusal = SealingKeys::from_setting(&format!("{KEY},{text}")).unwrap_err();
        assert!(matches!(refusal, KeysError::Malformed { number: 2, .. }));
        assert!(!refusal.to_string().contains(text));
    }
}

#[test]
fn a_key_file_is_made_once_and_for_its_owner_only() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("sealing.key");
    let sealed = SealingKeys::open(&path).unwrap().seal(CONTEXT, SECRET);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(opened(&SealingKeys::open(&path).unwrap(), &sealed).unwrap(), SECRET);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(text.starts_with("# "));
    let digits = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>();
    assert_eq!(digits.iter().map(|line| line.len()).collect::<Vec<_>>(), [64]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn a_key_file_may_hold_several_keys_and_comments() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("sealing.key");
    fs::write(&path, format!("# newer\n{NEWER}\n\n  # older\r\n {KEY} \n")).unwrap();
    let both = SealingKeys::open(&path).unwrap();
    assert_eq!(opened(&both, &keys(KEY).seal(CONTEXT, SECRET)).unwrap(), SECRET);
    assert_eq!(opened(&keys(NEWER), &both.seal(CONTEXT, SECRET)).unwrap(), SECRET);
}

#[test]
fn a_key_file_that_is_damaged_is_refused_and_left_alone() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("sealing.key");
    for text in ["", "# lost\n", "0001\n"] {
        fs::write(&path, text).unwrap();
        assert!(SealingKeys::open(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    let nowhere = folder.path().join("missing").join("sealing.key");
    assert!(matches!(SealingKeys::open(&nowhere), Err(KeysError::Making(..))));
    assert!(matches!(SealingKeys::open(folder.path()), Err(KeysError::Reading(..))));
}

#[test]
fn threads_that_make_the_key_file_at_once_share_one_key() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("sealing.key");
    let start = Barrier::new(8);
    let sealed = thread::scope(|scope| {
        let sealing = || {
            start.wait();
            SealingKeys::open(&path).unwrap().seal(CONTEXT, SECRET)
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(sealing)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_one_key(&path, &sealed);
}

#[test]
fn processes_that_make_the_key_file_at_once_share_one_key() {
    // The same test is what those processes run.
    if let Some(path) = env::var_os(RACE_VARIABLE) {
        let sealed = SealingKeys::open(Path::new(&path)).unwrap().seal(CONTEXT, SECRET);
        let own = Path::new(&path).with_extension(std::process::id().to_string());
        return fs::write(own, sealed).unwrap();
    }
    let folder = tempdir().unwrap();
    let path = folder.path().join("sealing.key");
    let test = "processes_that_make_the_key_file_at_once_share_one_key";
    let children: Vec<_> = (0..4)
        .map(|_| process(module_path!(), test).env(RACE_VARIABLE, &path).spawn().unwrap())
        .collect();
    let mut sealed = Vec::new();
    for mut child in children {
        assert!(child.wait().unwrap().success());
        let own = path.with_extension(child.id().to_string());
        sealed.push(fs::read(&own).unwrap());
        fs::remove_file(own).unwrap();
    }
    assert_one_key(&path, &sealed);
}

fn assert_one_key(path: &Path, sealed: &[Vec<u8>]) {
    let keys = SealingKeys::open(path).unwrap();
    for sealed in sealed {
        assert_eq!(opened(&keys, sealed).unwrap(), SECRET);
    }
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn keys_are_never_printed() {
    let text = format!("{:?}", keys(&format!("{KEY},{NEWER}")));
    assert!(text.starts_with("SealingKeys"));
    assert!(!text.to_lowercase().contains(&KEY[..8]));
    assert!(!text.to_lowercase().contains(&NEWER[..8].to_lowercase()));
}
