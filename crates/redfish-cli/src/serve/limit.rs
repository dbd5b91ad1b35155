//! How many files this process may have open: each service of a fleet is one, and each connection.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::failure::Failure;

/// What there is beside the services: connections, and what the process has open anyway.
const BESIDE: u64 = 256;

/// Raises the limit as far as so many services need it, and it can be raised.
pub(super) fn raise(services: usize) -> Result<(), Failure> {
    let needed = (services as u64).saturating_add(BESIDE);
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
    let what = format!("this process may not have {needed} files open, which that many services need");
    Failure::usage(what, "Raise the hard limit (ulimit -Hn), or name fewer services.")
}
