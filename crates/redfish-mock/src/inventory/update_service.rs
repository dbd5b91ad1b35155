//! The update service: which firmware the machines run.

use serde_json::{Value, json};

use super::{MACHINES, Machine, link, status};
use crate::inventory::action::{SIMPLE_UPDATE, Told};
use crate::inventory::tree::Draft;

pub(crate) const UPDATE_SERVICE: &str = "/redfish/v1/UpdateService";
const FIRMWARE: &str = "/redfish/v1/UpdateService/FirmwareInventory";

pub(super) fn add(drafts: &mut Vec<Draft>) {
    drafts.push(Draft::new(json!({
        "@odata.id": UPDATE_SERVICE,
        "@odata.type": "#UpdateService.v1_14_0.UpdateService",
        "Id": "UpdateService",
        "Name": "Update Service",
        "Description": "Which firmware the machines run",
        "ServiceEnabled": true,
        "Status": status("OK"),
        "FirmwareInventory": link(FIRMWARE),
        "HttpPushUri": format!("{UPDATE_SERVICE}/push"),
        "MultipartHttpPushUri": format!("{UPDATE_SERVICE}/multipart-push"),
        "MaxImageSizeBytes": 16 << 20,
        "Actions": {"#UpdateService.SimpleUpdate": SIMPLE_UPDATE.offer(UPDATE_SERVICE, Told::Both)},
    })));
    drafts.push(SIMPLE_UPDATE.info(UPDATE_SERVICE));
    let inventory: Vec<Value> = MACHINES.iter().flat_map(firmware).collect();
    let ids = inventory.iter().filter_map(|item| item["Id"].as_str().map(str::to_owned));
    drafts.push(Draft::collection(FIRMWARE, "SoftwareInventoryCollection", "Firmware", ids));
    drafts.extend(inventory.into_iter().map(Draft::new));
}

fn firmware(machine: &Machine) -> [Value; 2] {
    let item = |kind: &str, version: &str, of: String| {
        let id = format!("{kind}-{}", machine.id);
        json!({
            "@odata.id": format!("{FIRMWARE}/{id}"),
            "@odata.type": "#SoftwareInventory.v1_10_2.SoftwareInventory",
            "Id": id,
            "Name": format!("{kind} firmware of {}", machine.host),
            "Manufacturer": "Fjord",
            "Version": version,
            "SoftwareId": format!("{}-{kind}", machine.part),
            "ReleaseDate": "2025-06-30T00:00:00Z",
            "Updateable": true,
            "RelatedItem@odata.count": 1,
            "RelatedItem": [link(of)],
            "Status": status("OK"),
        })
    };
    [item("BIOS", machine.bios, machine.system()), item("Manager", machine.firmware, machine.manager())]
}
