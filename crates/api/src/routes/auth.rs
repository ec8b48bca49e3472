//! Login, tokens, and who one is.

use crate::auth::caller::{ACCESS_COOKIE, REFRESH_COOKIE, StandardCaller, cookie};
use crate::auth::token::{Claims, Use};
use crate::auth::{Caller, identities, password};
use crate::envelope::{ApiResponse, SuccessResponse};
use crate::error::ErrorResponse;
use crate::extract::{Json, OptionalJson};
use crate::routes::table::{Table, routes};
use crate::wire::auth::{
    AuthSettingsResponse, ChangePasswordRequest, CurrentUserResponse, LoginRequest,
    RefreshTokenRequest, RegisterRequest, TokenResponse, UpdateCurrentUserRequest, UserInfo,
};
use crate::{Context, Error};
use attune_domain::identity::Identity;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(refresh_token))
        .routes(routes!(change_password))
        .routes(routes!(get_current_user, update_current_user))
        .routes(routes!(auth_settings))
}

const REFUSED: &str = "Invalid login or password";

fn check_length(field: &str, text: &str, least: usize, most: usize) -> Result<(), Error> {
    let length = text.chars().count();
    if (least..=most).contains(&length) {
        Ok(())
    } else {
        Err(Error::Invalid(format!("{field}: expected {least} to {most} characters, not {length}")))
    }
}

async fn tokens(
    context: &Context,
    identity: &Identity,
    tell: bool,
) -> Result<TokenResponse, Error> {
    let now = context.ports.clock.now().timestamp();
    let signer = context.signer().await?;
    let sign = |token_type, seconds: u64| {
        let claims = Claims {
            sub: identity.id.to_string(),
            login: identity.login.clone(),
            iat: now,
            exp: now.saturating_add_unsigned(seconds),
            token_type,
            scope: None,
            metadata: None,
        };
        signer.sign(&claims).map_err(|e| Error::Internal(Box::new(e)))
    };
    let life = context.config.access_token_seconds;
    Ok(TokenResponse {
        access_token: sign(Use::Access, life)?,
        refresh_token: sign(Use::Refresh, context.config.refresh_token_seconds)?,
        token_type: "Bearer",
        expires_in: i64::try_from(life).unwrap_or(i64::MAX),
        user: tell.then(|| UserInfo {
            id: identity.id.get(),
            login: identity.login.clone(),
            display_name: identity.display_name.clone(),
        }),
    })
}

/// Make an identity for oneself. It has no permissions yet.
#[utoipa::path(
    post, path = "/auth/register", tag = "auth", request_body = RegisterRequest,
    responses(
        (status = 200, body = ApiResponse<TokenResponse>),
        (status = 403, body = ErrorResponse, description = "Self-registration is off"),
        (status = 409, body = ErrorResponse, description = "The login is taken"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn register(
    State(context): State<Context>,
    Json(request): Json<RegisterRequest>,
) -> Result<ApiResponse<TokenResponse>, Error> {
    if !context.config.allow_self_registration {
        return Err(Error::Forbidden("Self-registration is disabled".into()));
    }
    check_length("login", &request.login, 3, 255)?;
    check_length("password", &request.password, 8, 128)?;
    if let Some(name) = &request.display_name {
        check_length("display_name", name, 0, 255)?;
    }
    let new = identities::NewIdentity {
        login: request.login,
        display_name: request.display_name.filter(|name| !name.trim().is_empty()),
        password_hash: Some(password::hash(request.password).await?),
        permission_set_refs: vec![],
    };
    let identity = identities::create(&context.ports, new).await?;
    Ok(ApiResponse::of(tokens(&context, &identity, true).await?))
}

/// Log in.
#[utoipa::path(
    post, path = "/auth/login", tag = "auth", request_body = LoginRequest,
    responses(
        (status = 200, body = ApiResponse<TokenResponse>),
        (status = 401, body = ErrorResponse),
        (status = 403, body = ErrorResponse, description = "The identity is frozen"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn login(
    State(context): State<Context>,
    Json(request): Json<LoginRequest>,
) -> Result<ApiResponse<TokenResponse>, Error> {
    check_length("login", &request.login, 1, 255)?;
    let identity = identities::by_login(&context.ports, &request.login).await?;
    let stored = identity.as_ref().and_then(|identity| identity.password_hash.clone());
    let right = password::verify(request.password, stored).await?;
    let identity = identity.filter(|_| right).ok_or_else(|| Error::Unauthorized(REFUSED.into()))?;
    refuse_frozen(&identity)?;
    Ok(ApiResponse::of(tokens(&context, &identity, true).await?))
}

fn refuse_frozen(identity: &Identity) -> Result<(), Error> {
    if identity.frozen { Err(Error::Forbidden("The identity is frozen".into())) } else { Ok(()) }
}

#[derive(Default, Deserialize)]
struct RefreshBody {
    refresh_token: Option<String>,
}

/// Get new tokens for a refresh token, in the body or, without a body, in the cookie.
#[utoipa::path(
    post, path = "/auth/refresh", tag = "auth", request_body = Option<RefreshTokenRequest>,
    responses(
        (status = 200, body = ApiResponse<TokenResponse>),
        (status = 401, body = ErrorResponse),
        (status = 403, body = ErrorResponse, description = "The identity is frozen")
    )
)]
async fn refresh_token(
    State(context): State<Context>,
    headers: HeaderMap,
    OptionalJson(request): OptionalJson<RefreshBody>,
) -> Result<Response, Error> {
    let typed = headers.contains_key(header::CONTENT_TYPE);
    let invalid = || Error::Unauthorized("Invalid or expired refresh token".into());
    let (token, by_cookie) = match &request.refresh_token {
        Some(token) => (token.as_str(), false),
        None if typed => return Err(Error::Invalid("missing field `refresh_token`".into())),
        None => (cookie(&headers, REFRESH_COOKIE).ok_or_else(invalid)?, true),
    };
    let now = context.ports.clock.now();
    let claims = context.signer().await?.verify(token, now).map_err(|_| invalid())?;
    if claims.token_type != Use::Refresh {
        return Err(invalid());
    }
    let id = claims.sub.parse().map_err(|_| invalid())?;
    let identity = identities::get(&context.ports, id).await?.ok_or_else(invalid)?;
    refuse_frozen(&identity)?;
    let tokens = tokens(&context, &identity, false).await?;
    let mut cookies = HeaderMap::new();
    if by_cookie {
        for (name, value) in
            [(ACCESS_COOKIE, &tokens.access_token), (REFRESH_COOKIE, &tokens.refresh_token)]
        {
            let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax");
            let line = HeaderValue::try_from(line).map_err(|e| Error::Internal(Box::new(e)))?;
            cookies.append(header::SET_COOKIE, line);
        }
    }
    Ok((cookies, ApiResponse::of(tokens)).into_response())
}

async fn identity_of(context: &Context, caller: &Caller) -> Result<Identity, Error> {
    let id = match caller.token_use() {
        Use::Access => caller.identity(),
        _ => return Err(Error::Forbidden("An access token is needed".into())),
    };
    let id = id.ok_or_else(|| Error::Forbidden("The token names no identity".into()))?;
    let identity = identities::get(&context.ports, id.get()).await?;
    identity.ok_or_else(|| Error::not_found("Identity", id))
}

fn current(identity: Identity, caller: &Caller) -> ApiResponse<CurrentUserResponse> {
    ApiResponse::of(CurrentUserResponse {
        id: identity.id.get(),
        login: identity.login,
        display_name: identity.display_name,
        auth_provider: "local",
        is_local: true,
        can_change_password: identity.password_hash.is_some(),
        assigned_permission_set_refs: identity.permission_set_refs,
        effective_permissions: caller.grants().effective(),
    })
}

/// Who one is, and what one may do.
#[utoipa::path(
    get, path = "/auth/me", tag = "auth", security(("bearer_auth" = [])),
    responses(
        (status = 200, body = ApiResponse<CurrentUserResponse>),
        (status = 401, body = ErrorResponse),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse)
    )
)]
async fn get_current_user(
    State(context): State<Context>,
    StandardCaller(caller): StandardCaller,
) -> Result<ApiResponse<CurrentUserResponse>, Error> {
    let identity = identity_of(&context, &caller).await?;
    refuse_frozen(&identity)?;
    Ok(current(identity, &caller))
}

/// Change one's display name.
#[utoipa::path(
    put, path = "/auth/me", tag = "auth", security(("bearer_auth" = [])),
    request_body = UpdateCurrentUserRequest,
    responses(
        (status = 200, body = ApiResponse<CurrentUserResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 422, body = ErrorResponse)
    )
)]
async fn update_current_user(
    State(context): State<Context>,
    caller: Caller,
    Json(request): Json<UpdateCurrentUserRequest>,
) -> Result<ApiResponse<CurrentUserResponse>, Error> {
    let identity = identity_of(&context, &caller).await?;
    let Some(name) = request.display_name else { return Ok(current(identity, &caller)) };
    check_length("display_name", &name, 0, 255)?;
    let name = Some(name).filter(|name| !name.trim().is_empty());
    let identity = identities::update(&context.ports, identity.id.get(), |identity| {
        identity.display_name.clone_from(&name);
    })
    .await?;
    Ok(current(identity, &caller))
}

/// Change one's password.
#[utoipa::path(
    post, path = "/auth/change-password", tag = "auth", security(("bearer_auth" = [])),
    request_body = ChangePasswordRequest,
    responses(
        (status = 200, body = ApiResponse<SuccessResponse>),
        (status = 401, body = ErrorResponse), (status = 403, body = ErrorResponse),
        (status = 422, body = ErrorResponse)
    )
)]
async fn change_password(
    State(context): State<Context>,
    caller: Caller,
    Json(request): Json<ChangePasswordRequest>,
) -> Result<ApiResponse<SuccessResponse>, Error> {
    let identity = identity_of(&context, &caller).await?;
    check_length("new_password", &request.new_password, 8, 128)?;
    if !password::verify(request.current_password, identity.password_hash.clone()).await? {
        return Err(Error::Unauthorized("The current password is wrong".into()));
    }
    let hash = Some(password::hash(request.new_password).await?);
    identities::update(&context.ports, identity.id.get(), |identity| {
        identity.password_hash.clone_from(&hash);
    })
    .await?;
    Ok(ApiResponse::of(SuccessResponse::saying("Password changed successfully")))
}

/// Ways to log in.
#[utoipa::path(
    get, path = "/auth/settings", tag = "auth",
    responses((status = 200, body = ApiResponse<AuthSettingsResponse>))
)]
async fn auth_settings(State(context): State<Context>) -> ApiResponse<AuthSettingsResponse> {
    ApiResponse::of(AuthSettingsResponse {
        authentication_enabled: true,
        local_password_enabled: true,
        local_password_visible_by_default: true,
        self_registration_enabled: context.config.allow_self_registration,
        oidc_enabled: false,
        oidc_visible_by_default: false,
        oidc_provider_name: None,
        oidc_provider_label: None,
        oidc_provider_icon_url: None,
        ldap_enabled: false,
        ldap_visible_by_default: false,
        ldap_provider_name: None,
        ldap_provider_label: None,
        ldap_provider_icon_url: None,
    })
}
