//! Where on a service a request goes: a path and a query, never a host.
//!
//! Links are resolved here (RFC 3986, section 5). A link that names another origin never becomes a [`Target`]
//! by accident: either it is refused, or its path is used on our own origin.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::uri::PathAndQuery;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::reason::TargetError;

/// Bytes a target may have; longer ones are refused.
pub(crate) const MAX_LENGTH: usize = 16 * 1024;

/// A place on a service: path and query, and the fragment of a link into a resource.
///
/// It has no scheme, host or port, so that no answer can make a request, and with it a credential, go elsewhere.
/// Made by [`Service::target`](crate::Service::target) from what a person typed, or from a link of an
/// [`Answer`](crate::Answer). A URL is none, and what an operation asks for is a target:
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
    /// A path that is written in the code.
    pub(crate) fn well_known(path: &'static str) -> Target {
        Target { sent: PathAndQuery::from_static(path), fragment: None }
    }

    /// The path, which begins with one `/`.
    pub fn path(&self) -> &str {
        self.sent.path()
    }

    /// What stands behind `?`, where there is one.
    pub fn query(&self) -> Option<&str> {
        self.sent.query()
    }

    /// What stands behind `#`: for a link into a resource, a JSON pointer such as `/Fans/0` (DSP0266, "Reference
    /// properties"). It is not sent.
    pub fn fragment(&self) -> Option<&str> {
        self.fragment.as_deref()
    }

    /// What is sent: path and query.
    pub fn as_str(&self) -> &str {
        self.sent.as_str()
    }

    /// The same path with another query, which is encoded already.
    pub(crate) fn with_raw_query(&self, query: &str) -> Target {
        let mark = if query.is_empty() { "" } else { "?" };
        from_clean(format!("{}{mark}{}", self.path(), encode(query)), None)
    }

    /// The same without `$expand`; `None` where it does not ask for that.
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

    /// The same place without a final slash, query and fragment: some services answer a login there with a
    /// `Location` of doubled slashes.
    pub(crate) fn without_final_slash(&self) -> Target {
        let path = self.path().trim_end_matches('/');
        if path.is_empty() { self.clone() } else { from_clean(path.to_owned(), None) }
    }

    /// Whether the other differs by a final slash at the most.
    pub(crate) fn same_but_slash(&self, other: &Target) -> bool {
        self.query() == other.query()
            && self.path().trim_end_matches('/') == other.path().trim_end_matches('/')
    }

    /// The collection a member's path lies in, and the member's own segment.
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
        let text = readable(&text).map_err(D::Error::custom)?;
        merge(text, &Target::well_known("/")).map_err(D::Error::custom)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

/// A link without the white space round it, if it can be one.
pub(crate) fn readable(link: &str) -> Result<&str, TargetError> {
    let link = link.trim_matches([' ', '\t']);
    if link.len() > MAX_LENGTH {
        return Err(TargetError::TooLong);
    }
    if link.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return Err(TargetError::ControlCharacter);
    }
    Ok(link)
}

/// A reference without an authority, relative to `base` (RFC 3986, 5.2.2).
pub(crate) fn merge(reference: &str, base: &Target) -> Result<Target, TargetError> {
    let (reference, fragment) = match reference.split_once('#') {
        Some((reference, fragment)) => (reference, Some(fragment)),
        None => (reference, None),
    };
    let (path, query) = match reference.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (reference, None),
    };
    if query.is_none() && fragment.is_none() && is_clean(path) {
        return Ok(from_clean(path.to_owned(), None));
    }
    let (path, query) = if path.is_empty() {
        (base.path().to_owned(), query.or(base.query()))
    } else if path.starts_with('/') {
        (path.to_owned(), query)
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        (format!("{folder}/{path}"), query)
    };
    let mut sent = encode(&without_dots(&path));
    if let Some(query) = query {
        sent.push('?');
        sent.push_str(&encode(query));
    }
    if sent.len() > MAX_LENGTH {
        return Err(TargetError::TooLong);
    }
    Ok(from_clean(sent, fragment.filter(|f| !f.is_empty()).map(encode)))
}

/// A target of text that [`encode`] made.
fn from_clean(sent: String, fragment: Option<String>) -> Target {
    let sent = PathAndQuery::from_maybe_shared(Bytes::from(sent));
    debug_assert!(sent.is_ok(), "encode() lets through what http refuses");
    Target {
        sent: sent.unwrap_or_else(|_| PathAndQuery::from_static("/")),
        fragment: fragment.map(Into::into),
    }
}

/// Takes `.` and `..` out of a path (RFC 3986, 5.2.4), and leaves one slash at its start.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.trim_start_matches('/').split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    // What `..` left behind may begin with an empty segment; two slashes would read as a host.
    let joined = kept.join("/");
    format!("/{}", joined.trim_start_matches('/'))
}

/// Whether a path stays as it is, as most do: one slash at its start, no segment of dots, nothing to encode.
fn is_clean(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains("/.")
        && path.bytes().all(|byte| byte != b'%' && may_stand(byte))
}

/// Whether a byte may stand in a path or a query as it is.
fn may_stand(byte: u8) -> bool {
    match byte {
        b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';'
        | b'=' | b':' | b'@' | b'/' | b'?' => true,
        byte => byte.is_ascii_alphanumeric(),
    }
}

/// Percent-encodes what may not stand in a path or a query; what is encoded already stays as it is.
fn encode(text: &str) -> String {
    let hex_digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default().to_ascii_uppercase();
    let mut clean = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        let encoded = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
        let stays = match byte {
            b'%' => encoded(at + 1) && encoded(at + 2),
            byte => may_stand(byte),
        };
        if stays {
            clean.push(char::from(byte));
        } else {
            clean.push('%');
            clean.extend([byte >> 4, byte & 15].map(hex_digit));
        }
    }
    clean
}
