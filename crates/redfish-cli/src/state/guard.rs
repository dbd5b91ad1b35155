//! The checks of a saved session's file and directory, which no other user may write, and its lock.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::failure::Failure;
use crate::output;

/// How long to wait before the next attempt to lock.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// The permission bits for writing by other users.
const WRITE_BY_OTHERS: u32 = 0o022;

/// Checks the directory of saved sessions, which may be a symbolic link.
pub(super) fn check_directory(directory: &Path) -> Result<(), Failure> {
    let metadata = fs::metadata(directory)
        .map_err(|error| Failure::unusable("the directory of saved sessions cannot be used", error))?;
    let wrong = if !metadata.is_dir() {
        "it is not a directory"
    } else if metadata.uid() != 0 && !is_ours(&metadata) {
        "it belongs to another user"
    } else if metadata.mode() & WRITE_BY_OTHERS != 0 {
        "other users can write to it"
    } else {
        return Ok(());
    };
    Err(rejected("directory", directory, wrong))
}

/// Opens the file of a saved session, if it exists.
pub(super) fn open(file: &Path) -> Result<Option<File>, Failure> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let opened = match OpenOptions::new().read(true).custom_flags(flags).open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot_open(file, &error)),
    };
    let metadata = opened.metadata().map_err(|error| cannot_open(file, &error))?;
    check(file, &metadata)?;
    Ok(Some(opened))
}

/// Takes a lock. Starts again if the lock's file was removed meanwhile.
pub(super) fn lock(path: &Path, timeout: Duration) -> Result<File, Failure> {
    let began = Instant::now();
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let failed = |error: io::Error| cannot_open(path, &error);
    loop {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
        let file = options.open(path).map_err(failed)?;
        let held = file.metadata().map_err(failed)?;
        check(path, &held)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => match fs::symlink_metadata(path) {
                Ok(current) if (current.dev(), current.ino()) == (held.dev(), held.ino()) => return Ok(file),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            },
            Err(Errno::INTR) => {}
            Err(Errno::WOULDBLOCK) if began.elapsed() >= timeout => {
                let owner = match lock_owner(held.ino()) {
                    Some(process) => format!("process {process}"),
                    None => "another process".to_owned(),
                };
                let (path, time) = (path.display(), output::seconds(timeout));
                let what = format!("{owner} holds the lock {path} for more than {time}");
                return Err(Failure::usage(what, "Wait for that process, or end it."));
            }
            Err(Errno::WOULDBLOCK) => {
                thread::sleep(RETRY_INTERVAL.min(timeout.saturating_sub(began.elapsed())))
            }
            Err(error) => return Err(failed(error.into())),
        }
    }
}

fn check(file: &Path, metadata: &Metadata) -> Result<(), Failure> {
    let wrong = if !metadata.is_file() {
        "it is not a regular file"
    } else if !is_ours(metadata) {
        "it belongs to another user"
    } else if metadata.mode() & WRITE_BY_OTHERS != 0 {
        "other users can write to it"
    } else {
        return Ok(());
    };
    Err(rejected("file", file, wrong))
}

/// Why a file could not be opened. The flags exclude symbolic links, and pipes without a reader.
fn cannot_open(file: &Path, error: &io::Error) -> Failure {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::LOOP | Errno::MLINK) => rejected("file", file, "it is a symbolic link"),
        Some(Errno::NXIO | Errno::ISDIR) => rejected("file", file, "it is not a regular file"),
        _ => rejected("file", file, &format!("it cannot be used: {error}")),
    }
}

/// The rejection of a saved session.
pub(super) fn rejected(kind: &str, path: &Path, wrong: &str) -> Failure {
    rejected_with_hint(kind, path, wrong, "Find out who created it, then correct or remove it.")
}

/// The rejection of a saved session, with a hint.
pub(super) fn rejected_with_hint(kind: &str, path: &Path, wrong: &str, hint: &'static str) -> Failure {
    let what = format!("the {kind} of a saved session, {}, is rejected: {wrong}", path.display());
    Failure::usage(what, hint)
}

fn is_ours(metadata: &Metadata) -> bool {
    metadata.uid() == geteuid().as_raw()
}

/// The process that holds the lock of the file with this inode, if the system reports it.
fn lock_owner(inode: u64) -> Option<u32> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    parse_lock_owner(&locks, inode)
}

/// Parses lines such as `1: FLOCK  ADVISORY  WRITE 1234 08:02:131141 0 EOF`. A process of another container is 0 or
/// negative.
fn parse_lock_owner(locks: &str, inode: u64) -> Option<u32> {
    let mut found = locks.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, process, file, ..] = words[..] else { return None };
        let is_match = file.rsplit(':').next()?.parse::<u64>().ok()? == inode;
        process.parse().ok().filter(|process| is_match && *process > 0)
    });
    match (found.next(), found.next()) {
        (Some(process), None) => Some(process),
        // The inode is also in use on another file system.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_lock_is_found_by_the_inode() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 08:02:42 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 1234 08:02:42 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 99 08:02:42 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 0 00:21:43 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE 5 00:21:44 0 EOF\n\
                     5: FLOCK  ADVISORY  WRITE 6 00:22:44 0 EOF\n";
        assert_eq!(
            [42, 43, 44, 45].map(|inode| parse_lock_owner(locks, inode)),
            [Some(1234), None, None, None]
        );
    }
}
