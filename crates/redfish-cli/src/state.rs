//! The sessions that `login` keeps for later commands: one file an origin and user, for its owner's eyes alone.
//!
//! What is read is checked as carefully as it is written: by who owns it and who can write it, and by what it holds. What
//! does not pass is rejected, never left out in favor of the user's own password.
//!
//! A file is replaced whole, never written to. Who changes one holds its lock: of two processes that find the same
//! dead token, one logs in, and the other reads what the first has written.

mod guard;

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use redfish_proto::{ErrorKind, Service, Session};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::output;

/// A file of one session has a few hundred bytes.
const LARGEST: u64 = 64 << 10;

/// What a file's name may have; some file systems allow a little more.
const LONGEST_NAME: usize = 240;

/// The directory of the files.
pub(crate) struct Store {
    directory: PathBuf,
}

/// A session that was kept. Never a password.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SavedSession {
    origin: String,
    user: String,
    token: Zeroizing<String>,
    /// The session's URI, where the service said it.
    session: Option<String>,
}

impl SavedSession {
    /// What is kept of a session.
    pub(crate) fn new(service: &Service, user: &str, session: &Session) -> SavedSession {
        SavedSession {
            origin: service.to_string(),
            user: user.to_owned(),
            token: Zeroizing::new(session.token().to_owned()),
            // One that is not that of a session could not be read back.
            session: session
                .target()
                .map(|location| location.as_str().to_owned())
                .filter(|uri| Session::from_token(service, "token", Some(uri)).is_ok()),
        }
    }

    /// The user of the session.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// Its URI.
    pub(crate) fn uri(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The session itself.
    pub(crate) fn session(&self, service: &Service) -> Result<Session, Failure> {
        Ok(self.in_service(service)?)
    }

    fn in_service(&self, service: &Service) -> Result<Session, redfish_proto::Error> {
        Session::from_token(service, &self.token, self.uri())
    }

    /// Whether it is the same session of the service.
    pub(crate) fn is(&self, other: &SavedSession) -> bool {
        self.token == other.token
    }
}

impl Store {
    /// The user's. `None` where there is no place for it.
    pub(crate) fn of_user() -> Option<Store> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let directory = variable("REDFISH_STATE_DIR")
            .or_else(|| {
                variable("XDG_STATE_HOME").filter(|path| path.is_absolute()).map(|path| path.join("redfish"))
            })
            .or_else(|| variable("HOME").map(|home| home.join(".local/state/redfish")))?;
        Some(Store { directory })
    }

    /// The same, where there has to be one.
    pub(crate) fn required() -> Result<Store, Failure> {
        let hint = "Set REDFISH_STATE_DIR to a directory.";
        Store::of_user().ok_or_else(|| Failure::usage("there is no place to keep a session", hint))
    }

    /// Whether any session is kept, of whatever service.
    pub(crate) fn has_any(&self) -> bool {
        let is_one = |entry: fs::DirEntry| entry.file_name().as_encoded_bytes().ends_with(b".json");
        fs::read_dir(&self.directory).is_ok_and(|entries| entries.flatten().any(is_one))
    }

    /// The sessions that are kept for a service, or the one of this user there. Files of others are not read then: one that
    /// is damaged is in nobody else's way.
    pub(crate) fn list(&self, origin: &str, user: Option<&str>) -> Result<Vec<SavedSession>, Failure> {
        let beginning = format!("{}+", encode(origin));
        let only = user.map(|user| self.file_of(origin, user));
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            // Whoever needs none is not kept from working; whoever does is told by the service.
            Err(error) => {
                output::note(format_args!("redfish: warning: kept sessions cannot be read: {error}."));
                return Ok(Vec::new());
            }
        };
        let mut found = Vec::new();
        for entry in entries.flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            let is_one = match &only {
                Some(only) => path == *only,
                None => {
                    name.to_str().is_some_and(|name| name.starts_with(&beginning) && name.ends_with(".json"))
                }
            };
            if is_one {
                found.extend(self.read(&path)?);
            }
        }
        Ok(found)
    }

    /// The place of one session, for this process alone until it is dropped.
    ///
    /// # Errors
    /// Another process has it for longer than `patience`.
    pub(crate) fn lock(self, origin: &str, user: &str, patience: Duration) -> Result<SessionSlot, Failure> {
        self.prepare()?;
        let file = self.file_of(origin, user);
        if file.file_stem().is_none_or(|name| name.len() > LONGEST_NAME) {
            return Err(Failure::usage("service and user are too long to keep a session of", ""));
        }
        let lock = file.with_extension("lock");
        let held = guard::lock(&lock, patience)?;
        Ok(SessionSlot { store: self, file, lock, _held: held })
    }

    /// The file of one session.
    fn file_of(&self, origin: &str, user: &str) -> PathBuf {
        self.directory.join(format!("{}+{}.json", encode(origin), encode(user)))
    }

    /// A directory for nobody else. One that others can write to is not made ours, but rejected; one that others can read
    /// is made ours.
    fn prepare(&self) -> Result<(), Failure> {
        let failed = |error| Failure::unusable("the directory of kept sessions cannot be used", error);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory).map_err(failed)?;
        guard::check_directory(&self.directory)?;
        let mode = fs::metadata(&self.directory).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            fs::set_permissions(&self.directory, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        }
        Ok(())
    }

    /// A kept session.
    ///
    /// # Errors
    /// It is damaged, or others can write it.
    fn read(&self, path: &Path) -> Result<Option<SavedSession>, Failure> {
        let Some(text) = self.text(path)? else { return Ok(None) };
        let damaged = |wrong: &str| guard::rejected("file", path, wrong);
        let Ok(kept) = serde_json::from_slice::<SavedSession>(&text) else {
            return Err(damaged("it is damaged; \"redfish login\" replaces it"));
        };
        if self.file_of(&kept.origin, &kept.user) != path {
            return Err(damaged("it is of another service or user"));
        }
        if kept.uri().is_some_and(|uri| !uri.starts_with('/') || uri.starts_with("//")) {
            return Err(damaged("the URI of its session is not a path"));
        }
        match Service::new(&kept.origin).and_then(|service| kept.in_service(&service)) {
            Ok(_) => Ok(Some(kept)),
            Err(error) => Err(damaged(&match error.kind() {
                ErrorKind::InvalidTarget(reason) => reason.to_string(),
                _ => error.to_string(),
            })),
        }
    }

    /// What stands in the file of a kept session, which nobody else can have written.
    fn text(&self, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        let Some(file) = guard::open(path)? else { return Ok(None) };
        guard::check_directory(&self.directory)?;
        let mut text = Zeroizing::new(Vec::with_capacity(LARGEST as usize));
        file.take(LARGEST)
            .read_to_end(&mut text)
            .map_err(|error| Failure::unusable("the kept session cannot be read", error))?;
        Ok(Some(text))
    }
}

/// The place of one session, locked.
pub(crate) struct SessionSlot {
    store: Store,
    file: PathBuf,
    lock: PathBuf,
    _held: File,
}

impl SessionSlot {
    /// What is there now.
    pub(crate) fn read(&self) -> Result<Option<SavedSession>, Failure> {
        self.store.read(&self.file)
    }

    /// The same for a login, which replaces it: one that is damaged is reported and left out. One that others can write is
    /// rejected all the same.
    pub(crate) fn read_to_replace(&self) -> Result<Option<SavedSession>, Failure> {
        self.store.text(&self.file)?;
        Ok(self.read().unwrap_or_else(|failure| {
            output::note(format_args!("redfish: warning: {failure}"));
            None
        }))
    }

    /// Puts a session there, in one step.
    pub(crate) fn write(&self, kept: &SavedSession) -> Result<(), Failure> {
        let write = || {
            let text = Zeroizing::new(serde_json::to_vec(kept)?);
            // A temporary file of mode 0600.
            let mut file = tempfile::Builder::new().prefix(".").tempfile_in(&self.store.directory)?;
            file.write_all(&text)?;
            file.persist(&self.file)?;
            Ok(())
        };
        write().map_err(|error| Failure::local("the session cannot be kept", error))
    }

    /// Clears it, and the lock with it: whoever waits for that finds that it is another's, and takes a new one.
    pub(crate) fn clear(&self) -> Result<(), Failure> {
        let removed = match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::remove_file(&self.lock),
        };
        removed.map_err(|error| Failure::local("the kept session cannot be removed", error))
    }
}

/// What is kept now in the place of a session, without its lock: a file is replaced in one step.
pub(crate) fn read_again(kept: &SavedSession) -> Result<Option<SavedSession>, Failure> {
    match Store::of_user() {
        Some(store) => store.read(&store.file_of(&kept.origin, &kept.user)),
        None => Ok(None),
    }
}

/// Forgets a kept session, unless another has taken its place.
pub(crate) fn forget(kept: &SavedSession, patience: Duration) -> Result<(), Failure> {
    let Some(store) = Store::of_user() else { return Ok(()) };
    let place = store.lock(&kept.origin, &kept.user, patience)?;
    match place.read()? {
        Some(newer) if !newer.is(kept) => Ok(()),
        _ => place.clear(),
    }
}

/// A part of a file's name: no two texts have the same, on a file system that ignores case neither.
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
    fn names_of_files_are_plain_and_differ_as_their_texts_do() {
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
        for (at, name) in names.iter().enumerate() {
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.%".contains(&b)),
                "{name}"
            );
            assert!(!name.starts_with('.'), "{name}");
            assert!(!names[..at].contains(name), "{name}");
        }
    }
}
