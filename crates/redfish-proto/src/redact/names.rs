//! The names of JSON members and headers that contain a secret.

/// Whether the values of a member are secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Not secret.
    Public,
    /// Secret, except for members whose names denote otherwise.
    Secret,
    /// Secret, whatever the names of the members in it.
    Everything,
}

use Pattern::{Contains, EndsWith, EndsWithAfterPrefix, Is, StartsWith};

/// A pattern of a member's name, in lower case.
#[derive(Clone, Copy)]
enum Pattern {
    Is(&'static str),
    Contains(&'static str),
    StartsWith(&'static str),
    EndsWith(&'static str),
    /// The name ends with the text and is longer.
    EndsWithAfterPrefix(&'static str),
}

impl Pattern {
    fn matches(self, name: &str) -> bool {
        match self {
            Is(text) => name == text,
            Contains(text) => name.contains(text),
            StartsWith(text) => name.starts_with(text),
            EndsWith(text) => name.ends_with(text),
            EndsWithAfterPrefix(text) => name.len() > text.len() && name.ends_with(text),
        }
    }
}

/// The rules. The first that matches decides. A name that matches no rule is not a secret.
const RULES: [(Pattern, Scope); 53] = [
    // The headers of pushed events. Their names are chosen by the user.
    (Is("httpheaders"), Scope::Everything),
    // Descriptions of secrets.
    (Contains("@"), Scope::Public),
    (StartsWith("#"), Scope::Public),
    (EndsWith("communityname"), Scope::Secret),
    (EndsWith("name"), Scope::Public),
    (EndsWith("length"), Scope::Public),
    (EndsWith("expiration"), Scope::Public),
    (EndsWith("days"), Scope::Public),
    (EndsWith("count"), Scope::Public),
    (EndsWith("limit"), Scope::Public),
    (EndsWith("state"), Scope::Public),
    (EndsWith("status"), Scope::Public),
    (EndsWith("type"), Scope::Public),
    (EndsWith("set"), Scope::Public),
    (EndsWith("required"), Scope::Public),
    (EndsWith("enabled"), Scope::Public),
    (EndsWith("mode"), Scope::Public),
    (EndsWith("role"), Scope::Public),
    (EndsWith("id"), Scope::Public),
    (EndsWith("identifier"), Scope::Public),
    (EndsWith("protocols"), Scope::Public),
    (EndsWith("message"), Scope::Public),
    (EndsWith("policy"), Scope::Public),
    (EndsWith("action"), Scope::Public),
    (EndsWith("hotkey"), Scope::Public),
    (EndsWith("quitkey"), Scope::Public),
    (EndsWith("langkey"), Scope::Public),
    (EndsWith("publickey"), Scope::Public),
    (EndsWith("hostkey"), Scope::Public),
    (EndsWith("identitykey"), Scope::Public),
    (EndsWith("identitysshkey"), Scope::Public),
    // Secrets.
    (Contains("password"), Scope::Secret),
    (Contains("passphrase"), Scope::Secret),
    (Contains("secret"), Scope::Secret),
    (Contains("token"), Scope::Secret),
    (Contains("privatekey"), Scope::Secret),
    (EndsWith("authorization"), Scope::Secret),
    (EndsWith("passwd"), Scope::Secret),
    (EndsWith("pwd"), Scope::Secret),
    (EndsWith("passcode"), Scope::Secret),
    (EndsWith("credential"), Scope::Secret),
    (EndsWith("credentials"), Scope::Secret),
    (EndsWith("cookie"), Scope::Secret),
    (EndsWith("key"), Scope::Secret),
    (EndsWith("keytab"), Scope::Secret),
    (EndsWith("keystring"), Scope::Secret),
    (EndsWith("pin"), Scope::Secret),
    (EndsWith("psk"), Scope::Secret),
    (EndsWith("communitystring"), Scope::Secret),
    (EndsWith("communitystrings"), Scope::Secret),
    (EndsWith("communities"), Scope::Secret),
    (EndsWith("licensestring"), Scope::Secret),
    (EndsWithAfterPrefix("community"), Scope::Secret),
];

/// The scope of a member with this name. `None` if no rule matches.
pub(super) fn scope_of(name: &str) -> Option<Scope> {
    let name = name.to_ascii_lowercase();
    RULES.iter().find(|(pattern, _)| pattern.matches(&name)).map(|(_, scope)| *scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that matches the pattern.
    fn example(pattern: Pattern) -> String {
        match pattern {
            Is(text) | Contains(text) | StartsWith(text) | EndsWith(text) => text.to_uppercase(),
            EndsWithAfterPrefix(text) => format!("Read{text}"),
        }
    }

    /// No rule is unreachable.
    #[test]
    fn each_rule_decides_a_name_that_no_earlier_rule_matches() {
        for (index, (pattern, scope)) in RULES.iter().enumerate() {
            let name = example(*pattern);
            assert_eq!(scope_of(&name), Some(*scope), "{name}");
            let lower = name.to_ascii_lowercase();
            let earlier = RULES[..index].iter().any(|(pattern, _)| pattern.matches(&lower));
            assert!(!earlier, "{name} is decided by an earlier rule");
        }
    }

    #[test]
    fn names_of_the_standard_and_of_vendors_are_classified() {
        for secret in [
            "Password",
            "NewPassword",
            "SessionAccountPassword",
            "OldPassword",
            "X-Auth-Token",
            "AuthenticationKey",
            "EncryptionKey",
            "CommunityString",
            "SNMPCommunityName",
            "CommunityName",
            "ReadOnlyCommunity",
            "Passphrase",
            "PrivateKey",
            "SharedSecret",
            "PIN",
            "KerberosKeytab",
            "LicenseString",
            "proxy-authorization",
            "UserPwd",
            "APIKey",
            "AccountPASSWORDs",
        ] {
            assert_eq!(scope_of(secret), Some(Scope::Secret), "{secret}");
        }
        for public in [
            "MinPasswordLength",
            "PasswordName",
            "PasswordExpiration",
            "PasswordChangeRequired",
            "#Bios.ChangePassword",
            "Password@Redfish.AllowableValues",
            "TokenType",
            "PublicKey",
            "SSHHostKey",
            "HotKey",
            "AccessKeyId",
            "SecretPolicy",
        ] {
            assert_eq!(scope_of(public), Some(Scope::Public), "{public}");
        }
        for unknown in ["UserName2", "Community", "KeyboardLayout", "Pinning", "Id2", "target", "Oem"] {
            assert_eq!(scope_of(unknown), None, "{unknown}");
        }
        assert_eq!(scope_of("HttpHeaders"), Some(Scope::Everything));
    }
}
