//! Who is calling, found in a request's token.

use super::token::{Claims, Fault, Use};
use crate::access::grants::STANDARD;
use crate::access::{Action, Grants, Resource, Target, Who};
use crate::auth::identities;
use crate::{Context, Error};
use attune_domain::id::{ExecutionId, IdentityId};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde_json::Value;
use std::sync::Arc;

/// Cookie with an access token. It is looked at first and wins over the header.
pub const ACCESS_COOKIE: &str = "attune_access_token";
/// Cookie with a refresh token.
pub const REFRESH_COOKIE: &str = "attune_refresh_token";

/// Somebody with a valid token.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    claims: Claims,
    identity: Option<IdentityId>,
    attributes: Value,
    grants: Grants,
}

impl Caller {
    /// Finds out who sends these headers.
    ///
    /// # Errors
    /// [`Error::Token`] where there is no valid token, [`Error::Unavailable`] where records cannot be
    /// read.
    pub async fn of(context: &Context, headers: &HeaderMap) -> Result<Self, Error> {
        let token =
            cookie(headers, ACCESS_COOKIE).or_else(|| bearer(headers)).ok_or(Fault::Missing)?;
        let claims = context.signer().await?.verify(token, context.ports.clock.now())?;
        Self::with(context, claims).await
    }

    async fn with(context: &Context, claims: Claims) -> Result<Self, Error> {
        let id: Option<i64> = claims.sub.parse().ok();
        let identity = id.map(IdentityId::new);
        let mut attributes = Value::Null;
        let grants = match claims.token_type {
            Use::Refresh => return Err(Fault::Invalid.into()),
            // The platform's own: what they may do is bounded by the routes they know.
            Use::Sensor | Use::Worker => Grants::everything(),
            Use::Execution => {
                let said = |name: &str| {
                    let metadata = claims.metadata.as_ref();
                    metadata.and_then(|data| data.get(name)).cloned().unwrap_or_default()
                };
                let refs: Vec<String> =
                    serde_json::from_value(said("permission_set_refs")).unwrap_or_default();
                let grants = Grants::load(&context.ports, &refs).await?;
                if refs.iter().any(|reference| reference == STANDARD) {
                    let actions = said("standard_access_action_refs");
                    grants.with_standard(&actions, &said("standard_access_pack_refs"))
                } else {
                    grants
                }
            }
            Use::Access => {
                let id = id.ok_or(Fault::Invalid)?;
                match identities::get(&context.ports, id).await? {
                    // Deleted: the token counts until its end, but allows nothing.
                    None => Grants::default(),
                    Some(found) => {
                        attributes = found.attributes;
                        Grants::load(&context.ports, &found.permission_set_refs).await?
                    }
                }
            }
        };
        Ok(Self(Arc::new(Inner { claims, identity, attributes, grants })))
    }

    /// What the token is for.
    #[must_use]
    pub fn token_use(&self) -> Use {
        self.0.claims.token_type
    }

    /// Login name, sensor ref or `execution:<id>`.
    #[must_use]
    pub fn login(&self) -> &str {
        &self.0.claims.login
    }

    /// The identity, where the token names one.
    #[must_use]
    pub fn identity(&self) -> Option<IdentityId> {
        self.0.identity
    }

    /// The execution that an execution token belongs to.
    #[must_use]
    pub fn execution(&self) -> Option<ExecutionId> {
        if self.token_use() != Use::Execution {
            return None;
        }
        let id = self.0.claims.metadata.as_ref()?.get("execution_id")?;
        id.as_i64().or_else(|| id.as_str()?.parse().ok()).map(ExecutionId::new)
    }

    /// Text that tells this caller from every other.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{:?}/{}/{}", self.token_use(), self.0.claims.sub, self.login())
    }

    /// What the caller may do.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.0.grants
    }

    /// Insists that the caller may do so without constraints.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require(&self, resource: Resource, action: Action) -> Result<(), Error> {
        self.require_on(resource, action, Target::default())
    }

    /// Insists that the caller may do so to `target`.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require_on(
        &self,
        resource: Resource,
        action: Action,
        target: Target<'_>,
    ) -> Result<(), Error> {
        if self.may(resource, action, target) { Ok(()) } else { Err(forbidden(resource, action)) }
    }

    /// Insists that the caller may do so to something; what exactly is filtered afterwards with
    /// [`Caller::may`], unless [`Grants::allow_all`].
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require_some(&self, resource: Resource, action: Action) -> Result<(), Error> {
        if self.0.grants.allow_some(resource, action) {
            Ok(())
        } else {
            Err(forbidden(resource, action))
        }
    }

    /// Whether the caller may do so to `target`.
    #[must_use]
    pub fn may(&self, resource: Resource, action: Action, target: Target<'_>) -> bool {
        self.0.grants.allow(resource, action, target, &self.who())
    }

    /// Whether the caller may do so to `target` by a grant with one of these constraints.
    #[must_use]
    pub fn may_by_constraint(
        &self,
        resource: Resource,
        action: Action,
        target: Target<'_>,
        constraints: &[&str],
    ) -> bool {
        self.0.grants.allow_by_constraint(resource, action, target, &self.who(), constraints)
    }

    fn who(&self) -> Who<'_> {
        Who { identity: self.identity().map(IdentityId::get), attributes: &self.0.attributes }
    }
}

/// What somebody is told who may not do so.
pub(crate) fn forbidden(resource: Resource, action: Action) -> Error {
    Error::Forbidden(format!("Insufficient permissions: {}:{}", resource.as_str(), action.as_str()))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// A cookie's value.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(key, _)| *key == name))
        .map(|(_, value)| value)
}

impl FromRequestParts<Context> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Error> {
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let caller = Self::of(context, &parts.headers).await?;
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

/// For layers, which let requests without a valid token pass on to the handler that refuses them.
impl OptionalFromRequestParts<Context> for Caller {
    type Rejection = Error;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &Context,
    ) -> Result<Option<Self>, Error> {
        match <Self as FromRequestParts<Context>>::from_request_parts(parts, context).await {
            Ok(caller) => Ok(Some(caller)),
            Err(Error::Token(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

/// A caller whose refusal comes in the standard shape, as on `GET /auth/me` and the streams.
pub struct StandardCaller(pub Caller);

impl FromRequestParts<Context> for StandardCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Error> {
        <Caller as FromRequestParts<Context>>::from_request_parts(parts, context)
            .await
            .map(Self)
            .map_err(Error::standard)
    }
}
