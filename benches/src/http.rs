//! A lean HTTP/1.1 client: one kept connection, one request at a time, one write and mostly one read
//! per request.
//!
//! The usual clients were rejected on purpose. Client and server share the cores of one machine, and
//! whatever the client spends on pools, header maps, URL parsing and hand-overs between tasks is
//! missing from the number it reports. What is left out is what a server of ours never answers:
//! trailers, upgrades, compression.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long one answer may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request without the parts that are the same for every request of a connection.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'static str,
    /// Path and query, starting with a slash.
    pub path: String,
    /// A JSON text; empty for none.
    pub body: String,
}

impl Request {
    /// A request without a body.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), body: String::new() }
    }

    /// A request with a JSON text as its body; an empty one sends no body.
    pub fn post(path: impl Into<String>, body: impl Into<String>) -> Self {
        Self { method: "POST", path: path.into(), body: body.into() }
    }

    /// A request to remove something.
    pub fn delete(path: impl Into<String>) -> Self {
        Self { method: "DELETE", path: path.into(), body: String::new() }
    }
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The decoded body.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status is one of success.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A kept connection to one server.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// The header lines that every request repeats: the host and, where there is one, the token.
    fixed: String,
    /// The request being written; kept to save the allocation.
    out: Vec<u8>,
    /// What was read and not yet taken.
    input: Vec<u8>,
}

impl Connection {
    /// Connects to `authority` (`host:port`); `token` goes with every request.
    pub async fn open(authority: &str, token: Option<&str>) -> Result<Self> {
        let stream = TcpStream::connect(authority)
            .await
            .with_context(|| format!("no server answers at {authority}"))?;
        stream.set_nodelay(true)?;
        let mut fixed = format!("Host: {authority}\r\n");
        if let Some(token) = token {
            fixed.push_str("Authorization: Bearer ");
            fixed.push_str(token);
            fixed.push_str("\r\n");
        }
        Ok(Self { stream, fixed, out: Vec::new(), input: Vec::with_capacity(16 * 1024) })
    }

    /// Sends `request` and reads the whole answer. After an error the connection is of no more use.
    pub async fn send(&mut self, request: &Request) -> Result<Response> {
        tokio::time::timeout(PATIENCE, self.exchange(request))
            .await
            .with_context(|| format!("no answer within {} s", PATIENCE.as_secs()))?
            .with_context(|| format!("{} {}", request.method, shown(&request.path)))
    }

    async fn exchange(&mut self, request: &Request) -> Result<Response> {
        self.out.clear();
        write!(self.out, "{} {} HTTP/1.1\r\n{}", request.method, request.path, self.fixed)?;
        if !request.body.is_empty() {
            let length = request.body.len();
            write!(self.out, "Content-Type: application/json\r\nContent-Length: {length}\r\n")?;
        } else if request.method != "GET" {
            write!(self.out, "Content-Length: 0\r\n")?;
        }
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(request.body.as_bytes());
        self.stream.write_all(&self.out).await?;

        let head = loop {
            if let Some(end) = find(&self.input, b"\r\n\r\n") {
                let head = Head::parse(&self.input[..end + 2])?;
                self.input.drain(..end + 4);
                break head;
            }
            self.fill().await?;
        };
        let body = match head.length {
            Length::Known(length) => self.take(length).await?,
            Length::Chunked => self.chunks().await?,
        };
        Ok(Response { status: head.status, body })
    }

    async fn fill(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.input).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }

    async fn take(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.input.len() < length {
            self.fill().await?;
        }
        Ok(self.input.drain(..length).collect())
    }

    async fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(end) = find(&self.input, b"\r\n") {
                    break end;
                }
                self.fill().await?;
            };
            let line = String::from_utf8_lossy(&self.input[..end]).into_owned();
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(digits, 16).context("a chunk without a size")?;
            self.input.drain(..end + 2);
            let chunk = self.take(size + 2).await?;
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: Length,
}

#[derive(Debug, PartialEq, Eq)]
enum Length {
    Known(usize),
    Chunked,
}

impl Head {
    /// `text` is the status line and the header lines, each with its line end.
    fn parse(text: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(text).context("a head that is not text")?;
        let mut lines = text.split("\r\n");
        let status_line = lines.next().unwrap_or_default();
        let status = status_line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3))
            .and_then(|code| code.parse().ok())
            .with_context(|| format!("not an HTTP/1.1 answer: {status_line:?}"))?;
        let mut length = Length::Known(0);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                length = Length::Known(value.trim().parse().context("a bad content-length")?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                length = Length::Chunked;
            }
        }
        Ok(Self { status, length })
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// A path as an error may show it: a webhook's key is as good as a password.
fn shown(path: &str) -> &str {
    const WEBHOOKS: &str = "/api/v1/webhooks/";
    if path.starts_with(WEBHOOKS) { WEBHOOKS } else { path }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Answers each of `answers` once it has read anything, on one connection.
    async fn server(answers: Vec<Vec<&'static [u8]>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in answers {
                let mut request = [0; 4096];
                if stream.read(&mut request).await.unwrap() == 0 {
                    return;
                }
                for part in answer {
                    stream.write_all(part).await.unwrap();
                    stream.flush().await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
        authority
    }

    #[tokio::test]
    async fn answers_of_every_framing_are_read_on_one_connection() {
        let authority = server(vec![
            vec![b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"],
            vec![b"HTTP/1.1 404 Not Found\r\ncontent-le", b"ngth: 4\r\n\r\nn", b"one"],
            vec![
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                b"A;x=y\r\n0123456789\r\n0\r\n\r\n",
            ],
            vec![b"HTTP/1.1 200 OK\r\n\r\n"],
        ])
        .await;
        let mut connection = Connection::open(&authority, None).await.unwrap();
        for (status, body) in [(200, "hi"), (404, "none"), (200, "abc0123456789"), (200, "")] {
            let answer = connection.send(&Request::get("/")).await.unwrap();
            assert_eq!(
                (answer.status, String::from_utf8(answer.body).unwrap()),
                (status, body.into())
            );
        }
        let error = connection.send(&Request::get("/gone")).await.unwrap_err();
        assert!(format!("{error:#}").starts_with("GET /gone: "), "{error:#}");
    }

    #[test]
    fn what_is_not_http_is_refused() {
        for head in
            ["SSH-2.0-x\r\n", "HTTP/1.1 abc\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n", "é"]
        {
            assert!(Head::parse(head.as_bytes()).is_err(), "{head:?}");
        }
    }

    #[test]
    fn errors_do_not_show_the_key_of_a_webhook() {
        assert_eq!(shown("/api/v1/webhooks/wh_0123"), "/api/v1/webhooks/");
        assert_eq!(shown("/api/v1/executions/7"), "/api/v1/executions/7");
    }
}
