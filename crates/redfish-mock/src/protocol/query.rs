//! Query parameters (DSP0266, "Query parameters").

pub(crate) mod filter;

use http::StatusCode;

use super::message::{Base, Message};
use super::response::Response;
use filter::{Filter, is_property_name};

/// The maximum number of levels of `$expand`.
pub(crate) const MAX_LEVELS: usize = 3;
/// The maximum number of characters of a parameter's value that a message repeats.
const MAX_SHOWN: usize = 64;

/// The parsed query parameters of a request.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pub(crate) only: bool,
    pub(crate) excerpt: bool,
    pub(crate) expand: Option<Expand>,
    /// Paths of properties, each as its segments.
    pub(crate) select: Option<Vec<Vec<String>>>,
    pub(crate) filter: Option<Filter>,
    pub(crate) skip: usize,
    pub(crate) top: Option<usize>,
    /// All parameters except `$skip` and `$top`, as the client wrote them.
    pub(crate) others: Vec<String>,
    /// The number of parameters that are not ignored.
    pub(crate) known_parameters: usize,
}

/// The value of `$expand`: which links to replace by their resources, and how deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expand {
    pub(crate) links: ExpandLinks,
    pub(crate) levels: usize,
}

/// The links that `$expand` replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExpandLinks {
    /// `*`: all links.
    All,
    /// `.`: links outside `Links`.
    Subordinate,
    /// `~`: links inside `Links`.
    Dependent,
}

impl Query {
    /// Parses a query. An unknown parameter that starts with `$` is answered 501; other unknown parameters are ignored.
    pub(crate) fn parse(text: &str) -> Result<Query, Box<Response>> {
        let mut query = Query::default();
        for parameter in text.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (decode(name), Some(decode(value))),
                None => (decode(parameter), None),
            };
            let text = value.as_deref().unwrap_or_default();
            query.known_parameters += 1;
            match name.as_str() {
                "$skip" => query.skip = parse_number(&name, text)?,
                "$top" => query.top = Some(parse_number(&name, text)?),
                _ => {
                    query.set(&name, value.as_deref())?;
                    query.others.push(parameter.to_owned());
                }
            }
        }
        if query.only && query.known_parameters > 1 {
            return Err(bad_request(Message::new(Base::QueryCombinationInvalid, [])));
        }
        Ok(query)
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), Box<Response>> {
        let text = value.unwrap_or_default();
        match (name, value) {
            ("only", None) => self.only = true,
            ("excerpt", None) => self.excerpt = true,
            ("only" | "excerpt", Some(_)) => return Err(malformed(name, text)),
            ("$expand", _) => self.expand = Some(parse_expand(text)?),
            ("$select", _) => self.select = Some(parse_select(text).ok_or_else(|| malformed(name, text))?),
            ("$filter", _) => self.filter = Some(Filter::parse(text).ok_or_else(|| malformed(name, text))?),
            (name, _) if name.starts_with('$') => {
                let messages = vec![Message::new(Base::QueryNotSupported, [])];
                return Err(Box::new(Response::with_messages(StatusCode::NOT_IMPLEMENTED, messages)));
            }
            // Unknown parameters are ignored.
            _ => self.known_parameters -= 1,
        }
        Ok(())
    }

    /// Whether there are no parameters that this service knows.
    pub(crate) fn is_empty(&self) -> bool {
        self.known_parameters == 0
    }

    /// Whether it has a parameter that only a collection supports.
    pub(crate) fn needs_collection(&self) -> bool {
        self.only || self.selects_members()
    }

    /// Whether it returns only some members of a collection.
    pub(crate) fn selects_members(&self) -> bool {
        self.filter.is_some() || self.top.is_some() || self.skip > 0
    }

    /// The query of the page that starts at `skip`. `left` is the number of members that `$top` still allows.
    pub(crate) fn next_page(&self, skip: usize, left: Option<usize>) -> String {
        let mut parameters = self.others.clone();
        parameters.extend(left.map(|left| format!("$top={left}")));
        parameters.push(format!("$skip={skip}"));
        parameters.join("&")
    }
}

/// 400 with one message.
pub(crate) fn bad_request(message: Message) -> Box<Response> {
    Box::new(Response::with_messages(StatusCode::BAD_REQUEST, vec![message]))
}

/// Shortens a value for a message.
pub(crate) fn shortened(value: &str) -> String {
    value.chars().take(MAX_SHOWN).collect()
}

fn malformed(name: &str, value: &str) -> Box<Response> {
    bad_request(Message::new(Base::QueryParameterValueFormatError, [&shortened(value), name]))
}

fn parse_number(name: &str, value: &str) -> Result<usize, Box<Response>> {
    if let Ok(number) = value.parse::<u32>() {
        return Ok(number as usize);
    }
    Err(bad_request(if value.parse::<i128>().is_ok() {
        let range = format!("0-{}", u32::MAX);
        Message::new(Base::QueryParameterOutOfRange, [&shortened(value), name, &range])
    } else {
        Message::new(Base::QueryParameterValueTypeError, [&shortened(value), name])
    }))
}

/// Parses `.` or `*($levels=2)`.
fn parse_expand(value: &str) -> Result<Expand, Box<Response>> {
    let error = || malformed("$expand", value);
    let (links, rest) = match value.chars().next() {
        Some('*') => (ExpandLinks::All, &value[1..]),
        Some('.') => (ExpandLinks::Subordinate, &value[1..]),
        Some('~') => (ExpandLinks::Dependent, &value[1..]),
        _ => return Err(error()),
    };
    if rest.is_empty() {
        return Ok(Expand { links, levels: 1 });
    }
    let levels = rest.strip_prefix("($levels=").and_then(|rest| rest.strip_suffix(')')).ok_or_else(error)?;
    match parse_number("$expand", levels)? {
        levels @ 1..=MAX_LEVELS => Ok(Expand { links, levels }),
        _ => {
            let range = format!("1-{MAX_LEVELS}");
            Err(bad_request(Message::new(Base::QueryParameterOutOfRange, [levels, "$expand", &range])))
        }
    }
}

/// Parses `Name,Boot/BootSourceOverrideTarget`.
fn parse_select(value: &str) -> Option<Vec<Vec<String>>> {
    let path = |path: &str| {
        let segments: Vec<String> = path.trim().split('/').map(str::to_owned).collect();
        segments.iter().all(|segment| is_property_name(segment)).then_some(segments)
    };
    value.split(',').map(path).collect()
}

/// Decodes percent-encoding and leaves invalid escapes as they are. A plus is a space, as most clients write it.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|&digit| char::from(digit).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(if byte == b'+' { b' ' } else { byte });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::response::Content;

    fn rejected(text: &str) -> (u16, String) {
        let response = Query::parse(text).expect_err(text);
        let Content::Messages(messages) = &response.content else { panic!("{text}") };
        (response.status.as_u16(), messages[0].entry().key.to_owned())
    }

    #[test]
    fn an_invalid_query_is_rejected_with_its_reason() {
        for (text, status, key) in [
            ("only=foo", 400, "QueryParameterValueFormatError"),
            ("excerpt=", 400, "QueryParameterValueFormatError"),
            ("only&$top=1", 400, "QueryCombinationInvalid"),
            ("$top=many", 400, "QueryParameterValueTypeError"),
            ("$top", 400, "QueryParameterValueTypeError"),
            ("$skip=-1", 400, "QueryParameterOutOfRange"),
            ("$skip=99999999999", 400, "QueryParameterOutOfRange"),
            ("$expand", 400, "QueryParameterValueFormatError"),
            ("$expand=Members", 400, "QueryParameterValueFormatError"),
            ("$expand=.($levels=x)", 400, "QueryParameterValueTypeError"),
            ("$expand=.($levels=0)", 400, "QueryParameterOutOfRange"),
            ("$expand=.($levels=4)", 400, "QueryParameterOutOfRange"),
            ("$expand=.(levels=1)", 400, "QueryParameterValueFormatError"),
            ("$select=", 400, "QueryParameterValueFormatError"),
            ("$select=Name,,Id", 400, "QueryParameterValueFormatError"),
            ("$select=Boot/", 400, "QueryParameterValueFormatError"),
            ("$filter=Name", 400, "QueryParameterValueFormatError"),
            ("$count=true", 501, "QueryNotSupported"),
            ("a=1&%24orderby=Name", 501, "QueryNotSupported"),
        ] {
            assert_eq!(rejected(text), (status, key.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_query_is_parsed_with_and_without_escapes() {
        let query = Query::parse("%24expand=%2E%28%24levels%3D2%29&$select=Name,Boot/Mode&color=red&$skip=5")
            .unwrap();
        assert_eq!(query.expand, Some(Expand { links: ExpandLinks::Subordinate, levels: 2 }));
        assert_eq!(query.select, Some(vec![vec!["Name".into()], vec!["Boot".into(), "Mode".into()]]));
        let next = query.next_page(55, Some(3));
        assert_eq!(next, "%24expand=%2E%28%24levels%3D2%29&$select=Name,Boot/Mode&color=red&$top=3&$skip=55");
        assert!(Query::parse("color=red&&size").unwrap().is_empty());
        assert!(!Query::parse("only").unwrap().is_empty());
    }

    #[test]
    fn an_invalid_escape_is_not_decoded() {
        for (text, decoded) in [
            ("a%20b", "a b"),
            ("a+b%2Bc", "a b+c"),
            ("100%", "100%"),
            ("%zz", "%zz"),
            ("%4", "%4"),
            ("%C3%A4", "ä"),
        ] {
            assert_eq!(decode(text), decoded);
        }
    }
}
