//! What a process remembers: compiled forms of definitions, each tied to the version it was made from.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Entries kept at most; reaching it forgets everything, which costs only compiling again.
const MOST: usize = 4096;

type Entry = (u64, Arc<dyn Any + Send + Sync>);

/// Remembers values by type and name. An entry counts only for the version it was stored with, so the
/// reader first learns the current version (a cheap read) and never acts on an old definition.
#[derive(Default)]
pub struct Memo {
    entries: RwLock<HashMap<(TypeId, String), Entry>>,
}

impl Memo {
    /// What is remembered under `name`, if it was made from `version`.
    pub fn get<T: Any + Send + Sync>(&self, name: &str, version: u64) -> Option<Arc<T>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let (of, value) = entries.get(&(TypeId::of::<T>(), name.to_owned()))?;
        (*of == version).then(|| Arc::clone(value)).and_then(|value| value.downcast().ok())
    }

    /// Remembers `value`, made from `version`, in place of what was there.
    pub fn put<T: Any + Send + Sync>(&self, name: &str, version: u64, value: Arc<T>) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.clear();
        }
        entries.insert((TypeId::of::<T>(), name.to_owned()), (version, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_counts_only_for_its_version_and_type() {
        let memo = Memo::default();
        memo.put("a", 1, Arc::new(7_u32));
        assert_eq!(memo.get::<u32>("a", 1).as_deref(), Some(&7));
        assert!(memo.get::<u32>("a", 2).is_none());
        assert!(memo.get::<u64>("a", 1).is_none());
        assert!(memo.get::<u32>("b", 1).is_none());
    }
}
