//! How many files this process may have open: each service of a fleet is one, and each connection.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::failure::Failure;

/// What there is beside the services: connections, and what the process has open anyway.
const BESIDE: u64 = 256;

/// Raises the limit as far as so many files need it, those of a process of any kind beside, and it can be raised.
pub(crate) fn raise(files: usize) -> Result<(), Failure> {
    let needed = (files as u64).saturating_add(BESIDE);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
    if !is_enough(maximum) {
        return Err(too_few(needed));
    }
    if !is_enough(current) {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).map_err(|error| {
            Failure::local("the limit of open files cannot be raised", io::Error::from(error))
        })?;
    }
    Ok(())
}

fn too_few(needed: u64) -> Failure {
    let what = format!("this process may not have {needed} files open, which so many services at once need");
    Failure::usage(what, "Raise the hard limit (ulimit -Hn), or name fewer services.")
}
