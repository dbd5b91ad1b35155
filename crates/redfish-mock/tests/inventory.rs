//! Registries, firmware, logs, network interfaces, protocols and certificates.

mod common;

use std::collections::BTreeSet;

use common::{Client, SYSTEM, messages};
use serde_json::{Value, json};

const PEM: &str = "-----BEGIN CERTIFICATE-----\nAbCd\n-----END CERTIFICATE-----\n";
const MANAGER: &str = "/redfish/v1/Managers/E1D8B426";

fn admin_client() -> Client {
    Client::standard().basic("ada")
}

fn members(client: &mut Client, path: &str) -> Vec<Value> {
    let document = client.get(path).json();
    let links = document["Members"].as_array().cloned().unwrap_or_default();
    links.iter().map(|link| client.get(link["@odata.id"].as_str().expect("a link")).json()).collect()
}

/// Reads the registry of a message from the location in its registry file.
fn registry(client: &mut Client, id: &str) -> Value {
    let prefix = id.rsplit_once('.').expect("a key").0;
    let files = members(client, "/redfish/v1/Registries");
    let file = files
        .iter()
        .find(|file| file["Registry"] == prefix)
        .unwrap_or_else(|| panic!("no registry {prefix}"));
    assert_eq!(file["Location"][0]["Language"], "en");
    client.get(file["Location"][0]["Uri"].as_str().expect("a URI")).json()
}

#[test]
fn a_message_matches_its_registry() {
    let mut client = admin_client();
    let answer = client.patch(SYSTEM, json!({"Color": "red", "AssetTag": 7}));
    let entries = answer.json()["error"]["@Message.ExtendedInfo"].as_array().cloned().expect("messages");
    assert_eq!(entries.len(), 2);
    for entry in entries {
        let id = entry["MessageId"].as_str().expect("an identifier");
        let registry = registry(&mut client, id);
        let definition = &registry["Messages"][id.rsplit('.').next().expect("a key")];
        let arguments = entry["MessageArgs"].as_array().expect("arguments");
        assert_eq!(definition["NumberOfArgs"], arguments.len(), "{id}");
        assert_eq!(definition["ParamTypes"].as_array().map(Vec::len), Some(arguments.len()));
        let text = arguments
            .iter()
            .zip(1..)
            .fold(definition["Message"].as_str().expect("a text").to_owned(), |text, (argument, n)| {
                text.replace(&format!("%{n}"), argument.as_str().expect("a text"))
            });
        assert_eq!(entry["Message"], text.as_str());
        assert_eq!(entry["Resolution"], definition["Resolution"]);
        assert_eq!(entry["Severity"], definition["Severity"]);
        assert_eq!(registry["RegistryVersion"], "1.19.0");
    }
}

#[test]
fn the_registries_contain_all_logged_messages_in_both_profiles() {
    for mut client in [admin_client(), Client::ilo_amplifier().basic("ada")] {
        let entries = client.get(&format!("{MANAGER}/LogServices/Log/Entries")).json()["Members"].clone();
        let mut keys = BTreeSet::new();
        for entry in entries.as_array().expect("entries") {
            for member in ["Id", "Created", "MessageId", "Severity", "EntryType"] {
                assert!(entry[member].is_string(), "{member}");
            }
            keys.insert(entry["MessageId"].as_str().expect("an identifier").to_owned());
        }
        assert!(keys.len() > 4, "{keys:?}");
        for id in keys {
            let registry = registry(&mut client, &id);
            assert!(
                registry["Messages"][id.rsplit('.').next().expect("a key")]["Message"].is_string(),
                "{id}"
            );
        }
    }
}

#[test]
fn firmware_has_its_version_and_its_device() {
    let mut client = admin_client();
    let inventory = members(&mut client, "/redfish/v1/UpdateService/FirmwareInventory");
    assert_eq!(inventory.len(), 18);
    for item in inventory {
        for member in ["Name", "Version", "Manufacturer", "SoftwareId", "ReleaseDate"] {
            assert!(item[member].is_string(), "{member}");
        }
        let device = client.get(item["RelatedItem"][0]["@odata.id"].as_str().expect("a link")).json();
        let package = &device["Controllers"][0]["FirmwarePackageVersion"];
        let versions = [&device["BiosVersion"], &device["FirmwareVersion"], package];
        assert!(versions.contains(&&item["Version"]), "{item}");
    }
}

#[test]
fn time_servers_are_patched_element_by_element() {
    let mut client = admin_client();
    let path = format!("{MANAGER}/NetworkProtocol");
    let first = client.get(&path);
    assert_eq!(first.json()["NTP"]["NTPServers"], json!([]));
    assert_eq!(first.header("Allow"), Some("GET, HEAD, PATCH"));
    let mut patch = |servers: Value| {
        let answer = client.patch(&path, json!({"NTP": {"NTPServers": servers}}));
        assert_eq!(answer.status(), 200);
        client.get(&path).json()["NTP"]["NTPServers"].clone()
    };
    assert_eq!(patch(json!(["a", "b"])), json!(["a", "b"]));
    assert_eq!(patch(json!([null, "b"])), json!(["b"]));
    assert_eq!(patch(json!(["a", "b"])), json!(["a", "b"]));
    assert_eq!(patch(json!([{}, "d"])), json!(["a", "d"]));
    assert_eq!(patch(json!(["b"])), json!(["b"]));
    let refused = client.patch(&path, json!({"NTP": {"NTPServers": ["a", 7]}}));
    assert_eq!(
        (refused.status().as_u16(), messages(&refused)),
        (400, vec!["PropertyValueTypeError".to_owned()])
    );
}

#[test]
fn the_settings_of_a_network_interface_take_effect() {
    let mut client = admin_client();
    let path = format!("{MANAGER}/EthernetInterfaces/1");
    let address =
        json!({"Address": "198.51.100.7", "SubnetMask": "255.255.255.0", "Gateway": "198.51.100.1"});
    let change = json!({"HostName": "other-mgmt", "IPv4StaticAddresses": [address], "VLAN": {"VLANId": 7}});
    let changed = client.patch(&path, change).json();
    assert_eq!(changed["HostName"], "other-mgmt");
    assert_eq!(changed["IPv4Addresses"][0]["Address"], "198.51.100.7");
    assert_eq!(changed["IPv4Addresses"][0]["AddressOrigin"], "Static");
    assert_eq!(
        changed["VLAN"],
        json!({"VLANEnable": false, "VLANId": 7, "VLANPriority": 0, "Tagged": false})
    );
    for (change, message) in [
        (json!({"IPv4StaticAddresses": [{"Address": "no"}]}), "PropertyValueFormatError"),
        (json!({"IPv4Addresses": []}), "PropertyNotWritable"),
        (json!({"VLAN": {"VLANId": 5000}}), "PropertyValueOutOfRange"),
        (json!({"MACAddress": "02:00:00:00:00:00"}), "PropertyNotWritable"),
    ] {
        let refused = client.patch(&path, change.clone());
        assert_eq!(
            (refused.status().as_u16(), messages(&refused)),
            (400, vec![message.to_owned()]),
            "{change}"
        );
    }
    client.credentials = Some(common::basic("olga"));
    assert_eq!(client.patch(&path, json!({"HostName": "mine"})).status(), 403);
}

#[test]
fn a_certificate_is_created_and_deleted() {
    let mut client = admin_client();
    let path = format!("{MANAGER}/NetworkProtocol/HTTPS/Certificates");
    assert_eq!(client.get(&path).header("Allow"), Some("GET, HEAD, POST"));
    for (body, message) in [
        (json!({"CertificateType": "PEM"}), "CreateFailedMissingReqProperties"),
        (json!({"CertificateString": PEM, "CertificateType": "DER"}), "PropertyValueNotInList"),
        (json!({"CertificateString": "x", "CertificateType": "PEM"}), "PropertyValueFormatError"),
        (json!({"CertificateString": PEM, "CertificateType": "PEM", "Color": 1}), "PropertyUnknown"),
    ] {
        let refused = client.post(&path, body.clone());
        assert_eq!(
            (refused.status().as_u16(), messages(&refused)),
            (400, vec![message.to_owned()]),
            "{body}"
        );
    }
    let key = "-----BEGIN PRIVATE KEY-----\nEfGh\n-----END PRIVATE KEY-----\n";
    let body = json!({"CertificateString": format!("{key}{PEM}"), "CertificateType": "PEM"});
    let created = client.post(&format!("{path}/Members"), body);
    let location = created.header("Location").expect("a location").to_owned();
    assert_eq!((created.status().as_u16(), location.as_str()), (201, format!("{path}/2").as_str()));
    assert_eq!(client.get(&location).json(), created.json());
    assert_eq!(created.json()["@odata.type"], "#Certificate.v1_9_0.Certificate");
    assert_eq!(created.json()["CertificateString"], PEM, "without the key");
    assert_eq!(client.get(&path).json()["Members@odata.count"], 2);
    assert_eq!(client.delete(&format!("{path}/1")).status(), 405, "the certificate in use cannot be deleted");
    assert_eq!(client.delete(&location).status(), 204);
    assert_eq!(client.get(&location).status(), 404);
    assert_eq!(client.get(&path).json()["Members"], json!([{"@odata.id": format!("{path}/1")}]));
    assert_eq!((client.mock.writes(&path), client.mock.writes(&location)), (1, 1));
}
