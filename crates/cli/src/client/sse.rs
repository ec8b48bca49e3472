//! Server-sent events: text lines that come in whatever pieces the network makes of them.

use reqwest::Response;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its name; empty means that it has none.
    pub name: String,
    /// Its text.
    pub data: String,
    /// Where to go on after it.
    pub id: Option<String>,
}

/// A stream of events. It ends when the server ends it.
#[derive(Debug)]
pub struct Events {
    answer: Response,
    decoder: Decoder,
    ready: std::collections::VecDeque<Event>,
    silent: bool,
}

impl Events {
    /// Reads the body of an answer as events.
    pub(super) fn new(answer: Response) -> Self {
        Self {
            answer,
            decoder: Decoder::default(),
            ready: std::collections::VecDeque::new(),
            silent: true,
        }
    }

    /// The next event; `None` when the stream is over.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn next(&mut self) -> Result<Option<Event>, reqwest::Error> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            match self.answer.chunk().await? {
                Some(bytes) => {
                    self.silent = false;
                    self.ready.extend(self.decoder.push(&bytes));
                }
                None => return Ok(None),
            }
        }
    }

    /// Whether nothing at all has come, not even a keep-alive.
    pub fn is_silent(&self) -> bool {
        self.silent
    }
}

/// Puts events together, byte by byte if it must be.
#[derive(Debug, Default)]
struct Decoder {
    line: Vec<u8>,
    event: Event,
    lines: usize,
}

impl Decoder {
    fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in bytes {
            if byte != b'\n' {
                self.line.push(byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            events.extend(self.take_line(line.strip_suffix('\r').unwrap_or(&line)));
        }
        events
    }

    fn take_line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            let named = !event.name.is_empty();
            return (std::mem::take(&mut self.lines) > 0 || named).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "id" => self.event.id = Some(value.to_owned()),
            "data" => {
                if self.lines > 0 {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.lines += 1;
            }
            // A comment, or a field that we have no use for.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str, id: Option<&str>) -> Event {
        Event { name: name.into(), data: data.into(), id: id.map(Into::into) }
    }

    #[test]
    fn streams_become_events() {
        for (why, text, expected) in [
            (
                "all fields",
                "event: content\nid: 3\ndata: abc\n\n",
                vec![event("content", "abc", Some("3"))],
            ),
            ("data over lines", "data: a\ndata: b\ndata:\n\n", vec![event("", "a\nb\n", None)]),
            ("carriage returns", "data: a\r\n\r\n", vec![event("", "a", None)]),
            ("a keep-alive", ":\n\n: still here\n\n", vec![]),
            ("a name without data", "event: done\n\n", vec![event("done", "", None)]),
            ("only one space is dropped", "data:  a\n\n", vec![event("", " a", None)]),
            ("an unfinished event", "data: a\n", vec![]),
            (
                "two events",
                "data: a\n\ndata: b\n\n",
                vec![event("", "a", None), event("", "b", None)],
            ),
        ] {
            assert_eq!(Decoder::default().push(text.as_bytes()), expected, "{why}");
        }
    }

    #[test]
    fn it_does_not_matter_where_the_network_cuts() {
        let text = "event: append\nid: 9\ndata: grüße\ndata: 日本\n\n: x\n\ndata: z\n\n".as_bytes();
        let whole = Decoder::default().push(text);
        for cut in 0..text.len() {
            let mut decoder = Decoder::default();
            let mut pieces = decoder.push(&text[..cut]);
            pieces.extend(decoder.push(&text[cut..]));
            assert_eq!(pieces, whole, "cut at byte {cut}");
        }
    }
}
