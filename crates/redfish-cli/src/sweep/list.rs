//! The services of a sweep: a URL a line, or a JSON object a line. All of it is read and checked before anything is sent.

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

/// The longest line that names a service.
const LONGEST: u64 = 64 << 10;

/// A service, and how to talk to it.
pub(super) struct Entry {
    /// Its URL, in one spelling.
    pub(super) service: Box<str>,
    pub(super) access: Access,
}

/// Reads the services of a file; `check` says whether the command can be meant for each.
pub(super) fn read(
    file: &Path,
    options: &Options,
    check: impl Fn(&Service) -> Result<(), Failure>,
) -> Result<Vec<Entry>, Failure> {
    let mut source = AccessSource::new(options, Scope::Many)?;
    let mut entries = Vec::new();
    let mut seen: HashMap<Box<str>, usize> = HashMap::new();
    each_line(file, "the services", LONGEST, options, |number, text| {
        if text.starts_with('#') {
            return Ok(());
        }
        let line = ServiceLine::parse(text)?;
        let service = options.service_in_sweep(&line.service)?;
        let name: Box<str> = service.to_string().into();
        if let Some(first) = seen.insert(name.clone(), number) {
            // Twice may be once too often, and which of two passwords is right nobody can say.
            let what = format!("the same service as in line {first}");
            return Err(Failure::usage(what, "Leave one of them out."));
        }
        check(&service)?;
        entries.push(Entry { service: name, access: source.find(&line, &service)? });
        Ok(())
    })?;
    match entries.is_empty() {
        true => Err(Failure::usage("the file of the services names none", "Write a URL a line.")),
        false => Ok(entries),
    }
}

/// Does something with each line that is not blank. What is wrong with one is said with its number.
pub(super) fn each_line(
    file: &Path,
    of: &'static str,
    longest: u64,
    options: &Options,
    mut work: impl FnMut(usize, &str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let unreadable = |error: io::Error| Failure::usage(format!("{of} cannot be read: {error}"), "");
    let mut source = Source::named(file).lines(options.timeout).map_err(unreadable)?;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        source.by_ref().take(longest + 1).read_until(b'\n', &mut line).map_err(unreadable)?;
        if line.is_empty() {
            break;
        }
        let done = match std::str::from_utf8(&line) {
            _ if line.len() as u64 > longest => Err(Failure::usage("it is too long", "")),
            Err(_) => Err(Failure::usage("it is not UTF-8", "")),
            Ok(text) => match text.trim_start_matches('\u{feff}').trim() {
                "" => Ok(()),
                text => work(number, text),
            },
        };
        done.map_err(|failure| failure.within(&format!("line {number} of {of}")))?;
    }
    Ok(())
}

impl ServiceLine {
    /// No text in an error repeats a value: a password may stand in the wrong place.
    fn parse(text: &str) -> Result<ServiceLine, Failure> {
        if !text.starts_with('{') {
            return Ok(ServiceLine { service: text.to_owned(), ..ServiceLine::default() });
        }
        let members: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
            Failure::usage(format!("no JSON object, at column {}", error.column()), "Use a line for each.")
        })?;
        let mut said = ServiceLine::default();
        for (name, value) in members {
            let mut value = match value {
                Value::String(value) if !value.is_empty() => Some(value),
                Value::Null => None,
                _ if KNOWN.contains(&name.as_str()) => {
                    return Err(Failure::usage(format!("{name} is not a text, or empty"), ""));
                }
                _ => None,
            };
            match name.as_str() {
                "service" => said.service = value.take().unwrap_or_default(),
                "user" => said.user = value,
                "password_file" => said.password_file = value.map(PathBuf::from),
                "cacert" => said.cacert = value.map(PathBuf::from),
                "pin" => said.pin = value,
                _ => return Err(unknown(&name)),
            }
        }
        if said.service.is_empty() {
            return Err(Failure::usage("service is missing", ""));
        }
        let files = [&said.password_file, &said.cacert];
        if files.into_iter().flatten().any(|file| is_stdin(file)) {
            return Err(Failure::usage("standard input is for all services, not for one", "Use a file."));
        }
        for (name, file) in [("password_file", &said.password_file), ("cacert", &said.cacert)] {
            if let Some(error) = file.as_ref().and_then(|file| check_regular(file).err()) {
                return Err(Failure::usage(format!("{name} cannot be read: {error}"), "Use a file."));
            }
        }
        Ok(said)
    }
}

/// The members that a line may have.
const KNOWN: [&str; 5] = ["service", "user", "password_file", "cacert", "pin"];

fn unknown(name: &str) -> Failure {
    let shown: String = terminal::clean(name).chars().take(40).collect();
    let hint = match name.to_ascii_lowercase().as_str() {
        "password" => "A password does not stand in the list: use password_file.",
        _ => "Those that are: service, user, password_file, cacert, pin.",
    };
    Failure::usage(format!("the member \"{shown}\" is not known"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_url_or_an_object() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        let said = ServiceLine::parse("bmc:8443").unwrap();
        assert_eq!((said.service.as_str(), said.user), ("bmc:8443", None));
        let said = ServiceLine::parse(
            &serde_json::json!({"service": "bmc", "user": "u", "password_file": path, "pin": null})
                .to_string(),
        )
        .unwrap();
        assert_eq!((said.service.as_str(), said.user.as_deref()), ("bmc", Some("u")));
        assert_eq!((said.password_file, said.pin), (Some(PathBuf::from(path)), None));
    }

    #[test]
    fn what_is_wrong_is_named_and_no_value_repeated() {
        for (text, reason) in [
            (r#"{"service": "bmc", "password": "hunter2"}"#, "\"password\" is not known"),
            (r#"{"service": "bmc", "usr": ["hunter2"]}"#, "\"usr\" is not known"),
            (r#"{"service": "bmc", "user": 7}"#, "user is not a text"),
            (r#"{"service": "bmc", "user": ""}"#, "user is not a text, or empty"),
            (r#"{"service": "bmc", "password_file": "-"}"#, "standard input"),
            (r#"{"user": "hunter2"}"#, "service is missing"),
            (r#"{"service": "hunter2""#, "no JSON object"),
            (r#"{"service": "bmc"} hunter2"#, "no JSON object"),
        ] {
            let said = ServiceLine::parse(text).err().unwrap().to_string();
            assert!(said.contains(reason) && !said.contains("hunter2"), "{text}: {said}");
        }
    }
}
