//! x
#[allow(non_camel_case_types, reason = "the names of the schemas")]
mod schemas;
pub use schemas::*;
