//! Faults: the ways in which the service misbehaves on demand.

mod active;
mod error;
mod fault;
mod kind;
mod value;

pub(crate) use active::Faults;
pub use error::FaultError;
pub use fault::Fault;
pub use kind::FaultKind;
