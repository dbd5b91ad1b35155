//! What a stream's `$filter` and a subscription's lists let through (DSP0266, "Event filtering").

use serde_json::Value;

use super::event::{Event, without_version};
use crate::protocol::message::{Base, Message};
use crate::protocol::profile::Profile;
use crate::protocol::query::{Comparison, Filter, Operand, refuse, shown};
use crate::protocol::response::Reply;

/// What a stream's `$filter` may speak of, and what it may not: `SSEFilterPropertiesSupported`.
pub(crate) const FILTERABLE: [(&str, bool); 8] = [
    ("EventFormatType", true),
    ("EventType", true),
    ("MessageId", true),
    ("MetricReportDefinition", false),
    ("OriginResource", true),
    ("RegistryPrefix", true),
    ("ResourceType", true),
    ("SubordinateResources", false),
];

/// Makes a condition one on events: each comparison is of one of their properties with a text, for being the same or not.
/// What else it says is refused.
pub(crate) fn on_events(mut filter: Filter, written: &str) -> Result<Filter, Box<Reply>> {
    filter.each_comparison(&mut |left, comparison, right| {
        let (property, literal) = match (left, right) {
            (Operand::Property(pointer), Operand::Literal(literal))
            | (Operand::Literal(literal), Operand::Property(pointer)) => (&pointer[1..], literal),
            _ => return Err(malformed(written)),
        };
        if !FILTERABLE.contains(&(property, true)) {
            return Err(refuse(Message::new(Base::PropertyUnknown, [&shown(property)])));
        }
        let same = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let Some(text) = literal.as_str().filter(|_| same) else { return Err(malformed(written)) };
        *literal = Value::String(match property {
            "MessageId" => without_version(text),
            "OriginResource" => text.trim_end_matches('/').to_owned(),
            _ => text.to_owned(),
        });
        Ok(())
    })?;
    Ok(filter)
}

fn malformed(written: &str) -> Box<Reply> {
    refuse(Message::new(Base::QueryParameterValueFormatError, [&shown(written), "$filter"]))
}

/// Whether the lists of a subscription, those that it has, let an event through.
pub(super) fn lists_let_through(subscription: &Value, event: &Event, profile: Profile) -> bool {
    let lets = |name: &str, is_it: &dyn Fn(&Value) -> bool| match subscription[name].as_array() {
        Some(list) if !list.is_empty() => list.iter().any(is_it),
        _ => true,
    };
    let message_id = event.message_id(profile);
    let origin = |item: &Value| {
        item["@odata.id"].as_str().is_some_and(|path| path.trim_end_matches('/') == event.origin)
    };
    lets("EventTypes", &|item| item == event.kind())
        && lets("RegistryPrefixes", &|item| item == event.prefix(profile))
        && lets("ResourceTypes", &|item| *item == event.schema)
        && lets("MessageIds", &|item| item.as_str().is_some_and(|id| without_version(id) == message_id))
        && lets("OriginResources", &origin)
}
