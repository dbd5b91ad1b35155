//! What a service is told at its start.

use std::fmt;
use std::time::Duration;

use crate::faults::fault::Fault;
use crate::inventory::mockup::Mockup;
use crate::protocol::profile::Profile;
use crate::state::accounts::Account;

/// What a service is told at its start. `Debug` shows neither password nor token.
#[derive(Clone)]
pub struct Settings {
    /// The name of the first account, an administrator.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Accounts beside it.
    pub accounts: Vec<Account>,
    /// A bearer token that acts for the first account, as an OAuth 2.0 service elsewhere would have issued it.
    pub bearer_token: Option<String>,
    /// How answers are spelled.
    pub profile: Profile,
    /// Resources in the place of the machine room.
    pub mockup: Option<Mockup>,
    /// How many sessions may be open at once.
    pub session_limit: usize,
    /// After how long without use a session ends.
    pub session_timeout: Duration,
    /// How long after its answer a reset of a system or manager takes effect; cutting the power takes a thirtieth of that.
    /// Without one, what the profile has: three seconds in `standard`, none in `ilo-amplifier`.
    pub reset_delay: Option<Duration>,
    /// How long an image takes to be written once it was sent.
    pub update_time: Duration,
    /// How long the service is away when it restarts with what was written: it refuses connections, and comes back without
    /// the sessions it had. Zero: it does not restart.
    pub restart_time: Duration,
    /// What tokens and session identifiers are made from.
    pub seed: u64,
    /// Misbehaviour from the start on.
    pub faults: Vec<Fault>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            user: "admin".into(),
            password: "machine-room".into(),
            accounts: Vec::new(),
            bearer_token: None,
            profile: Profile::Standard,
            mockup: None,
            session_limit: 32,
            session_timeout: Duration::from_secs(1800),
            reset_delay: None,
            update_time: Duration::from_secs(10),
            restart_time: Duration::from_secs(5),
            seed: 1,
            faults: Vec::new(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("user", &self.user)
            .field("accounts", &self.accounts)
            .field("profile", &self.profile)
            .field("mockup", &self.mockup)
            .field("session_limit", &self.session_limit)
            .field("session_timeout", &self.session_timeout)
            .field("reset_delay", &self.reset_delay)
            .field("update_time", &self.update_time)
            .field("restart_time", &self.restart_time)
            .field("seed", &self.seed)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let settings = Settings { bearer_token: Some("bearer-secret".into()), ..Settings::default() };
        let shown = format!("{settings:?}");
        assert!(!shown.contains("machine-room") && !shown.contains("bearer-secret"), "{shown}");
    }
}
