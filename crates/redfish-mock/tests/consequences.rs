//! What a change of a machine leads to: settings that wait for a reset, images, volumes, readings, and the entries in its log.

mod common;

use common::{Client, SYSTEM, messages};
use serde_json::{Value, json};

const MANAGER: &str = "/redfish/v1/Managers/E1D8B426";
const CHASSIS: &str = "/redfish/v1/Chassis/E1D8B426";

fn client() -> Client {
    Client::standard().basic("ada")
}

/// The keys of the messages in the log of a system or manager, from the entry with this number on.
fn log(client: &mut Client, owner: &str, from: usize) -> Vec<String> {
    let entries = client.get(&format!("{owner}/LogServices/Log/Entries?$skip={from}")).json();
    let key = |entry: &Value| entry["MessageId"].as_str().unwrap().rsplit('.').next().unwrap().to_owned();
    entries["Members"].as_array().unwrap().iter().map(key).collect()
}

/// Resets the system and waits for the end of the reset.
fn reset(client: &mut Client) {
    let answer =
        client.post(&format!("{SYSTEM}/Actions/ComputerSystem.Reset"), json!({"ResetType": "ForceRestart"}));
    assert_eq!(answer.status(), 204);
    client.wait(3);
}

/// Waits for the end of a task, and returns the response of its monitor.
fn finish(client: &mut Client, answer: &redfish_mock::Answer) -> redfish_mock::Answer {
    assert_eq!(answer.status(), 202, "{}", answer.json());
    let monitor = common::path_of(answer.header("Location").unwrap());
    client.wait(10);
    client.get(&monitor)
}

#[test]
fn bios_settings_wait_for_the_next_reset() {
    let mut client = client();
    let (bios, settings) = (format!("{SYSTEM}/Bios"), format!("{SYSTEM}/Bios/Settings"));
    let resource = client.get(&bios).json();
    assert_eq!(resource["@Redfish.Settings"]["SettingsObject"]["@odata.id"], settings.as_str());
    assert_eq!(client.patch(&bios, json!({"Attributes": {"NumLock": true}})).status(), 405);
    let change = json!({"Attributes": {"NumLock": true, "PowerProfile": "Quiet"}});
    assert_eq!(client.patch(&settings, change).status(), 200);
    assert_eq!(client.get(&settings).json()["Attributes"]["NumLock"], true);
    assert_eq!(client.get(&bios).json()["Attributes"]["NumLock"], false);

    reset(&mut client);
    assert_eq!(client.get(&bios).json()["Attributes"]["NumLock"], true);
    assert_eq!(client.get(&bios).json()["Attributes"]["PowerProfile"], "Quiet");
    assert_eq!(client.get(&settings).json()["Attributes"], json!({}));
    let expected = ["SettingsChanged", "PowerChanged", "BiosSettingsApplied", "PowerChanged"];
    assert_eq!(log(&mut client, SYSTEM, 4), expected);
    for (change, message) in [
        (json!({"PowerProfile": "Loud"}), "PropertyValueNotInList"),
        (json!({"BootRetries": 10}), "PropertyValueOutOfRange"),
        (json!({"Color": "red"}), "PropertyUnknown"),
    ] {
        let answer = client.patch(&settings, json!({"Attributes": change}));
        assert_eq!((answer.status().as_u16(), messages(&answer)), (400, vec![message.to_owned()]));
    }
}

#[test]
fn the_attribute_registry_describes_each_bios_setting() {
    let mut client = client();
    let bios = client.get(&format!("{SYSTEM}/Bios")).json();
    let file = client.get("/redfish/v1/Registries/BiosAttributeRegistry.1.0.0").json();
    let registry = client.get(file["Location"][0]["Uri"].as_str().unwrap()).json();
    assert_eq!(registry["Id"], bios["AttributeRegistry"]);
    let attributes = registry["RegistryEntries"]["Attributes"].as_array().unwrap();
    let described: Vec<&str> = attributes.iter().map(|a| a["AttributeName"].as_str().unwrap()).collect();
    let found: Vec<&String> = bios["Attributes"].as_object().unwrap().keys().collect();
    assert_eq!(described, found);
    // Each default is the value at first, and each bound is enforced.
    for attribute in attributes {
        let name = attribute["AttributeName"].as_str().unwrap();
        assert_eq!(attribute["DefaultValue"], bios["Attributes"][name], "{name}");
        let beyond = match attribute["Type"].as_str().unwrap() {
            "Integer" => json!(attribute["UpperBound"].as_u64().unwrap() + 1),
            "String" => json!("x".repeat(attribute["MaxLength"].as_u64().unwrap() as usize + 1)),
            _ => json!("no such value"),
        };
        let answer = client.patch(&format!("{SYSTEM}/Bios/Settings"), json!({"Attributes": {name: beyond}}));
        assert_eq!(answer.status(), 400, "{name}");
    }
}

#[test]
fn a_setting_that_depends_on_another_is_refused() {
    let mut client = client();
    let settings = format!("{SYSTEM}/Bios/Settings");
    let timeout = || json!({"Attributes": {"PxeTimeoutSeconds": 90}});
    assert_eq!(client.patch(&settings, timeout()).status(), 200);
    assert_eq!(client.patch(&settings, json!({"Attributes": {"BootMode": "Legacy"}})).status(), 200);
    let refused = client.patch(&settings, timeout());
    assert_eq!(
        (refused.status().as_u16(), messages(&refused)),
        (400, vec!["PropertyNotWritable".to_owned()])
    );
}

#[test]
fn a_boot_override_holds_once_and_is_logged() {
    let mut client = client();
    let boot = json!({"Boot": {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Pxe"}});
    assert_eq!(client.patch(SYSTEM, boot).status(), 200);
    reset(&mut client);
    assert_eq!(client.get(SYSTEM).json()["Boot"]["BootSourceOverrideEnabled"], "Disabled");
    let expected = ["SettingsChanged", "PowerChanged", "BootOverrideUsed", "PowerChanged"];
    assert_eq!(log(&mut client, SYSTEM, 4), expected);
    let order = json!({"Boot": {"BootOrder": ["Boot0002", "Boot0001", "Boot0003", "Boot0004"]}});
    assert_eq!(client.patch(SYSTEM, order).status(), 200);
    assert_eq!(client.get(SYSTEM).json()["Boot"]["BootOrder"][0], "Boot0002");
    assert_eq!(client.patch(SYSTEM, json!({"Boot": {"BootOrder": ["Boot0099"]}})).status(), 400);
    let last_reset = client.get(SYSTEM).json()["LastResetTime"].clone();
    assert_eq!(last_reset, "2026-01-01T00:00:03Z");
}

#[test]
fn secure_boot_changes_with_the_next_boot() {
    let mut client = client();
    let path = format!("{SYSTEM}/SecureBoot");
    assert_eq!(client.patch(&path, json!({"SecureBootEnable": false})).status(), 200);
    assert_eq!(client.get(&path).json()["SecureBootCurrentBoot"], "Enabled");
    reset(&mut client);
    assert_eq!(client.get(&path).json()["SecureBootCurrentBoot"], "Disabled");
    let reset_keys = format!("{path}/Actions/SecureBoot.ResetKeys");
    assert_eq!(client.post(&reset_keys, json!({"ResetKeysType": "DeleteAllKeys"})).status(), 204);
    assert_eq!(client.get(&path).json()["SecureBootMode"], "SetupMode");
}

#[test]
fn an_image_is_inserted_and_ejected() {
    let mut client = client();
    let slot = format!("{MANAGER}/VirtualMedia/1");
    let insert = format!("{slot}/Actions/VirtualMedia.InsertMedia");
    let image =
        json!({"Image": "https://images.example/install.iso", "UserName": "u", "Password": "secret-1"});
    assert_eq!(client.post(&insert, image.clone()).status(), 204);
    let inserted = client.get(&slot).json();
    assert_eq!((&inserted["Inserted"], &inserted["ImageName"]), (&json!(true), &json!("install.iso")));
    assert_eq!((&inserted["ConnectedVia"], &inserted["Password"]), (&json!("URI"), &Value::Null));
    assert_eq!(inserted["TransferProtocolType"], "HTTPS");
    let second = client.post(&insert, image);
    assert_eq!((second.status().as_u16(), messages(&second)), (409, vec!["ResourceInUse".to_owned()]));
    assert_eq!(client.post(&format!("{slot}/Actions/VirtualMedia.EjectMedia"), json!({})).status(), 204);
    let ejected = client.get(&slot).json();
    assert_eq!((&ejected["Inserted"], &ejected["Image"]), (&json!(false), &Value::Null));
    assert_eq!(log(&mut client, MANAGER, 120), ["MediaInserted", "MediaEjected"]);
}

#[test]
fn a_slot_without_actions_is_changed_by_patch() {
    let mut client = client();
    let slot = format!("{MANAGER}/VirtualMedia/2");
    assert!(client.get(&slot).json().get("Actions").is_none());
    let inserted = client.patch(&slot, json!({"Image": "http://images.example/drivers.img"})).json();
    assert_eq!((&inserted["Inserted"], &inserted["ImageName"]), (&json!(true), &json!("drivers.img")));
    let ejected = client.patch(&slot, json!({"Image": null})).json();
    assert_eq!((&ejected["Inserted"], &ejected["ConnectedVia"]), (&json!(false), &json!("NotConnected")));
    let kept =
        client.patch(&slot, json!({"Image": "http://images.example/drivers.img", "Inserted": true})).json();
    assert_eq!(kept["Inserted"], true);
    let removed = client.patch(&slot, json!({"Inserted": false})).json();
    assert_eq!(removed["Inserted"], false);
}

#[test]
fn a_volume_is_created_and_deleted_by_a_task() {
    let mut client = client();
    let (volumes, drive) = (format!("{SYSTEM}/Storage/1/Volumes"), format!("{SYSTEM}/Storage/1/Drives/2"));
    let body =
        json!({"RAIDType": "RAID0", "DisplayName": "data", "Links": {"Drives": [{"@odata.id": drive}]}});
    let accepted = client.post(&volumes, body);
    let created = finish(&mut client, &accepted);
    assert_eq!(created.status(), 201);
    let volume = common::path_of(created.header("Location").unwrap());
    let document = client.get(&volume).json();
    assert_eq!((&document["RAIDType"], &document["DisplayName"]), (&json!("RAID0"), &json!("data")));
    assert_eq!(client.get(&drive).json()["Links"]["Volumes"], json!([{"@odata.id": volume}]));
    let accepted = client.delete(&volume);
    assert_eq!(finish(&mut client, &accepted).status(), 204);
    assert_eq!(client.get(&volume).status(), 404);
    assert_eq!(client.get(&drive).json()["Links"]["Volumes"], json!([]));
    assert_eq!(log(&mut client, SYSTEM, 4), ["VolumeCreated", "VolumeDeleted"]);

    let elsewhere = json!([{"@odata.id": "/redfish/v1/Systems/E905C3FF/Storage/1/Drives/1"}]);
    for (body, message) in [
        (json!({"Links": {"Drives": [{"@odata.id": drive}]}}), "CreateFailedMissingReqProperties"),
        (json!({"RAIDType": "RAID0", "Links": {"Drives": []}}), "CreateFailedMissingReqProperties"),
        (json!({"RAIDType": "RAID0", "Links": {"Drives": elsewhere}}), "ResourceMissingAtURI"),
        (
            json!({"RAIDType": "RAID77", "Links": {"Drives": [{"@odata.id": drive}]}}),
            "PropertyValueNotInList",
        ),
    ] {
        let refused = client.post(&volumes, body.clone());
        assert_eq!(
            (refused.status().as_u16(), messages(&refused)),
            (400, vec![message.to_owned()]),
            "{body}"
        );
    }
}

#[test]
fn a_drive_is_erased_and_a_volume_initialized_by_a_task() {
    let mut client = client();
    let erase = format!("{SYSTEM}/Storage/1/Drives/2/Actions/Drive.SecureErase");
    let accepted = client.post(&erase, json!({"SanitizationType": "CryptographicErase"}));
    assert_eq!(finish(&mut client, &accepted).status(), 204);
    let initialize = format!("{SYSTEM}/Storage/1/Volumes/1/Actions/Volume.Initialize");
    let accepted = client.post(&initialize, json!({}));
    assert_eq!(finish(&mut client, &accepted).status(), 204);
    assert_eq!(log(&mut client, SYSTEM, 4), ["DriveErased", "VolumeInitialized"]);
}

#[test]
fn certificates_are_requested_and_replaced() {
    let mut client = client();
    let service = "/redfish/v1/CertificateService";
    let collection = format!("{MANAGER}/NetworkProtocol/HTTPS/Certificates");
    let request = json!({"CommonName": "db-01.example", "CertificateCollection": {"@odata.id": collection}});
    let answer = client.post(&format!("{service}/Actions/CertificateService.GenerateCSR"), request);
    assert_eq!(answer.status(), 200);
    assert!(answer.json()["CSRString"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
    let certificate = format!("{collection}/1");
    let pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n";
    let replacement = json!({"CertificateUri": {"@odata.id": certificate}, "CertificateType": "PEM",
        "CertificateString": format!("{pem}{key}")});
    let replace = format!("{service}/Actions/CertificateService.ReplaceCertificate");
    let replaced = client.post(&replace, replacement);
    assert_eq!((replaced.status().as_u16(), replaced.header("Location")), (204, Some(certificate.as_str())));
    assert_eq!(client.get(&certificate).json()["CertificateString"], pem);
    let other =
        json!({"CertificateUri": {"@odata.id": SYSTEM}, "CertificateType": "PEM", "CertificateString": pem});
    assert_eq!(client.post(&replace, other).status(), 400);
    let locations = client.get(&format!("{service}/CertificateLocations")).json();
    assert_eq!(locations["Links"]["Certificates"].as_array().unwrap().len(), 3);
}

#[test]
fn a_license_is_installed_without_showing_its_text() {
    let mut client = client();
    let licenses = "/redfish/v1/LicenseService/Licenses";
    let created = client.post(licenses, json!({"LicenseString": "FJW-1111-2222"}));
    assert_eq!(created.status(), 201);
    let license = client.get(&common::path_of(created.header("Location").unwrap())).json();
    assert_eq!((&license["LicenseString"], &license["LicenseOrigin"]), (&Value::Null, &json!("Installed")));
    let install = "/redfish/v1/LicenseService/Actions/LicenseService.Install";
    let installed = client.post(install, json!({"LicenseFileURI": "https://files.example/pro.lic"}));
    assert_eq!(installed.status(), 201);
    assert_eq!(client.get(licenses).json()["Members@odata.count"], 3);
}

#[test]
fn diagnostic_data_is_downloaded_from_its_log_entry() {
    let mut client = client();
    let collect = format!("{MANAGER}/LogServices/Log/Actions/LogService.CollectDiagnosticData");
    let accepted = client.post(&collect, json!({"DiagnosticDataType": "Manager"}));
    let done = finish(&mut client, &accepted);
    assert_eq!(done.status(), 204);
    let entry = common::path_of(done.header("Location").unwrap());
    assert_eq!(entry, format!("{MANAGER}/LogServices/Log/Entries/121"));
    let entry = client.get(&entry).json();
    assert_eq!(entry["DiagnosticDataType"], "Manager");
    let data = client.get(entry["AdditionalDataURI"].as_str().unwrap());
    assert_eq!((data.status().as_u16(), data.header("Content-Type")), (200, Some("text/plain")));
    assert_eq!(data.response.body().len() as u64, entry["AdditionalDataSizeBytes"].as_u64().unwrap());
}

#[test]
fn a_metric_report_has_the_readings_of_its_time() {
    let mut client = client();
    let path = "/redfish/v1/TelemetryService/MetricReports/Environment";
    client.wait(95);
    let report = client.get(path).json();
    assert_eq!(report["Timestamp"], "2026-01-01T00:01:30Z");
    assert_eq!(report["MetricValues"].as_array().unwrap().len(), 6);
    for metric in report["MetricValues"].as_array().unwrap() {
        let sensor = metric["MetricProperty"].as_str().unwrap().split('#').next().unwrap().to_owned();
        let reading = client.get(&sensor).json()["Reading"].as_f64().unwrap();
        assert_eq!(metric["MetricValue"].as_str().unwrap().parse(), Ok(reading), "{sensor}");
    }
}

#[test]
fn a_log_is_cleared_and_goes_on() {
    let mut client = client();
    let log_service = format!("{SYSTEM}/LogServices/Log");
    assert_eq!(client.post(&format!("{log_service}/Actions/LogService.ClearLog"), json!({})).status(), 204);
    assert_eq!(log(&mut client, SYSTEM, 0), [""; 0]);
    assert_eq!(client.patch(SYSTEM, json!({"LocationIndicatorActive": true})).status(), 200);
    assert_eq!(log(&mut client, SYSTEM, 0), ["LampSwitched"]);
    let entry = client.get(&format!("{log_service}/Entries/1")).json();
    assert_eq!(
        (&entry["Message"], &entry["Severity"]),
        (&json!("The location indicator was switched on."), &json!("OK"))
    );
}

#[test]
fn sensors_move_and_have_thresholds() {
    let mut client = client();
    let path = format!("{CHASSIS}/Sensors/InletTemp");
    let first = client.get(&path);
    client.wait(600);
    let later = client.get(&path);
    assert_ne!(first.json()["Reading"], later.json()["Reading"]);
    assert_eq!(first.header("ETag"), later.header("ETag"), "what was read can be changed");
    let thermal = client.get(&format!("{CHASSIS}/Thermal")).json();
    assert_eq!(thermal["Temperatures"][0]["ReadingCelsius"], later.json()["Reading"]);
    let metrics = client.get(&format!("{CHASSIS}/EnvironmentMetrics")).json();
    assert_eq!(metrics["TemperatureCelsius"]["Reading"], later.json()["Reading"]);
    let expanded = client.get(&format!("{CHASSIS}/Sensors?$expand=.")).json();
    let in_collection =
        expanded["Members"].as_array().unwrap().iter().find(|sensor| sensor["Id"] == "InletTemp");
    assert_eq!(in_collection.unwrap()["Reading"], later.json()["Reading"]);
    let change = json!({"Thresholds": {"UpperCaution": {"Reading": 35.5}}});
    assert_eq!(client.patch(&path, change).json()["Thresholds"]["UpperCaution"]["Reading"], 35.5);
    let mut kinds = std::collections::BTreeSet::new();
    for sensor in expanded["Members"].as_array().unwrap() {
        kinds.insert(sensor["ReadingType"].as_str().unwrap().to_owned());
    }
    let expected = ["Current", "EnergykWh", "Humidity", "Percent", "Power", "Temperature", "Voltage"];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn a_job_is_in_its_collection() {
    let faults = vec!["job=5s".parse().unwrap()];
    let settings = redfish_mock::Settings { faults, ..common::settings(redfish_mock::Profile::Standard) };
    let mut client = Client::new(settings).basic("ada");
    let accepted = client.patch(SYSTEM, json!({"AssetTag": "x"}));
    assert_eq!(accepted.status(), 202);
    let job = common::path_of(accepted.header("Location").unwrap());
    assert_eq!(client.get("/redfish/v1/JobService/Jobs").json()["Members"], json!([{"@odata.id": job}]));
}

#[test]
fn an_update_may_wait_for_the_next_reset() {
    let mut client = client();
    let inventory = "/redfish/v1/UpdateService/FirmwareInventory";
    let update = "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate";
    let request =
        |time: &str| json!({"ImageURI": "https://files.example/f.bin", "@Redfish.OperationApplyTime": time});
    let accepted = client.post(update, request("OnReset"));
    assert_eq!(finish(&mut client, &accepted).status(), 204);
    let version =
        |client: &mut Client, id: &str| client.get(&format!("{inventory}/{id}")).json()["Version"].clone();
    assert_eq!(version(&mut client, "BIOS-E1D8B426"), "F24-2.18");
    reset(&mut client);
    let updated = version(&mut client, "BIOS-E1D8B426");
    assert!(updated.as_str().unwrap().starts_with("U-"), "{updated}");
    assert_eq!(client.get(SYSTEM).json()["BiosVersion"], updated);
    assert_eq!(version(&mut client, "Manager-E1D8B426"), "3.02", "the manager was not reset");
    assert_eq!(version(&mut client, "BIOS-E905C3FF"), "F12-1.40", "the other system was not reset");
    let restart = format!("{MANAGER}/Actions/Manager.Reset");
    assert_eq!(client.post(&restart, json!({"ResetType": "ForceRestart"})).status(), 204);
    client.wait(30);
    assert_eq!(version(&mut client, "Manager-E1D8B426"), updated);
    let refused = client.post(update, request("Yesterday"));
    assert_eq!(
        (refused.status().as_u16(), messages(&refused)),
        (400, vec!["PropertyValueNotInList".to_owned()])
    );
}

#[test]
fn a_volume_is_made_of_free_drives_and_changed_by_the_rules_of_volumes() {
    let mut client = client();
    let storage = format!("{SYSTEM}/Storage/1");
    let drive = |n: u32| json!({"@odata.id": format!("{storage}/Drives/{n}")});
    for (drives, raid, status) in [
        (vec![drive(1)], "RAID0", 409),
        (vec![drive(2)], "RAID1", 400),
        (vec![drive(2), drive(2)], "RAID1", 400),
    ] {
        let body = json!({"RAIDType": raid, "Links": {"Drives": drives}});
        assert_eq!(client.post(&format!("{storage}/Volumes"), body).status(), status, "{raid}");
    }
    let erase = |n: u32| format!("{storage}/Drives/{n}/Actions/Drive.SecureErase");
    let in_use = client.post(&erase(1), json!({}));
    assert_eq!((in_use.status().as_u16(), messages(&in_use)), (409, vec!["ResourceInUse".to_owned()]));
    let accepted = client.delete(&format!("{storage}/Volumes/1"));
    assert_eq!(finish(&mut client, &accepted).status(), 204);
    let accepted = client.post(
        &format!("{storage}/Volumes"),
        json!({"RAIDType": "RAID1", "Links": {"Drives": [drive(1), drive(2)]}}),
    );
    let created = finish(&mut client, &accepted);
    let volume = created.json();
    assert_eq!(
        (&volume["CapacityBytes"], &volume["@odata.type"]),
        (&json!(3_200_000_000_000_u64), &json!("#Volume.v1_10_0.Volume"))
    );
    let path = common::path_of(created.header("Location").unwrap());
    let controller = client.get(&format!("{storage}/Controllers/1")).json();
    assert_eq!(controller["Links"]["AttachedVolumes"], json!([{"@odata.id": path}]));
    for change in
        [json!({"RAIDType": "RAID5"}), json!({"WriteCachePolicy": "xx"}), json!({"Links": {"Drives": []}})]
    {
        assert_eq!(client.patch(&path, change.clone()).status(), 400, "{change}");
    }
    let accepted = client.post(&format!("{path}/Actions/Volume.Initialize"), json!({}));
    assert_eq!(finish(&mut client, &accepted).status(), 204);
}

#[test]
fn without_the_platform_key_the_system_is_in_setup_mode() {
    let mut client = client();
    let secure_boot = format!("{SYSTEM}/SecureBoot");
    let databases = format!("{secure_boot}/SecureBootDatabases");
    let count = |client: &mut Client, database: &str| {
        client.get(&format!("{databases}/{database}/Certificates")).json()["Members@odata.count"].clone()
    };
    let pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let created = client.post(
        &format!("{databases}/db/Certificates"),
        json!({"CertificateString": pem, "CertificateType": "PEM"}),
    );
    let added = common::path_of(created.header("Location").unwrap());
    let restore_db = format!("{databases}/db/Actions/SecureBootDatabase.ResetKeys");
    assert_eq!(client.post(&restore_db, json!({"ResetKeysType": "ResetAllKeysToDefault"})).status(), 204);
    assert_eq!((client.get(&added).status().as_u16(), count(&mut client, "db")), (404, json!(1)));
    let reset_db = format!("{databases}/db/Actions/SecureBootDatabase.ResetKeys");
    assert_eq!(client.post(&reset_db, json!({"ResetKeysType": "DeleteAllKeys"})).status(), 204);
    assert_eq!(client.get(&secure_boot).json()["SecureBootMode"], "DeployedMode");
    assert_eq!((count(&mut client, "db"), count(&mut client, "PK")), (json!(0), json!(1)));
    let reset = format!("{secure_boot}/Actions/SecureBoot.ResetKeys");
    assert_eq!(client.post(&reset, json!({"ResetKeysType": "DeletePK"})).status(), 204);
    assert_eq!((count(&mut client, "PK"), count(&mut client, "KEK")), (json!(0), json!(1)));
    assert_eq!(client.get(&secure_boot).json()["SecureBootMode"], "SetupMode");
    assert_eq!(client.post(&reset, json!({"ResetKeysType": "ResetAllKeysToDefault"})).status(), 204);
    assert_eq!((count(&mut client, "PK"), count(&mut client, "db")), (json!(1), json!(1)));
    assert_eq!(client.get(&secure_boot).json()["SecureBootMode"], "DeployedMode");
    assert_eq!(client.get(&format!("{databases}/db/Certificates/1")).status(), 200);
}

#[test]
fn what_a_client_sends_is_checked_and_its_secrets_are_not_shown() {
    let mut client = client();
    let order = json!({"Boot": {"BootOrder": ["Boot0001", "Boot0001", "Boot0002", "Boot0003"]}});
    assert_eq!(client.patch(SYSTEM, order).status(), 400);
    let insert = format!("{MANAGER}/VirtualMedia/1/Actions/VirtualMedia.InsertMedia");
    for image in ["not a URI", "http://", "gopher://host/x"] {
        assert_eq!(client.post(&insert, json!({"Image": image})).status(), 400, "{image}");
    }
    assert_eq!(client.post(&insert, json!({"Image": "http://u:secret-7@files.example/z.iso"})).status(), 204);
    let slot = client.patch(
        &format!("{MANAGER}/VirtualMedia/2"),
        json!({"Image": "http://u:secret-7@files.example/z.img"}),
    );
    for shown in [client.get(&format!("{MANAGER}/VirtualMedia/1")).json(), slot.json()] {
        assert!(shown["Image"].as_str().unwrap().starts_with("http://files.example/z.i"), "{shown}");
        assert!(!shown.to_string().contains("secret-7"), "{shown}");
    }
    let refused = client.patch(SYSTEM, json!({"AssetTag": "x".repeat(1_000_000)}));
    assert_eq!(refused.status(), 400);
    assert!(refused.response.body().len() < 10_000);
    let off = format!("{SYSTEM}/Actions/ComputerSystem.Reset");
    assert_eq!(client.post(&off, json!({"ResetType": "ForceOff"})).status(), 204);
    client.wait(3);
    assert_eq!(client.get(CHASSIS).json()["PowerState"], "Off");
}

#[test]
fn the_response_to_a_change_has_the_clock_of_its_time() {
    let mut client = client();
    client.wait(90);
    let changed = client.patch(MANAGER, json!({"LocationIndicatorActive": true})).json();
    assert_eq!(changed["DateTime"], "2026-01-01T00:01:30Z");
}
