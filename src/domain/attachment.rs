//! The names and types that attachments may have (contract 4.9).
//! A file is known by its name and digest; its content is never read here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::naming::{is_control, is_directing};

/// Longest file name, in bytes.
pub const FILE_NAME_BYTES_MAX: usize = 255;

/// The type of an attachment. Only the extension of its file name decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Bmp,
    Gif,
    Jpeg,
    Png,
    Svg,
    Tiff,
}

impl Kind {
    /// Every type: what is allowed unless a setting allows less.
    pub const ALL: [Kind; 6] = [Kind::Bmp, Kind::Gif, Kind::Jpeg, Kind::Png, Kind::Svg, Kind::Tiff];

    /// The type with this extension, without the dot. Contract 4.9 gives only these spellings:
    /// `Gif` and `BMP` are none.
    pub fn of_extension(extension: &str) -> Option<Kind> {
        Some(match extension {
            "bmp" => Kind::Bmp,
            "gif" | "GIF" => Kind::Gif,
            "jpeg" | "jpg" | "jpe" | "JPG" => Kind::Jpeg,
            "png" | "PNG" => Kind::Png,
            "svg" | "svgz" => Kind::Svg,
            "tif" | "tiff" => Kind::Tiff,
            _ => return None,
        })
    }

    /// The kind with this content type.
    pub fn named(content_type: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.content_type() == content_type)
    }

    /// In answers, and in events.
    pub const fn content_type(self) -> &'static str {
        match self {
            Kind::Bmp => "image/bmp",
            Kind::Gif => "image/gif",
            Kind::Jpeg => "image/jpeg",
            Kind::Png => "image/png",
            Kind::Svg => "image/svg+xml",
            Kind::Tiff => "image/tiff",
        }
    }

    /// The extension of the download's name, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Kind::Bmp => "bmp",
            Kind::Gif => "gif",
            Kind::Jpeg => "jpg",
            Kind::Png => "png",
            Kind::Svg => "svg",
            Kind::Tiff => "tif",
        }
    }
}

/// Whether a browser that opens it may run its content as part of the host that sent it. True for
/// everything that is not known to be a picture.
pub fn may_run_in_browser(content_type: &str) -> bool {
    !matches!(
        Kind::named(content_type),
        Some(Kind::Bmp | Kind::Gif | Kind::Jpeg | Kind::Png | Kind::Tiff)
    )
}

/// The types in a setting: content types separated by commas.
///
/// # Errors
/// [`Invalid::Kind`] for one that no extension names.
pub fn parse_allowed(text: &str) -> Result<Vec<Kind>, Invalid> {
    let types = text.split(',').map(str::trim).filter(|content_type| !content_type.is_empty());
    types.map(|content_type| Kind::named(content_type).ok_or(Invalid::Kind)).collect()
}

/// The parts of a file name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name without its last extension, as URLs and `fileName` use it.
    pub name: String,
    pub kind: Kind,
}

/// Why a file name is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error(
        "a file name has 1 to {FILE_NAME_BYTES_MAX} bytes, text before its extension, no folders and no \
         characters that cannot be seen"
    )]
    Name,
    #[error("attachments of this type are not allowed")]
    Kind,
}

/// The name and type of a file to be attached.
///
/// # Errors
/// [`Invalid`].
pub fn parse_file_name(text: &str, allowed: &[Kind]) -> Result<Named, Invalid> {
    if text.len() > FILE_NAME_BYTES_MAX || text.contains(is_refused) {
        return Err(Invalid::Name);
    }
    let Some((name, extension)) = text.rsplit_once('.') else { return Err(Invalid::Kind) };
    // In a path, one or two dots would mean another resource.
    if name.trim().is_empty() || name == "." || name == ".." {
        return Err(Invalid::Name);
    }
    match Kind::of_extension(extension).filter(|kind| allowed.contains(kind)) {
        Some(kind) => Ok(Named { name: name.to_owned(), kind }),
        None => Err(Invalid::Kind),
    }
}

/// Separators of folders, control characters, and characters that make names look alike.
fn is_refused(c: char) -> bool {
    let marks_direction = matches!(c, '\u{200e}' | '\u{200f}');
    matches!(c, '/' | '\\') || marks_direction || is_directing(c) || is_control(c)
}

/// The SHA-256 of a content, which is also its address in the store. As text: 64 lower case
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest has 64 lower case hexadecimal digits")]
pub struct NoDigest;

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Digest, NoDigest> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(NoDigest),
        };
        if text.len() != 64 {
            return Err(NoDigest);
        }
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Digest(digest))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
