//! Where a request goes at a service: a path and a query, never a host.
//!
//! References are merged here (RFC 3986, section 5); their authority is checked in `link`.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::uri::PathAndQuery;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::reason::TargetError;

/// Maximum length of a target in bytes.
pub(crate) const MAX_LENGTH: usize = 16 * 1024;

/// A path and query at a service, and the fragment of a link into a resource.
///
/// It has no scheme, host or port, so no response can make a request, and with it a credential, go to another host.
/// Made by [`Service::target`](crate::Service::target) from what a user typed, or from a link of an
/// [`Answer`](crate::Answer). A URL is not a target:
///
/// ```compile_fail,E0308
/// use redfish_proto::Request;
///
/// Request::get(&"https://elsewhere.example/redfish/v1/".to_owned());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Target {
    sent: PathAndQuery,
    fragment: Option<Box<str>>,
}

impl Target {
    /// A target from a path in the code.
    pub(crate) fn well_known(path: &'static str) -> Target {
        Target { sent: PathAndQuery::from_static(path), fragment: None }
    }

    /// The path, which starts with one `/`.
    pub fn path(&self) -> &str {
        self.sent.path()
    }

    /// The query, without the `?`.
    pub fn query(&self) -> Option<&str> {
        self.sent.query()
    }

    /// The value of a query parameter, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.query()?.split('&').find_map(|part| {
            let (found, value) = part.split_once('=')?;
            (percent_decode(found) == name).then(|| percent_decode(value))
        })
    }

    /// The fragment, without the `#`: for a link into a resource, a JSON pointer such as `/Fans/0` (DSP0266,
    /// "Reference properties"). It is not sent.
    pub fn fragment(&self) -> Option<&str> {
        self.fragment.as_deref()
    }

    /// The same without the fragment: the whole resource.
    pub(crate) fn without_fragment(&self) -> Target {
        Target { sent: self.sent.clone(), fragment: None }
    }

    /// A part of the resource, at this JSON pointer.
    pub(crate) fn part(&self, pointer: &str) -> Target {
        Target { sent: self.sent.clone(), fragment: Some(pointer.into()) }
    }

    /// The path and query, as they are sent.
    pub fn as_str(&self) -> &str {
        self.sent.as_str()
    }

    /// The same path with another query, which is already encoded.
    pub(crate) fn with_raw_query(&self, query: &str) -> Target {
        let mark = if query.is_empty() { "" } else { "?" };
        from_encoded(format!("{}{mark}{}", self.path(), encode(query)), None)
    }

    /// The same target without `$expand`; `None` if it has no `$expand`.
    pub(crate) fn unexpanded(&self) -> Option<Target> {
        let query = self.query()?;
        let is_other = |part: &&str| {
            let name = part.split('=').next().unwrap_or_default();
            !["$expand", "%24expand"].iter().any(|expand| name.eq_ignore_ascii_case(expand))
        };
        let others: Vec<&str> = query.split('&').filter(is_other).collect();
        (others.len() < query.split('&').count()).then(|| self.with_raw_query(&others.join("&")))
    }

    pub(crate) fn path_and_query(&self) -> &PathAndQuery {
        &self.sent
    }

    /// The same path without a final slash, query and fragment: some services answer a login with a `Location` of
    /// doubled slashes.
    pub(crate) fn without_final_slash(&self) -> Target {
        let path = self.path().trim_end_matches('/');
        if path.is_empty() { self.clone() } else { from_encoded(path.to_owned(), None) }
    }

    /// Whether the two are the same except for a final slash.
    pub(crate) fn is_same_except_slash(&self, other: &Target) -> bool {
        self.query() == other.query()
            && self.path().trim_end_matches('/') == other.path().trim_end_matches('/')
    }

    /// The path of a member's collection, and the member's own segment.
    pub(crate) fn split_member(&self) -> (&str, &str) {
        let path = self.path().trim_end_matches('/');
        let (parent, member) = path.rsplit_once('/').unwrap_or(("", path));
        (parent.trim_end_matches('/'), member)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        self.fragment.as_deref().map_or(Ok(()), |fragment| write!(f, "#{fragment}"))
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Target, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        if !text.starts_with('/') || text.starts_with("//") {
            return Err(D::Error::custom("not a path"));
        }
        let text = checked_link(&text).map_err(D::Error::custom)?;
        merge(text, &Target::well_known("/")).map_err(D::Error::custom)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

/// Trims a link and checks its length and characters.
pub(crate) fn checked_link(link: &str) -> Result<&str, TargetError> {
    let link = link.trim_matches([' ', '\t']);
    if link.len() > MAX_LENGTH {
        return Err(TargetError::TooLong);
    }
    if link.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return Err(TargetError::ControlCharacter);
    }
    Ok(link)
}

/// Resolves a reference without an authority against `base` (RFC 3986, 5.2.2).
pub(crate) fn merge(reference: &str, base: &Target) -> Result<Target, TargetError> {
    let (reference, fragment) = match reference.split_once('#') {
        Some((reference, fragment)) => (reference, Some(fragment)),
        None => (reference, None),
    };
    let (path, query) = match reference.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (reference, None),
    };
    if query.is_none() && fragment.is_none() && needs_no_change(path) {
        return Ok(from_encoded(path.to_owned(), None));
    }
    let (path, query) = if path.is_empty() {
        (base.path().to_owned(), query.or(base.query()))
    } else if path.starts_with('/') {
        (path.to_owned(), query)
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        (format!("{folder}/{path}"), query)
    };
    let mut sent = encode(&remove_dot_segments(&path));
    if let Some(query) = query {
        sent.push('?');
        sent.push_str(&encode(query));
    }
    if sent.len() > MAX_LENGTH {
        return Err(TargetError::TooLong);
    }
    Ok(from_encoded(sent, fragment.filter(|f| !f.is_empty()).map(encode)))
}

/// A target from a text that [`encode`] made.
fn from_encoded(sent: String, fragment: Option<String>) -> Target {
    let sent = PathAndQuery::from_maybe_shared(Bytes::from(sent));
    debug_assert!(sent.is_ok(), "encode() lets through what http refuses");
    Target {
        sent: sent.unwrap_or_else(|_| PathAndQuery::from_static("/")),
        fragment: fragment.map(Into::into),
    }
}

/// Removes `.` and `..` from a path (RFC 3986, 5.2.4), and leaves one slash at its start.
fn remove_dot_segments(path: &str) -> String {
    let mut output: Vec<&str> = Vec::new();
    let mut segments = path.trim_start_matches('/').split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    output.pop();
                }
                if last {
                    output.push("");
                }
            }
            segment => output.push(segment),
        }
    }
    // After `..` the path may start with an empty segment, and two slashes would read as a host.
    let joined = output.join("/");
    format!("/{}", joined.trim_start_matches('/'))
}

/// Whether a path needs no change, like most: one slash at its start, no dot segment, nothing to encode.
pub(crate) fn needs_no_change(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains("/.")
        && path.bytes().all(|byte| byte != b'%' && is_valid_byte(byte))
}

/// Whether a byte is valid in a path or a query.
fn is_valid_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'('
        | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@' | b'/' | b'?')
}

/// Decodes a percent-encoded text. What is not encoded stays as it is (RFC 3986, 2.1).
pub(crate) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..2).filter(|code| code.iter().all(u8::is_ascii_hexdigit));
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match code.filter(|_| byte == b'%') {
            Some(code) => {
                bytes.push(code);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encodes what is not valid in a path or a query. What is already encoded does not change.
fn encode(text: &str) -> String {
    let hex_digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default().to_ascii_uppercase();
    let mut encoded_text = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        let encoded = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
        let stays = match byte {
            b'%' => encoded(at + 1) && encoded(at + 2),
            byte => is_valid_byte(byte),
        };
        if stays {
            encoded_text.push(char::from(byte));
        } else {
            encoded_text.push('%');
            encoded_text.extend([byte >> 4, byte & 15].map(hex_digit));
        }
    }
    encoded_text
}
