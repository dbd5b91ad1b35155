//! The `$filter` of an event stream and the filter lists of a subscription (DSP0266, "Event filtering").

use serde_json::Value;

use super::event::{Event, without_version};
use super::message::{Base, Message};
use super::profile::Profile;
use super::query::filter::{Comparison, Filter, Operand};
use super::query::{Query, bad_request, decode, shortened};
use super::response::Response;

/// `SSEFilterPropertiesSupported`: the properties of the standard, and whether the `$filter` of a stream may use each.
pub(crate) const FILTER_PROPERTIES: [(&str, bool); 8] = [
    ("EventFormatType", true),
    ("EventType", true),
    ("MessageId", true),
    ("MetricReportDefinition", false),
    ("OriginResource", true),
    ("RegistryPrefix", true),
    ("ResourceType", true),
    ("SubordinateResources", false),
];

/// Parses the query of a request for a stream. It may only contain `$filter`, also written without the dollar sign.
pub(crate) fn parse_stream_query(text: &str) -> Result<Option<Filter>, Box<Response>> {
    let with_dollar = |parameter: &str| {
        if parameter.starts_with("filter=") { format!("${parameter}") } else { parameter.to_owned() }
    };
    let query = Query::parse(&text.split('&').map(with_dollar).collect::<Vec<_>>().join("&"))?;
    match query.filter {
        None if query.known_parameters == 0 => Ok(None),
        Some(filter) if query.known_parameters == 1 => {
            let written = query.others.iter().find_map(|written| written.split_once('='));
            on_events(filter, &decode(written.map_or("", |(_, value)| value))).map(Some)
        }
        _ => Err(bad_request(Message::new(Base::QueryNotSupportedOnResource, []))),
    }
}

/// Turns a filter on resources into a filter on events. Each comparison must be `eq` or `ne` between a supported property and
/// a string. `written` is the filter as the client wrote it.
fn on_events(mut filter: Filter, written: &str) -> Result<Filter, Box<Response>> {
    filter.each_comparison(&mut |left, comparison, right| {
        let (property, literal) = match (left, right) {
            (Operand::Property(pointer), Operand::Literal(literal))
            | (Operand::Literal(literal), Operand::Property(pointer)) => (&pointer[1..], literal),
            _ => return Err(malformed(written)),
        };
        if !FILTER_PROPERTIES.contains(&(property, true)) {
            return Err(bad_request(Message::new(Base::PropertyUnknown, [&shortened(property)])));
        }
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let Some(text) = literal.as_str().filter(|_| is_equality) else { return Err(malformed(written)) };
        *literal = Value::String(match property {
            "MessageId" => without_version(text),
            "OriginResource" => text.trim_end_matches('/').to_owned(),
            _ => text.to_owned(),
        });
        Ok(())
    })?;
    Ok(filter)
}

fn malformed(written: &str) -> Box<Response> {
    bad_request(Message::new(Base::QueryParameterValueFormatError, [&shortened(written), "$filter"]))
}

/// Whether an event passes the filter lists of a subscription. A list that is missing or empty passes every event.
pub(crate) fn passes_filter_lists(subscription: &Value, event: &Event, profile: Profile) -> bool {
    let passes = |name: &str, matches: &dyn Fn(&Value) -> bool| match subscription[name].as_array() {
        Some(list) if !list.is_empty() => list.iter().any(matches),
        _ => true,
    };
    let message_id = event.message_id(profile);
    let is_origin = |item: &Value| {
        item["@odata.id"].as_str().is_some_and(|path| path.trim_end_matches('/') == event.origin)
    };
    passes("EventTypes", &|item| item == event.event_type())
        && passes("RegistryPrefixes", &|item| item == event.prefix(profile))
        && passes("ResourceTypes", &|item| *item == event.schema)
        && passes("MessageIds", &|item| item.as_str().is_some_and(|id| without_version(id) == message_id))
        && passes("OriginResources", &is_origin)
}
