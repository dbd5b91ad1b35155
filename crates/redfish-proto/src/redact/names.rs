//! Which members of a JSON body hold a secret, by their names: one table.

/// Whether values are secret where they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// They are not.
    Public,
    /// They are, but for the members whose names say otherwise.
    Secret,
    /// They are, whatever the names say.
    Everything,
}

/// A test of a member's name, in lower case.
#[derive(Clone, Copy)]
enum Pattern {
    Is(&'static str),
    Contains(&'static str),
    StartsWith(&'static str),
    EndsWith(&'static str),
    /// It ends so, after another word.
    EndsWithAfterPrefix(&'static str),
}

use Pattern::{Contains, EndsWith, EndsWithAfterPrefix, Is, StartsWith};

/// The rules, in the order in which they are tried: the first that fits decides. A name that none fits is no secret.
const RULES: [(Pattern, Scope); 53] = [
    // Everything below it: these are the headers of requests, and their names are the user's.
    (Is("httpheaders"), Scope::Everything),
    // What describes a secret is none.
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

/// What a member of that name holds; `None` if the name says nothing.
pub(super) fn scope_of(name: &str) -> Option<Scope> {
    let name = name.to_ascii_lowercase();
    let fits = |test: Pattern| match test {
        Is(text) => name == text,
        Contains(text) => name.contains(text),
        StartsWith(text) => name.starts_with(text),
        EndsWith(text) => name.ends_with(text),
        EndsWithAfterPrefix(text) => name.len() > text.len() && name.ends_with(text),
    };
    RULES.iter().find(|(test, _)| fits(*test)).map(|(_, scope)| *scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that the rule decides.
    fn example(test: Pattern) -> String {
        match test {
            Is(text) | Contains(text) | StartsWith(text) | EndsWith(text) => text.to_uppercase(),
            EndsWithAfterPrefix(text) => format!("Read{text}"),
        }
    }

    /// Each row decides a name of its own: none is dead.
    #[test]
    fn each_rule_decides_its_names_and_no_row_is_dead() {
        for (at, (test, scope)) in RULES.iter().enumerate() {
            let name = example(*test);
            assert_eq!(scope_of(&name), Some(*scope), "{name}");
            let earlier = RULES[..at].iter().any(|(other, _)| {
                let name = name.to_ascii_lowercase();
                match *other {
                    Is(text) => name == text,
                    Contains(text) => name.contains(text),
                    StartsWith(text) => name.starts_with(text),
                    EndsWith(text) => name.ends_with(text),
                    EndsWithAfterPrefix(text) => name.len() > text.len() && name.ends_with(text),
                }
            });
            assert!(!earlier, "{name} is decided by an earlier row");
        }
    }

    #[test]
    fn names_of_the_standard_and_of_vendors_are_judged_right() {
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
        for open in [
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
            assert_eq!(scope_of(open), Some(Scope::Public), "{open}");
        }
        for plain in ["UserName2", "Community", "KeyboardLayout", "Pinning", "Id2", "target", "Oem"] {
            assert_eq!(scope_of(plain), None, "{plain}");
        }
        assert_eq!(scope_of("HttpHeaders"), Some(Scope::Everything));
    }
}
