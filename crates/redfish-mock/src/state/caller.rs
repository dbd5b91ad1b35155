//! The authenticated sender of a request.

use crate::protocol::privilege::Role;

/// The authenticated sender of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) account: u32,
    /// Its session. `None` if it authenticates with Basic credentials or a bearer token.
    pub(crate) session: Option<u64>,
    pub(crate) role: Role,
}
