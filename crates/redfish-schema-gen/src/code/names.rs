//! Names of the schemas as names of Rust.

/// Words that are spelled in a way that hides their limits, and the text between underscores that they become.
const WORDS: [(&str, &str); 29] = [
    ("TACACSplus", "tacacs_plus"),
    ("NVMeoF", "nvme_of"),
    ("NVMe", "nvme"),
    ("PCIe", "pcie"),
    ("FCoE", "fcoe"),
    ("iSCSI", "iscsi"),
    ("OAuth2", "oauth2"),
    ("OAuth", "oauth"),
    ("VLan", "vlan"),
    ("vPPBs", "vppbs"),
    ("vPPB", "vppb"),
    ("ETag", "etag"),
    ("QoS", "qos"),
    ("kVARh", "kvarh"),
    ("kVAh", "kvah"),
    ("kWh", "kwh"),
    ("GiB", "gib"),
    ("MiB", "mib"),
    ("KiB", "kib"),
    ("GHz", "ghz"),
    ("MHz", "mhz"),
    ("kHz", "khz"),
    ("IPv4", "ipv4"),
    ("IPv6", "ipv6"),
    ("DHCPv4", "dhcpv4"),
    ("DHCPv6", "dhcpv6"),
    ("SNMPv1", "snmpv1"),
    ("SNMPv2c", "snmpv2c"),
    ("SNMPv3", "snmpv3"),
];

/// Keywords, which are names of members with `r#`.
const KEYWORDS: [&str; 40] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match",
    "mod", "move", "mut", "override", "priv", "ref", "return", "static", "trait", "type", "typeof", "use",
    "virtual", "where", "while",
];

/// The name of a method or a module: `PCIeDevices` becomes `pcie_devices`.
pub(super) fn snake(name: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let (word, after) = next_word(rest);
        if !word.is_empty() {
            words.push(word);
        }
        rest = after;
    }
    let name = words.join("_");
    if KEYWORDS.contains(&name.as_str()) { format!("r#{name}") } else { name }
}

fn next_word(text: &str) -> (String, &str) {
    for (word, becomes) in WORDS {
        if let Some(after) =
            text.strip_prefix(word).filter(|after| !after.starts_with(|c: char| c.is_ascii_lowercase()))
        {
            return (becomes.to_owned(), after);
        }
    }
    let bytes = text.as_bytes();
    if !bytes[0].is_ascii_alphanumeric() {
        return (String::new(), &text[1..]);
    }
    let end = (1..bytes.len()).find(|at| ends_word(text, *at)).unwrap_or(bytes.len());
    (text[..end].to_ascii_lowercase(), &text[end..])
}

/// Whether a word that begins the text ends before this position.
fn ends_word(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let (before, here, after) = (bytes[at - 1], bytes[at], bytes.get(at + 1).copied().unwrap_or(b'A'));
    if !here.is_ascii_alphanumeric()
        || WORDS.iter().any(|(word, _)| text[at..].starts_with(word) && !before.is_ascii_uppercase())
    {
        return true;
    }
    if !here.is_ascii_uppercase() {
        return false;
    }
    // `IDs` is one word, and so is the `ID` of `IDNumber`.
    let is_plural = after == b's' && bytes.get(at + 2).is_none_or(|next| !next.is_ascii_lowercase());
    !before.is_ascii_uppercase() || (after.is_ascii_lowercase() && !is_plural)
}

/// The name of a value of an enumeration: as the schema has it, if it is a name of Rust.
pub(super) fn variant(value: &str) -> String {
    let mut name = if value.contains(' ') {
        let words = value.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.map(capitalized).collect()
    } else {
        capitalized(&value.replace(|c: char| !c.is_ascii_alphanumeric(), "_"))
    };
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, 'N');
    }
    match name.as_str() {
        "Other" => "ListedOther".to_owned(),
        "Self" => "ListedSelf".to_owned(),
        _ => name,
    }
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(usize::from(!word.is_empty()));
    first.to_ascii_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_with_underscores() {
        for (name, expected) in [
            ("AssetTag", "asset_tag"),
            ("UUID", "uuid"),
            ("PCIeDevices", "pcie_devices"),
            ("MaxPCIeType", "max_pcie_type"),
            ("SupportedNVMeoFPorts", "supported_nvme_of_ports"),
            ("IPv4Addresses", "ipv4_addresses"),
            ("EnableSNMPv2c", "enable_snmpv2c"),
            ("TotalSystemMemoryGiB", "total_system_memory_gib"),
            ("EnergykWh", "energy_kwh"),
            ("ReactivekVARh", "reactive_kvarh"),
            ("MaxSpeedMHz", "max_speed_mhz"),
            ("AssociatedNodeGUIDs", "associated_node_guids"),
            ("IDs", "ids"),
            ("MetricsURIs", "metrics_uris"),
            ("HTTPBootURI", "http_boot_uri"),
            ("IPMaskDNSViaDHCP", "ip_mask_dns_via_dhcp"),
            ("MACAddress", "mac_address"),
            ("L0ToRecoveryCount", "l0_to_recovery_count"),
            ("FirmwareVersion2", "firmware_version2"),
            ("VLanNetworkInterface", "vlan_network_interface"),
            ("VLANId", "vlan_id"),
            ("NumberOfBoundvPPBs", "number_of_bound_vppbs"),
            ("ETag", "etag"),
            ("TACACSplus", "tacacs_plus"),
            ("ComputerSystemETag", "computer_system_etag"),
            ("iSCSIBoot", "iscsi_boot"),
            ("Type", "r#type"),
            ("Members@odata.count", "members_odata_count"),
        ] {
            assert_eq!(snake(name), expected);
        }
    }

    #[test]
    fn values_are_names_of_rust() {
        for (value, expected) in [
            ("On", "On"),
            ("Add-in Card", "AddInCard"),
            ("x86-64", "X86_64"),
            ("iSCSI", "ISCSI"),
            ("9600", "N9600"),
            ("NEMA_5_15P", "NEMA_5_15P"),
            ("Slot/Connector", "Slot_Connector"),
            ("Other", "ListedOther"),
        ] {
            assert_eq!(variant(value), expected);
        }
    }
}
