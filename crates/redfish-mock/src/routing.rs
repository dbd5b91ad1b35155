//! Routing: finds what a request is for.

mod route;

pub(crate) use route::{PushKind, Route};
