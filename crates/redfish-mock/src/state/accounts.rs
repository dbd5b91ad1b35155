//! Who may come in and what they may do there: accounts, roles and privileges (DSP0266, "Authorization").

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::protocol::patch::{Kind, Property};
use crate::protocol::profile::Profile;
use crate::protocol::response::Rendered;

/// An account that the service knows from its start.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The name to log in with.
    pub user: String,
    /// The password to log in with.
    pub password: String,
    /// What the account may do.
    pub role: Role,
    /// Whether the password has to be changed before anything else is allowed.
    pub password_change_required: bool,
}

impl Account {
    /// An account that may be used at once.
    pub fn new(user: impl Into<String>, password: impl Into<String>, role: Role) -> Account {
        Account { user: user.into(), password: password.into(), role, password_change_required: false }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user", &self.user).field("role", &self.role).finish_non_exhaustive()
    }
}

/// The three roles that every Redfish service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// May do all.
    Administrator,
    /// May read, and operate machines.
    Operator,
    /// May read, change its own password and close its own sessions.
    ReadOnly,
}

/// What a role is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privilege {
    Login,
    ConfigureComponents,
    ConfigureManager,
    ConfigureSelf,
    ConfigureUsers,
}

impl Role {
    pub(crate) const ALL: [Role; 3] = [Role::Administrator, Role::Operator, Role::ReadOnly];
    const NAMES: &'static [&'static str] = &["Administrator", "Operator", "ReadOnly"];

    /// Its `RoleId`.
    pub fn name(self) -> &'static str {
        match self {
            Role::Administrator => "Administrator",
            Role::Operator => "Operator",
            Role::ReadOnly => "ReadOnly",
        }
    }

    fn named(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    pub(crate) fn privileges(self) -> &'static [Privilege] {
        use Privilege::{ConfigureComponents, ConfigureManager, ConfigureSelf, ConfigureUsers, Login};
        match self {
            Role::Administrator => {
                &[Login, ConfigureManager, ConfigureUsers, ConfigureComponents, ConfigureSelf]
            }
            Role::Operator => &[Login, ConfigureComponents, ConfigureSelf],
            Role::ReadOnly => &[Login, ConfigureSelf],
        }
    }

    pub(crate) fn may(self, privilege: Privilege) -> bool {
        self.privileges().contains(&privilege)
    }
}

pub(crate) const ACCOUNT_SERVICE: &str = "/redfish/v1/AccountService";
pub(crate) const ACCOUNTS: &str = "/redfish/v1/AccountService/Accounts";
pub(crate) const ROLES: &str = "/redfish/v1/AccountService/Roles";
pub(crate) const LEAST_PASSWORD: usize = 8;
pub(crate) const MOST_PASSWORD: usize = 64;

const NAME: Property = Property { path: "UserName", kind: Kind::Text { least: 1, most: 32 } };
const PASSWORD: Property =
    Property { path: "Password", kind: Kind::Secret { least: LEAST_PASSWORD, most: MOST_PASSWORD } };
const ROLE: Property = Property { path: "RoleId", kind: Kind::Choice(Role::NAMES) };
const ENABLED: Property = Property { path: "Enabled", kind: Kind::Flag };
const LOCKED: Property = Property { path: "Locked", kind: Kind::False };
const CHANGE: Property = Property { path: "PasswordChangeRequired", kind: Kind::Flag };

/// What a new account must have.
pub(crate) const REQUIRED: &[Property] = &[NAME, PASSWORD, ROLE];
/// What who configures users may write.
pub(crate) const WRITABLE: &[Property] = &[NAME, PASSWORD, ROLE, ENABLED, LOCKED, CHANGE];
/// What everybody may write of their own account.
pub(crate) const OWN: &[Property] = &[PASSWORD];

/// An account in the table.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) account: Account,
    enabled: bool,
    /// Wrong passwords in a row, and when the last of them was.
    failures: u64,
    failed: Duration,
    /// Until when nobody gets in after too many of them.
    locked: Option<Duration>,
    revision: u64,
}

/// What wrong passwords lead to (DSP0268, "AccountService"). Times of zero are without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lockout {
    /// How many lock an account; none where it is zero.
    pub(crate) threshold: u64,
    /// How long it stays locked.
    pub(crate) lasts: Duration,
    /// After how long one is forgotten.
    pub(crate) forgotten: Duration,
}

/// The accounts, by the number that is their `Id`. Shared between copies of a service until one writes.
#[derive(Clone)]
pub(crate) struct Accounts(Arc<BTreeMap<u32, Entry>>);

impl Accounts {
    pub(crate) fn new(accounts: impl IntoIterator<Item = Account>) -> Accounts {
        Accounts(Arc::new((1..).zip(accounts.into_iter().map(Entry::new)).collect()))
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Entry> {
        self.0.get(&id)
    }

    /// The account at the last segment of a path.
    pub(crate) fn find(&self, segment: &str) -> Option<u32> {
        let id = segment.parse().ok()?;
        // `01` and `+1` parse too, and are not its path.
        (self.0.contains_key(&id) && id.to_string() == segment).then_some(id)
    }

    /// The account that these credentials open.
    pub(crate) fn open(&self, user: &str, password: &str) -> Option<u32> {
        let opens = |entry: &Entry| {
            let Account { user: name, password: right, .. } = &entry.account;
            entry.enabled && entry.locked.is_none() && name == user && right == password
        };
        self.0.iter().find(|(_, entry)| opens(entry)).map(|(&id, _)| id)
    }

    /// Counts a password that was right: the wrong ones before it are forgotten.
    pub(crate) fn opened(&mut self, id: u32) {
        if self.get(id).is_some_and(|entry| entry.failures > 0) {
            self.change(id, |entry| entry.failures = 0);
        }
    }

    /// Counts a password that was wrong, where there is an account of that name.
    pub(crate) fn failed(&mut self, user: &str, lockout: Lockout, now: Duration) {
        let Some(id) = self.0.iter().find(|(_, entry)| entry.account.user == user).map(|(&id, _)| id) else {
            return;
        };
        if lockout.threshold == 0 {
            return;
        }
        let endless = |time: Duration| if time.is_zero() { Duration::MAX } else { time };
        self.change(id, |entry| {
            if now.saturating_sub(entry.failed) >= endless(lockout.forgotten) {
                entry.failures = 0;
            }
            entry.failures += 1;
            entry.failed = now;
            if entry.failures >= lockout.threshold && entry.locked.is_none() {
                entry.locked = Some(now.saturating_add(endless(lockout.lasts)));
                entry.revision += 1;
            }
        });
    }

    /// Unlocks what was locked for long enough.
    pub(crate) fn expire(&mut self, now: Duration) {
        let over = |entry: &Entry| entry.locked.is_some_and(|until| until <= now);
        let ids: Vec<u32> = self.0.iter().filter(|(_, entry)| over(entry)).map(|(&id, _)| id).collect();
        for id in ids {
            self.change(id, Entry::unlock);
        }
    }

    fn change(&mut self, id: u32, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = Arc::make_mut(&mut self.0).get_mut(&id) {
            change(entry);
        }
    }

    /// What the account may do, where it is there and enabled.
    pub(crate) fn role(&self, id: u32) -> Option<Role> {
        self.get(id).filter(|entry| entry.enabled).map(|entry| entry.account.role)
    }

    pub(crate) fn is_taken(&self, user: &str) -> bool {
        self.0.values().any(|entry| entry.account.user == user)
    }

    /// Adds the account that a POST describes, whose values were checked. Its number is the lowest that is free.
    pub(crate) fn create(&mut self, body: &Map<String, Value>) -> u32 {
        let table = Arc::make_mut(&mut self.0);
        let id = (1..).find(|id| !table.contains_key(id)).unwrap_or(u32::MAX);
        let account = Account::new("", "", Role::ReadOnly);
        table.entry(id).or_insert(Entry::new(account)).take(body);
        id
    }

    /// Writes what a PATCH names, whose values were checked.
    pub(crate) fn write(&mut self, id: u32, change: &Map<String, Value>) {
        self.change(id, |entry| {
            entry.take(change);
            entry.revision += 1;
        });
    }

    pub(crate) fn remove(&mut self, id: u32) {
        Arc::make_mut(&mut self.0).remove(&id);
    }

    pub(crate) fn collection(&self, profile: Profile) -> Rendered {
        let members: Vec<Value> = self.0.keys().map(|id| json!({"@odata.id": path(*id)})).collect();
        let document = json!({
            "@odata.id": ACCOUNTS,
            "@odata.type": "#ManagerAccountCollection.ManagerAccountCollection",
            "Name": "Accounts",
            "Members@odata.count": members.len(),
            "Members": members,
        });
        Rendered::new(document, 0, profile)
    }

    /// The account as a resource.
    pub(crate) fn document(&self, id: u32) -> Option<Value> {
        let entry = self.get(id)?;
        Some(json!({
            "@odata.id": path(id),
            "@odata.type": "#ManagerAccount.v1_12_0.ManagerAccount",
            "Id": id.to_string(),
            "Name": "User Account",
            "UserName": entry.account.user,
            "Password": null,
            "RoleId": entry.account.role.name(),
            "Enabled": entry.enabled,
            "Locked": entry.locked.is_some(),
            "PasswordChangeRequired": entry.account.password_change_required,
            "AccountTypes": ["Redfish"],
            "Links": {"Role": {"@odata.id": format!("{ROLES}/{}", entry.account.role.name())}},
        }))
    }

    pub(crate) fn render(&self, id: u32, profile: Profile) -> Option<Rendered> {
        Some(Rendered::new(self.document(id)?, self.get(id)?.revision, profile))
    }
}

impl Entry {
    fn new(account: Account) -> Entry {
        Entry { account, enabled: true, failures: 0, failed: Duration::ZERO, locked: None, revision: 0 }
    }

    fn unlock(&mut self) {
        self.failures = 0;
        self.locked = None;
        self.revision += 1;
    }

    fn take(&mut self, values: &Map<String, Value>) {
        let text = |property: Property| values.get(property.path).and_then(Value::as_str);
        let flag = |property: Property| values.get(property.path).and_then(Value::as_bool);
        if let Some(user) = text(NAME) {
            self.account.user = user.to_owned();
        }
        if let Some(password) = text(PASSWORD) {
            self.account.password = password.to_owned();
            self.account.password_change_required = false;
        }
        if let Some(role) = text(ROLE).and_then(Role::named) {
            self.account.role = role;
        }
        if let Some(enabled) = flag(ENABLED) {
            self.enabled = enabled;
        }
        if flag(LOCKED) == Some(false) {
            self.failures = 0;
            self.locked = None;
        }
        if let Some(required) = flag(CHANGE) {
            self.account.password_change_required = required;
        }
    }
}

/// The path of an account.
pub(crate) fn path(id: u32) -> String {
    format!("{ACCOUNTS}/{id}")
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
    fn both_name_and_password_open_an_account() {
        let accounts = accounts();
        assert_eq!(accounts.open("bob", "builder1"), Some(2));
        assert_eq!(accounts.open("bob", "lovelace"), None);
        assert_eq!(accounts.open("Bob", "builder1"), None);
        assert_eq!(accounts.find("02"), None);
        assert_eq!(accounts.find("2"), Some(2));
    }

    #[test]
    fn an_account_that_is_disabled_opens_nothing() {
        let mut accounts = accounts();
        accounts.write(2, json!({"Enabled": false}).as_object().unwrap());
        assert_eq!(accounts.open("bob", "builder1"), None);
        assert_eq!(accounts.role(2), None);
        assert_eq!(accounts.role(1), Some(Role::Administrator));
    }

    #[test]
    fn the_lowest_number_is_used_again() {
        let mut accounts = accounts();
        accounts.remove(1);
        let body = json!({"UserName": "eve", "Password": "eavesdrop", "RoleId": "Operator"});
        assert_eq!(accounts.create(body.as_object().unwrap()), 1);
        assert_eq!(accounts.open("eve", "eavesdrop"), Some(1));
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
