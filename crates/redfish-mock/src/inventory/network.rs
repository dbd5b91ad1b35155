//! Network interfaces: derives the addresses in use from the settings.

use serde_json::{Value, json};

/// Updates the addresses in use of an `EthernetInterface` to its settings. Other resources do not change.
pub(crate) fn apply_settings(interface: &mut Value) {
    let is_interface =
        interface["@odata.type"].as_str().is_some_and(|kind| kind.starts_with("#EthernetInterface."));
    if !is_interface || interface.get("IPv4StaticAddresses").is_none() {
        return;
    }
    if interface["DHCPv4"]["DHCPEnabled"] == true {
        // The DHCP server assigns the address that the interface already has.
        for address in interface.get_mut("IPv4Addresses").and_then(Value::as_array_mut).into_iter().flatten()
        {
            address["AddressOrigin"] = json!("DHCP");
        }
    } else {
        interface["IPv4Addresses"] =
            with_members(&interface["IPv4StaticAddresses"], json!({"AddressOrigin": "Static"}));
    }
    let state = json!({"AddressOrigin": "Static", "AddressState": "Preferred"});
    interface["IPv6Addresses"] = with_members(&interface["IPv6StaticAddresses"], state);
    interface["IPv6DefaultGateway"] = interface["IPv6StaticDefaultGateways"][0]["Address"].clone();
    interface["NameServers"] = interface["StaticNameServers"].clone();
}

/// Adds members to each object of a list.
fn with_members(list: &Value, more: Value) -> Value {
    let mut list = list.clone();
    for item in list.as_array_mut().into_iter().flatten() {
        for (name, value) in more.as_object().into_iter().flatten() {
            item[name] = value.clone();
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn static_settings_are_used_unless_dhcp_is_enabled() {
        let mut interface = json!({
            "@odata.type": "#EthernetInterface.v1_11_0.EthernetInterface",
            "DHCPv4": {"DHCPEnabled": false},
            "IPv4Addresses": [{"Address": "192.0.2.1", "AddressOrigin": "Static"}],
            "IPv4StaticAddresses": [{"Address": "192.0.2.9"}],
            "IPv6StaticAddresses": [{"Address": "2001:db8::9"}],
            "IPv6StaticDefaultGateways": [],
            "StaticNameServers": ["192.0.2.53"],
        });
        apply_settings(&mut interface);
        assert_eq!(interface["IPv4Addresses"], json!([{"Address": "192.0.2.9", "AddressOrigin": "Static"}]));
        assert_eq!(interface["IPv6Addresses"][0]["AddressState"], "Preferred");
        assert_eq!(
            (&interface["IPv6DefaultGateway"], &interface["NameServers"][0]),
            (&Value::Null, &json!("192.0.2.53"))
        );
        interface["DHCPv4"]["DHCPEnabled"] = json!(true);
        interface["IPv4StaticAddresses"] = json!([]);
        apply_settings(&mut interface);
        assert_eq!(interface["IPv4Addresses"], json!([{"Address": "192.0.2.9", "AddressOrigin": "DHCP"}]));
        let mut other = json!({"@odata.type": "#Chassis.v1_25_0.Chassis"});
        apply_settings(&mut other);
        assert_eq!(other.as_object().map(serde_json::Map::len), Some(1));
    }
}
