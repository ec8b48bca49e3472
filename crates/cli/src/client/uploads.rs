//! Packs on their way to the server.

use super::call::Body;
use super::{Client, Error, Refusal, transport};
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Archives up to this size, in bytes, go along with the request that installs them. A function's request holds
/// 6 MB at most, of which a body that is not text takes four thirds of its size.
const DIRECT: usize = 4 * 1024 * 1024;
/// How long a large archive may be on its way.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Where the server wants an archive.
#[derive(Deserialize)]
struct Upload {
    id: String,
    url: String,
    method: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// An upload's address, and whether it is the server's own.
enum Door {
    Own(Url),
    Foreign(Url),
}

impl Client {
    /// Installs the pack in `archive`, a `.tar.gz`, and answers what came of it.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn install(
        &self,
        archive: &Bytes,
        force: bool,
        skip_tests: bool,
    ) -> Result<Value, Error> {
        let path = ["packs", "upload"];
        if archive.len() <= DIRECT {
            let flags = [("force", force), ("skip_tests", skip_tests)];
            return self.post_body(&path, Body::Form(archive, &flags)).await;
        }
        let upload = self.post(&["uploads"], None).await?;
        // What does not fit is not quoted: whoever has the address may use it.
        let upload = Upload::deserialize(upload).map_err(|_| self.not_attune())?;
        self.put(&upload, archive).await?;
        let request = json!({"upload": upload.id, "force": force, "skip_tests": skip_tests});
        self.post(&path, Some(&request)).await
    }

    async fn put(&self, upload: &Upload, archive: &Bytes) -> Result<(), Error> {
        let method = Method::from_bytes(upload.method.as_bytes()).map_err(|_| self.not_attune())?;
        let (url, authorization) = match self.door(&upload.url)? {
            Door::Own(url) => (url, self.session.authorization().await),
            // The address is its own permission, and our token is none of that host's business.
            Door::Foreign(url) => (url, None),
        };
        // Nothing comes back while the archive is on its way, however long that takes.
        let http = self.http_for(&url, None)?;
        let mut request = http.request(method, url).timeout(UPLOAD_TIMEOUT).body(archive.clone());
        for (name, value) in &upload.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                request = request.header(name, value);
            }
        }
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let answer = request.send().await.map_err(|source| transport(self.base(), source))?;
        match answer.status() {
            StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(()),
            _ => Err(Error::Refused(Refusal::read(answer).await)),
        }
    }

    fn door(&self, url: &str) -> Result<Door, Error> {
        if let Some(path) = url.strip_prefix('/') {
            let segments: Vec<&str> = path.split('/').collect();
            return Ok(Door::Own(self.base().join(&segments)));
        }
        let url = Url::parse(url).map_err(|_| self.not_attune())?;
        if self.base().is_matched_by(&url) {
            Ok(Door::Foreign(url))
        } else {
            Err(self.not_attune())
        }
    }
}
