//! A terminal with somebody in front of it: what a command writes is applied to a screen.

use super::site::Site;
use pty_process::{Command, Pty, Size};
use std::num::NonZeroU16;
use tokio::io::AsyncReadExt;
use tokio::process::Child;

/// Lines above the screen that are remembered.
const SCROLLBACK: usize = 1_000;

/// A command on a terminal of its own.
pub struct Terminal {
    child: Child,
    pty: Pty,
    screen: vt100::Parser,
}

impl Terminal {
    /// Runs the command line against a server with this token, on a terminal of so many rows and columns.
    ///
    /// # Panics
    /// Where there is no such terminal, or the command does not start.
    #[must_use]
    pub fn open(
        (rows, columns): (u16, u16),
        site: &Site,
        (url, token): (&str, &str),
        arguments: &[&str],
    ) -> Self {
        let (pty, pts) = pty_process::open().expect("the system has terminals");
        pty.resize(Size::new(rows, columns)).expect("a terminal has a size");
        let child = Command::new(super::binary::path())
            .args(arguments)
            .env_clear()
            .env("HOME", site.home())
            .env("ATTUNE_URL", url)
            .env("ATTUNE_TOKEN", token)
            .env("TERM", "xterm-256color")
            .current_dir(site.home())
            .kill_on_drop(true)
            .spawn(pts)
            .expect("the command line starts");
        let [rows, columns] = [rows, columns].map(|size| NonZeroU16::new(size).expect("a size"));
        Self { child, pty, screen: vt100::Parser::new(rows, columns, SCROLLBACK) }
    }

    /// Applies what the command writes next; answers whether there was something before its end.
    async fn read(&mut self) -> bool {
        let mut bytes = [0; 4096];
        // Linux says EIO for a terminal that nobody writes to any more.
        let read = self.pty.read(&mut bytes).await.unwrap_or(0);
        self.screen.process(&bytes[..read]);
        read > 0
    }

    /// Waits until the screen is as wanted; answers it.
    ///
    /// # Panics
    /// Where it does not become so before the command ends, or in time.
    pub async fn shows(&mut self, what: &str, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        let looking = async {
            while !wanted(&self.rows()) {
                let goes_on = self.read().await;
                assert!(goes_on, "it ended without {what}: {:#?}", self.rows());
            }
        };
        let in_time = tokio::time::timeout(super::PATIENCE, looking).await;
        assert!(in_time.is_ok(), "still waiting for {what}: {:#?}", self.rows());
        self.rows()
    }

    /// The screen, row by row.
    fn rows(&self) -> Vec<String> {
        let (_, columns) = self.screen.screen().size();
        let rows = self.screen.screen().rows(0, columns.get());
        rows.map(|row| row.trim_end().to_owned()).collect()
    }

    /// Waits for the end of the command; answers its exit code, and all that can be scrolled to, line by line.
    ///
    /// # Panics
    /// Where it does not end in time.
    pub async fn ended(mut self) -> (i32, Vec<String>) {
        let ending = async {
            while self.read().await {}
            self.child.wait().await.expect("the system says how a child is")
        };
        let status = tokio::time::timeout(super::PATIENCE, ending).await.expect("it ends");
        (status.code().expect("nobody killed it"), self.scrolled())
    }

    /// Everything above the screen, and the screen.
    pub fn scrolled(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        for offset in (0..=self.screen.screen().scrollback_len()).rev() {
            self.screen.screen_mut().set_scrollback(offset);
            let rows = if offset > 0 { 1 } else { usize::MAX };
            lines.extend(self.rows().into_iter().take(rows));
        }
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }
}
