//! Ids as types of their own, so that a department is never passed for a profile. Ids come from
//! outside, or are derived here from what they name; no random id is made here.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize,
            Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                $name(id)
            }
        }
    };
}

id!(
    /// A tenant; also the id of its catalogue's stream.
    TenantId
);
id!(
    /// A profile: a person's account.
    ProfileId
);
id!(
    /// A session. Its emulation stack has the same id.
    SessionId
);
id!(
    /// A grant of emulation: one layer.
    GrantId
);
id!(
    /// An API key.
    ApiKeyId
);
id!(
    /// A shared name, e-mail address or request limit.
    ValueId
);
id!(
    /// A department of a tenant's catalogue.
    DepartmentId
);
id!(
    /// A directory role of a tenant's catalogue.
    RoleId
);
id!(
    /// A setting (with its theme) of a tenant's catalogue.
    SettingId
);
id!(
    /// One of a tenant's two flags `profile_active`.
    FlagId
);

id!(
    /// An attachment of a profile.
    AttachmentId
);

/// The stable id of a catalogue entry, derived from its key: applying a catalogue again, even after
/// a removal, means the same entry.
pub fn catalogue_id(tenant: TenantId, kind: &str, key: &str) -> Uuid {
    derived(&[tenant.0.as_bytes(), kind.as_bytes(), key.as_bytes()])
}

/// The tenant's flag `profile_active` with this value (contract 1.4).
pub fn flag_id(tenant: TenantId, active: bool) -> FlagId {
    FlagId(catalogue_id(tenant, "flag", if active { "true" } else { "false" }))
}

/// The tenant of what belongs to the whole installation: access tokens, and the claims on tenants'
/// names. It has neither name nor profiles.
pub const INSTALLATION: TenantId =
    TenantId(Uuid::from_u128(0xd055_1e20_0000_8000_8000_0000_0000_0000));

/// A UUIDv8 of the parts. Lengths are hashed too, so that different lists never give the same id.
pub fn derived(parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::new_v8(bytes)
}
