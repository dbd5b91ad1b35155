//! The settings of a service.

use std::fmt;
use std::time::Duration;

use super::accounts::Account;
use super::random::Seed;
use crate::faults::Fault;
use crate::inventory::mockup::Mockup;
use crate::protocol::profile::Profile;

/// The default of [`Settings::max_image`], in bytes.
const DEFAULT_MAX_IMAGE: u64 = 4 << 30;

/// The settings of a service. `Debug` shows neither password nor token.
#[derive(Clone)]
pub struct Settings {
    /// The user name of the first account, an administrator. Default: `admin`.
    pub user: String,
    /// The password of the first account. Default: `machine-room`.
    pub password: String,
    /// Additional accounts. Default: none.
    pub accounts: Vec<Account>,
    /// A bearer token of the first account, as an OAuth 2.0 server would issue it. Default: none.
    pub bearer_token: Option<String>,
    /// The service to imitate. Default: [`Profile::Standard`].
    pub profile: Profile,
    /// Resources that replace the invented servers. Default: none.
    pub mockup: Option<Mockup>,
    /// The maximum number of open sessions. Default: 32.
    pub session_limit: usize,
    /// The time after which an unused session expires. Default: 30 min.
    pub session_timeout: Duration,
    /// The delay between the response to a reset of a system or manager and its effect. Forced power-offs take a thirtieth of
    /// it. Default: 3 s in `standard`, none in `ilo-amplifier`.
    pub reset_delay: Option<Duration>,
    /// The time to write a firmware image. Default: 10 s.
    pub update_time: Duration,
    /// The duration of the restart after a firmware update. The service refuses connections meanwhile, and loses its sessions.
    /// Zero disables the restart. Default: 5 s.
    pub restart_time: Duration,
    /// The number of wrong passwords within 60 s that locks an account for 30 s; clients can change it (`AccountService`). Zero
    /// disables lockouts. A mockup may have its own. Default: 10.
    pub lockout_threshold: u32,
    /// The seed of tokens and session identifiers. Default: 1, so that tests can be repeated. Use [`Seed::random`] for a service
    /// that others can reach.
    pub seed: Seed,
    /// The maximum size of a pushed firmware image in bytes, which UpdateService reports as `MaxImageSizeBytes`. A larger one is
    /// answered 413. A mockup reports what was captured. Default: 4 GiB.
    pub max_image: u64,
    /// The faults that are active from the start. Default: none.
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
            lockout_threshold: 10,
            seed: Seed::from(1),
            max_image: DEFAULT_MAX_IMAGE,
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
            .field("lockout_threshold", &self.lockout_threshold)
            .field("max_image", &self.max_image)
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
