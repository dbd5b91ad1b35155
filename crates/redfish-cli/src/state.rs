//! The sessions that `login` saves for later commands: one file per origin and user, readable only by its owner.
//!
//! Owner, permissions and content of a file are checked before it is used. A file that fails a check is rejected, never
//! ignored in favor of the password.
//!
//! A file is replaced as a whole. A process that changes one holds its lock: of two processes that find the same expired
//! token, one logs in, and the other reads the new session.

mod guard;

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use redfish_proto::{Error, ErrorKind, Service, Session};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::output;

/// Maximum size of a file, in bytes. A session takes a few hundred.
const MAX_FILE: u64 = 64 << 10;

/// Maximum length of a file name, in bytes. Most file systems allow a little more.
const MAX_NAME: usize = 240;

/// The directory of the saved sessions.
pub(crate) struct Store {
    directory: PathBuf,
}

/// A saved session. It contains no password.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SavedSession {
    origin: String,
    user: String,
    token: Zeroizing<String>,
    /// The path of the session, if the service reported it.
    session: Option<String>,
}

impl SavedSession {
    /// The saved form of a session.
    pub(crate) fn new(service: &Service, user: &str, session: &Session) -> SavedSession {
        SavedSession {
            origin: service.to_string(),
            user: user.to_owned(),
            token: Zeroizing::new(session.token().to_owned()),
            // A path that is not that of a session would be rejected later.
            session: session
                .target()
                .map(|location| location.as_str().to_owned())
                .filter(|uri| Session::from_token(service, "token", Some(uri)).is_ok()),
        }
    }

    /// The user.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// The path of the session.
    pub(crate) fn uri(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The session for the core.
    pub(crate) fn session(&self, service: &Service) -> Result<Session, Error> {
        Session::from_token(service, &self.token, self.uri())
    }

    /// The token, which is a secret.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Whether both are the same session of the service.
    pub(crate) fn is_same(&self, other: &SavedSession) -> bool {
        self.token == other.token
    }
}

impl Store {
    /// The store of the current user, if the environment names a directory for it.
    pub(crate) fn open() -> Option<Store> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let directory = variable("REDFISH_STATE_DIR")
            .or_else(|| {
                variable("XDG_STATE_HOME").filter(|path| path.is_absolute()).map(|path| path.join("redfish"))
            })
            .or_else(|| variable("HOME").map(|home| home.join(".local/state/redfish")))?;
        Some(Store { directory })
    }

    /// The store of the current user.
    ///
    /// # Errors
    /// The environment names no directory.
    pub(crate) fn required() -> Result<Store, Failure> {
        let hint = "Set REDFISH_STATE_DIR to a directory.";
        Store::open().ok_or_else(|| Failure::usage("there is no directory for saved sessions", hint))
    }

    /// Whether any session is saved, for any service.
    pub(crate) fn has_any(&self) -> bool {
        let is_session = |entry: fs::DirEntry| entry.file_name().as_encoded_bytes().ends_with(b".json");
        fs::read_dir(&self.directory).is_ok_and(|entries| entries.flatten().any(is_session))
    }

    /// The saved sessions for a service. With a user, reads only that user's file, so that others may be damaged.
    pub(crate) fn list(&self, origin: &str, user: Option<&str>) -> Result<Vec<SavedSession>, Failure> {
        let prefix = format!("{}+", encode(origin));
        let only = user.map(|user| self.file_of(origin, user));
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            // The command may not need a session. If it does, the service will reject it.
            Err(error) => {
                output::note(format_args!("redfish: warning: saved sessions cannot be read: {error}"));
                return Ok(Vec::new());
            }
        };
        let mut found = Vec::new();
        for entry in entries.flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            let is_wanted = match &only {
                Some(only) => path == *only,
                None => {
                    name.to_str().is_some_and(|name| name.starts_with(&prefix) && name.ends_with(".json"))
                }
            };
            if is_wanted {
                found.extend(self.read(&path)?);
            }
        }
        Ok(found)
    }

    /// Locks the slot of one session until it is dropped.
    ///
    /// # Errors
    /// Another process holds the lock for longer than the timeout.
    pub(crate) fn lock(self, origin: &str, user: &str, timeout: Duration) -> Result<SessionSlot, Failure> {
        self.prepare()?;
        let file = self.file_of(origin, user);
        if file.file_stem().is_none_or(|name| name.len() > MAX_NAME) {
            return Err(Failure::usage("the service URL and the user name are too long for a file name", ""));
        }
        let lock = file.with_extension("lock");
        let held = guard::lock(&lock, timeout)?;
        Ok(SessionSlot { store: self, file, lock, _held: held })
    }

    /// The file of one session.
    fn file_of(&self, origin: &str, user: &str) -> PathBuf {
        self.directory.join(format!("{}+{}.json", encode(origin), encode(user)))
    }

    /// Creates the directory. Rejects one that other users can write; restricts one that they can read.
    fn prepare(&self) -> Result<(), Failure> {
        let failed = |error| Failure::unusable("the directory of saved sessions cannot be used", error);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory).map_err(failed)?;
        guard::check_directory(&self.directory)?;
        let mode = fs::metadata(&self.directory).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            fs::set_permissions(&self.directory, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        }
        Ok(())
    }

    /// Reads a saved session.
    ///
    /// # Errors
    /// The file is damaged, or other users can write it.
    fn read(&self, path: &Path) -> Result<Option<SavedSession>, Failure> {
        let Some(text) = self.read_file(path)? else { return Ok(None) };
        let damaged = |wrong: &str| guard::rejected("file", path, wrong);
        let Ok(saved) = serde_json::from_slice::<SavedSession>(&text) else {
            let hint = "Run \"redfish login\" to replace it.";
            return Err(guard::rejected_with_hint("file", path, "it is damaged", hint));
        };
        if self.file_of(&saved.origin, &saved.user) != path {
            return Err(damaged("it belongs to another service or user"));
        }
        if saved.uri().is_some_and(|uri| !uri.starts_with('/') || uri.starts_with("//")) {
            return Err(damaged("the URI of its session is not a path"));
        }
        match Service::new(&saved.origin).and_then(|service| saved.session(&service)) {
            Ok(_) => Ok(Some(saved)),
            Err(error) => Err(damaged(&match error.kind() {
                ErrorKind::InvalidTarget(reason) => reason.to_string(),
                _ => error.to_string(),
            })),
        }
    }

    /// Reads a file, after checking that no other user can write it.
    fn read_file(&self, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        let Some(file) = guard::open(path)? else { return Ok(None) };
        guard::check_directory(&self.directory)?;
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_FILE as usize));
        file.take(MAX_FILE)
            .read_to_end(&mut text)
            .map_err(|error| Failure::unusable("the saved session cannot be read", error))?;
        Ok(Some(text))
    }
}

/// The locked slot of one session.
pub(crate) struct SessionSlot {
    store: Store,
    file: PathBuf,
    lock: PathBuf,
    _held: File,
}

impl SessionSlot {
    /// The saved session.
    pub(crate) fn read(&self) -> Result<Option<SavedSession>, Failure> {
        self.store.read(&self.file)
    }

    /// The saved session, before a login replaces it. A damaged one is reported and ignored. One that other users can write
    /// is rejected.
    pub(crate) fn read_to_replace(&self) -> Result<Option<SavedSession>, Failure> {
        self.store.read_file(&self.file)?;
        Ok(self.read().unwrap_or_else(|failure| {
            output::note(format_args!("redfish: warning: {failure}"));
            None
        }))
    }

    /// Saves a session, atomically.
    pub(crate) fn write(&self, saved: &SavedSession) -> Result<(), Failure> {
        let write = || {
            let text = Zeroizing::new(serde_json::to_vec(saved)?);
            // A temporary file of mode 0600.
            let mut file = tempfile::Builder::new().prefix(".").tempfile_in(&self.store.directory)?;
            file.write_all(&text)?;
            file.persist(&self.file)?;
            Ok(())
        };
        write().map_err(|error| Failure::local("the session cannot be saved", error))
    }

    /// Removes the file and its lock. A process that waits for the lock notices the removal and creates a new one.
    pub(crate) fn clear(&self) -> Result<(), Failure> {
        let removed = match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::remove_file(&self.lock),
        };
        removed.map_err(|error| Failure::local("the saved session cannot be removed", error))
    }
}

/// Reads the file of a saved session again, without its lock: files are replaced atomically.
pub(crate) fn read_again(saved: &SavedSession) -> Result<Option<SavedSession>, Failure> {
    match Store::open() {
        Some(store) => store.read(&store.file_of(&saved.origin, &saved.user)),
        None => Ok(None),
    }
}

/// Removes a saved session, unless another one has replaced it.
pub(crate) fn remove(saved: &SavedSession, timeout: Duration) -> Result<(), Failure> {
    let Some(store) = Store::open() else { return Ok(()) };
    let slot = store.lock(&saved.origin, &saved.user, timeout)?;
    match slot.read()? {
        Some(newer) if !newer.is_same(saved) => Ok(()),
        _ => slot.clear(),
    }
}

/// Encodes text as a part of a file name, without collisions even on a file system that ignores case.
fn encode(text: &str) -> String {
    let mut name = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => name.push(char::from(byte)),
            b'.' if !name.is_empty() => name.push('.'),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_names_are_safe_and_distinct() {
        let texts = [
            "https://bmc",
            "https://bmc:8443",
            "admin",
            "Admin",
            "a/../b",
            ".",
            "..",
            "a+b",
            "a%2bb",
            "ä",
            "",
        ];
        let names: Vec<String> = texts.iter().map(|text| encode(text)).collect();
        for (index, name) in names.iter().enumerate() {
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.%".contains(&b)),
                "{name}"
            );
            assert!(!name.starts_with('.'), "{name}");
            assert!(!names[..index].contains(name), "{name}");
        }
    }
}
