//! What answers a request.

pub(crate) mod operations;
pub(crate) mod query_options;
pub(crate) mod subscriptions;
pub(crate) mod update;
pub(crate) mod write;
