//! The table of routes: what axum serves now, and what the OpenAPI document says about it when somebody asks.
//!
//! Describing every operation and its schemas takes longer than all else at the start of a process, and most
//! processes are never asked. So an entry holds its path and handlers, and only a function for the rest.

use crate::Context;
use axum::Router;
use axum::handler::Handler;
use axum::routing::MethodRouter;
use utoipa::openapi::{HttpMethod, OpenApi};
use utoipa_axum::PathItemExt;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// Describes the operations of one path.
pub(crate) type Describe = fn() -> UtoipaMethodRouter<Context>;

/// One path with its handlers.
pub(crate) struct Entry {
    path: String,
    handlers: MethodRouter<Context>,
    describe: Describe,
}

impl Entry {
    pub(crate) fn new(path: String, describe: Describe) -> Self {
        Self { path, handlers: MethodRouter::new(), describe }
    }

    pub(crate) fn on<H, T>(mut self, methods: Vec<HttpMethod>, handler: H) -> Self
    where
        H: Handler<T, Context>,
        T: 'static,
    {
        for method in methods {
            self.handlers = self.handlers.on(method.to_method_filter(), handler.clone());
        }
        self
    }
}

/// An [`Entry`] for handlers of one path, each with its `#[utoipa::path]`.
macro_rules! routes {
    ($first:ident $(, $more:ident)* $(,)?) => {
        utoipa_axum::paste! {{
            let path = <[<__path_ $first>] as utoipa::Path>::path();
            $crate::routes::table::Entry::new(path, || utoipa_axum::routes!($first $(, $more)*))
                .on(<[<__path_ $first>] as utoipa::Path>::methods(), $first)
                $(.on(<[<__path_ $more>] as utoipa::Path>::methods(), $more))*
        }}
    };
}
pub(crate) use routes;

/// Entries, in the order in which they are documented.
#[derive(Default)]
pub(crate) struct Table(Vec<Entry>);

impl Table {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn routes(mut self, entry: Entry) -> Self {
        self.0.push(entry);
        self
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// What is served.
    pub(crate) fn into_router(self) -> Router<Context> {
        self.0
            .into_iter()
            .fold(Router::new(), |router, entry| router.route(&entry.path, entry.handlers))
    }

    /// What is said about it, added to `document`.
    pub(crate) fn describe(&self, document: OpenApi) -> OpenApi {
        self.0
            .iter()
            .fold(OpenApiRouter::with_openapi(document), |router, entry| {
                router.routes((entry.describe)())
            })
            .into_openapi()
    }
}
