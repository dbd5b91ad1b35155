//! The update service and the firmware inventory.

use serde_json::{Value, json};

use super::action::{ParameterSource, SIMPLE_UPDATE};
use super::builder::ResourceBuilder;
use super::machine::{MACHINES, Machine, link, status};
use crate::protocol::uris::UPDATE_SERVICE;

/// The default of [`Settings::max_image`](crate::Settings::max_image).
pub(crate) const DEFAULT_MAX_IMAGE: u64 = 4 << 30;
const FIRMWARE_INVENTORY: &str = "/redfish/v1/UpdateService/FirmwareInventory";

pub(super) fn add(resources: &mut Vec<ResourceBuilder>) {
    resources.push(ResourceBuilder::new(json!({
        "@odata.id": UPDATE_SERVICE,
        "@odata.type": "#UpdateService.v1_14_0.UpdateService",
        "Id": "UpdateService",
        "Name": "Update Service",
        "Description": "The firmware of the machines",
        "ServiceEnabled": true,
        "Status": status("OK"),
        "FirmwareInventory": link(FIRMWARE_INVENTORY),
        "HttpPushUri": format!("{UPDATE_SERVICE}/push"),
        "MultipartHttpPushUri": format!("{UPDATE_SERVICE}/multipart-push"),
        "MaxImageSizeBytes": DEFAULT_MAX_IMAGE,
        "Actions": {"#UpdateService.SimpleUpdate": SIMPLE_UPDATE.entry(UPDATE_SERVICE, ParameterSource::Both)},
    })));
    resources.push(SIMPLE_UPDATE.action_info(UPDATE_SERVICE));
    let inventory: Vec<Value> = MACHINES.iter().flat_map(firmware).collect();
    let ids = inventory.iter().filter_map(|item| item["Id"].as_str().map(str::to_owned));
    resources.push(ResourceBuilder::collection(
        FIRMWARE_INVENTORY,
        "SoftwareInventoryCollection",
        "Firmware",
        ids,
    ));
    resources.extend(inventory.into_iter().map(ResourceBuilder::new));
}

fn firmware(machine: &Machine) -> [Value; 2] {
    let item = |component: &str, version: &str, resource: String| {
        let id = format!("{component}-{}", machine.id);
        json!({
            "@odata.id": format!("{FIRMWARE_INVENTORY}/{id}"),
            "@odata.type": "#SoftwareInventory.v1_10_2.SoftwareInventory",
            "Id": id,
            "Name": format!("{component} firmware of {}", machine.host_name),
            "Manufacturer": "Fjord",
            "Version": version,
            "SoftwareId": format!("{}-{component}", machine.part_number),
            "ReleaseDate": "2025-06-30T00:00:00Z",
            "Updateable": true,
            "RelatedItem@odata.count": 1,
            "RelatedItem": [link(resource)],
            "Status": status("OK"),
        })
    };
    [
        item("BIOS", machine.bios_version, machine.system()),
        item("Manager", machine.firmware_version, machine.manager()),
    ]
}
