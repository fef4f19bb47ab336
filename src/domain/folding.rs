//! Text as people compare it: normalised (NFC) and case-folded, so that `É` meets `é`.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// The form in which names and e-mails are compared, sorted and searched.
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfc().default_case_fold().nfc().collect()
}
