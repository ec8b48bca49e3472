//! Logs: what actions print.

use super::{Fixture, Options};
use attune_domain::id::ExecutionId;
use attune_ports::LogStream::{Stderr, Stdout};
use attune_ports::{LogStream, Ports};

const ONE: ExecutionId = ExecutionId::new(1 << 40);
const TWO: ExecutionId = ExecutionId::new((1 << 40) + 1);

async fn read(
    ports: &Ports,
    execution: ExecutionId,
    stream: LogStream,
    offset: u64,
    max: usize,
) -> Option<String> {
    let bytes = ports.logs.read(execution, stream, offset, max).await.expect("logs can be read")?;
    Some(String::from_utf8(bytes.to_vec()).expect("what was printed is text"))
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// From any offset, as much as asked for, and more as it comes.
pub async fn what_is_printed_can_be_read_while_more_comes<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    assert_eq!(read(ports, ONE, Stdout, 0, 100).await, None, "nothing was ever printed");
    fixture.print(ONE, Stdout, "hello\n").await;
    assert_eq!(read(ports, ONE, Stdout, 0, 100).await, text("hello\n"));
    assert_eq!(read(ports, ONE, Stdout, 6, 100).await, text(""), "nothing more yet");
    fixture.print(ONE, Stdout, "world\n").await;
    for (offset, max, expected) in [
        (6, 100, "world\n"),
        (0, 100, "hello\nworld\n"),
        (0, 5, "hello"),
        (4, 4, "o\nwo"),
        (12, 10, ""),
        (1000, 10, ""),
        (0, 0, ""),
    ] {
        assert_eq!(
            read(ports, ONE, Stdout, offset, max).await,
            text(expected),
            "{max} from {offset}"
        );
    }
}

/// Two streams of two executions are four logs.
pub async fn streams_and_executions_are_apart<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    for (execution, stream, printed) in
        [(ONE, Stdout, "1 out"), (ONE, Stderr, "1 err"), (TWO, Stdout, "2 out")]
    {
        fixture.print(execution, stream, printed).await;
    }
    assert_eq!(read(ports, ONE, Stdout, 0, 9).await, text("1 out"));
    assert_eq!(read(ports, ONE, Stderr, 0, 9).await, text("1 err"));
    assert_eq!(read(ports, TWO, Stdout, 0, 9).await, text("2 out"));
    assert_eq!(read(ports, TWO, Stderr, 0, 9).await, None);
}

/// Both streams of one execution go, and only those.
pub async fn logs_can_be_removed<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    for (execution, stream) in [(ONE, Stdout), (ONE, Stderr), (TWO, Stdout)] {
        fixture.print(execution, stream, "text").await;
    }
    for _ in 0..2 {
        ports.logs.delete(ONE).await.expect("removing nothing succeeds");
        assert_eq!(read(ports, ONE, Stdout, 0, 9).await, None);
        assert_eq!(read(ports, ONE, Stderr, 0, 9).await, None);
    }
    assert_eq!(read(ports, TWO, Stdout, 0, 9).await, text("text"));
}
