//! Which members of a JSON body hold a secret, by their names: one table.

/// Whether values are secret where they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// They are not.
    Open,
    /// They are, but for the members whose names say otherwise.
    Secret,
    /// They are, whatever the names say.
    Everything,
}

/// A test of a member's name, in lower case.
#[derive(Clone, Copy)]
enum Test {
    Is(&'static str),
    Contains(&'static str),
    Begins(&'static str),
    Ends(&'static str),
    /// It ends so, after another word.
    EndsLonger(&'static str),
}

use Test::{Begins, Contains, Ends, EndsLonger, Is};

/// The rules, in the order in which they are tried: the first that fits decides. A name that none fits is no secret.
const RULES: [(Test, Scope); 53] = [
    // Everything below it: these are the headers of requests, and their names are the user's.
    (Is("httpheaders"), Scope::Everything),
    // What describes a secret is none.
    (Contains("@"), Scope::Open),
    (Begins("#"), Scope::Open),
    (Ends("communityname"), Scope::Secret),
    (Ends("name"), Scope::Open),
    (Ends("length"), Scope::Open),
    (Ends("expiration"), Scope::Open),
    (Ends("days"), Scope::Open),
    (Ends("count"), Scope::Open),
    (Ends("limit"), Scope::Open),
    (Ends("state"), Scope::Open),
    (Ends("status"), Scope::Open),
    (Ends("type"), Scope::Open),
    (Ends("set"), Scope::Open),
    (Ends("required"), Scope::Open),
    (Ends("enabled"), Scope::Open),
    (Ends("mode"), Scope::Open),
    (Ends("role"), Scope::Open),
    (Ends("id"), Scope::Open),
    (Ends("identifier"), Scope::Open),
    (Ends("protocols"), Scope::Open),
    (Ends("message"), Scope::Open),
    (Ends("policy"), Scope::Open),
    (Ends("action"), Scope::Open),
    (Ends("hotkey"), Scope::Open),
    (Ends("quitkey"), Scope::Open),
    (Ends("langkey"), Scope::Open),
    (Ends("publickey"), Scope::Open),
    (Ends("hostkey"), Scope::Open),
    (Ends("identitykey"), Scope::Open),
    (Ends("identitysshkey"), Scope::Open),
    // Secrets.
    (Contains("password"), Scope::Secret),
    (Contains("passphrase"), Scope::Secret),
    (Contains("secret"), Scope::Secret),
    (Contains("token"), Scope::Secret),
    (Contains("privatekey"), Scope::Secret),
    (Ends("authorization"), Scope::Secret),
    (Ends("passwd"), Scope::Secret),
    (Ends("pwd"), Scope::Secret),
    (Ends("passcode"), Scope::Secret),
    (Ends("credential"), Scope::Secret),
    (Ends("credentials"), Scope::Secret),
    (Ends("cookie"), Scope::Secret),
    (Ends("key"), Scope::Secret),
    (Ends("keytab"), Scope::Secret),
    (Ends("keystring"), Scope::Secret),
    (Ends("pin"), Scope::Secret),
    (Ends("psk"), Scope::Secret),
    (Ends("communitystring"), Scope::Secret),
    (Ends("communitystrings"), Scope::Secret),
    (Ends("communities"), Scope::Secret),
    (Ends("licensestring"), Scope::Secret),
    (EndsLonger("community"), Scope::Secret),
];

/// What a member of that name holds; `None` if the name says nothing.
pub(super) fn scope_of(name: &str) -> Option<Scope> {
    let name = name.to_ascii_lowercase();
    let fits = |test: Test| match test {
        Is(text) => name == text,
        Contains(text) => name.contains(text),
        Begins(text) => name.starts_with(text),
        Ends(text) => name.ends_with(text),
        EndsLonger(text) => name.len() > text.len() && name.ends_with(text),
    };
    RULES.iter().find(|(test, _)| fits(*test)).map(|(_, scope)| *scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that the rule decides.
    fn example(test: Test) -> String {
        match test {
            Is(text) | Contains(text) | Begins(text) | Ends(text) => text.to_uppercase(),
            EndsLonger(text) => format!("Read{text}"),
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
                    Begins(text) => name.starts_with(text),
                    Ends(text) => name.ends_with(text),
                    EndsLonger(text) => name.len() > text.len() && name.ends_with(text),
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
            assert_eq!(scope_of(open), Some(Scope::Open), "{open}");
        }
        for plain in ["UserName2", "Community", "KeyboardLayout", "Pinning", "Id2", "target", "Oem"] {
            assert_eq!(scope_of(plain), None, "{plain}");
        }
        assert_eq!(scope_of("HttpHeaders"), Some(Scope::Everything));
    }
}
