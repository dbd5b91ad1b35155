//! Secrets in text that is not JSON: a vendor's part of an upload may be a profile in XML, lines with `=`, or a key.

use super::is_secret_name;

/// Maximum number of values of one text.
const MAX_VALUES: usize = 100;

/// Maximum length of a text that is a secret itself, in bytes.
const MAX_WHOLE: usize = 1 << 10;

/// The values in a text that may be secret: what follows a secret name, the lines of a private key, or a single word.
pub(super) fn secret_values(text: &str) -> Vec<&str> {
    let whole = text.trim().trim_matches('"');
    if whole.len() <= MAX_WHOLE && !whole.contains(char::is_whitespace) && !whole.contains(is_delimiter) {
        return vec![whole];
    }
    if text.contains("PRIVATE KEY-----") {
        return text.lines().filter(|line| !line.contains("-----")).take(MAX_VALUES).collect();
    }
    text.lines().flat_map(values_of_line).take(MAX_VALUES).collect()
}

/// `Password=ab cd;` has the values `ab` and `ab cd;`, `<a name="Users.2#Password">ab</a>` has `ab`.
fn values_of_line(line: &str) -> Vec<&str> {
    let mut rest = line;
    while let Some((word, after)) = next_word(rest) {
        if is_secret_name(word) {
            let value = next_word(after).map(|(value, _)| value).filter(|value| !value.starts_with('/'));
            let all = after.trim_matches(|c: char| c.is_whitespace() || is_delimiter(c));
            return value.into_iter().chain((!after.contains('<')).then_some(all)).collect();
        }
        rest = after;
    }
    Vec::new()
}

/// The next word of a line, and what follows it.
fn next_word(line: &str) -> Option<(&str, &str)> {
    let is_between = |c: char| c.is_whitespace() || is_delimiter(c);
    let line = line.trim_start_matches(is_between);
    let end = line.find(is_between).unwrap_or(line.len());
    line.split_at_checked(end).filter(|(word, _)| !word.is_empty())
}

fn is_delimiter(c: char) -> bool {
    "=:\"'<>,;".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_secret_names() {
        for (text, expected) in [
            ("[user]\nPassword=s3cr3t one\nName=ada", &["s3cr3t", "s3cr3t one"][..]),
            ("password: s3cr3t", &["s3cr3t", "s3cr3t"]),
            ("<Password>s3cr3t</Password>", &["s3cr3t"]),
            ("<Attribute Name=\"Users.2#Password\">s3cr3t</Attribute>", &["s3cr3t"]),
            ("<Password></Password>", &[]),
            ("-----BEGIN PRIVATE KEY-----\nAbCd\n-----END PRIVATE KEY-----", &["AbCd"]),
            ("\"s3cr3t\"\n", &["s3cr3t"]),
            ("one two\nthree", &[]),
        ] {
            assert_eq!(secret_values(text), expected, "{text}");
        }
    }
}
