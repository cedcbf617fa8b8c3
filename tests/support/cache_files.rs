//! The cache's files as a test sees them: found, aged, counted.

use super::sandbox::Sandbox;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

impl Sandbox {
    /// The paths of the cached tokens.
    pub fn entries(&self) -> Vec<PathBuf> {
        files_ending(&self.cache_dir(), ".json")
    }

    /// The path of the only cached token.
    pub fn entry(&self) -> PathBuf {
        let mut entries = self.entries();
        assert_eq!(entries.len(), 1, "cached tokens: {entries:?}");
        entries.remove(0)
    }

    /// Makes the only cached token older by so many seconds.
    pub fn age_entry(&self, seconds: i64) {
        self.change_entry(|entry| {
            for name in ["requested_at", "expires_at"] {
                let time = entry[name].as_i64().unwrap();
                entry[name] = Value::from(time - seconds);
            }
        });
    }

    /// Changes the only cached token's file in place.
    pub fn change_entry(&self, change: impl FnOnce(&mut Value)) {
        let path = self.entry();
        let mut entry: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut entry);
        fs::write(&path, entry.to_string()).unwrap();
    }
}

/// The files in a directory whose names end so, in order.
pub fn files_ending(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(directory)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    paths.retain(|path: &PathBuf| path.to_str().unwrap().ends_with(ending));
    paths.sort();
    paths
}

/// A file's permissions, without its type.
pub fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}
