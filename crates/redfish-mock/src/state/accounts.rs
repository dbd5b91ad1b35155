//! Accounts: their passwords, roles and lockouts (DSP0266, "Authorization"; DSP0268, "ManagerAccount").

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::inventory::services::{MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH};
use crate::protocol::privilege::Role;
use crate::protocol::profile::Profile;
use crate::protocol::property::{Kind, Property};
use crate::protocol::representation::Representation;
use crate::protocol::uris::{self, ACCOUNTS, ROLES};

/// An account that exists when the service starts.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The user name.
    pub user: String,
    /// The password.
    pub password: String,
    /// The role.
    pub role: Role,
    /// Whether the user must change the password before any other request.
    pub password_change_required: bool,
}

impl Account {
    /// An account whose password does not have to be changed.
    pub fn new(user: impl Into<String>, password: impl Into<String>, role: Role) -> Account {
        Account { user: user.into(), password: password.into(), role, password_change_required: false }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user", &self.user).field("role", &self.role).finish_non_exhaustive()
    }
}

const USER_NAME: Property = Property { path: "UserName", kind: Kind::Text { min: 1, max: 32 } };
/// The name of the account in a slot. Without one, the slot is empty.
const SLOT_USER_NAME: Property = Property { path: "UserName", kind: Kind::Text { min: 0, max: 32 } };
const PASSWORD: Property =
    Property { path: "Password", kind: Kind::Secret { min: MIN_PASSWORD_LENGTH, max: MAX_PASSWORD_LENGTH } };
const ROLE: Property = Property { path: "RoleId", kind: Kind::Choice(Role::NAMES) };
const ENABLED: Property = Property { path: "Enabled", kind: Kind::Boolean };
const LOCKED: Property = Property { path: "Locked", kind: Kind::OnlyFalse };
const PASSWORD_CHANGE_REQUIRED: Property = Property { path: "PasswordChangeRequired", kind: Kind::Boolean };

/// The required properties of a new account.
pub(crate) const REQUIRED: &[Property] = &[USER_NAME, PASSWORD, ROLE];
/// The properties that a caller with the privilege ConfigureUsers may write.
pub(crate) const WRITABLE: &[Property] =
    &[USER_NAME, PASSWORD, ROLE, ENABLED, LOCKED, PASSWORD_CHANGE_REQUIRED];
/// The same for an account in a slot.
pub(crate) const SLOT_WRITABLE: &[Property] =
    &[SLOT_USER_NAME, PASSWORD, ROLE, ENABLED, LOCKED, PASSWORD_CHANGE_REQUIRED];
/// The properties that other callers may write in their own account.
pub(crate) const SELF_WRITABLE: &[Property] = &[PASSWORD];

/// An account with its state.
#[derive(Clone)]
struct AccountRecord {
    account: Account,
    enabled: bool,
    /// The number of consecutive wrong passwords.
    failures: u64,
    /// The time of the last wrong password.
    last_failure: Duration,
    /// The end of the lockout.
    locked_until: Option<Duration>,
    revision: u64,
}

/// The property of the AccountService with the number of wrong passwords that locks an account.
pub(crate) const LOCKOUT_THRESHOLD: &str = "AccountLockoutThreshold";

/// The lockout policy (DSP0268, "AccountService"). A threshold or a duration of zero disables lockouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lockout {
    /// The number of wrong passwords that locks an account. Zero disables lockouts.
    pub(crate) threshold: u64,
    /// The duration of a lockout.
    pub(crate) duration: Duration,
    /// The time after which the counter of wrong passwords is reset.
    pub(crate) counter_reset_after: Duration,
}

/// The accounts by their `Id`. Copies of a service share them until one writes.
#[derive(Clone)]
pub(crate) struct Accounts(Arc<BTreeMap<u32, AccountRecord>>);

impl Accounts {
    pub(crate) fn new(accounts: impl IntoIterator<Item = Account>) -> Accounts {
        Accounts(Arc::new((1..).zip(accounts.into_iter().map(AccountRecord::new)).collect()))
    }

    /// Adds empty accounts up to this number.
    pub(crate) fn with_slots(mut self, slots: u32) -> Accounts {
        let table = Arc::make_mut(&mut self.0);
        for id in 1..=slots {
            table.entry(id).or_insert_with(AccountRecord::empty);
        }
        self
    }

    fn get(&self, id: u32) -> Option<&AccountRecord> {
        self.0.get(&id)
    }

    /// Whether the user must change the password before any other request.
    pub(crate) fn must_change_password(&self, id: u32) -> bool {
        self.get(id).is_some_and(|entry| entry.account.password_change_required)
    }

    /// The account with this last segment of its path.
    pub(crate) fn find(&self, segment: &str) -> Option<u32> {
        let id = segment.parse().ok()?;
        // `01` and `+1` parse, but are not identifiers.
        (self.0.contains_key(&id) && id.to_string() == segment).then_some(id)
    }

    /// The account with these credentials, if it is enabled and not locked.
    pub(crate) fn verify(&self, user: &str, password: &str) -> Option<u32> {
        let matches = |entry: &AccountRecord| {
            let Account { user: name, password: expected, .. } = &entry.account;
            let is_usable = entry.enabled && entry.locked_until.is_none() && !entry.is_empty();
            is_usable && name == user && expected == password
        };
        self.0.iter().find(|(_, entry)| matches(entry)).map(|(&id, _)| id)
    }

    /// Records a correct password, which resets the counter of wrong ones.
    pub(crate) fn record_success(&mut self, id: u32) {
        if self.get(id).is_some_and(|entry| entry.failures > 0) {
            self.change(id, |entry| entry.failures = 0);
        }
    }

    /// Records a wrong password for the account with this user name, if there is one.
    pub(crate) fn record_failure(&mut self, user: &str, lockout: Lockout, now: Duration) {
        let Some(id) = self.0.iter().find(|(_, entry)| entry.account.user == user).map(|(&id, _)| id) else {
            return;
        };
        if lockout.threshold == 0 || lockout.duration.is_zero() {
            return;
        }
        let or_forever = |time: Duration| if time.is_zero() { Duration::MAX } else { time };
        self.change(id, |entry| {
            if now.saturating_sub(entry.last_failure) >= or_forever(lockout.counter_reset_after) {
                entry.failures = 0;
            }
            entry.failures += 1;
            entry.last_failure = now;
            if entry.failures >= lockout.threshold && entry.locked_until.is_none() {
                entry.locked_until = Some(now.saturating_add(lockout.duration));
                entry.revision += 1;
            }
        });
    }

    /// Ends the lockouts that are over.
    pub(crate) fn expire(&mut self, now: Duration) {
        let is_over = |entry: &AccountRecord| entry.locked_until.is_some_and(|until| until <= now);
        let ids: Vec<u32> = self.0.iter().filter(|(_, entry)| is_over(entry)).map(|(&id, _)| id).collect();
        for id in ids {
            self.change(id, AccountRecord::unlock);
        }
    }

    fn change(&mut self, id: u32, change: impl FnOnce(&mut AccountRecord)) {
        if let Some(entry) = Arc::make_mut(&mut self.0).get_mut(&id) {
            change(entry);
        }
    }

    /// The role of an account, if it exists and is enabled.
    pub(crate) fn role(&self, id: u32) -> Option<Role> {
        self.get(id).filter(|entry| entry.enabled).map(|entry| entry.account.role)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_taken(&self, user: &str) -> bool {
        self.0.values().any(|entry| entry.account.user == user)
    }

    /// Adds the account that a POST describes. The caller has checked the values. The identifier is the lowest free number.
    pub(crate) fn create(&mut self, body: &Map<String, Value>) -> u32 {
        let table = Arc::make_mut(&mut self.0);
        let id = (1..).find(|id| !table.contains_key(id)).unwrap_or(u32::MAX);
        let account = Account::new("", "", Role::ReadOnly);
        table.entry(id).or_insert(AccountRecord::new(account)).apply(body);
        id
    }

    /// Applies a PATCH. The caller has checked the values.
    pub(crate) fn write(&mut self, id: u32, change: &Map<String, Value>) {
        self.change(id, |entry| {
            entry.apply(change);
            entry.revision += 1;
            if entry.is_empty() {
                *entry = AccountRecord { revision: entry.revision, ..AccountRecord::empty() };
            }
        });
    }

    pub(crate) fn remove(&mut self, id: u32) {
        Arc::make_mut(&mut self.0).remove(&id);
    }

    pub(crate) fn collection(&self, profile: Profile) -> Representation {
        let members: Vec<Value> = self.0.keys().map(|id| json!({"@odata.id": uris::account(*id)})).collect();
        let document = json!({
            "@odata.id": ACCOUNTS,
            "@odata.type": "#ManagerAccountCollection.ManagerAccountCollection",
            "Name": "Accounts",
            "Members@odata.count": members.len(),
            "Members": members,
        });
        Representation::new(document, 0, profile)
    }

    /// The document of an account.
    pub(crate) fn document(&self, id: u32) -> Option<Value> {
        let entry = self.get(id)?;
        Some(json!({
            "@odata.id": uris::account(id),
            "@odata.type": "#ManagerAccount.v1_12_0.ManagerAccount",
            "Id": id.to_string(),
            "Name": "User Account",
            "UserName": entry.account.user,
            "Password": null,
            "RoleId": if entry.is_empty() { "" } else { entry.account.role.name() },
            "Enabled": entry.enabled,
            "Locked": entry.locked_until.is_some(),
            "PasswordChangeRequired": entry.account.password_change_required,
            "AccountTypes": ["Redfish"],
            "Links": match entry.is_empty() {
                true => json!({}),
                false => json!({"Role": {"@odata.id": format!("{ROLES}/{}", entry.account.role.name())}}),
            },
        }))
    }

    pub(crate) fn representation(&self, id: u32, profile: Profile) -> Option<Representation> {
        Some(Representation::new(self.document(id)?, self.get(id)?.revision, profile))
    }
}

impl AccountRecord {
    fn new(account: Account) -> AccountRecord {
        AccountRecord {
            account,
            enabled: true,
            failures: 0,
            last_failure: Duration::ZERO,
            locked_until: None,
            revision: 0,
        }
    }

    /// A slot without an account.
    fn empty() -> AccountRecord {
        let account = Account::new("", "", Role::ReadOnly);
        AccountRecord { enabled: false, ..AccountRecord::new(account) }
    }

    fn is_empty(&self) -> bool {
        self.account.user.is_empty()
    }

    fn unlock(&mut self) {
        self.failures = 0;
        self.locked_until = None;
        self.revision += 1;
    }

    fn apply(&mut self, values: &Map<String, Value>) {
        let text = |property: Property| values.get(property.path).and_then(Value::as_str);
        let flag = |property: Property| values.get(property.path).and_then(Value::as_bool);
        if let Some(user) = text(USER_NAME) {
            self.account.user = user.to_owned();
        }
        if let Some(password) = text(PASSWORD) {
            self.account.password = password.to_owned();
            self.account.password_change_required = false;
        }
        if let Some(role) = text(ROLE).and_then(Role::from_name) {
            self.account.role = role;
        }
        if let Some(enabled) = flag(ENABLED) {
            self.enabled = enabled;
        }
        if flag(LOCKED) == Some(false) {
            self.failures = 0;
            self.locked_until = None;
        }
        if let Some(required) = flag(PASSWORD_CHANGE_REQUIRED) {
            self.account.password_change_required = required;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts::new([
            Account::new("ada", "lovelace", Role::Administrator),
            Account::new("bob", "builder1", Role::ReadOnly),
        ])
    }

    #[test]
    fn user_name_and_password_must_both_match() {
        let accounts = accounts();
        assert_eq!(accounts.verify("bob", "builder1"), Some(2));
        assert_eq!(accounts.verify("bob", "lovelace"), None);
        assert_eq!(accounts.verify("Bob", "builder1"), None);
        assert_eq!(accounts.find("02"), None);
        assert_eq!(accounts.find("2"), Some(2));
    }

    #[test]
    fn a_disabled_account_cannot_be_used() {
        let mut accounts = accounts();
        accounts.write(2, json!({"Enabled": false}).as_object().unwrap());
        assert_eq!(accounts.verify("bob", "builder1"), None);
        assert_eq!(accounts.role(2), None);
        assert_eq!(accounts.role(1), Some(Role::Administrator));
    }

    #[test]
    fn the_lowest_free_number_is_reused() {
        let mut accounts = accounts();
        accounts.remove(1);
        let body = json!({"UserName": "eve", "Password": "eavesdrop", "RoleId": "Operator"});
        assert_eq!(accounts.create(body.as_object().unwrap()), 1);
        assert_eq!(accounts.verify("eve", "eavesdrop"), Some(1));
        assert_eq!(accounts.role(1), Some(Role::Operator));
    }

    #[test]
    fn debug_shows_no_password() {
        assert!(!format!("{:?}", Account::new("ada", "lovelace", Role::Administrator)).contains("lovelace"));
    }

    #[test]
    fn no_document_shows_a_password() {
        let document = accounts().document(1).unwrap();
        assert_eq!(document["Password"], Value::Null);
        assert!(!document.to_string().contains("lovelace"));
    }
}
