//! Secrets in text that is not JSON: a vendor's part of an upload may be a profile in XML, lines with `=`, or a key.

use super::is_secret_name;

/// Maximum number of values of one text.
const MAX_VALUES: usize = 400;

/// Maximum length of a text that is a secret itself, in bytes.
const MAX_WHOLE: usize = 1 << 10;

/// The values in a text that may be secret: what follows secret names, the lines of private keys, and a text of one word.
pub(super) fn secret_values(text: &str) -> Vec<&str> {
    let whole = text.trim_start_matches('\u{feff}').trim().trim_matches('"');
    let mut values = Vec::new();
    if whole.len() <= MAX_WHOLE && !whole.contains(char::is_whitespace) && !whole.contains('<') {
        values.push(whole);
        values.extend(whole.split_once(':').map(|(_, password)| password));
    }
    let mut is_in_key = false;
    for line in text.lines().map(str::trim) {
        if values.len() >= MAX_VALUES {
            break;
        }
        match line {
            _ if line.contains("-----BEGIN") => is_in_key = line.contains("PRIVATE KEY"),
            _ if line.contains("-----END") => is_in_key = false,
            _ if is_in_key => values.push(line),
            _ => add_values_of_line(line, &mut values),
        }
    }
    values
}

/// `Password=ab cd;` has the values `ab` and `ab cd`, `<a name="Users.2#Password">ab</a>` has `ab`.
fn add_values_of_line<'a>(line: &'a str, values: &mut Vec<&'a str>) {
    let mut rest = line;
    while let Some((word, after)) = next_word(rest) {
        rest = after;
        if let Some((before, _)) = word.split_once('@') {
            // A URI with a password, of which the scheme and the user are earlier words.
            values.push(before);
        }
        if !is_secret_name(word) {
            continue;
        }
        let after = after.trim_start_matches(['"', '\'', ' ', '\t']);
        if let Some(content) = after.strip_prefix('>') {
            values.push(content.split('<').next().unwrap_or_default());
        } else if let Some(value) = after.strip_prefix(['=', ':']) {
            let value = value.trim_start();
            let mut parts = value.split(['"', '\'']);
            match (parts.next(), parts.next()) {
                // In quotes.
                (Some(""), Some(quoted)) => values.push(quoted),
                _ => {
                    values.push(value.split([' ', '\t', ';', ',', '&', '<']).next().unwrap_or_default());
                    values.push(value.split([';', '&', '<']).next().unwrap_or_default().trim());
                }
            }
        }
    }
    values.retain(|value| !value.is_empty());
}

/// The next word of a line, and what follows it.
fn next_word(line: &str) -> Option<(&str, &str)> {
    let is_between = |c: char| c.is_whitespace() || "=:\"'<>,;&/".contains(c);
    let line = line.trim_start_matches(is_between);
    let end = line.find(is_between).unwrap_or(line.len());
    line.split_at_checked(end).filter(|(word, _)| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_secret_names() {
        for (text, expected) in [
            ("[user]\nPassword=s3cr3t one\nName=ada", &["s3cr3t", "s3cr3t one"][..]),
            ("password: s3cr3t", &["s3cr3t", "s3cr3t"]),
            ("password = \"a b\" # c", &["a b"]),
            (
                "OldPassword=one&NewPassword=two;x",
                &["OldPassword=one&NewPassword=two;x", "one", "one", "two", "two"],
            ),
            ("<Password>/s3cr3t</Password>", &["/s3cr3t"]),
            ("<a><Password></Password><Password>b</Password></a>", &["b"]),
            ("<Attribute Name=\"Users.2#Password\">s3cr3t</Attribute>", &["s3cr3t"]),
            (
                "passphrase=a\n  -----BEGIN PRIVATE KEY-----\n  AbCd\n  -----END PRIVATE KEY-----",
                &["a", "a", "AbCd"],
            ),
            ("-----BEGIN CERTIFICATE-----\nAbCd\n-----END CERTIFICATE-----", &[]),
            ("\"s3cr3t\"\n", &["s3cr3t"]),
            ("c2VjcmV0S2V5MTI=", &["c2VjcmV0S2V5MTI="]),
            ("ada:s3cr3t", &["ada:s3cr3t", "s3cr3t"]),
            ("see https://ada:s3cr3t@host/x", &["s3cr3t"]),
            ("one two\nthree", &[]),
        ] {
            assert_eq!(secret_values(text), expected, "{text}");
        }
    }
}
