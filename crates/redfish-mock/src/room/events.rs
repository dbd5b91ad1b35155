//! The event service.

use serde_json::json;

use super::{link, status};
use crate::actions::{SUBMIT_TEST_EVENT, Told};
use crate::events::{EVENT_SERVICE, STREAM, SUBSCRIPTIONS};
use crate::tree::Draft;

pub(super) fn add(drafts: &mut Vec<Draft>) {
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
        "RegistryPrefixes": ["MachineRoom", "ResourceEvent", "TaskEvent"],
        "ResourceTypes": ["ComputerSystem", "Chassis", "Manager", "ManagerAccount", "Task"],
        "ServerSentEventUri": STREAM,
        "SSEFilterPropertiesSupported": {
            "EventFormatType": false,
            "MessageId": false,
            "MetricReportDefinition": false,
            "OriginResource": false,
            "RegistryPrefix": false,
            "ResourceType": false,
        },
        "Status": status("OK"),
        "Subscriptions": link(SUBSCRIPTIONS),
        "Actions": {"#EventService.SubmitTestEvent": SUBMIT_TEST_EVENT.offer(EVENT_SERVICE, Told::Apart)},
    })));
    drafts.push(SUBMIT_TEST_EVENT.info(EVENT_SERVICE));
}
