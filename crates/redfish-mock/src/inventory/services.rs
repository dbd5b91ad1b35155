//! The session, account and task services, and the roles.

use serde_json::{Value, json};

use super::builder::ResourceBuilder;
use super::machine::{MACHINES, link, status};
use crate::protocol::privilege::Role;
use crate::protocol::profile::Profile;
use crate::protocol::property::{Kind, Property};
use crate::protocol::uris::{
    ACCOUNT_SERVICE, ACCOUNTS, ROLES, SESSION_SERVICE, SESSIONS, TASK_SERVICE, TASKS,
};

/// The minimum number of characters of a password.
pub(crate) const MIN_PASSWORD_LENGTH: usize = 8;
/// The maximum number of characters of a password.
pub(crate) const MAX_PASSWORD_LENGTH: usize = 64;
/// The number of minutes after which the service deletes a task that has ended.
pub(crate) const TASK_RETENTION_MINUTES: u64 = 60;

/// The range of SessionTimeout (DSP0268, "SessionService").
const SESSION_SERVICE_WRITABLE: &[Property] =
    &[Property { path: "SessionTimeout", kind: Kind::Integer { min: 30, max: 86_400 } }];

/// The threshold is a number of wrong passwords, the other two are seconds.
const ACCOUNT_SERVICE_WRITABLE: &[Property] = &[
    Property { path: "AccountLockoutThreshold", kind: Kind::Integer { min: 0, max: 1000 } },
    Property { path: "AccountLockoutDuration", kind: Kind::Integer { min: 0, max: 86_400 } },
    Property { path: "AccountLockoutCounterResetAfter", kind: Kind::Integer { min: 0, max: 86_400 } },
];

pub(super) fn add(resources: &mut Vec<ResourceBuilder>, profile: Profile) {
    resources.push(session_service());
    resources.push(ResourceBuilder::new(account_service()).writable(ACCOUNT_SERVICE_WRITABLE));
    // In place of tasks, this profile has jobs.
    if profile != Profile::Slots {
        resources.push(ResourceBuilder::new(task_service()));
    }
    resources.push(ResourceBuilder::collection(
        ROLES,
        "RoleCollection",
        "Roles",
        Role::ALL.into_iter().map(|role| role.name().to_owned()),
    ));
    resources.extend(Role::ALL.into_iter().map(|role| ResourceBuilder::new(self::role(role))));
}

/// The session service. A mockup without one gets it, too.
pub(super) fn session_service() -> ResourceBuilder {
    ResourceBuilder::new(json!({
        "@odata.id": SESSION_SERVICE,
        "@odata.type": "#SessionService.v1_1_9.SessionService",
        "Id": "SessionService",
        "Name": "Session Service",
        "Description": "Opens and closes sessions",
        "ServiceEnabled": true,
        "SessionTimeout": 1800,
        "Status": status("OK"),
        "Sessions": link(SESSIONS),
    }))
    .writable(SESSION_SERVICE_WRITABLE)
}

fn account_service() -> Value {
    json!({
        "@odata.id": ACCOUNT_SERVICE,
        "@odata.type": "#AccountService.v1_15_0.AccountService",
        "Id": "AccountService",
        "Name": "Account Service",
        "Description": format!("The accounts of the service and its {} machines", MACHINES.len()),
        "ServiceEnabled": true,
        "Status": status("OK"),
        "MinPasswordLength": MIN_PASSWORD_LENGTH,
        "MaxPasswordLength": MAX_PASSWORD_LENGTH,
        "AccountLockoutThreshold": 10,
        "AccountLockoutDuration": 30,
        "AccountLockoutCounterResetAfter": 60,
        "HTTPBasicAuth": "Enabled",
        "Accounts": link(ACCOUNTS),
        "Roles": link(ROLES),
    })
}

fn task_service() -> Value {
    json!({
        "@odata.id": TASK_SERVICE,
        "@odata.type": "#TaskService.v1_2_1.TaskService",
        "Id": "TaskService",
        "Name": "Task Service",
        "Description": "Long-running operations",
        "ServiceEnabled": true,
        "CompletedTaskOverWritePolicy": "Oldest",
        "TaskAutoDeleteTimeoutMinutes": TASK_RETENTION_MINUTES,
        "LifeCycleEventOnTaskStateChange": false,
        "Status": status("OK"),
        "Tasks": link(TASKS),
    })
}

fn role(role: Role) -> Value {
    let privileges: Vec<String> =
        role.privileges().iter().map(|privilege| format!("{privilege:?}")).collect();
    json!({
        "@odata.id": format!("{ROLES}/{}", role.name()),
        "@odata.type": "#Role.v1_3_0.Role",
        "Id": role.name(),
        "Name": format!("Role {}", role.name()),
        "RoleId": role.name(),
        "IsPredefined": true,
        "AssignedPrivileges": privileges,
        "OemPrivileges": [],
    })
}
