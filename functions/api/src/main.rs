//! Starts the function.
//!
//! | variable | what |
//! |---|---|
//! | `ATTUNE_STREAMING` | `true` behind a function URL that streams; else API Gateway is in front |
//! | `ATTUNE_STREAM_URL` | address of that function URL, to which requests for streams are sent on |
//! | `ATTUNE_DOCS_URL` | where the page for trying out the API is |
//! | `ATTUNE_LIST_ENVELOPE` | `data` or `items`; `data` |
//! | `ATTUNE_SELF_REGISTRATION` | whether anybody may make an identity for themselves; `false` |
//! | `ATTUNE_CORS_ORIGINS` | origins whose pages may call, with commas between them |
//! | `ATTUNE_PUBLIC_URL` | address under which people reach the API, for links that are sent to them; as the request says |
//! | `ATTUNE_ACCESS_TOKEN_SECONDS`, `ATTUNE_REFRESH_TOKEN_SECONDS` | lives of tokens; an hour, seven days |

use attune_api::{ApiConfig, App, ListEnvelope};
use attune_function::Environment;
use attune_function::environment::Error;
use lambda_http::service_fn;
use std::process::ExitCode;

fn main() -> ExitCode {
    attune_function::start(open, async |(router, streaming)| {
        let answer = service_fn(|request| api::handle(&router, request));
        if streaming {
            lambda_http::run_with_streaming_response(answer).await
        } else {
            lambda_http::run(answer).await
        }
    })
}

fn open(environment: &Environment) -> Result<(axum::Router, bool), Error> {
    let streaming = environment.flag("ATTUNE_STREAMING", false)?;
    let config = config(environment)?;
    let aws = attune_function::ports(environment)?;
    let router = attune_api::router(App { ports: aws.ports, feed: aws.feed, config });
    Ok((router, streaming))
}

fn config(environment: &Environment) -> Result<ApiConfig, Error> {
    let default = ApiConfig::default();
    let list_envelope = match environment.optional("ATTUNE_LIST_ENVELOPE").as_deref() {
        None | Some("data") => ListEnvelope::Data,
        Some("items") => ListEnvelope::Items,
        Some(value) => {
            return Err(Error::Invalid {
                name: "ATTUNE_LIST_ENVELOPE".to_owned(),
                value: value.to_owned(),
                expected: "data or items",
            });
        }
    };
    let seconds = |name, default| environment.parsed(name, "a number of seconds", default);
    Ok(ApiConfig {
        list_envelope,
        allow_self_registration: environment.flag("ATTUNE_SELF_REGISTRATION", false)?,
        access_token_seconds: seconds("ATTUNE_ACCESS_TOKEN_SECONDS", default.access_token_seconds)?,
        refresh_token_seconds: seconds(
            "ATTUNE_REFRESH_TOKEN_SECONDS",
            default.refresh_token_seconds,
        )?,
        cors_origins: environment
            .optional("ATTUNE_CORS_ORIGINS")
            .map(|origins| origins.split(',').map(|origin| origin.trim().to_owned()).collect())
            .unwrap_or(default.cors_origins),
        server_folders: false,
        stream_url: environment.optional("ATTUNE_STREAM_URL"),
        public_url: environment.optional("ATTUNE_PUBLIC_URL"),
        inquiry_patience: environment.inquiry_patience()?,
        cache_pages: false,
        docs_url: environment.optional("ATTUNE_DOCS_URL"),
        ..ApiConfig::default()
    })
}
