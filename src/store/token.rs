//! Positions in the form that callers see: sealed, so that they do not tell how much other tenants
//! do.

use aes::Aes256;
use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Seals and opens position tokens of one installation.
#[derive(Clone)]
pub struct TokenKey {
    cipher: Aes256,
    epoch: u16,
}

/// The content of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionToken {
    pub position: i64,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not made here, or made for another tenant.
    #[error("not a position token of this tenant")]
    Foreign,
    /// Made before the log was restored from a backup.
    #[error("the position token is from before the log was restored")]
    EarlierEpoch,
}

impl TokenKey {
    /// The key of this installation, for tokens of this epoch of its log.
    pub fn new(secret: &[u8; 32], epoch: i32) -> TokenKey {
        TokenKey { cipher: Aes256::new(&(*secret).into()), epoch: epoch as u16 }
    }

    /// The token of `position` for `tenant`: epoch, a digest of the tenant, and the position, in
    /// one AES block.
    pub fn seal(&self, tenant: Uuid, position: i64) -> String {
        let mut bytes = [0_u8; 16];
        bytes[..2].copy_from_slice(&self.epoch.to_be_bytes());
        bytes[2..8].copy_from_slice(&tenant_mark(tenant));
        bytes[8..].copy_from_slice(&position.to_be_bytes());
        let mut block: Block<Aes256> = bytes.into();
        self.cipher.encrypt_block(&mut block);
        URL_SAFE_NO_PAD.encode(block)
    }

    /// The position in `token`.
    ///
    /// # Errors
    /// [`TokenError`]: made up, for another tenant, or of an earlier epoch.
    pub fn open(&self, tenant: Uuid, token: &str) -> Result<PositionToken, TokenError> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenError::Foreign)?;
        let bytes: [u8; 16] = bytes.try_into().map_err(|_| TokenError::Foreign)?;
        let mut block: Block<Aes256> = bytes.into();
        self.cipher.decrypt_block(&mut block);
        let (epoch, rest) = block.split_at(2);
        let (mark, position) = rest.split_at(6);
        let position = position.try_into().map(i64::from_be_bytes).unwrap_or(-1);
        if mark != tenant_mark(tenant) || position < 0 {
            return Err(TokenError::Foreign);
        }
        if epoch != self.epoch.to_be_bytes() {
            return Err(TokenError::EarlierEpoch);
        }
        Ok(PositionToken { position })
    }
}

fn tenant_mark(tenant: Uuid) -> [u8; 6] {
    let mut mark = [0_u8; 6];
    mark.copy_from_slice(&tenant.as_bytes()[10..]);
    mark
}
