//! The URIs of the services and collections that the mock implements itself.

pub(crate) const ACCOUNT_SERVICE: &str = "/redfish/v1/AccountService";
pub(crate) const ACCOUNTS: &str = "/redfish/v1/AccountService/Accounts";
pub(crate) const ROLES: &str = "/redfish/v1/AccountService/Roles";

pub(crate) const EVENT_SERVICE: &str = "/redfish/v1/EventService";
pub(crate) const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";
/// The stream of server-sent events.
pub(crate) const EVENT_STREAM: &str = "/redfish/v1/EventService/SSE";

pub(crate) const SESSION_SERVICE: &str = "/redfish/v1/SessionService";
/// The sessions of services from before they had a session service.
pub(crate) const LEGACY_SESSIONS: &str = "/redfish/v1/Sessions";
pub(crate) const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";

pub(crate) const TASK_SERVICE: &str = "/redfish/v1/TaskService";
pub(crate) const TASKS: &str = "/redfish/v1/TaskService/Tasks";
pub(crate) const TASK_MONITORS: &str = "/redfish/v1/TaskService/TaskMonitors";

pub(crate) const JOB_SERVICE: &str = "/redfish/v1/JobService";
/// The Jobs that the fault `job` starts.
pub(crate) const JOBS: &str = "/redfish/v1/JobService/Jobs";

pub(crate) const UPDATE_SERVICE: &str = "/redfish/v1/UpdateService";

/// The URI of the account with this number.
pub(crate) fn account(id: u32) -> String {
    format!("{ACCOUNTS}/{id}")
}

/// The URI of the session with this number.
pub(crate) fn session(id: u64) -> String {
    format!("{SESSIONS}/{id}")
}

/// The URI of the subscription with this number.
pub(crate) fn subscription(id: u64) -> String {
    format!("{SUBSCRIPTIONS}/{id}")
}

/// The URI of the task with this number.
pub(crate) fn task(id: u64) -> String {
    format!("{TASKS}/{id}")
}

/// The URI of the monitor of the task with this number.
pub(crate) fn task_monitor(id: u64) -> String {
    format!("{TASK_MONITORS}/{id}")
}

/// The URI of the Job with this number.
pub(crate) fn job(id: u64) -> String {
    format!("{JOBS}/{id}")
}
