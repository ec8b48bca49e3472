//! A deployment as people meet it: an address, a login, and whatever it does then.

use super::client::Client;
use super::launch::Server;
use super::site::Site;
use crate::cloud::Deployed;
use std::path::Path;

/// A deployment that answers and has nothing in it but what it comes with.
#[expect(async_fn_in_trait, reason = "a test waits for one deployment, in its own task")]
pub trait Deployment: Sized + 'static {
    /// A fresh one.
    async fn fresh() -> Self;

    /// Where it answers.
    fn url(&self) -> &str;

    /// A folder for files of the test, which actions reach, too.
    fn folder(&self) -> &Path;

    /// A client that is logged in as the administrator.
    async fn client(&self) -> Client;

    /// Ends it in order.
    async fn stop(self);
}

/// The embedded deployment: one server.
pub struct Alone {
    site: Site,
    server: Server,
}

impl Deployment for Alone {
    async fn fresh() -> Self {
        let site = Site::new();
        let server = site.launch().variable("ATTUNE__RUNNER__MAX_PROCESSES", "8").start().await;
        Self { site, server }
    }

    fn url(&self) -> &str {
        self.server.url()
    }

    fn folder(&self) -> &Path {
        self.site.path()
    }

    async fn client(&self) -> Client {
        self.server.client().await
    }

    async fn stop(self) {
        self.server.stop().await;
    }
}

impl Deployment for Deployed {
    async fn fresh() -> Self {
        Self::start().await
    }

    fn url(&self) -> &str {
        self.url()
    }

    fn folder(&self) -> &Path {
        self.folder()
    }

    async fn client(&self) -> Client {
        self.client().await
    }

    async fn stop(self) {}
}
