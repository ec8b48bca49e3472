//! Login, tokens, and who one is.

use crate::access::EffectivePermissionResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Wants tokens.
#[derive(Deserialize, ToSchema)]
pub struct LoginRequest {
    /// Login name.
    pub login: String,
    /// Password.
    pub password: String,
}

/// Wants to be an identity.
#[derive(Deserialize, ToSchema)]
pub struct RegisterRequest {
    /// Login name: 3 to 255 characters.
    #[schema(min_length = 3, max_length = 255)]
    pub login: String,
    /// Password: 8 to 128 characters.
    #[schema(min_length = 8, max_length = 128)]
    pub password: String,
    /// For people; 255 characters at most.
    #[serde(default)]
    #[schema(max_length = 255)]
    pub display_name: Option<String>,
}

/// Wants new tokens for an old one.
#[derive(Deserialize, ToSchema)]
pub struct RefreshTokenRequest {
    /// A refresh token.
    pub refresh_token: String,
}

/// Wants another password.
#[derive(Deserialize, ToSchema)]
pub struct ChangePasswordRequest {
    /// The one so far.
    pub current_password: String,
    /// The one from now on: 8 to 128 characters.
    #[schema(min_length = 8, max_length = 128)]
    pub new_password: String,
}

/// Wants to be called otherwise.
#[derive(Deserialize, ToSchema)]
pub struct UpdateCurrentUserRequest {
    /// For people; blank, none; `null` or missing, unchanged.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// Tokens.
#[derive(Serialize, ToSchema)]
pub struct TokenResponse {
    /// For the `Authorization: Bearer` header.
    pub access_token: String,
    /// For `POST /auth/refresh`.
    pub refresh_token: String,
    /// Always `Bearer`.
    #[schema(value_type = String)]
    pub token_type: &'static str,
    /// Life of the access token, in seconds.
    pub expires_in: i64,
    /// Whose they are; not told on refresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserInfo>,
}

/// An identity, in short.
#[derive(Serialize, ToSchema)]
pub struct UserInfo {
    /// Wire id.
    pub id: i64,
    /// Login name.
    pub login: String,
    /// For people.
    pub display_name: Option<String>,
}

/// Who the caller is and what they may do.
#[derive(Serialize, ToSchema)]
pub struct CurrentUserResponse {
    /// Wire id.
    pub id: i64,
    /// Login name.
    pub login: String,
    /// For people.
    pub display_name: Option<String>,
    /// Always `local`: no other provider is configured.
    #[schema(value_type = String)]
    pub auth_provider: &'static str,
    /// Whether the identity lives here.
    pub is_local: bool,
    /// Whether it has a password.
    pub can_change_password: bool,
    /// Permission sets given directly.
    pub assigned_permission_set_refs: Vec<String>,
    /// What they allow, merged.
    pub effective_permissions: Vec<EffectivePermissionResponse>,
}

/// Ways to log in.
#[derive(Serialize, ToSchema)]
pub struct AuthSettingsResponse {
    /// Always.
    pub authentication_enabled: bool,
    /// Always.
    pub local_password_enabled: bool,
    /// Always.
    pub local_password_visible_by_default: bool,
    /// Whether anybody may register.
    pub self_registration_enabled: bool,
    /// Not configured.
    pub oidc_enabled: bool,
    /// Not configured.
    pub oidc_visible_by_default: bool,
    /// Not configured.
    pub oidc_provider_name: Option<String>,
    /// Not configured.
    pub oidc_provider_label: Option<String>,
    /// Not configured.
    pub oidc_provider_icon_url: Option<String>,
    /// Not configured.
    pub ldap_enabled: bool,
    /// Not configured.
    pub ldap_visible_by_default: bool,
    /// Not configured.
    pub ldap_provider_name: Option<String>,
    /// Not configured.
    pub ldap_provider_label: Option<String>,
    /// Not configured.
    pub ldap_provider_icon_url: Option<String>,
}
