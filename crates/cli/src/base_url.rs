//! The address of a server, from which every request's address is built.

use reqwest::Url;
use std::fmt;
use std::str::FromStr;

/// An `http` or `https` address, possibly with a path prefix, without user, query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a text is not the address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no address at all.
    #[error("not an address like http://127.0.0.1:8080")]
    Malformed,
    /// Another protocol.
    #[error("the address must start with http:// or https://")]
    Scheme,
    /// A name or password would end up in every message that names the server.
    #[error("the address must not hold a user name or password; use `attune login`")]
    UserInfo,
    /// A query or fragment would be lost.
    #[error("the address must not hold a query or fragment")]
    Query,
}

impl BaseUrl {
    /// The address of the path that consists of `segments`, each of which is escaped.
    pub fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        url.path_segments_mut().expect("http addresses have paths").pop_if_empty().extend(segments);
        url
    }

    /// Whether the connection to `url` would be as good as the one to here: of HTTP, and encrypted if this one
    /// is.
    pub fn is_matched_by(&self, url: &Url) -> bool {
        url.scheme() == "https" || (url.scheme() == "http" && !self.is_https())
    }

    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl Default for BaseUrl {
    /// Where `attune serve` listens unless told otherwise.
    fn default() -> Self {
        "http://127.0.0.1:8080".parse().expect("a valid address")
    }
}

impl FromStr for BaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let url = Url::parse(text).map_err(|_| Error::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::Query);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for BaseUrl {
    /// Without a trailing slash, so that equal servers have equal texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_appended_and_escaped() {
        for (why, base, segments, expected) in [
            ("a bare host", "http://h:1", &["auth", "me"][..], "http://h:1/auth/me"),
            ("a trailing slash", "http://h:1/", &["auth", "me"], "http://h:1/auth/me"),
            ("a path prefix is kept", "https://h/attune", &["x"], "https://h/attune/x"),
            ("a prefix with slash", "https://h/attune/", &["x"], "https://h/attune/x"),
            ("slashes inside are escaped", "http://h", &["a/b c"], "http://h/a%2Fb%20c"),
        ] {
            let base: BaseUrl = base.parse().unwrap();
            assert_eq!(base.join(segments).as_str(), expected, "{why}");
        }
    }

    #[test]
    fn what_cannot_be_a_server_is_refused() {
        for (text, expected) in [
            ("localhost:8080", Error::Scheme),
            ("not an address", Error::Malformed),
            ("ftp://h", Error::Scheme),
            ("http://me:secret@h", Error::UserInfo),
            ("http://h/?a=b", Error::Query),
        ] {
            assert_eq!(text.parse::<BaseUrl>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn no_way_leads_from_secrecy_into_the_open() {
        for (base, other, expected) in [
            ("http://h", "http://streams", true),
            ("http://h", "https://streams", true),
            ("https://h", "https://streams", true),
            ("https://h", "http://streams", false),
            ("http://h", "ftp://streams", false),
        ] {
            let base: BaseUrl = base.parse().unwrap();
            assert_eq!(base.is_matched_by(&other.parse().unwrap()), expected, "{base} to {other}");
        }
    }

    #[test]
    fn equal_servers_read_the_same() {
        let [a, b] = ["http://h/", "http://h"].map(|text| text.parse::<BaseUrl>().unwrap());
        assert_eq!(a.to_string(), b.to_string());
    }
}
