//! The limit of open files: each service of a fleet needs one, and each connection.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::failure::Failure;

/// Files of the process that are not counted by the caller.
const OTHER_FILES: u64 = 256;

/// Raises the limit to the maximum if `files` and the other files of the process exceed it.
pub(crate) fn raise(files: usize) -> Result<(), Failure> {
    let needed = (files as u64).saturating_add(OTHER_FILES);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
    if !is_enough(maximum) {
        return Err(too_few(needed));
    }
    if !is_enough(current) {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).map_err(|error| {
            Failure::local("the limit on open files cannot be raised", io::Error::from(error))
        })?;
    }
    Ok(())
}

fn too_few(needed: u64) -> Failure {
    let what = format!("the hard limit on open files is below the {needed} files that these services need");
    Failure::usage(what, "Raise the hard limit (ulimit -Hn), or use fewer services.")
}
