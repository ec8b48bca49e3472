//! What a process remembers: compiled forms of definitions, each tied to the text it was made from.

use bytes::Bytes;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Entries kept at most; reaching it forgets everything, which costs only compiling again.
const MOST: usize = 4096;

type Entry = (Bytes, Arc<dyn Any + Send + Sync>);

/// Remembers values by type and name. An entry counts only for the body it was made from, so the reader
/// first reads the record (cheap) and never acts on an old definition. Not the version: a record that is
/// removed and made anew counts from 1 again.
#[derive(Default)]
pub struct Memo {
    entries: RwLock<HashMap<(TypeId, String), Entry>>,
}

impl Memo {
    /// What is remembered under `name`, if it was made from `body`.
    pub fn get<T: Any + Send + Sync>(&self, name: &str, body: &Bytes) -> Option<Arc<T>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let (of, value) = entries.get(&(TypeId::of::<T>(), name.to_owned()))?;
        (of == body).then(|| Arc::clone(value)).and_then(|value| value.downcast().ok())
    }

    /// What was last remembered under `name`, whatever it was made from: for guesses only.
    pub fn last<T: Any + Send + Sync>(&self, name: &str) -> Option<Arc<T>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let (_, value) = entries.get(&(TypeId::of::<T>(), name.to_owned()))?;
        Arc::clone(value).downcast().ok()
    }

    /// Remembers `value`, made from `body`, in place of what was there.
    pub fn put<T: Any + Send + Sync>(&self, name: &str, body: Bytes, value: Arc<T>) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.clear();
        }
        entries.insert((TypeId::of::<T>(), name.to_owned()), (body, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_counts_only_for_its_body_and_type() {
        let memo = Memo::default();
        let body = |text: &'static str| Bytes::from_static(text.as_bytes());
        memo.put("a", body("1"), Arc::new(7_u32));
        assert_eq!(memo.get::<u32>("a", &body("1")).as_deref(), Some(&7));
        assert!(memo.get::<u32>("a", &body("2")).is_none());
        assert!(memo.get::<u64>("a", &body("1")).is_none());
        assert!(memo.get::<u32>("b", &body("1")).is_none());
        assert_eq!(memo.last::<u32>("a").as_deref(), Some(&7));
        assert!(memo.last::<u64>("a").is_none());
    }
}
