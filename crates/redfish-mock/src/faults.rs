//! Faults: the ways in which the service misbehaves on demand.

pub(crate) mod fault;
