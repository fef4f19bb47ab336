//! Claims: what only one may hold at a time, in a tenant or in the installation. A claim is stored
//! under a hash of what is claimed. Most claims follow from states, see
//! [`super::Aggregate::claims`]. The others are on secrets, which no event holds, and on work that
//! is done once.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::ids::{AttachmentId, INSTALLATION, ProfileId, TenantId, derived};
use super::object_id::ObjectId;
use super::values::login_form;

/// The kind of the claims on the ids of profiles.
pub const PROFILE_ID: &str = "profile_id";
/// The kind of the claims on the addresses that profiles log in with.
pub const LOGIN_EMAIL: &str = "login_email";
/// The kind of the claims on usernames.
pub const USERNAME: &str = "username";
/// The kind of the claims on tenants' names.
pub const TENANT_NAME: &str = "tenant_name";
/// The kind of the claims on the names of API keys.
pub const API_KEY_NAME: &str = "api_key_name";

/// A claim, without its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    /// A hash of what is claimed.
    pub key: Uuid,
    pub kind: &'static str,
    /// The tenant in whose lists it appears.
    pub tenant: TenantId,
    /// When it ends; None is never.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Claims that follow from states.
impl Claim {
    /// On the twelve bytes of a profile's id. Ids are unique in the whole installation and stay
    /// claimed after a deletion (Crafter contract 0): a repeated call never reaches another person.
    pub fn profile_id(tenant: TenantId, id: Uuid) -> Claim {
        Claim::lasting(profile_id(ObjectId::of(id)), PROFILE_ID, tenant)
    }

    /// On a tenant's id, as [`Claim::profile_id`].
    pub fn tenant_id(tenant: TenantId) -> Claim {
        Claim::lasting(tenant_id(ObjectId::of(tenant.0)), "tenant_id", tenant)
    }

    /// On an attachment's id, as [`Claim::profile_id`].
    pub fn attachment_id(tenant: TenantId, id: AttachmentId) -> Claim {
        let key = derived(&[b"attachment_id", &ObjectId::of(id.0).0]);
        Claim::lasting(key, "attachment_id", tenant)
    }

    /// On logging in with this e-mail address, in any letter case (contract 1.4).
    pub fn login_email(tenant: TenantId, address: &str) -> Claim {
        let address = login_form(address);
        let key = derived(&[b"login_email", tenant.0.as_bytes(), address.as_bytes()]);
        Claim::lasting(key, LOGIN_EMAIL, tenant)
    }

    /// On a username. Usernames are compared exactly (Crafter contract 2).
    pub fn username(tenant: TenantId, name: &str) -> Claim {
        let key = derived(&[b"username", tenant.0.as_bytes(), name.as_bytes()]);
        Claim::lasting(key, USERNAME, tenant)
    }

    /// On a tenant's name. It belongs to the installation, so that all names can be listed.
    pub fn tenant_name(name: &str) -> Claim {
        let key = derived(&[b"tenant_name", name.as_bytes()]);
        Claim::lasting(key, TENANT_NAME, INSTALLATION)
    }

    /// On the name of an API key in its tenant: a catalogue that is applied again finds the key by
    /// it.
    pub fn api_key_name(tenant: TenantId, name: &str) -> Claim {
        let key = derived(&[b"api_key_name", tenant.0.as_bytes(), name.as_bytes()]);
        Claim::lasting(key, API_KEY_NAME, tenant)
    }

    /// On the secret by which a session is found. The session's stream has the same id, so that the
    /// claim can be released by code that does not know the secret.
    pub fn bearer(
        bearer: Bearer,
        tenant: TenantId,
        stream: Uuid,
        expires_at: Option<DateTime<Utc>>,
    ) -> Claim {
        Claim { key: stream, kind: bearer.kind(), tenant, expires_at }
    }
}

/// Claims that follow from no state.
impl Claim {
    /// On an API key, by a digest of it. The holder is the key's id.
    pub fn api_key(tenant: TenantId, key_digest: &[u8; 32]) -> Claim {
        Claim::lasting(api_key(key_digest), "api_key", tenant)
    }

    /// On the id of an access token. The holder is the token's stream.
    pub fn access_token(id: &str) -> Claim {
        let bearer = Bearer::AccessToken;
        Claim::lasting(bearer.claim(id), bearer.kind(), INSTALLATION)
    }

    /// On being the only session of a real actor and a token's session, until it ends.
    pub fn session(
        tenant: TenantId,
        actor: ProfileId,
        token_session: &str,
        expires_at: DateTime<Utc>,
    ) -> Claim {
        let (tenant_bytes, actor) = (tenant.0.as_bytes(), actor.0.as_bytes());
        let key = derived(&[b"session", tenant_bytes, actor, token_session.as_bytes()]);
        Claim { key, kind: "session", tenant, expires_at: Some(expires_at) }
    }

    /// On the line of an import. The holder is the profile that was made from it.
    pub fn import_line(tenant: TenantId, line_id: &str) -> Claim {
        let key = derived(&[b"import_line", tenant.0.as_bytes(), line_id.as_bytes()]);
        Claim::lasting(key, "import_line", tenant)
    }

    /// On having taken in a record of Crafter, whatever has become of it since; `record` is
    /// [`import_record`]. The holder is what was made from it.
    pub fn import_record(tenant: TenantId, record: Uuid) -> Claim {
        Claim::lasting(record, "import_record", tenant)
    }

    const fn lasting(key: Uuid, kind: &'static str, tenant: TenantId) -> Claim {
        Claim { key, kind, tenant, expires_at: None }
    }
}

/// The key of [`Claim::profile_id`], by which a profile is found in any tenant.
pub fn profile_id(id: ObjectId) -> Uuid {
    derived(&[b"profile_id", &id.0])
}

/// The key of [`Claim::tenant_id`].
pub fn tenant_id(id: ObjectId) -> Uuid {
    derived(&[b"tenant_id", &id.0])
}

/// The key of [`Claim::api_key`], by which a key is found in any tenant.
pub fn api_key(key_digest: &[u8; 32]) -> Uuid {
    derived(&[b"api_key", key_digest])
}

/// The key of [`Claim::import_record`].
pub fn import_record(kind: &str, key: &[&str]) -> Uuid {
    let parts = [b"import_record", kind.as_bytes()].into_iter();
    let parts: Vec<&[u8]> = parts.chain(key.iter().map(|part| part.as_bytes())).collect();
    derived(&parts)
}

/// A secret that opens something for whoever has it. Only its digest is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bearer {
    AccessToken,
    Ticket,
    RememberedLogIn,
    Verification,
}

impl Bearer {
    /// The kind of its claims.
    pub const fn kind(self) -> &'static str {
        match self {
            Bearer::AccessToken => "access_token",
            Bearer::Ticket => "ticket",
            Bearer::RememberedLogIn => "remembered_log_in",
            Bearer::Verification => "verification",
        }
    }

    /// The key of its claim.
    pub fn claim(self, secret: &str) -> Uuid {
        derived(&[self.kind().as_bytes(), secret.as_bytes()])
    }
}
