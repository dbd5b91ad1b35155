//! The fixed service: three servers with their enclosures and managers. A change here changes all figures.

use serde_json::{Value, json};

use super::tree::{ROOT, Tree, link, links};

/// The servers, and the numbers of log entries of each system and manager.
const SERVERS: [(&str, usize, usize); 3] = [("A1", 100, 24), ("A2", 100, 23), ("B1", 100, 23)];

pub(crate) fn tree() -> Tree {
    let mut tree = Tree::default();
    tree.add_root(&["Systems", "Chassis", "Managers"]);
    for (collection, member) in
        [("Systems", "ComputerSystem"), ("Chassis", "Chassis"), ("Managers", "Manager")]
    {
        let members = SERVERS.map(|(id, ..)| format!("{ROOT}/{collection}/{id}"));
        tree.add_collection(&format!("{ROOT}/{collection}"), member, &members);
    }
    for (id, system_entries, manager_entries) in SERVERS {
        let server = Server {
            system: format!("{ROOT}/Systems/{id}"),
            chassis: format!("{ROOT}/Chassis/{id}"),
            manager: format!("{ROOT}/Managers/{id}"),
        };
        server.add_system(&mut tree, system_entries);
        server.add_storage(&mut tree);
        server.add_chassis(&mut tree);
        server.add_manager(&mut tree, manager_entries);
    }
    tree
}

/// The paths of one server.
struct Server {
    system: String,
    chassis: String,
    manager: String,
}

impl Server {
    fn add_system(&self, tree: &mut Tree, entries: usize) {
        let Server { system, chassis, manager } = self;
        let members = json!({
            "SystemType": "Physical", "PowerState": "On", "Status": status(), "BiosVersion": "2.14", "HostName": "node",
            "ProcessorSummary": {"Count": 2, "Status": status()}, "MemorySummary": {"TotalSystemMemoryGiB": 512},
            "Boot": {"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None"},
            "Actions": {"#ComputerSystem.Reset": {"target": format!("{system}/Actions/ComputerSystem.Reset"),
                "ResetType@Redfish.AllowableValues": ["On", "ForceOff", "GracefulShutdown"]}},
            "Bios": link(&format!("{system}/Bios")),
            "Processors": link(&format!("{system}/Processors")),
            "Memory": link(&format!("{system}/Memory")),
            "Storage": link(&format!("{system}/Storage")),
            "EthernetInterfaces": link(&format!("{system}/EthernetInterfaces")),
            "LogServices": link(&format!("{system}/LogServices")),
            "Links": {"Chassis": [link(chassis)], "ManagedBy": [link(manager)]},
        });
        tree.add(system, "ComputerSystem.v1_22_0", members);
        tree.add(&format!("{system}/Bios"), "Bios.v1_2_0", json!({"Attributes": {"BootMode": "Uefi"}}));
        let related = json!({"Chassis": link(chassis)});
        self.add_members(tree, &format!("{system}/Processors"), "Processor.v1_20_0", 2, |number| {
            json!({"Socket": format!("CPU{number}"), "ProcessorType": "CPU", "Manufacturer": "Fjord",
                "Model": "Fjord 64", "TotalCores": 32, "TotalThreads": 64, "MaxSpeedMHz": 3600, "Status": status(),
                "InstructionSet": "x86-64", "ProcessorArchitecture": "x86", "Links": related})
        });
        self.add_members(tree, &format!("{system}/Memory"), "Memory.v1_20_0", 8, |number| {
            json!({"MemoryType": "DRAM", "MemoryDeviceType": "DDR5", "CapacityMiB": 65536, "Manufacturer": "Fjord",
                "OperatingSpeedMhz": 4800, "PartNumber": "F-64-4800", "SerialNumber": format!("M{number:06}"),
                "Status": status(), "Links": related})
        });
        self.add_members(
            tree,
            &format!("{system}/EthernetInterfaces"),
            "EthernetInterface.v1_12_0",
            2,
            interface,
        );
        tree.add_log(system, "Log", entries);
    }

    /// The drives are in no collection, but in a list of their storage.
    fn add_storage(&self, tree: &mut Tree) {
        let storage = format!("{}/Storage/1", self.system);
        let drives: Vec<String> = (1..=4).map(|number| format!("{storage}/Drives/{number}")).collect();
        let controller = json!({"@odata.id": format!("{storage}#/StorageControllers/0"), "MemberId": "0",
            "Name": "Controller", "SpeedGbps": 12, "SupportedDeviceProtocols": ["SAS", "SATA"], "Status": status()});
        tree.add_collection(&format!("{}/Storage", self.system), "Storage", std::slice::from_ref(&storage));
        let members = json!({"Status": status(), "StorageControllers": [controller], "Drives": links(&drives),
            "Drives@odata.count": drives.len(), "Volumes": link(&format!("{storage}/Volumes"))});
        tree.add(&storage, "Storage.v1_15_0", members);
        for drive in &drives {
            let members = json!({"CapacityBytes": 3_840_755_982_336_u64, "MediaType": "SSD", "Protocol": "SAS",
                "Manufacturer": "Fjord", "Model": "F3840", "Status": status(),
                "Links": {"Chassis": link(&self.chassis), "Volumes": [link(&format!("{storage}/Volumes/1"))]}});
            tree.add(drive, "Drive.v1_18_0", members);
        }
        self.add_members(tree, &format!("{storage}/Volumes"), "Volume.v1_10_0", 1, |_| {
            json!({"CapacityBytes": 7_681_511_964_672_u64, "RAIDType": "RAID10", "Status": status(),
                "Links": {"Drives": links(&drives)}})
        });
    }

    fn add_chassis(&self, tree: &mut Tree) {
        let Server { system, chassis, manager } = self;
        let members = json!({
            "ChassisType": "RackMount", "Manufacturer": "Fjord", "Model": "F2", "SerialNumber": "F2-0001",
            "PowerState": "On", "Status": status(),
            "Power": link(&format!("{chassis}/Power")),
            "Thermal": link(&format!("{chassis}/Thermal")),
            "Sensors": link(&format!("{chassis}/Sensors")),
            "NetworkAdapters": link(&format!("{chassis}/NetworkAdapters")),
            "Links": {"ComputerSystems": [link(system)], "ManagedBy": [link(manager)]},
        });
        tree.add(chassis, "Chassis.v1_25_0", members);
        let supplies: Value = (0..2)
            .map(|number| {
                json!({"@odata.id": format!("{chassis}/Power#/PowerSupplies/{number}"),
                    "MemberId": number.to_string(), "Name": "Supply", "PowerCapacityWatts": 1100, "Status": status()})
            })
            .collect();
        tree.add(&format!("{chassis}/Power"), "Power.v1_7_3", json!({"PowerSupplies": supplies}));
        let fans: Value = (0..6)
            .map(|number| {
                json!({"@odata.id": format!("{chassis}/Thermal#/Fans/{number}"), "MemberId": number.to_string(),
                    "Name": format!("Fan {number}"), "Reading": 7_200, "ReadingUnits": "RPM", "Status": status(),
                    "RelatedItem": [link(system)]})
            })
            .collect();
        tree.add(&format!("{chassis}/Thermal"), "Thermal.v1_8_0", json!({"Fans": fans, "Temperatures": []}));
        self.add_members(tree, &format!("{chassis}/Sensors"), "Sensor.v1_9_0", 6, |number| {
            json!({"Reading": 20.5 + number as f64, "ReadingUnits": "Cel", "ReadingType": "Temperature",
                "Status": status(), "RelatedItem": [link(system)]})
        });
        self.add_members(tree, &format!("{chassis}/NetworkAdapters"), "NetworkAdapter.v1_11_0", 1, |_| {
            json!({"Manufacturer": "Fjord", "Model": "F25", "SerialNumber": "N000001", "Status": status()})
        });
    }

    fn add_manager(&self, tree: &mut Tree, entries: usize) {
        let Server { system, chassis, manager } = self;
        let members = json!({
            "ManagerType": "BMC", "FirmwareVersion": "1.40", "PowerState": "On", "Status": status(),
            "EthernetInterfaces": link(&format!("{manager}/EthernetInterfaces")),
            "NetworkProtocol": link(&format!("{manager}/NetworkProtocol")),
            "LogServices": link(&format!("{manager}/LogServices")),
            "Links": {"ManagerForServers": [link(system)], "ManagerForChassis": [link(chassis)]},
        });
        tree.add(manager, "Manager.v1_19_0", members);
        let members =
            json!({"HTTPS": {"ProtocolEnabled": true, "Port": 443}, "SSH": {"ProtocolEnabled": true}});
        tree.add(&format!("{manager}/NetworkProtocol"), "ManagerNetworkProtocol.v1_10_0", members);
        self.add_members(
            tree,
            &format!("{manager}/EthernetInterfaces"),
            "EthernetInterface.v1_12_0",
            1,
            interface,
        );
        tree.add_log(manager, "Journal", entries);
    }

    /// Adds a collection and its members.
    fn add_members(
        &self,
        tree: &mut Tree,
        path: &str,
        schema: &str,
        count: usize,
        members: impl Fn(usize) -> Value,
    ) {
        let paths: Vec<String> = (1..=count).map(|number| format!("{path}/{number}")).collect();
        tree.add_collection(path, schema.split('.').next().unwrap_or_default(), &paths);
        for (index, path) in paths.iter().enumerate() {
            tree.add(path, schema, members(index + 1));
        }
    }
}

fn status() -> Value {
    json!({"State": "Enabled", "Health": "OK"})
}

fn interface(number: usize) -> Value {
    json!({"MACAddress": format!("02:00:00:00:00:{number:02x}"), "SpeedMbps": 25_000, "LinkStatus": "LinkUp",
        "IPv4Addresses": [{"Address": format!("192.0.2.{number}"), "SubnetMask": "255.255.255.0"}],
        "Status": status()})
}
