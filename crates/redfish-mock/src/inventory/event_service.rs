//! The event service.

use serde_json::{Map, json};

use super::action::{ParameterSource, SUBMIT_TEST_EVENT};
use super::builder::ResourceBuilder;
use super::machine::{link, status};
use crate::protocol::event::{EVENT_TYPES, REGISTRY_PREFIXES};
use crate::protocol::event_filter::FILTER_PROPERTIES;
use crate::protocol::uris::{EVENT_SERVICE, EVENT_STREAM, SUBSCRIPTIONS};

/// The schemas of the resources that events are about.
const RESOURCE_TYPES: [&str; 16] = [
    "AccountService",
    "Bios",
    "Certificate",
    "Chassis",
    "ComputerSystem",
    "EthernetInterface",
    "EventDestination",
    "EventService",
    "LogEntryCollection",
    "Manager",
    "ManagerAccount",
    "ManagerNetworkProtocol",
    "Session",
    "SessionService",
    "SoftwareInventory",
    "Task",
];

pub(super) fn add(resources: &mut Vec<ResourceBuilder>) {
    let filter_properties: Map<_, _> =
        FILTER_PROPERTIES.into_iter().map(|(name, supported)| (name.to_owned(), json!(supported))).collect();
    resources.push(ResourceBuilder::new(json!({
        "@odata.id": EVENT_SERVICE,
        "@odata.type": "#EventService.v1_10_1.EventService",
        "Id": "EventService",
        "Name": "Event Service",
        "Description": "Sends events to destinations on loopback and on streams",
        "ServiceEnabled": true,
        "DeliveryRetryAttempts": 0,
        "DeliveryRetryIntervalSeconds": 60,
        "EventFormatTypes": ["Event"],
        "EventTypesForSubscription": EVENT_TYPES,
        "RegistryPrefixes": REGISTRY_PREFIXES,
        "ResourceTypes": RESOURCE_TYPES,
        "SubordinateResourcesSupported": false,
        "ServerSentEventUri": EVENT_STREAM,
        "SSEFilterPropertiesSupported": filter_properties,
        "Status": status("OK"),
        "Subscriptions": link(SUBSCRIPTIONS),
        "Actions": {"#EventService.SubmitTestEvent": SUBMIT_TEST_EVENT.entry(EVENT_SERVICE, ParameterSource::ActionInfo)},
    })));
    resources.push(SUBMIT_TEST_EVENT.action_info(EVENT_SERVICE));
}
