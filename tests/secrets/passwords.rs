//! Passwords. That time tells nothing is shown by what is computed, never by measuring it.

use std::env;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, mpsc};

use argon2::{Algorithm, Argon2, Params, PasswordVerifier, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use dossier::passwords::{
    Busy, Hash, InvalidPassword, InvalidSettings, PASSWORD_BYTES_MAX, Password, Passwords,
    Settings, Verdict,
};
use tokio::runtime::Builder;

use super::process;

/// Contract 4.5: "secret", salt bytes 00..0f.
const CRAFTER: &str = "sORCzbSkS7akbJ9vnRxidHmQKACXK6AGKE3i5NTutLM=|AAECAwQFBgcICQoLDA0ODw==";
const MEMORY_KIB: u32 = 64;
const ITERATIONS: u32 = 3;
const COST_KIB: u64 = 64 * 3;
const ALONE_VARIABLE: &str = "DOSSIER_TEST_ALONE";

const MALFORMED: [&str; 14] = [
    "",
    "|",
    "$",
    "secret",
    "$argon2id$v=19$m=64,t=3,p=1",
    "$argon2id$v=19$m=64,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=64,t=3,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=4294967295,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=64,t=4294967295,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=18$m=64,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
    "$argon2d$v=19$m=64,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
    "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
    "sORCzbSkS7akbJ9vnRxidHmQKACXK6AGKE3i5NTutLM=|",
    "sORCzbSkS7akbJ9v|AAECAwQFBgcICQoLDA0ODw==",
];

fn settings() -> Settings {
    Settings { memory_kib: MEMORY_KIB, iterations: ITERATIONS, at_once: 2, waiting_max: 64 }
}

fn small() -> Passwords {
    Passwords::new(settings()).unwrap()
}

fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).unwrap()
}

/// As another program would have stored it.
fn stored(version: Version, memory_kib: u32, iterations: u32, salt: &[u8], bytes: usize) -> String {
    let params = Params::new(memory_kib, iterations, 1, Some(bytes)).unwrap();
    let mut output = vec![0; bytes];
    Argon2::new(Algorithm::Argon2id, version, params)
        .hash_password_into(b"secret", salt, &mut output)
        .unwrap();
    format!(
        "$argon2id$v={}$m={memory_kib},t={iterations},p=1${}${}",
        u32::from(version),
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(output)
    )
}

/// One thread for blocking work, and it is held until the sender is dropped: nothing is computed.
fn held<F: Future>(test: impl FnOnce(mpsc::Sender<()>) -> F) -> F::Output {
    let runtime = Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let (release, released) = mpsc::channel::<()>();
    runtime.spawn_blocking(move || released.recv());
    runtime.block_on(test(release))
}

#[tokio::test]
async fn a_password_is_verified_against_its_own_hash_only() {
    let passwords = small();
    let hash = passwords.hash(password("correct horse")).await.unwrap();
    let right = passwords.verify(password("correct horse"), Some(hash.as_str())).await;
    assert_eq!(right, Ok(Verdict::Right));
    for other in ["correct hors", "correct horse ", "Correct horse"] {
        let wrong = passwords.verify(password(other), Some(hash.as_str())).await;
        assert_eq!(wrong, Ok(Verdict::Wrong), "{other}");
    }
}

#[tokio::test]
async fn a_hash_is_a_phc_string_that_others_verify() {
    let hash = small().hash(password("secret")).await.unwrap();
    assert!(hash.as_str().starts_with("$argon2id$v=19$m=64,t=3,p=1$"));
    assert_eq!(Argon2::default().verify_password(b"secret", hash.as_str()), Ok(()));
    assert!(Argon2::default().verify_password(b"Secret", hash.as_str()).is_err());
}

#[tokio::test]
async fn the_default_cost_is_what_owasp_asks_for() {
    let passwords = Passwords::new(Settings { at_once: 1, ..Settings::default() }).unwrap();
    let hash = passwords.hash(password("secret")).await.unwrap();
    assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(passwords.filled_kib(), 2 * 19_456);
}

#[tokio::test]
async fn equal_passwords_have_different_hashes() {
    let passwords = small();
    let one = passwords.hash(password("secret")).await.unwrap();
    let other = passwords.hash(password("secret")).await.unwrap();
    assert_ne!(one.as_str(), other.as_str());
}

#[tokio::test]
async fn a_hash_in_the_form_of_crafter_is_right_and_to_be_upgraded() {
    let passwords = small();
    let right = passwords.verify(password("secret"), Some(CRAFTER)).await;
    assert_eq!(right, Ok(Verdict::RightButUpgrade));
    assert_eq!(passwords.verify(password("secreT"), Some(CRAFTER)).await, Ok(Verdict::Wrong));
}

#[tokio::test]
async fn a_weaker_hash_is_right_and_to_be_upgraded() {
    let passwords = small();
    let weaker = [
        stored(Version::V0x13, 32, 3, &[1; 16], 32),
        stored(Version::V0x13, 64, 2, &[1; 16], 32),
        stored(Version::V0x10, 64, 3, &[1; 16], 32),
        stored(Version::V0x13, 64, 3, &[1; 8], 32),
        stored(Version::V0x13, 64, 3, &[1; 16], 16),
    ];
    for text in &weaker {
        let right = passwords.verify(password("secret"), Some(text)).await;
        assert_eq!(right, Ok(Verdict::RightButUpgrade), "{text}");
        let wrong = passwords.verify(password("terces"), Some(text)).await;
        assert_eq!(wrong, Ok(Verdict::Wrong), "{text}");
    }
}

#[tokio::test]
async fn an_equal_or_stronger_hash_is_right_as_it_is() {
    let passwords = small();
    for text in [
        stored(Version::V0x13, 64, 3, &[1; 16], 32),
        stored(Version::V0x13, 128, 3, &[1; 16], 32),
        stored(Version::V0x13, 64, 4, &[1; 32], 64),
    ] {
        let right = passwords.verify(password("secret"), Some(&text)).await;
        assert_eq!(right, Ok(Verdict::Right), "{text}");
    }
    assert_eq!(passwords.held_kib(), 64, "what a stronger hash needed is not kept");
}

#[tokio::test]
async fn hashes_of_the_reference_implementation_are_verified() {
    let passwords = small();
    for text in [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ] {
        let right = passwords.verify(password("password"), Some(text)).await;
        assert_eq!(right, Ok(Verdict::RightButUpgrade), "{text}");
        assert_eq!(passwords.verify(password("passwore"), Some(text)).await, Ok(Verdict::Wrong));
    }
}

#[tokio::test]
async fn whatever_is_stored_as_much_is_computed() {
    let passwords = small();
    let own = passwords.hash(password("secret")).await.unwrap();
    let weaker = stored(Version::V0x13, 64, 1, &[1; 16], 32);
    let mut before = passwords.filled_kib();
    let kinds = [None, Some(own.as_str()), Some(CRAFTER), Some(&weaker), Some("neither")];
    for kind in kinds {
        for text in ["secret", "wrong"] {
            passwords.verify(password(text), kind).await.unwrap();
            assert_eq!(passwords.filled_kib() - before, COST_KIB, "{text} of {kind:?}");
            before = passwords.filled_kib();
        }
    }
}

#[tokio::test]
async fn a_hash_with_less_memory_never_costs_less_than_one_of_today() {
    let passwords = small();
    for memory_kib in [8, 40, 63] {
        let before = passwords.filled_kib();
        let text = stored(Version::V0x13, memory_kib, 1, &[1; 16], 32);
        passwords.verify(password("secret"), Some(&text)).await.unwrap();
        let cost = passwords.filled_kib() - before;
        assert!((COST_KIB..COST_KIB + 64).contains(&cost), "{memory_kib} KiB: {cost}");
    }
}

#[tokio::test]
async fn with_nothing_stored_every_password_is_wrong() {
    let passwords = small();
    for text in ["secret", "admin", "0"] {
        assert_eq!(passwords.verify(password(text), None).await, Ok(Verdict::Wrong));
    }
}

#[tokio::test]
async fn a_malformed_text_is_wrong_and_costs_as_much() {
    let passwords = small();
    for text in MALFORMED {
        let before = passwords.filled_kib();
        let verdict = passwords.verify(password("secret"), Some(text)).await;
        assert_eq!(verdict, Ok(Verdict::Wrong), "{text}");
        assert_eq!(passwords.filled_kib() - before, COST_KIB, "{text}");
    }
}

#[test]
fn a_malformed_text_is_logged_once_and_never_shown() {
    // Alone: whether a line is logged is decided for all threads by whichever comes to it first.
    if env::var_os(ALONE_VARIABLE).is_none() {
        let test = "a_malformed_text_is_logged_once_and_never_shown";
        let status = process(module_path!(), test).env(ALONE_VARIABLE, "1").status().unwrap();
        return assert!(status.success());
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let passwords = small();
            for text in ["broken-one", "broken-one", "broken-two", "broken-one"] {
                passwords.verify(password("hunter2"), Some(text)).await.unwrap();
            }
        });
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.matches("a stored password cannot be verified").count(), 2, "{text}");
    assert!(!text.contains("broken") && !text.contains("hunter2"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_than_the_bound_are_computed_at_once_and_memory_is_used_again() {
    let passwords = small();
    let hash = Arc::new(passwords.hash(password("secret")).await.unwrap());
    let callers: Vec<_> = (0..48)
        .map(|number| {
            let (passwords, hash) = (passwords.clone(), Arc::clone(&hash));
            let text = if number % 2 == 0 { "secret" } else { "wrong" };
            tokio::spawn(async move {
                (text, passwords.verify(password(text), Some(hash.as_str())).await.unwrap())
            })
        })
        .collect();
    for caller in callers {
        let (text, verdict) = caller.await.unwrap();
        assert_eq!(verdict == Verdict::Right, text == "secret");
    }
    assert_eq!(passwords.filled_kib(), 49 * COST_KIB);
    let held = passwords.held_kib();
    assert!(held == 64 || held == 128, "two hashes at once need 128 KiB, {held} are held");
}

#[test]
fn one_caller_more_than_may_wait_is_told_so() {
    held(|release| async move {
        let passwords =
            Passwords::new(Settings { at_once: 1, waiting_max: 2, ..settings() }).unwrap();
        let caller = || passwords.hash(password("secret"));
        let more = async {
            let refused = caller().await;
            assert_eq!(passwords.filled_kib(), 0);
            drop(release);
            refused
        };
        let (first, second, third, fourth) = tokio::join!(caller(), caller(), caller(), more);
        assert!(first.is_ok() && second.is_ok() && third.is_ok());
        assert_eq!(fourth.err(), Some(Busy));
        assert!(caller().await.is_ok(), "there is room again");
    });
}

#[test]
fn a_caller_that_goes_away_leaves_its_place_to_another() {
    held(|release| async move {
        let passwords =
            Passwords::new(Settings { at_once: 1, waiting_max: 1, ..settings() }).unwrap();
        let caller = || passwords.verify(password("secret"), None);
        let mut first = Box::pin(caller());
        let mut second = Box::pin(caller());
        let mut refused = Box::pin(caller());
        tokio::select! {
            biased;
            _ = &mut first => panic!("nothing is computed"),
            _ = &mut second => panic!("nothing is computed"),
            answer = &mut refused => assert_eq!(answer, Err(Busy)),
        }
        drop(second);
        let (first, third, ()) = tokio::join!(first, caller(), async { drop(release) });
        assert_eq!((first, third), (Ok(Verdict::Wrong), Ok(Verdict::Wrong)));
        assert_eq!(passwords.filled_kib(), 2 * COST_KIB);
    });
}

#[test]
fn a_computation_holds_its_turn_after_its_caller_has_gone() {
    held(|release| async move {
        let passwords =
            Passwords::new(Settings { at_once: 1, waiting_max: 0, ..settings() }).unwrap();
        let mut first = Box::pin(passwords.verify(password("secret"), None));
        tokio::select! {
            biased;
            _ = &mut first => panic!("nothing is computed"),
            () = async {} => drop(first),
        }
        assert_eq!(passwords.verify(password("secret"), None).await, Err(Busy));
        drop(release);
    });
}

#[tokio::test]
async fn the_next_one_waits_for_a_computation_whose_caller_has_gone() {
    let slow = Settings { memory_kib: 8_192, at_once: 1, ..settings() };
    let passwords = Passwords::new(slow).unwrap();
    let mut first = Box::pin(passwords.verify(password("secret"), None));
    // Asked once: it has begun.
    tokio::select! {
        biased;
        _ = &mut first => {}
        () = async {} => {}
    }
    drop(first);
    assert_eq!(passwords.verify(password("secret"), None).await, Ok(Verdict::Wrong));
    assert_eq!(passwords.filled_kib(), 2 * 3 * 8_192);
    assert_eq!(passwords.held_kib(), 8_192, "the two were not computed at once");
}

#[test]
fn a_password_has_1_to_1024_bytes() {
    let of = |text: String| Password::parse(text).map(|_| ());
    assert_eq!(of(String::new()), Err(InvalidPassword));
    assert_eq!(of("x".to_owned()), Ok(()));
    assert_eq!(of("x".repeat(PASSWORD_BYTES_MAX)), Ok(()));
    assert_eq!(of("x".repeat(PASSWORD_BYTES_MAX + 1)), Err(InvalidPassword));
    assert_eq!(of("é".repeat(PASSWORD_BYTES_MAX / 2 + 1)), Err(InvalidPassword));
}

#[tokio::test]
async fn neither_a_password_nor_its_hash_is_printed() {
    let hash: Hash = small().hash(password("secret")).await.unwrap();
    assert_eq!(format!("{:?} {hash:?}", password("secret")), "[password] [password hash]");
}

#[test]
fn settings_that_cannot_be_worked_with_are_refused() {
    let refused = |settings| Passwords::new(settings).err();
    let memory = |memory_kib| refused(Settings { memory_kib, ..settings() });
    assert_eq!(memory(7), Some(InvalidSettings::Memory));
    assert_eq!(memory(8), None);
    assert_eq!(memory(262_144), None);
    assert_eq!(memory(262_145), Some(InvalidSettings::Memory));
    let iterations = |iterations| refused(Settings { iterations, ..settings() });
    assert_eq!(iterations(0), Some(InvalidSettings::Iterations));
    assert_eq!(iterations(16_384), None);
    assert_eq!(iterations(16_385), Some(InvalidSettings::Iterations));
    assert_eq!(refused(Settings { at_once: 0, ..settings() }), Some(InvalidSettings::AtOnce));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
