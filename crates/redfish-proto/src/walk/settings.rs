//! What a walk reads, and where it stops.

use std::fmt;
use std::time::Duration;

use crate::target::Target;

/// A link that a walk has found, for the decision whether to follow it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Link<'a> {
    /// The name of the member that holds it, such as `Memory`, or `Members`.
    pub name: &'a str,
    /// Where it leads.
    pub target: &'a Target,
    /// The type of the resource that contains it, such as `ComputerSystem`. Empty if the service does not say.
    pub resource_type: &'a str,
}

/// Decides whether a link is followed.
pub(super) type Filter = Box<dyn Fn(&Link<'_>) -> bool + Send + Sync>;

pub(super) struct Settings {
    pub(super) max_depth: usize,
    pub(super) max_resources: usize,
    pub(super) max_pending: usize,
    pub(super) max_bytes: u64,
    pub(super) in_flight: Option<usize>,
    pub(super) resource_deadline: Option<Duration>,
    pub(super) deadline: Option<Duration>,
    pub(super) whole_logs: bool,
    pub(super) expand: bool,
    pub(super) filter: Option<Filter>,
    /// The types of members that are read although their collection contains them.
    pub(super) reread: Vec<Box<str>>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_depth: usize::MAX,
            max_resources: 100_000,
            max_pending: 100_000,
            max_bytes: 4 << 30,
            in_flight: None,
            resource_deadline: None,
            deadline: None,
            whole_logs: false,
            expand: true,
            filter: None,
            reread: Vec::new(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings")
    }
}
