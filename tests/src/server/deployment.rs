//! A deployment as people meet it: an address, a login, and whatever it does then.

use super::client::Client;
use super::files;
use super::launch::Server;
use super::site::Site;
use crate::cloud::Deployed;
use attune_ports::Queue;
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

    /// The key that it signs tokens with.
    async fn token_key(&self) -> Vec<u8>;

    /// Puts a text into a queue, past everything that would check it. It may answer elsewhere afterwards.
    async fn plant(&mut self, queue: Queue, text: &str);

    /// Ends it in order.
    async fn stop(self);

    /// Ends it in order; answers for each of the texts where it stands in what was kept and logged.
    async fn search<const N: usize>(self, texts: [&str; N]) -> [Vec<String>; N];
}

/// The embedded deployment: one server, which logs much.
pub struct Alone {
    site: Site,
    /// There is none only while something is done to the files.
    server: Option<Server>,
}

impl Alone {
    async fn serve(site: &Site) -> Option<Server> {
        let launch = site.launch().variable("ATTUNE__RUNNER__MAX_PROCESSES", "8");
        Some(launch.variable("ATTUNE__LOG__LEVEL", "debug").start().await)
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("there is a server")
    }
}

impl Deployment for Alone {
    async fn fresh() -> Self {
        let site = Site::new();
        let server = Self::serve(&site).await;
        Self { site, server }
    }

    fn url(&self) -> &str {
        self.server().url()
    }

    fn folder(&self) -> &Path {
        self.site.path()
    }

    async fn client(&self) -> Client {
        self.server().client().await
    }

    async fn token_key(&self) -> Vec<u8> {
        let key = std::fs::read_to_string(self.site.data().join("keys/token.key"));
        hex::decode(key.expect("the key can be read").trim()).expect("a key is hexadecimal")
    }

    async fn plant(&mut self, queue: Queue, text: &str) {
        self.server.take().expect("there is a server").stop().await;
        crate::embedded::plant(&self.site.data(), queue, text);
        self.server = Self::serve(&self.site).await;
    }

    async fn stop(mut self) {
        self.server.take().expect("there is a server").stop().await;
    }

    async fn search<const N: usize>(mut self, texts: [&str; N]) -> [Vec<String>; N] {
        self.server.take().expect("there is a server").stop().await;
        texts.map(|text| {
            let mut found = files::holding(&self.site.data(), text.as_bytes());
            found.extend(self.site.logs().into_iter().filter(|log| {
                let log = std::fs::read(log).expect("a log can be read");
                String::from_utf8_lossy(&log).contains(text)
            }));
            found.into_iter().map(|path| path.display().to_string()).collect()
        })
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

    async fn token_key(&self) -> Vec<u8> {
        self.token_key().await
    }

    async fn plant(&mut self, queue: Queue, text: &str) {
        crate::cloud::plant(self.clients(), self.queues(), queue, text).await;
    }

    async fn stop(self) {}

    async fn search<const N: usize>(self, texts: [&str; N]) -> [Vec<String>; N] {
        let mut found = [const { Vec::new() }; N];
        for (found, text) in found.iter_mut().zip(texts) {
            *found = self.places_of(text).await;
        }
        found
    }
}
