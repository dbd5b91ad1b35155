//! The services file: one URL or JSON object per line. The whole file is checked before anything is sent.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use redfish_proto::Service;
use serde_json::{Map, Value};

use crate::access::{Access, AccessSource, Scope, ServiceLine};
use crate::failure::Failure;
use crate::files::{Source, check_regular, is_stdin};
use crate::options::Options;
use crate::terminal;

/// Maximum length of a line, in bytes.
const MAX_LINE: u64 = 64 << 10;

/// A service, and how to reach it.
pub(super) struct Entry {
    /// The normalized URL.
    pub(super) service: Box<str>,
    pub(super) access: Access,
}

/// Reads a services file. `check` rejects services that the command cannot run on.
pub(super) fn read(
    file: &Path,
    options: &Options,
    check: impl Fn(&Service) -> Result<(), Failure>,
) -> Result<Vec<Entry>, Failure> {
    let mut source = AccessSource::new(options, Scope::Many)?;
    let mut entries = Vec::new();
    let mut seen: HashMap<Box<str>, usize> = HashMap::new();
    each_line(file, "the services file", MAX_LINE, options, |number, text| {
        if text.starts_with('#') {
            return Ok(());
        }
        let line = ServiceLine::parse(text)?;
        let service = options.service_at(&line.service)?;
        let name: Box<str> = service.to_string().into();
        if let Some(first) = seen.insert(name.clone(), number) {
            // The command must not run twice, and the lines may differ.
            let what = format!("the same service as in line {first}");
            return Err(Failure::usage(what, "Remove one of them."));
        }
        check(&service)?;
        entries.push(Entry { service: name, access: source.find(&line, &service)? });
        Ok(())
    })?;
    if entries.is_empty() {
        return Err(Failure::usage("the services file contains no service", "Write one URL per line."));
    }
    Ok(entries)
}

/// Calls `work` for each line that is not blank. An error names the line by its number.
pub(super) fn each_line(
    file: &Path,
    name: &'static str,
    max_length: u64,
    options: &Options,
    mut work: impl FnMut(usize, &str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let unreadable = |error: io::Error| Failure::usage(format!("{name} cannot be read: {error}"), "");
    let mut source = Source::named(file).lines(options.timeout).map_err(unreadable)?;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        source.by_ref().take(max_length + 1).read_until(b'\n', &mut line).map_err(unreadable)?;
        if line.is_empty() {
            break;
        }
        let result = match std::str::from_utf8(&line) {
            _ if line.len() as u64 > max_length => Err(Failure::usage("it is too long", "")),
            Err(_) => Err(Failure::usage("it is not UTF-8", "")),
            Ok(text) => match text.trim_start_matches('\u{feff}').trim() {
                "" => Ok(()),
                text => work(number, text),
            },
        };
        result.map_err(|failure| failure.within(&format!("line {number} of {name}")))?;
    }
    Ok(())
}

impl ServiceLine {
    /// Parses a line. Errors never repeat a value, which may be a misplaced password.
    fn parse(text: &str) -> Result<ServiceLine, Failure> {
        if !text.starts_with('{') {
            return Ok(ServiceLine { service: text.to_owned(), ..ServiceLine::default() });
        }
        let members: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
            Failure::usage(
                format!("not a JSON object, at column {}", error.column()),
                "Write one object per line.",
            )
        })?;
        let mut line = ServiceLine::default();
        for (name, value) in members {
            let mut value = match value {
                Value::String(value) if !value.is_empty() => Some(value),
                Value::Null => None,
                _ if MEMBERS.contains(&name.as_str()) => {
                    return Err(Failure::usage(format!("{name} is not a string, or it is empty"), ""));
                }
                _ => None,
            };
            match name.as_str() {
                "service" => line.service = value.take().unwrap_or_default(),
                "user" => line.user = value,
                "password_file" => line.password_file = value.map(PathBuf::from),
                "cacert" => line.cacert = value.map(PathBuf::from),
                "pin" => line.pin = value,
                _ => return Err(unknown(&name)),
            }
        }
        if line.service.is_empty() {
            return Err(Failure::usage("service is missing", ""));
        }
        let files = [&line.password_file, &line.cacert];
        if files.into_iter().flatten().any(|file| is_stdin(file)) {
            return Err(Failure::usage("a line cannot use standard input", "Use a file."));
        }
        for (name, file) in [("password_file", &line.password_file), ("cacert", &line.cacert)] {
            if let Some(error) = file.as_ref().and_then(|file| check_regular(file).err()) {
                return Err(Failure::usage(format!("{name} cannot be read: {error}"), "Use a file."));
            }
        }
        Ok(line)
    }
}

/// The members of a line.
const MEMBERS: [&str; 5] = ["service", "user", "password_file", "cacert", "pin"];

fn unknown(name: &str) -> Failure {
    let name_start: String = terminal::clean(name).chars().take(40).collect();
    let hint = match name.to_ascii_lowercase().as_str() {
        "password" => "A services file contains no passwords: use password_file.",
        _ => "The members are service, user, password_file, cacert, pin.",
    };
    Failure::usage(format!("the member \"{name_start}\" is unknown"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_url_or_an_object() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        let line = ServiceLine::parse("bmc:8443").unwrap();
        assert_eq!((line.service.as_str(), line.user), ("bmc:8443", None));
        let line = ServiceLine::parse(
            &serde_json::json!({"service": "bmc", "user": "u", "password_file": path, "pin": null})
                .to_string(),
        )
        .unwrap();
        assert_eq!((line.service.as_str(), line.user.as_deref()), ("bmc", Some("u")));
        assert_eq!((line.password_file, line.pin), (Some(PathBuf::from(path)), None));
    }

    #[test]
    fn errors_name_the_member_and_repeat_no_value() {
        for (text, reason) in [
            (r#"{"service": "bmc", "password": "hunter2"}"#, "\"password\" is unknown"),
            (r#"{"service": "bmc", "usr": ["hunter2"]}"#, "\"usr\" is unknown"),
            (r#"{"service": "bmc", "user": 7}"#, "user is not a string"),
            (r#"{"service": "bmc", "user": ""}"#, "user is not a string, or it is empty"),
            (r#"{"service": "bmc", "password_file": "-"}"#, "standard input"),
            (r#"{"user": "hunter2"}"#, "service is missing"),
            (r#"{"service": "hunter2""#, "not a JSON object"),
            (r#"{"service": "bmc"} hunter2"#, "not a JSON object"),
        ] {
            let line = ServiceLine::parse(text).err().unwrap().to_string();
            assert!(line.contains(reason) && !line.contains("hunter2"), "{text}: {line}");
        }
    }
}
