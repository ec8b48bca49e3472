//! Over a real socket: a client that sends its whole request before it reads gets the answer, however early
//! the server knew it.

use crate::server::Server;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Sends everything, then reads one answer: its status and body.
async fn ask(stream: &mut BufReader<TcpStream>, head: &str, body: &[u8]) -> (u16, String) {
    let length = body.len();
    let head = format!("{head}\r\nhost: attune\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    answer(stream).await
}

async fn answer(stream: &mut BufReader<TcpStream>) -> (u16, String) {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    let status = line.split(' ').nth(1).unwrap_or_default().parse().unwrap();
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (status, String::from_utf8(body).unwrap())
}

async fn listening(server: &Server) -> BufReader<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, server.router()).into_future());
    BufReader::new(TcpStream::connect(address).await.unwrap())
}

#[tokio::test]
async fn a_body_that_is_refused_is_heard_of_and_the_connection_lives_on() {
    let server = Server::start().await;
    let mut stream = listening(&server).await;
    let token = format!("authorization: Bearer {}", server.token);
    let json = "content-type: application/json";
    let body = vec![b' '; 3 << 20];
    for (what, head, status) in [
        (
            "over the limit",
            format!("POST /api/v1/executions/execute HTTP/1.1\r\n{token}\r\n{json}"),
            413,
        ),
        ("without a token", format!("POST /api/v1/executions/execute HTTP/1.1\r\n{json}"), 401),
        ("of another type", format!("POST /api/v1/executions/execute HTTP/1.1\r\n{token}"), 415),
        ("to no route", format!("POST /api/v1/robots HTTP/1.1\r\n{token}"), 404),
    ] {
        let (found, text) = ask(&mut stream, &head, &body).await;
        assert_eq!(found, status, "{what}: {text}");
        assert!(text.contains("\"error\""), "{what}: {text}");
    }
    assert_eq!(ask(&mut stream, "GET /health HTTP/1.1", b"").await.0, 200);
}

#[tokio::test]
async fn who_asks_before_sending_need_not_send() {
    let server = Server::start().await;
    let mut stream = listening(&server).await;
    let head = "POST /api/v1/executions/execute HTTP/1.1\r\nhost: attune\r\nexpect: 100-continue\r\n\
        content-type: application/json\r\ncontent-length: 3000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream).await.0, 401, "and not 100");
}

#[tokio::test]
async fn what_never_ends_is_not_read_for_ever() {
    let server = Server::start().await;
    let mut stream = listening(&server).await;
    let head = "POST /api/v1/robots HTTP/1.1\r\nhost: attune\r\ncontent-length: 1000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = vec![b' '; 1 << 20];
    let mut sent = 0_u64;
    while stream.write_all(&chunk).await.is_ok() {
        sent += 1;
        assert!(sent < 900, "the server reads on");
    }
}
