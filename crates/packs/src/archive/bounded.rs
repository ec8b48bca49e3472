//! A reader that yields no more than it may.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Fails once more than `limit` bytes come from the inner reader, and says so apart from the error,
/// which passes through other readers' hands on its way.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
    exceeded: Rc<Cell<bool>>,
}

impl<R> Bounded<R> {
    pub(super) fn new(inner: R, limit: u64) -> Self {
        Self { inner, left: limit, exceeded: Rc::default() }
    }

    /// Becomes true when the limit is passed.
    pub(super) fn exceeded(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.exceeded)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => {
                self.exceeded.set(true);
                Err(io::Error::other("larger than allowed"))
            }
        }
    }
}
