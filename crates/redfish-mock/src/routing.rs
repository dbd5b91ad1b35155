//! Which resource, collection or action a request is for.

pub(crate) mod route;
