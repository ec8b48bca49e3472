//! Blobs: whole or absent.

use super::{Ending, Fixture, Options};
use bytes::Bytes;

/// Empty, small and large blobs come back byte for byte; what was never put is absent.
pub async fn a_blob_is_read_as_it_was_put<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let blobs = &fixture.ports().blobs;
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    for (name, bytes) in [
        ("empty", Bytes::new()),
        ("events/1", Bytes::from_static(b"{\"a\":1}")),
        ("executions/1.1.result", Bytes::from_static(&[0, 255, 10, 13])),
        ("a/b/c/d-e_f.tar.gz", Bytes::from(large)),
    ] {
        assert_eq!(blobs.get(name).await.expect("readable"), None, "{name}");
        assert_eq!(blobs.size(name).await.expect("readable"), None, "{name}");
        blobs.put(name, bytes.clone()).await.expect("it can be stored");
        assert_eq!(blobs.size(name).await.expect("readable"), Some(bytes.len() as u64), "{name}");
        assert_eq!(blobs.get(name).await.expect("readable"), Some(bytes), "{name}");
    }
}

/// The newest bytes count; removing twice is harmless.
pub async fn a_blob_is_replaced_and_removed<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let blobs = &fixture.ports().blobs;
    for text in ["a longer text", "short", ""] {
        blobs.put("x/y", Bytes::from(text)).await.expect("it can be stored");
        assert_eq!(blobs.get("x/y").await.expect("readable"), Some(Bytes::from(text)));
    }
    blobs.put("x/z", Bytes::from("other")).await.expect("it can be stored");
    for _ in 0..2 {
        blobs.delete("x/y").await.expect("removing nothing succeeds");
        assert_eq!(blobs.get("x/y").await.expect("readable"), None);
    }
    assert_eq!(blobs.get("x/z").await.expect("readable"), Some(Bytes::from("other")));
}

/// Names that are no plain relative paths are refused by every operation.
pub async fn names_cannot_leave_the_place_of_blobs<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let blobs = &fixture.ports().blobs;
    for name in [
        "",
        "/",
        "/etc/passwd",
        "..",
        "a/../b",
        "../a",
        "a//b",
        "a/",
        ".hidden",
        "a b",
        "a\0b",
        "ä",
        "a\\b",
    ] {
        assert!(blobs.put(name, Bytes::new()).await.is_err(), "{name:?} was put");
        assert!(blobs.get(name).await.is_err(), "{name:?} was read");
        assert!(blobs.size(name).await.is_err(), "{name:?} was measured");
        assert!(blobs.delete(name).await.is_err(), "{name:?} was removed");
    }
}

/// A blob is durable when `put` returns.
pub async fn blobs_survive_a_crash<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    let name = "executions/1.config";
    fixture.ports().blobs.put(name, Bytes::from("kept")).await.expect("it can be stored");
    fixture.restart(Ending::Crash).await;
    let found = fixture.ports().blobs.get(name).await.expect("readable");
    assert_eq!(found, Some(Bytes::from("kept")));
}
