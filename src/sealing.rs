//! Seals secrets that must be shown again, such as access tokens, with AES-256-GCM-SIV. The keys
//! are never in the database, so a copy of it reveals nothing. Secrets that need not be shown are
//! hashed instead.

use std::fmt;
use std::fs::{File, OpenOptions, hard_link, read_to_string, remove_file};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use tracing::warn;
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

/// The variable with the keys, if no file has them.
pub const KEY_VARIABLE: &str = "DOSSIER_SEALING_KEY";

const KEY_BYTES: usize = 32;
const VERSION: u8 = 1;
/// Version byte and key id; they are authenticated together with the context.
const HEAD_BYTES: usize = 1 + 4;
const NONCE_BYTES: usize = 12;
const KEY_FILE_HEAD: &str = "\
# Seals secrets that Dossier must show again. Without this key they are lost; back it up apart
# from the database. One key a line, 64 hexadecimal digits: the first one seals, all of them open.
";

/// The keys of this installation: the first seals, each opens what it sealed.
pub struct SealingKeys {
    keys: Vec<Key>,
    /// Where they come from, for messages.
    place: String,
}

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("reading the sealing keys in {}", .0.display())]
    Reading(PathBuf, #[source] io::Error),
    #[error("making the sealing key {}", .0.display())]
    Making(PathBuf, #[source] io::Error),
    /// Only the line's number is shown.
    #[error("key {number} of {place} is not 32 bytes in hexadecimal or Base64")]
    Malformed { place: String, number: usize },
    #[error("there is no key in {0}")]
    Empty(String),
}

/// Why a secret cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("it was sealed by key {id}, which is not among those of {place}: put that key back")]
    KeyLost { id: String, place: String },
    #[error("it was altered, or was sealed for another holder")]
    Altered,
    #[error("it does not have the form of a sealed secret")]
    Form,
}

struct Key {
    id: [u8; 4],
    cipher: RandomizedNonceKey,
}

/// The holder and the purpose of a secret: it cannot be opened for another one.
pub fn context(tenant: Uuid, stream: Uuid, kind: &str) -> Vec<u8> {
    [tenant.as_bytes(), stream.as_bytes(), kind.as_bytes()].concat()
}

impl SealingKeys {
    /// The keys in this file; if it is missing, the first process makes it. Blocks on the disk:
    /// call it at the start, not in requests.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn open(path: &Path) -> Result<SealingKeys, KeysError> {
        let failed = |error| KeysError::Reading(path.to_owned(), error);
        let text = match read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make(path).map_err(|error| KeysError::Making(path.to_owned(), error))?;
                read_to_string(path)
            }
            read => read,
        };
        let text = Zeroizing::new(text.map_err(failed)?);
        if path.metadata().map_err(failed)?.mode() & 0o007 != 0 {
            warn!(path = %path.display(), "everybody may use the keys in {}", path.display());
        }
        let lines = text.lines().map(str::trim);
        let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        SealingKeys::parse(keys, path.display().to_string())
    }

    /// The keys in the text of [`KEY_VARIABLE`]: hexadecimal or Base64, separated by commas.
    ///
    /// # Errors
    /// [`KeysError::Malformed`], [`KeysError::Empty`].
    pub fn from_setting(text: &str) -> Result<SealingKeys, KeysError> {
        let keys = text.split(',').map(str::trim).filter(|key| !key.is_empty());
        SealingKeys::parse(keys, KEY_VARIABLE.to_owned())
    }

    /// The ids of the keys, the one that seals first.
    pub fn ids(&self) -> Vec<String> {
        self.keys.iter().map(|key| hex(&key.id)).collect()
    }

    /// Where the keys come from.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// This secret, sealed for this context; 33 bytes longer.
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let key = &self.keys[0];
        let mut head = [VERSION; HEAD_BYTES];
        head[1..].copy_from_slice(&key.id);
        // Encrypted in place, with room for the tag, so that no plain copy remains.
        let mut text = Vec::with_capacity(plain.len() + AES_256_GCM_SIV.tag_len());
        text.extend_from_slice(plain);
        let nonce = key
            .cipher
            .seal_in_place_append_tag(Aad::from([&head, context].concat()), &mut text)
            .expect("only 64 GiB and more cannot be sealed");
        [&head, nonce.as_ref().as_slice(), &text].concat()
    }

    /// The secret that was sealed for this context.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn unseal(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (head, rest) = split_head(sealed)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::Form)?;
        let mut known = self.keys.iter().filter(|key| key.id == head[1..]).peekable();
        if known.peek().is_none() {
            return Err(OpenError::KeyLost { id: hex(&head[1..]), place: self.place.clone() });
        }
        // By chance two keys may have the same id.
        known
            .find_map(|key| {
                let mut plain = Zeroizing::new(text.to_vec());
                let aad = Aad::from([head.as_slice(), context].concat());
                let bytes = key.cipher.open_in_place(Nonce::from(nonce), aad, &mut plain).ok()?;
                let bytes = bytes.len();
                plain.truncate(bytes);
                Some(plain)
            })
            .ok_or(OpenError::Altered)
    }

    /// Never empty.
    fn parse<'a>(
        keys: impl Iterator<Item = &'a str>,
        place: String,
    ) -> Result<SealingKeys, KeysError> {
        let keys = keys
            .enumerate()
            .map(|(index, text)| {
                let place = place.clone();
                Key::parse(text).ok_or(KeysError::Malformed { place, number: index + 1 })
            })
            .collect::<Result<Vec<Key>, KeysError>>()?;
        if keys.is_empty() {
            return Err(KeysError::Empty(place));
        }
        Ok(SealingKeys { keys, place })
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKeys").field("ids", &self.ids()).field("place", &self.place).finish()
    }
}

impl Key {
    fn parse(text: &str) -> Option<Key> {
        let bytes = Zeroizing::new(match text.len() {
            64 => from_hex(text)?,
            _ => [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
                .iter()
                .find_map(|engine| engine.decode(text).ok())?,
        });
        if bytes.len() != KEY_BYTES {
            return None;
        }
        let cipher = RandomizedNonceKey::new(&AES_256_GCM_SIV, &bytes).ok()?;
        let digest = Sha256::new().chain_update("dossier sealing key").chain_update(&bytes);
        let mut id = [0; 4];
        id.copy_from_slice(&digest.finalize()[..4]);
        Some(Key { id, cipher })
    }
}

fn split_head(sealed: &[u8]) -> Result<(&[u8; HEAD_BYTES], &[u8]), OpenError> {
    match sealed.split_first_chunk() {
        Some((head, rest)) if head[0] == VERSION => Ok((head, rest)),
        _ => Err(OpenError::Form),
    }
}

/// Written under another name and linked to its own when complete: readers see a complete key or
/// none, and a second writer keeps the first one's key, which renaming would replace.
fn make(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let draft = folder.join(format!(".sealing-key-{}", Uuid::new_v4()));
    let linked = write_key(&draft).and_then(|()| hard_link(&draft, path));
    let removed = remove_file(&draft);
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => removed?,
    }
    File::open(folder)?.sync_all()
}

fn write_key(path: &Path) -> io::Result<()> {
    let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
    aws_lc_rs::rand::fill(&mut key[..]).map_err(io::Error::other)?;
    let mut digits = hex(&key[..]);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = writeln!(file, "{KEY_FILE_HEAD}{digits}");
    digits.zeroize();
    written?;
    file.sync_all()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| u8::try_from(digit(high)? * 16 + digit(low)?).ok()).collect()
}
