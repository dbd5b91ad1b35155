//! The event service.

use serde_json::{Map, json};

use super::{link, status};
use crate::inventory::action::{SUBMIT_TEST_EVENT, Told};
use crate::inventory::tree::Draft;
use crate::state::events::{EVENT_SERVICE, EVENT_TYPES, FILTERABLE, PREFIXES, STREAM, SUBSCRIPTIONS};

/// The schemas of what events tell of.
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

pub(super) fn add(drafts: &mut Vec<Draft>) {
    let filterable: Map<_, _> =
        FILTERABLE.into_iter().map(|(name, is)| (name.to_owned(), json!(is))).collect();
    drafts.push(Draft::new(json!({
        "@odata.id": EVENT_SERVICE,
        "@odata.type": "#EventService.v1_10_1.EventService",
        "Id": "EventService",
        "Name": "Event Service",
        "Description": "Tells what happens, to destinations on loopback and on streams",
        "ServiceEnabled": true,
        "DeliveryRetryAttempts": 0,
        "DeliveryRetryIntervalSeconds": 60,
        "EventFormatTypes": ["Event"],
        "EventTypesForSubscription": EVENT_TYPES,
        "RegistryPrefixes": PREFIXES,
        "ResourceTypes": RESOURCE_TYPES,
        "SubordinateResourcesSupported": false,
        "ServerSentEventUri": STREAM,
        "SSEFilterPropertiesSupported": filterable,
        "Status": status("OK"),
        "Subscriptions": link(SUBSCRIPTIONS),
        "Actions": {"#EventService.SubmitTestEvent": SUBMIT_TEST_EVENT.offer(EVENT_SERVICE, Told::Apart)},
    })));
    drafts.push(SUBMIT_TEST_EVENT.info(EVENT_SERVICE));
}
