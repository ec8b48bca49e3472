//! The keystore.
//!
//! A key of a person's own is that person's: others see or change it only with a grant that says so (`owner`,
//! `owner_types`, `owner_refs`, `refs`, `ids`), or if they may change identities.

use crate::access::{Action, Owned, Resource, Target};
use crate::auth::Caller;
use crate::auth::token::Use;
use crate::envelope::{ApiResponse, PaginatedResponse, SuccessResponse};
use crate::error::ErrorResponse;
use crate::extract::{Json, Path, Query};
use crate::paging::Paging;
use crate::routes::definitions::View;
use crate::routes::table::{Table, routes};
use crate::wire::key::{
    CreateKeyRequest, KeyResponse, KeySummary, OwnerType, UpdateKeyRequest, owner,
};
use crate::{Context, Error};
use attune_catalogue::keys::{self, KeyChange, NewKey};
use attune_catalogue::read;
use attune_domain::id::IdentityId;
use attune_domain::keystore::{Key, Owner, OwnerKind};
use attune_domain::reference::KeyRef;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(list_keys, create_key))
        .routes(routes!(get_key, update_key, delete_key))
}

/// What narrows the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct KeyFilter {
    /// Only keys of such owners.
    #[param(value_type = Option<OwnerType>)]
    owner_type: Option<OwnerKind>,
    /// Only keys of this owner: `system`, or an id.
    owner: Option<String>,
}

/// Keys, by ref, without their values.
#[utoipa::path(
    get, path = "/api/v1/keys", tag = "keys", security(("bearer_auth" = [])), params(KeyFilter, Paging),
    responses((status = 200, body = PaginatedResponse<KeySummary>), (status = 403, body = ErrorResponse))
)]
async fn list_keys(
    State(context): State<Context>,
    caller: Caller,
    Query(filter): Query<KeyFilter>,
    paging: Paging,
) -> Result<Response, Error> {
    caller.require_some(Resource::Keys, Action::Read)?;
    let view = View::of(&paging)?;
    let wanted = |key: &Key| {
        filter.owner_type.is_none_or(|wanted| wanted == key.owner.kind())
            && filter.owner.as_ref().is_none_or(|wanted| *wanted == owner(&key.owner))
            && may(&caller, Action::Read, key)
    };
    let found = read::filtered::<Key>(&context.ports, &view.part, wanted).await?;
    Ok(view.answer(&context, found, KeySummary::from))
}

/// A key. The value of an encrypted one is `null` for who may not decrypt it.
#[utoipa::path(
    get, path = "/api/v1/keys/{ref}", tag = "keys", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<KeyResponse>), (status = 404, body = ErrorResponse))
)]
async fn get_key(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<KeyResponse>, Error> {
    let key = visible(&context, &caller, &reference).await?;
    Ok(ApiResponse::of(shown(&context, &caller, key).await?))
}

/// Make a key.
#[utoipa::path(
    post, path = "/api/v1/keys", tag = "keys", security(("bearer_auth" = [])),
    request_body = CreateKeyRequest,
    responses(
        (status = 201, body = ApiResponse<KeyResponse>),
        (status = 400, body = ErrorResponse, description = "The owner is not there, or not one"),
        (status = 403, body = ErrorResponse),
        (status = 409, body = ErrorResponse, description = "The ref is taken, or the name among the owner's keys"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn create_key(
    State(context): State<Context>,
    caller: Caller,
    Json(request): Json<CreateKeyRequest>,
) -> Result<(StatusCode, ApiResponse<KeyResponse>), Error> {
    caller.require_some(Resource::Keys, Action::Create)?;
    let reference = KeyRef::parse(&request.reference)
        .map_err(|error| Error::Unprocessable(error.to_string()))?;
    let named = request.owner().map_err(Error::BadRequest)?;
    let new = NewKey {
        owner: keys::owner(&context.ports, &named).await?,
        reference,
        name: request.name,
        encrypted: request.encrypted,
        value: request.value,
    };
    let target = target(None, new.reference.as_str(), &new.owner, new.encrypted);
    if !may_on(&caller, Action::Create, target, &new.owner) {
        return Err(forbidden(Action::Create));
    }
    let key = keys::create(&context.ports, &new).await?;
    let response = KeyResponse::of(key, new.value);
    Ok(ApiResponse::of(response).saying("Key created successfully").created())
}

/// Change a key. What runs sees it from its next start on.
#[utoipa::path(
    put, path = "/api/v1/keys/{ref}", tag = "keys", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    request_body = UpdateKeyRequest,
    responses(
        (status = 200, body = ApiResponse<KeyResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse),
        (status = 409, body = ErrorResponse, description = "The name is taken among the owner's keys"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn update_key(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    Json(request): Json<UpdateKeyRequest>,
) -> Result<ApiResponse<KeyResponse>, Error> {
    let before = changeable(&context, &caller, Action::Update, &reference).await?;
    let change =
        KeyChange { name: request.name, encrypted: request.encrypted, value: request.value };
    // Else whoever may change a key could read it, by taking its protection away.
    if before.encrypted
        && change.encrypted == Some(false)
        && change.value.is_none()
        && !may(&caller, Action::Decrypt, &before)
    {
        return Err(forbidden(Action::Decrypt));
    }
    let key = keys::update(&context.ports, &reference, &change).await?;
    let response = match change.value {
        Some(value) => KeyResponse::of(key, value),
        None => shown(&context, &caller, key).await?,
    };
    Ok(ApiResponse::of(response).saying("Key updated successfully"))
}

/// Remove a key.
#[utoipa::path(
    delete, path = "/api/v1/keys/{ref}", tag = "keys", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = SuccessResponse), (status = 404, body = ErrorResponse))
)]
async fn delete_key(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<SuccessResponse, Error> {
    changeable(&context, &caller, Action::Delete, &reference).await?;
    keys::delete(&context.ports, &reference).await?;
    Ok(SuccessResponse::saying(format!("Key '{reference}' deleted successfully")))
}

/// A key as grants see it.
fn target<'a>(
    id: Option<i64>,
    reference: &'a str,
    owner: &'a Owner,
    encrypted: bool,
) -> Target<'a> {
    Target {
        id,
        reference: Some(reference),
        pack_ref: owner.pack(),
        owner: match owner {
            Owner::Identity { id } => Some(id.get()),
            _ => None,
        },
        owned: Some(Owned { by: owner.kind().as_str(), reference: owner.reference() }),
        encrypted: Some(encrypted),
    }
}

fn may(caller: &Caller, action: Action, key: &Key) -> bool {
    let target = target(Some(key.id.get()), key.reference.as_str(), &key.owner, key.encrypted);
    may_on(caller, action, target, &key.owner)
}

fn may_on(caller: &Caller, action: Action, target: Target<'_>, owner: &Owner) -> bool {
    /// Constraints of which one is enough to mean other people's keys.
    const SAYING_SO: [&str; 5] = ["owner", "owner_types", "owner_refs", "refs", "ids"];
    match owner {
        Owner::Identity { id } if !is_self(caller, *id) => {
            caller.may_by_constraint(Resource::Keys, action, target, &SAYING_SO)
                || (caller.may(Resource::Keys, action, target)
                    && caller.may(Resource::Identities, Action::Update, Target::default()))
        }
        _ => caller.may(Resource::Keys, action, target),
    }
}

/// An execution acts in somebody's name, but is not that person.
fn is_self(caller: &Caller, id: IdentityId) -> bool {
    caller.token_use() == Use::Access && caller.identity() == Some(id)
}

async fn visible(context: &Context, caller: &Caller, reference: &str) -> Result<Key, Error> {
    let hidden = || Error::not_found("Key", reference);
    let key: Key = read::get(&context.ports, reference).await?.ok_or_else(hidden)?;
    if may(caller, Action::Read, &key) { Ok(key) } else { Err(hidden()) }
}

/// The key of that ref, which the caller wants to change: one that may not even be seen is not there.
async fn changeable(
    context: &Context,
    caller: &Caller,
    action: Action,
    reference: &str,
) -> Result<Key, Error> {
    caller.require_some(Resource::Keys, action)?;
    let key: Key = read::require(&context.ports, reference).await?;
    if may(caller, action, &key) { Ok(key) } else { Err(forbidden(action)) }
}

/// A key with its value, as far as the caller may see it.
async fn shown(context: &Context, caller: &Caller, key: Key) -> Result<KeyResponse, Error> {
    let value = if key.encrypted && !may(caller, Action::Decrypt, &key) {
        Value::Null
    } else {
        keys::value(&*context.ports.vault, &key).await?
    };
    Ok(KeyResponse::of(key, value))
}

fn forbidden(action: Action) -> Error {
    crate::auth::caller::forbidden(Resource::Keys, action)
}
