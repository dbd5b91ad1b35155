//! The power state of a system, and what takes effect when it boots.

use serde_json::{Value, json};

use super::State;
use crate::protocol::message::MachineRoom;

impl State {
    /// Sets the power state of a system. If the system `boots`, what waits for a reset takes effect.
    pub(crate) fn set_power_state(&mut self, path: &str, power_state: &str, boots: bool) {
        let Some(mut document) = self.tree.document(path).cloned() else { return };
        document["PowerState"] = json!(power_state);
        let used = if boots { use_boot_override(&mut document) } else { None };
        if !self.is_mockup && ["On", "Off"].contains(&power_state) {
            let stage = if power_state == "On" { "OSRunning" } else { "None" };
            document["BootProgress"] = json!({"LastState": stage, "LastStateTime": self.date_time()});
        }
        if boots && !self.is_mockup {
            document["LastResetTime"] = json!(self.date_time());
        }
        self.tree.write(path, document);
        if !self.is_mockup {
            self.change(&path.replace("/Systems/", "/Chassis/"), |chassis| {
                chassis["PowerState"] = json!(power_state)
            });
        }
        if let Some(target) = used {
            self.report(path, MachineRoom::BootOverrideUsed, [&target]);
        }
        if boots && !self.is_mockup {
            self.apply_firmware(Some(path));
            self.apply_bios_settings(path);
            self.apply_secure_boot(path);
        }
        if ["On", "Off"].contains(&power_state) {
            self.report(path, MachineRoom::PowerChanged, [&power_state.to_lowercase()]);
        }
    }

    /// Applies the BIOS settings that are pending.
    fn apply_bios_settings(&mut self, system: &str) {
        let (bios, settings) = (format!("{system}/Bios"), format!("{system}/Bios/Settings"));
        let pending = self.tree.document(&settings).and_then(|settings| settings["Attributes"].as_object());
        let Some(pending) = pending.filter(|pending| !pending.is_empty()).cloned() else { return };
        let names: Vec<&str> = pending.keys().map(String::as_str).collect();
        let time = self.date_time();
        self.report(&bios, MachineRoom::BiosSettingsApplied, [&names.join(", ")]);
        self.change(&settings, |settings| settings["Attributes"] = json!({}));
        self.change(&bios, |bios| {
            if let Some(attributes) = bios["Attributes"].as_object_mut() {
                attributes.extend(pending);
            }
            bios["@Redfish.Settings"]["Time"] = json!(time);
        });
    }

    /// Secure Boot is on or off from the next boot on.
    fn apply_secure_boot(&mut self, system: &str) {
        let path = format!("{system}/SecureBoot");
        let Some(document) = self.tree.document(&path) else { return };
        let has_keys = document["SecureBootMode"] != "SetupMode";
        let is_on = has_keys && document["SecureBootEnable"] == true;
        let current = if is_on { "Enabled" } else { "Disabled" };
        if document["SecureBootCurrentBoot"] != current {
            self.change(&path, |document| document["SecureBootCurrentBoot"] = json!(current));
            self.report(&path, MachineRoom::SecureBootChanged, [&current.to_lowercase()]);
        }
    }
}

/// Uses up a boot override for one boot (DSP0268, "BootSourceOverrideEnabled"). Returns its target.
fn use_boot_override(system: &mut Value) -> Option<String> {
    let boot = &mut system["Boot"];
    if boot["BootSourceOverrideEnabled"] != "Once" {
        return None;
    }
    let target = boot["BootSourceOverrideTarget"].as_str().unwrap_or_default().to_owned();
    boot["BootSourceOverrideEnabled"] = json!("Disabled");
    boot["BootSourceOverrideTarget"] = json!("None");
    Some(target)
}
