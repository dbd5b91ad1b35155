//! The state of the service: what it remembers between requests.

pub(crate) mod accounts;
mod boot;
pub(crate) mod caller;
pub(crate) mod event_service;
mod event_stream;
mod firmware;
pub(crate) mod journal;
pub(crate) mod outage;
pub(crate) mod power;
pub(crate) mod random;
pub(crate) mod schedule;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod tasks;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::faults::Faults;
use crate::inventory;
use crate::inventory::tree::Tree;
use crate::protocol::message::{Message, ResourceEvent};
use crate::protocol::privilege::Role;
use crate::protocol::profile::Profile;
use crate::protocol::uris::{ACCOUNT_SERVICE, ACCOUNTS, SESSION_SERVICE, SESSIONS, TASKS, UPDATE_SERVICE};
use accounts::{Account, Accounts, LOCKOUT_THRESHOLD};
use event_service::EventService;
use outage::Outage;
use schedule::{Effect, Schedule};
use sessions::{Session, Sessions};
use settings::Settings;
use tasks::Tasks;

/// The maximum number of paths whose writes are counted.
const MAX_WRITE_COUNTS: usize = 10_000;

/// The state of the service. Copies are independent and cheap.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) profile: Profile,
    pub(crate) tree: Tree,
    pub(crate) sessions: Sessions,
    pub(crate) accounts: Accounts,
    pub(crate) bearer_token: Option<String>,
    pub(crate) tasks: Tasks,
    pub(crate) events: EventService,
    pub(crate) schedule: Schedule,
    pub(crate) outage: Outage,
    pub(crate) faults: Faults,
    /// The latest time that the service knows.
    pub(crate) now: Duration,
    pub(crate) reset_delay: Duration,
    pub(crate) update_time: Duration,
    pub(crate) restart_time: Duration,
    /// The lockout threshold if the resource AccountService has none.
    pub(crate) lockout_threshold: u64,
    /// The maximum size of a pushed image in bytes.
    pub(crate) max_image: u64,
    /// Whether the service uses the certificate of HTTPS.
    pub(crate) serves_tls: bool,
    /// The private key of the last signing request, in PEM.
    pub(crate) certificate_key: Option<String>,
    /// A certificate that replaces the one in use, and its key, both in PEM.
    pub(crate) new_certificate: Option<(String, String)>,
    /// The firmware whose update waits for a reset, with its new version.
    pub(crate) pending_firmware: Vec<(String, String)>,
    /// Whether the resources are captured ones, which the service does not know.
    pub(crate) is_mockup: bool,
    write_counts: BTreeMap<String, u64>,
}

impl State {
    pub(crate) fn new(settings: Settings) -> State {
        let Settings {
            user,
            password,
            accounts,
            bearer_token,
            profile,
            mockup,
            session_limit,
            session_timeout,
            reset_delay,
            update_time,
            restart_time,
            lockout_threshold,
            max_image,
            seed,
            faults,
        } = settings;
        let is_mockup = mockup.is_some();
        let administrator = Account::new(user, password, Role::Administrator);
        let all_accounts = std::iter::once(administrator).chain(accounts);
        let mut state = State {
            profile,
            tree: mockup.map_or_else(|| inventory::tree(profile), |mockup| mockup.tree(profile)),
            sessions: Sessions::new(session_limit, session_timeout, &seed),
            accounts: match profile.account_slots() {
                Some(slots) => Accounts::new(all_accounts).with_slots(slots),
                None => Accounts::new(all_accounts),
            },
            bearer_token,
            tasks: Tasks::default(),
            events: EventService::default(),
            schedule: Schedule::default(),
            outage: Outage::default(),
            faults: Faults::new(faults),
            now: Duration::ZERO,
            reset_delay: reset_delay.unwrap_or(profile.reset_delay()),
            update_time,
            restart_time,
            lockout_threshold: lockout_threshold.into(),
            max_image,
            serves_tls: false,
            certificate_key: None,
            new_certificate: None,
            pending_firmware: Vec::new(),
            is_mockup,
            write_counts: BTreeMap::new(),
        };
        state.set_session_timeout(session_timeout);
        if !is_mockup {
            state.set_lockout_threshold(lockout_threshold);
            state.report_max_image();
        }
        state
    }

    /// Sets the session timeout, also in the resource SessionService.
    pub(crate) fn set_session_timeout(&mut self, timeout: Duration) {
        self.sessions.set_timeout(timeout);
        if let Some(mut document) = self.tree.document(SESSION_SERVICE).cloned() {
            if document.is_object() && document["SessionTimeout"] != timeout.as_secs() {
                document["SessionTimeout"] = timeout.as_secs().into();
                self.tree.write(SESSION_SERVICE, document);
            }
        }
    }

    /// Sets the lockout threshold in the resource AccountService.
    fn set_lockout_threshold(&mut self, threshold: u32) {
        let Some(mut document) = self.tree.document(ACCOUNT_SERVICE).cloned() else { return };
        if document[LOCKOUT_THRESHOLD] != threshold {
            document[LOCKOUT_THRESHOLD] = threshold.into();
            self.tree.write(ACCOUNT_SERVICE, document);
        }
    }

    /// Reports the maximum size of an image in the resource UpdateService.
    fn report_max_image(&mut self) {
        if let Some(mut document) = self.tree.document(UPDATE_SERVICE).cloned() {
            if document["MaxImageSizeBytes"] != self.max_image {
                document["MaxImageSizeBytes"] = self.max_image.into();
                self.tree.write(UPDATE_SERVICE, document);
            }
        }
    }

    /// Publishes an event about the resource at `origin`. If the resource is to be removed, the event must be published first.
    pub(crate) fn publish(&mut self, message: Message, origin: &str) {
        let schema = self.schema(origin);
        self.events.publish(message, origin, schema, self.now, self.profile);
    }

    /// Publishes an event about each session that has ended.
    pub(crate) fn publish_session_ends(&mut self, sessions: &[Session]) {
        for session in sessions {
            self.publish(Message::new(ResourceEvent::ResourceRemoved, []), &session.path());
        }
    }

    /// The name of the schema of a resource, without version.
    fn schema(&self, path: &str) -> String {
        let collection = path.rsplit_once('/').map_or("", |(collection, _)| collection);
        let member_schemas = [(SESSIONS, "Session"), (ACCOUNTS, "ManagerAccount"), (TASKS, "Task")];
        let of_member =
            member_schemas.iter().find(|(candidate, _)| *candidate == collection).map(|(_, schema)| *schema);
        let odata_type = self.tree.document(path).and_then(|document| document["@odata.type"].as_str());
        let of_resource =
            odata_type.and_then(|odata_type| odata_type.trim_start_matches('#').split('.').next());
        of_resource.or(of_member).unwrap_or_default().to_owned()
    }

    /// Counts a write at a path.
    pub(crate) fn count_write(&mut self, path: &str) {
        let has_room = self.write_counts.len() < MAX_WRITE_COUNTS;
        if let Some(count) = self.write_counts.get_mut(path) {
            *count += 1;
        } else if has_room {
            self.write_counts.insert(path.to_owned(), 1);
        }
    }

    /// The number of writes at a path.
    pub(crate) fn write_count(&self, path: &str) -> u64 {
        self.write_counts.get(path).copied().unwrap_or(0)
    }

    /// Restarts the service at `at`: it loses its sessions, and is unavailable for `duration`. Zero: it is available at once.
    pub(crate) fn restart(&mut self, at: Duration, duration: Duration) {
        self.apply_firmware(None);
        // The service cannot publish events while it restarts.
        self.sessions.forget(|_| true);
        if !duration.is_zero() {
            self.outage.start(at, duration);
            self.events.close_streams();
        }
    }

    /// Whether a scheduled restart takes place. It does not if its task was cancelled.
    pub(crate) fn is_restart_valid(&self, task: Option<u64>) -> bool {
        task.is_none_or(|id| self.tasks.running(id).is_some())
    }

    /// Whether the service will have restarted at `now`, which may be later than the time that it knows.
    pub(crate) fn has_restarted_by(&self, now: Duration) -> bool {
        let is_restart =
            |effect: &Effect| matches!(effect, Effect::Restart { task, .. } if self.is_restart_valid(*task));
        self.schedule.due(now).any(is_restart)
    }
}
