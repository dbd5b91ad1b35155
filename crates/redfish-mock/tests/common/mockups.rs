//! Folders of mockups, and clients of services that serve them.

use std::fs;
use std::path::{Path, PathBuf};

use redfish_mock::{Mockup, Profile, Settings};
use serde_json::{Value, json};

use super::{Client, settings};

pub const SYSTEM: &str = "/redfish/v1/Systems/sys";

/// An empty folder for one test.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mockups").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

pub fn write(folder: &Path, path: &str, text: &str) {
    let file = folder.join(path);
    fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
    fs::write(file, text).expect("a file");
}

/// A small mockup without a session service, at `root` within a folder.
pub fn small(name: &str, root: &str) -> PathBuf {
    let folder = folder(name);
    let link = |path: &str| json!({"@odata.id": path});
    let add = |path: &str, document: Value| {
        write(&folder, &format!("{root}{path}index.json"), &document.to_string())
    };
    add(
        "",
        json!({"@odata.id": "/redfish/v1/", "@odata.type": "#ServiceRoot.v1_5_0.ServiceRoot", "Name": "Root",
        "Systems": link("/redfish/v1/Systems")}),
    );
    add(
        "Systems/",
        json!({"@odata.id": "/redfish/v1/Systems", "Name": "Systems",
        "@odata.type": "#ComputerSystemCollection.ComputerSystemCollection",
        "Members@odata.count": 1, "Members": [link(SYSTEM)]}),
    );
    add(
        "Systems/sys/",
        json!({"@odata.id": SYSTEM, "@odata.type": "#ComputerSystem.v1_5_0.ComputerSystem",
        "Id": "sys", "Name": "One", "PowerState": "On", "Boot": {"Mode": "UEFI", "Order": ["a", "b"]},
        "Actions": {
            "#ComputerSystem.Reset": {"target": "/redfish/v1/Systems/sys/Actions/ComputerSystem.Reset",
                "ResetType@Redfish.AllowableValues": ["ForceOff", "On"]},
            "Oem": {"#Vendor.Polish": {"target": "/redfish/v1/Systems/sys/Actions/Oem/Vendor.Polish"}}}}),
    );
    add("Systems/sys/Bios/", json!({"@odata.id": "/redfish/v1/Systems/sys/Bios", "Name": "Bios"}));
    folder
}

pub fn serve(mockup: Mockup) -> Client {
    Client::new(Settings { mockup: Some(mockup), ..settings(Profile::Standard) })
}
