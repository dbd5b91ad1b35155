//! Query parameters: what a GET asks for beside the resource (DSP0266, "Query parameters").

mod filter;

use http::StatusCode;

pub(crate) use filter::{Comparison, Filter, Operand};

use crate::protocol::message::{Base, Message};
use crate::protocol::response::Reply;
use crate::state::events::on_events;

/// How many levels `$expand` goes at most.
pub(crate) const MAX_LEVELS: usize = 3;
/// The longest text of a parameter's value that a message repeats.
const SHOWN: usize = 64;

/// What was asked for.
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
    /// As they were written, all parameters but the two that a next page changes.
    pub(crate) others: Vec<String>,
    asked: usize,
}

/// Which links to put the resources themselves in the place of, and how deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expand {
    pub(crate) which: Which,
    pub(crate) levels: usize,
}

/// The links that `$expand` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// `*`: all.
    All,
    /// `.`: those that are not in `Links`.
    Subordinate,
    /// `~`: those that are.
    Dependent,
}

impl Query {
    /// Reads a query, or says what is wrong with it. What starts with `$` and is unknown is 501, any other unknown parameter
    /// is ignored.
    pub(crate) fn read(text: &str) -> Result<Query, Box<Reply>> {
        let mut query = Query::default();
        for parameter in text.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (decode(name), Some(decode(value))),
                None => (decode(parameter), None),
            };
            let text = value.as_deref().unwrap_or_default();
            query.asked += 1;
            match name.as_str() {
                "$skip" => query.skip = number(&name, text)?,
                "$top" => query.top = Some(number(&name, text)?),
                _ => {
                    query.take(&name, value.as_deref())?;
                    query.others.push(parameter.to_owned());
                }
            }
        }
        if query.only && query.asked > 1 {
            return Err(refuse(Message::new(Base::QueryCombinationInvalid, [])));
        }
        Ok(query)
    }

    fn take(&mut self, name: &str, value: Option<&str>) -> Result<(), Box<Reply>> {
        let text = value.unwrap_or_default();
        match (name, value) {
            ("only", None) => self.only = true,
            ("excerpt", None) => self.excerpt = true,
            ("only" | "excerpt", Some(_)) => return Err(malformed(name, text)),
            ("$expand", _) => self.expand = Some(expand(text)?),
            ("$select", _) => self.select = Some(select(text).ok_or_else(|| malformed(name, text))?),
            ("$filter", _) => self.filter = Some(Filter::read(text).ok_or_else(|| malformed(name, text))?),
            (name, _) if name.starts_with('$') => {
                let messages = vec![Message::new(Base::QueryNotSupported, [])];
                return Err(Box::new(Reply::refusals(StatusCode::NOT_IMPLEMENTED, messages)));
            }
            // Unknown, and no business of ours.
            _ => self.asked -= 1,
        }
        Ok(())
    }

    /// The condition on its events that a stream is asked for: it can be asked for nothing else. The dollar may be missing.
    pub(crate) fn of_stream(text: &str) -> Result<Option<Filter>, Box<Reply>> {
        let named = |parameter: &str| match parameter.starts_with("filter=") {
            true => format!("${parameter}"),
            false => parameter.to_owned(),
        };
        let query = Query::read(&text.split('&').map(named).collect::<Vec<_>>().join("&"))?;
        match query.filter {
            None if query.asked == 0 => Ok(None),
            Some(filter) if query.asked == 1 => {
                let written = query.others.iter().find_map(|written| written.split_once('='));
                on_events(filter, &decode(written.map_or("", |(_, value)| value))).map(Some)
            }
            _ => Err(refuse(Message::new(Base::QueryNotSupportedOnResource, []))),
        }
    }

    /// Whether nothing was asked for that this service knows.
    pub(crate) fn is_plain(&self) -> bool {
        self.asked == 0
    }

    /// Whether it asks for what only a collection has.
    pub(crate) fn is_of_members(&self) -> bool {
        self.only || self.filter.is_some() || self.top.is_some() || self.skip > 0
    }

    /// The query of the page that begins at `skip`, with `left` members to show at most.
    pub(crate) fn next_page(&self, skip: usize, left: Option<usize>) -> String {
        let mut parameters = self.others.clone();
        parameters.extend(left.map(|left| format!("$top={left}")));
        parameters.push(format!("$skip={skip}"));
        parameters.join("&")
    }
}

/// 400 with one message: what every wrong query is.
pub(crate) fn refuse(message: Message) -> Box<Reply> {
    Box::new(Reply::refusals(StatusCode::BAD_REQUEST, vec![message]))
}

/// As much of a text as a message repeats.
pub(crate) fn shown(value: &str) -> String {
    value.chars().take(SHOWN).collect()
}

fn malformed(name: &str, value: &str) -> Box<Reply> {
    refuse(Message::new(Base::QueryParameterValueFormatError, [&shown(value), name]))
}

fn number(name: &str, value: &str) -> Result<usize, Box<Reply>> {
    if let Ok(number) = value.parse::<u32>() {
        return Ok(number as usize);
    }
    Err(refuse(if value.parse::<i128>().is_ok() {
        let range = format!("0-{}", u32::MAX);
        Message::new(Base::QueryParameterOutOfRange, [&shown(value), name, &range])
    } else {
        Message::new(Base::QueryParameterValueTypeError, [&shown(value), name])
    }))
}

/// `.`, `*($levels=2)`.
fn expand(value: &str) -> Result<Expand, Box<Reply>> {
    let wrong = || malformed("$expand", value);
    let (which, rest) = match value.chars().next() {
        Some('*') => (Which::All, &value[1..]),
        Some('.') => (Which::Subordinate, &value[1..]),
        Some('~') => (Which::Dependent, &value[1..]),
        _ => return Err(wrong()),
    };
    if rest.is_empty() {
        return Ok(Expand { which, levels: 1 });
    }
    let levels = rest.strip_prefix("($levels=").and_then(|rest| rest.strip_suffix(')')).ok_or_else(wrong)?;
    match number("$expand", levels)? {
        levels @ 1..=MAX_LEVELS => Ok(Expand { which, levels }),
        _ => {
            let range = format!("1-{MAX_LEVELS}");
            Err(refuse(Message::new(Base::QueryParameterOutOfRange, [levels, "$expand", &range])))
        }
    }
}

/// `Name,Boot/BootSourceOverrideTarget`.
fn select(value: &str) -> Option<Vec<Vec<String>>> {
    let path = |path: &str| {
        let segments: Vec<String> = path.trim().split('/').map(str::to_owned).collect();
        segments.iter().all(|segment| is_name(segment)).then_some(segments)
    };
    value.split(',').map(path).collect()
}

/// Whether a text may be the name of a property, or of an annotation.
fn is_name(text: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || "_@.#-".contains(c);
    !text.is_empty()
        && text.chars().all(part)
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@')
}

/// Undoes percent-encoding, as far as it is any. A plus is a blank, as the libraries of most clients write one.
fn decode(text: &str) -> String {
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

    fn refused(text: &str) -> (u16, String) {
        let reply = Query::read(text).expect_err(text);
        let Content::Messages(messages) = &reply.content else { panic!("{text}") };
        (reply.status.as_u16(), messages[0].entry().key.to_owned())
    }

    #[test]
    fn what_is_wrong_says_how() {
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
            assert_eq!(refused(text), (status, key.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_query_is_read_with_and_without_escapes() {
        let query = Query::read("%24expand=%2E%28%24levels%3D2%29&$select=Name,Boot/Mode&colour=red&$skip=5")
            .unwrap();
        assert_eq!(query.expand, Some(Expand { which: Which::Subordinate, levels: 2 }));
        assert_eq!(query.select, Some(vec![vec!["Name".into()], vec!["Boot".into(), "Mode".into()]]));
        let next = query.next_page(55, Some(3));
        assert_eq!(
            next,
            "%24expand=%2E%28%24levels%3D2%29&$select=Name,Boot/Mode&colour=red&$top=3&$skip=55"
        );
        assert!(Query::read("colour=red&&size").unwrap().is_plain());
        assert!(!Query::read("only").unwrap().is_plain());
    }

    #[test]
    fn an_escape_that_is_none_stays() {
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
