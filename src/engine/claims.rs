//! What can be claimed, and the hash under which each claim is held.

use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::domain::Area;
use crate::domain::ids::{
    ApiKeyId, AttachmentId, INSTALLATION, ProfileId, SessionId, TenantId, derived,
};
use crate::domain::object_id::ObjectId;
use crate::domain::profile::Facts;
use crate::domain::values::login_form;
use crate::store::{Claim, Doing, Error};

use super::Engine;

/// The claim on the twelve bytes of a profile's id. Ids are unique in the whole installation, and
/// stay taken when what had them is gone (Crafter contract 0): repeating a call never reaches
/// somebody else.
pub fn profile_id(id: ObjectId) -> Uuid {
    derived(&[b"profile_id", &id.0])
}

/// The claim on a tenant's id, as [`profile_id`].
pub fn tenant_id(id: ObjectId) -> Uuid {
    derived(&[b"tenant_id", &id.0])
}

/// The claim on an id that the first event of a stream takes, if ids of this area are shown to
/// callers as twelve bytes: those of profiles and tenants.
pub fn take_stream_id(tenant: TenantId, area: Area, id: Uuid) -> Option<Claim> {
    let bytes = ObjectId::of(id);
    let (claim, kind) = match area {
        Area::Profile => (profile_id(bytes), "profile_id"),
        Area::Tenant => (tenant_id(bytes), "tenant_id"),
        Area::Draft
        | Area::Emulation
        | Area::Access
        | Area::Session
        | Area::Export
        | Area::Operation => return None,
    };
    Some(Claim { claim, kind, tenant_id: tenant.0, holder: id, expires_at: None })
}

/// The claim on an attachment's id, as [`profile_id`].
pub fn take_attachment_id(tenant: TenantId, id: AttachmentId) -> Claim {
    let claim = derived(&[b"attachment_id", &ObjectId::of(id.0).0]);
    let (kind, tenant_id) = ("attachment_id", tenant.0);
    Claim { claim, kind, tenant_id, holder: id.0, expires_at: None }
}

/// The claim that a profile logs in with this e-mail address.
pub fn login_email(tenant: TenantId, address: &str) -> Uuid {
    derived(&[b"login_email", tenant.0.as_bytes(), login_form(address).as_bytes()])
}

/// [`login_email`], held by a profile.
pub fn take_login_email(tenant: TenantId, address: &str, profile: ProfileId) -> Claim {
    Claim {
        claim: login_email(tenant, address),
        kind: "login_email",
        tenant_id: tenant.0,
        holder: profile.0,
        expires_at: None,
    }
}

/// The claim on a tenant's name.
pub fn tenant_name(name: &str) -> Uuid {
    derived(&[b"tenant_name", name.as_bytes()])
}

/// [`tenant_name`], held by a tenant. It belongs to the installation, so that all are listed.
pub fn take_tenant_name(tenant: TenantId, name: &str) -> Claim {
    Claim {
        claim: tenant_name(name),
        kind: "tenant_name",
        tenant_id: INSTALLATION.0,
        holder: tenant.0,
        expires_at: None,
    }
}

/// The claim under which an API key is found: a digest of the key itself.
pub fn api_key(key_digest: &[u8; 32]) -> Uuid {
    derived(&[b"api_key", key_digest])
}

/// [`api_key`], held by the key's id.
pub fn take_api_key(tenant: TenantId, key_digest: &[u8; 32], id: ApiKeyId) -> Claim {
    Claim {
        claim: api_key(key_digest),
        kind: "api_key",
        tenant_id: tenant.0,
        holder: id.0,
        expires_at: None,
    }
}

/// The claim on the name of an API key in its tenant: applying a catalogue twice finds it.
pub fn take_api_key_name(tenant: TenantId, name: &str, id: ApiKeyId) -> Claim {
    Claim {
        claim: api_key_name(tenant, name),
        kind: "api_key_name",
        tenant_id: tenant.0,
        holder: id.0,
        expires_at: None,
    }
}

/// See [`take_api_key_name`].
pub fn api_key_name(tenant: TenantId, name: &str) -> Uuid {
    derived(&[b"api_key_name", tenant.0.as_bytes(), name.as_bytes()])
}

/// The claim of one real actor and token session on being one session.
pub fn session(tenant: TenantId, actor: ProfileId, token_session: &str) -> Uuid {
    derived(&[b"session", tenant.0.as_bytes(), actor.0.as_bytes(), token_session.as_bytes()])
}

/// [`session`], held by a session until it ends.
pub fn take_session(
    tenant: TenantId,
    actor: ProfileId,
    token_session: &str,
    held_by: SessionId,
    expires_at: DateTime<Utc>,
) -> Claim {
    Claim {
        claim: session(tenant, actor, token_session),
        kind: "session",
        tenant_id: tenant.0,
        holder: held_by.0,
        expires_at: Some(expires_at),
    }
}

/// The claim on a username in its tenant; told apart by every letter (Crafter contract 2).
pub fn username(tenant: TenantId, username: &str) -> Uuid {
    derived(&[b"username", tenant.0.as_bytes(), username.as_bytes()])
}

/// [`username`], held by a profile.
pub fn take_username(tenant: TenantId, name: &str, profile: ProfileId) -> Claim {
    Claim {
        claim: username(tenant, name),
        kind: "username",
        tenant_id: tenant.0,
        holder: profile.0,
        expires_at: None,
    }
}

/// Everything that a profile holds claims on.
pub fn held_by(tenant: TenantId, facts: &Facts) -> Vec<Uuid> {
    let log_ins = facts.emails.iter().filter(|email| email.login);
    let log_ins = log_ins.map(|email| login_email(tenant, &email.address.0));
    log_ins.chain(facts.username.as_deref().map(|name| username(tenant, name))).collect()
}

/// What is found by a secret that whoever has it may use: only a digest of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bearer {
    AccessToken,
    Ticket,
    RememberedLogIn,
    Verification,
}

impl Bearer {
    const fn kind(self) -> &'static str {
        match self {
            Bearer::AccessToken => "access_token",
            Bearer::Ticket => "ticket",
            Bearer::RememberedLogIn => "remembered_log_in",
            Bearer::Verification => "verification",
        }
    }

    /// The claim under which it is found.
    pub fn claim(self, secret: &str) -> Uuid {
        derived(&[self.kind().as_bytes(), secret.as_bytes()])
    }

    /// [`Bearer::claim`], held by the stream of what it is; gone some time after it ends.
    pub fn take(
        self,
        tenant: TenantId,
        secret: &str,
        holder: Uuid,
        expires_at: Option<DateTime<Utc>>,
    ) -> Claim {
        let claim = self.claim(secret);
        Claim { claim, kind: self.kind(), tenant_id: tenant.0, holder, expires_at }
    }
}

/// The claim on a line of an import having been imported.
pub fn import_line(tenant: TenantId, line_id: &str) -> Uuid {
    derived(&[b"import_line", tenant.0.as_bytes(), line_id.as_bytes()])
}

/// [`import_line`], held by the profile it became.
pub fn take_import_line(tenant: TenantId, line_id: &str, profile: ProfileId) -> Claim {
    Claim {
        claim: import_line(tenant, line_id),
        kind: "import_line",
        tenant_id: tenant.0,
        holder: profile.0,
        expires_at: None,
    }
}

/// The claim on a record of Crafter's having been taken in, whatever became of it since.
pub fn import_record(kind: &str, key: &[&str]) -> Uuid {
    let parts = [b"import_record", kind.as_bytes()].into_iter();
    let parts: Vec<&[u8]> = parts.chain(key.iter().map(|part| part.as_bytes())).collect();
    derived(&parts)
}

/// Keeps a claim without an event: of a record that says nothing new. One that is held already
/// stays as it is.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn keep(engine: &Engine, claim: &Claim) -> Result<(), Error> {
    let client = engine.connection().await?;
    let sql = "
        insert into log.claims (claim, kind, tenant_id, holder, expires_at)
        values ($1, $2, $3, $4, $5)
        on conflict do nothing";
    let parameters: [&(dyn ToSql + Sync); 5] =
        [&claim.claim, &claim.kind, &claim.tenant_id, &claim.holder, &claim.expires_at];
    let kept = client.execute(sql, &parameters).await;
    kept.map(|_| ()).doing("keeping a claim")
}

/// [`import_record`], held by what it became.
pub fn take_import_record(tenant: TenantId, claim: Uuid, holder: Uuid) -> Claim {
    Claim { claim, kind: "import_record", tenant_id: tenant.0, holder, expires_at: None }
}
