//! What is kept of one output stream: redacted, bounded, and in the log at once.

use crate::{
    log::Log,
    redaction::{Redaction, Redactor},
};
use attune_ports::LogStream;
use std::borrow::Cow;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Capture stops this many bytes before the limit, which leaves room for the notice.
const NOTICE_ROOM: usize = 128;

/// How much is read from a pipe at a time, in bytes.
const PIECE: usize = 16 * 1024;

/// One output stream being captured.
pub(crate) struct Capture<'a> {
    stream: LogStream,
    redactor: Redactor<'a>,
    log: Option<Log>,
    /// The most that is captured, in bytes.
    limit: usize,
    clean: Vec<u8>,
    /// The bytes as they came, where they will be parsed: redacting a number would break JSON.
    raw: Option<Vec<u8>>,
    /// How many bytes came.
    seen: u64,
    /// How many of them were taken.
    taken: usize,
    full: bool,
}

impl<'a> Capture<'a> {
    /// A capture of at most `max` bytes, notice included. `parsed` says whether the text will be
    /// parsed. Without a log, the text is kept in memory only.
    pub(crate) fn new(
        stream: LogStream,
        redaction: &'a Redaction,
        log: Option<Log>,
        max: usize,
        parsed: bool,
    ) -> Self {
        Self {
            stream,
            redactor: Redactor::new(redaction),
            log,
            limit: max.saturating_sub(NOTICE_ROOM),
            clean: Vec::new(),
            raw: (parsed && !redaction.is_empty()).then(Vec::new),
            seen: 0,
            taken: 0,
            full: false,
        }
    }

    /// Reads a pipe to its end. A pipe that cannot be read has ended. What comes after the limit
    /// is read too, and dropped: a process must not hang on a full pipe.
    pub(crate) async fn follow(&mut self, mut pipe: impl AsyncRead + Unpin) {
        let mut piece = vec![0; PIECE];
        while let Ok(length @ 1..) = pipe.read(&mut piece).await {
            self.push(&piece[..length]);
        }
    }

    /// Takes a piece of the stream.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.seen += piece.len() as u64;
        if self.full {
            return;
        }
        let fits = piece.len().min(self.limit - self.taken);
        self.taken += fits;
        if let Some(raw) = &mut self.raw {
            raw.extend_from_slice(&piece[..fits]);
        }
        let before = self.clean.len();
        self.redactor.push(&piece[..fits], &mut self.clean);
        // Marks may be longer than what they stand for, so both sides have the limit.
        if fits < piece.len() || self.clean.len() > self.limit {
            self.redactor.cut(&mut self.clean);
            self.clean.truncate(self.limit);
            self.full = true;
        }
        if let Some(log) = &mut self.log {
            log.append(&self.clean[before..]);
            if self.full {
                log.append(notice(self.stream).as_bytes());
            }
        }
    }

    /// Ends the capture.
    pub(crate) fn finish(mut self) -> Captured {
        if !self.full {
            let before = self.clean.len();
            self.redactor.finish(&mut self.clean);
            if let Some(log) = &mut self.log {
                log.append(&self.clean[before..]);
            }
        }
        Captured {
            stream: self.stream,
            clean: self.clean,
            raw: self.raw,
            dropped: self.full.then(|| self.seen - self.taken as u64),
        }
    }
}

fn notice(stream: LogStream) -> String {
    format!("\n\n[OUTPUT TRUNCATED: {} exceeded size limit]\n", stream.as_str())
}

/// What was kept of one output stream.
pub(crate) struct Captured {
    stream: LogStream,
    clean: Vec<u8>,
    raw: Option<Vec<u8>>,
    dropped: Option<u64>,
}

impl Captured {
    /// The redacted text, with the notice where it was truncated.
    pub(crate) fn text(&self) -> String {
        self.noticed(&self.clean).into_owned()
    }

    /// The text to parse: **not** redacted.
    pub(crate) fn raw(&self) -> Cow<'_, str> {
        self.noticed(self.raw.as_ref().unwrap_or(&self.clean))
    }

    /// The redacted text without the notice.
    pub(crate) fn bare(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.clean)
    }

    /// How many bytes were dropped, if the text was truncated.
    pub(crate) fn dropped(&self) -> Option<u64> {
        self.dropped
    }

    fn noticed<'b>(&self, bytes: &'b [u8]) -> Cow<'b, str> {
        let text = String::from_utf8_lossy(bytes);
        match self.dropped {
            Some(_) => (text.into_owned() + &notice(self.stream)).into(),
            None => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(secrets: &[&str], max: usize, pieces: &[&str]) -> Captured {
        let redaction = Redaction::new(secrets.iter().copied());
        let mut capture = Capture::new(LogStream::Stdout, &redaction, None, max, true);
        pieces.iter().for_each(|piece| capture.push(piece.as_bytes()));
        capture.finish()
    }

    #[test]
    fn text_within_the_limit_is_whole() {
        let kept = captured(&[], 128 + 6, &["abc", "def"]);
        assert_eq!(kept.text(), "abcdef");
        assert_eq!(kept.dropped(), None);
    }

    #[test]
    fn text_over_the_limit_is_cut_and_says_so() {
        let kept = captured(&[], 128 + 5, &["abc", "def", "ghi"]);
        assert_eq!(kept.bare(), "abcde");
        assert_eq!(kept.text(), "abcde\n\n[OUTPUT TRUNCATED: stdout exceeded size limit]\n");
        assert_eq!(kept.dropped(), Some(4));
    }

    #[test]
    fn a_limit_within_a_secret_shows_none_of_it() {
        let kept = captured(&["hunter2"], 128 + 20, &["password is: hunter2"]);
        assert_eq!(kept.bare(), "password is: [REDACT", "cut by the limit, mark included");
        let kept =
            captured(&["hunter2"], 128 + 30, &["my password now is: hun", "ter2 and more text"]);
        assert!(!kept.text().contains("hunt"), "{}", kept.text());
    }

    #[test]
    fn long_marks_do_not_pass_the_limit() {
        let kept = captured(&["a"], 128 + 50, &["a".repeat(40).as_str()]);
        assert_eq!(kept.bare().len(), 50);
        assert!(kept.dropped().is_some());
    }

    #[test]
    fn what_is_parsed_is_not_redacted_yet() {
        let kept = captured(&["1234"], 1024, &["{\"pin\":1234}"]);
        assert_eq!(kept.raw(), "{\"pin\":1234}");
        assert_eq!(kept.text(), "{\"pin\":[REDACTED]}");
    }
}
