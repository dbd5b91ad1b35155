//! What the service remembers between requests.

pub(crate) mod accounts;
pub(crate) mod events;
pub(crate) mod outage;
pub(crate) mod power;
pub(crate) mod random;
pub(crate) mod schedule;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod tasks;
