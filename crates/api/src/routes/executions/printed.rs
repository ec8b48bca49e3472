//! What an execution printed, wherever it lies.

use crate::routes::fetched;
use attune_domain::execution::Execution;
use attune_ports::{LogStream, Ports, Unavailable};
use bytes::Bytes;
use serde_json::Value;

/// Reads at most `limit` bytes from `offset`. A little may be kept with the execution; then there is no log.
/// A built-in that is over at once writes none either: what it printed is in its result.
pub(super) async fn read(
    ports: &Ports,
    execution: &Execution,
    stream: LogStream,
    offset: u64,
    limit: usize,
) -> Result<Bytes, Unavailable> {
    if let Some(printed) = &execution.printed {
        let text = match stream {
            LogStream::Stdout => &printed.stdout,
            LogStream::Stderr => &printed.stderr,
        };
        return Ok(cut(Bytes::copy_from_slice(text.as_bytes()), offset, limit));
    }
    if let Some(bytes) = ports.logs.read(execution.id, stream, offset, limit).await? {
        return Ok(bytes);
    }
    if stream == LogStream::Stderr {
        return Ok(Bytes::new());
    }
    let mut result = fetched(ports, execution.result.as_ref()).await?.unwrap_or_default();
    let Some(Value::String(text)) = result.get_mut("stdout").map(Value::take) else {
        return Ok(Bytes::new());
    };
    Ok(cut(text.into(), offset, limit))
}

/// At most `limit` bytes of `text` from `offset`.
fn cut(text: Bytes, offset: u64, limit: usize) -> Bytes {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
    text.slice(start..start.saturating_add(limit).min(text.len()))
}

/// Reads a part, and whether nothing follows: the end counts only if the execution was over before.
pub(super) async fn part(
    ports: &Ports,
    execution: &Execution,
    stream: LogStream,
    offset: u64,
    limit: usize,
) -> Result<(Bytes, bool), Unavailable> {
    let bytes = read(ports, execution, stream, offset, limit).await?;
    let complete = execution.status.is_terminal() && {
        let end = offset + bytes.len() as u64;
        read(ports, execution, stream, end, 1).await?.is_empty()
    };
    Ok((bytes, complete))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_part_can_be_cut() {
        for (offset, limit, expected) in [
            (0, 100, "hello"),
            (0, 2, "he"),
            (1, 3, "ell"),
            (5, 10, ""),
            (u64::MAX, usize::MAX, ""),
            (2, usize::MAX, "llo"),
        ] {
            assert_eq!(cut("hello".into(), offset, limit), expected, "{limit} from {offset}");
        }
    }
}
