//! Settings of the API.

use attune_domain::inquiry;
use std::time::Duration;

/// What the array of a list answer is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListEnvelope {
    /// `{"data":[…],"pagination":{…}}`.
    #[default]
    Data,
    /// `{"items":[…],"pagination":{…}}`, for clients generated from the newer contract.
    Items,
}

impl ListEnvelope {
    /// The key.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Items => "items",
        }
    }
}

/// Settings of the API.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// What the array of a list answer is called.
    pub list_envelope: ListEnvelope,
    /// Largest JSON body, in bytes; a larger one is 413.
    pub max_body_bytes: usize,
    /// Largest upload, in bytes; a larger one is 413.
    pub upload_max_bytes: usize,
    /// Whether anybody may make an identity for themselves.
    pub allow_self_registration: bool,
    /// Life of an access token, in seconds.
    pub access_token_seconds: u64,
    /// Life of a refresh token, in seconds.
    pub refresh_token_seconds: u64,
    /// Origins whose pages may call the API.
    pub cors_origins: Vec<String>,
    /// Whether packs may be registered from folders of the machine that answers.
    pub server_folders: bool,
    /// Base address under which streams are served, where that is another than this one's: requests for
    /// streams are then sent on to it. `None`, they are served here.
    pub stream_url: Option<String>,
    /// Address under which people reach this API, for links that are sent to them; `None`, links begin as the
    /// request for them did.
    pub public_url: Option<String>,
    /// How long people have time to answer an inquiry that says nothing about it.
    pub inquiry_patience: Duration,
    /// Whether rendered pages of executions may be kept until the feed moves. Only right where a change is in
    /// the feed of every process that answers before it is acknowledged.
    pub cache_pages: bool,
    /// Where the page for trying out the API is, for a build without the feature `swagger`.
    pub docs_url: Option<String>,
    /// Version of the server, as `/health/detailed` tells it.
    pub version: String,
}

impl Default for ApiConfig {
    fn default() -> Self {
        let mut cors_origins = vec![];
        for host in ["localhost", "127.0.0.1"] {
            for port in [3000, 3001, 5173, 8080] {
                cors_origins.push(format!("http://{host}:{port}"));
            }
        }
        Self {
            list_envelope: ListEnvelope::default(),
            max_body_bytes: 2 * 1024 * 1024,
            upload_max_bytes: 100 * 1024 * 1024,
            allow_self_registration: false,
            access_token_seconds: 3600,
            refresh_token_seconds: 604_800,
            cors_origins,
            server_folders: true,
            stream_url: None,
            public_url: None,
            inquiry_patience: inquiry::PATIENCE,
            cache_pages: true,
            docs_url: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
