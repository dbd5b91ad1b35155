//! Which links lead to a collection, as far as their names tell.

use crate::target::Target;

/// The names of members that link to a collection (DSP8010), sorted.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "AccelerationFunctions", "Accounts", "ActivePool", "AdditionalExternalAccountProviders", "AddressPools",
    "Aggregates", "AggregationSources", "AllocatedPools", "AllowDeny", "Applications", "AutomationNodes",
    "Batteries", "BootOptions", "Branches", "CDUs", "CXLLogicalDevices", "Cables", "CacheMemory",
    "CertificateCollection", "CertificateEnrollments", "Certificates", "Chassis", "ClientCertificates",
    "ComponentIntegrity", "CompositionReservations", "ConnectionMethods", "Connections",
    "ConsistencyGroups", "ContainerImages", "Containers", "Controllers", "Controls", "CoolantConnectors",
    "CoolingLoops", "DedicatedNetworkPorts", "Drives", "ElectricalBuses", "EndpointGroups", "Endpoints",
    "EnrolledCertificateLocation", "EnrollmentCACertificates", "Entries", "EthernetInterfaces",
    "FabricAdapters", "Fabrics", "Facilities", "Fans", "Feeders", "FileSystems", "Filters",
    "FirmwareInventory", "FloorPDUs", "FreePool", "GraphicsControllers", "HeatExchangers", "Heaters",
    "HostEthernetInterfaces", "HostInterfaces", "ImmersionUnits", "JobDocuments", "JobExecutors", "Jobs",
    "JsonSchemas", "KMIPCertificates", "KMIPClientCertificates", "Keys", "LPRT", "LeakDetectors",
    "Licenses", "LocalImageStore", "LogServices", "MPRT", "MSDT", "Mains", "MaintenanceWindowResource",
    "Managers", "MediaControllers", "Memory", "MemoryChunks", "MemoryDomains", "MemoryRegions",
    "MetricDefinitions", "MetricReportDefinitions", "MetricReports", "NVMeDomains", "NVMeoFKeyPolicies",
    "NVMeoFSecrets", "NetworkAdapters", "NetworkDeviceFunctions", "NetworkInterfaces", "NetworkPorts",
    "OperatingConfigs", "OutboundConnections", "OutletGroups", "Outlets", "PCIeDevices", "PCIeFunctions",
    "Ports", "PowerDomains", "PowerShelves", "PowerSupplies", "PrimaryCoolantConnectors", "Processors",
    "Pumps", "RPUs", "RackPDUs", "RegisteredClients", "Registries", "RemoteServerCertificates",
    "RemoteServerSSHKeys", "RequestorVCAT", "Reservoirs", "ResourceBlocks", "ResourceZones",
    "ResponderVCAT", "RevokedCertificates", "Roles", "RouteSet", "SSDT", "SecondaryCoolantConnectors",
    "SecureBootDatabases", "Sensors", "SerialInterfaces", "Sessions", "SharedNetworkPorts", "Signatures",
    "SimpleStorage", "SoftwareInventory", "Steps", "Storage", "StorageGroups", "StoragePools",
    "StorageServices", "StorageSystems", "SubProcessors", "SubTasks", "Subfeeds", "Subscriptions",
    "Switches", "Switchgear", "Systems", "TargetCollection", "Tasks", "TelemetryData", "TransferSwitches",
    "Triggers", "TrustedCertificates", "TrustedComponents", "TrustedPublicHostKeys", "USBControllers",
    "USBPorts", "VCAT", "VLANs", "VPPBs", "VirtualCXLSwitches", "VirtualMedia", "Volumes", "Zones",
];

/// Whether a link with this name, outside of `Links`, leads to a collection. The service root calls its task service
/// `Tasks`, like the collection in it.
pub(super) fn is_collection(name: &str, target: &Target) -> bool {
    NAMES.binary_search(&name).is_ok() && !target.split_member().1.ends_with("Service")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_link_tells_whether_it_leads_to_a_collection() {
        assert!(NAMES.is_sorted());
        for (name, path, leads) in [
            ("Systems", "/redfish/v1/Systems", true),
            ("Entries", "/redfish/v1/Systems/1/LogServices/Sel/Entries/", true),
            ("Tasks", "/redfish/v1/TaskService", false),
            ("Tasks", "/redfish/v1/TaskService/Tasks", true),
            ("Bios", "/redfish/v1/Systems/1/Bios", false),
        ] {
            assert_eq!(is_collection(name, &Target::well_known(path)), leads, "{path}");
        }
    }
}
