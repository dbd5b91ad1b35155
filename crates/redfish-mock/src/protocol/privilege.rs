//! Roles and the privileges that they have (DSP0266, "Authorization").

/// One of the three roles that every Redfish service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Has all privileges.
    Administrator,
    /// May read, and operate machines.
    Operator,
    /// May read, change its own password and close its own sessions.
    ReadOnly,
}

/// A privilege of a role.
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
    pub(crate) const NAMES: &'static [&'static str] = &["Administrator", "Operator", "ReadOnly"];

    /// Its `RoleId`.
    pub fn name(self) -> &'static str {
        match self {
            Role::Administrator => "Administrator",
            Role::Operator => "Operator",
            Role::ReadOnly => "ReadOnly",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Role> {
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

    pub(crate) fn has(self, privilege: Privilege) -> bool {
        self.privileges().contains(&privilege)
    }
}
