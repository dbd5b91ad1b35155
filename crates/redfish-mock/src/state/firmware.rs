//! The versions of the firmware.

use serde_json::json;

use super::State;
use crate::protocol::message::{MachineRoom, Message, ResourceEvent};

impl State {
    /// Sets the version of a member of the firmware inventory, and of the device that it belongs to.
    pub(crate) fn update_firmware(&mut self, path: &str, version: &str) {
        let Some(mut firmware) = self.tree.document(path).cloned() else { return };
        let device = firmware["RelatedItem"][0]["@odata.id"].as_str().unwrap_or_default().to_owned();
        let name = firmware["Name"].as_str().unwrap_or_default().to_owned();
        let old = std::mem::replace(&mut firmware["Version"], json!(version));
        self.tree.write(path, firmware);
        self.publish(Message::new(ResourceEvent::ResourceChanged, []), path);
        self.note(&device, MachineRoom::FirmwareUpdated, [&name, version]);

        let Some(mut document) = self.tree.document(&device).cloned() else { return };
        let shown = ["/BiosVersion", "/FirmwareVersion", "/Controllers/0/FirmwarePackageVersion"]
            .into_iter()
            .find(|pointer| document.pointer(pointer) == Some(&old));
        if let Some(shown) = shown.and_then(|pointer| document.pointer_mut(pointer)) {
            *shown = json!(version);
            self.tree.write(&device, document);
            self.publish(Message::new(ResourceEvent::ResourceChanged, []), &device);
        }
    }

    /// Applies the updates that waited for the reset of a system: those of its parts. With `None`, those of the managers.
    pub(super) fn apply_firmware(&mut self, system: Option<&str>) {
        let is_due = |(path, _): &(String, String)| {
            let name = path.rsplit('/').next().unwrap_or_default();
            let id = system.and_then(|system| system.rsplit('/').next());
            name.starts_with("Manager-") == id.is_none() && id.is_none_or(|id| name.ends_with(id))
        };
        let (due, waiting) = std::mem::take(&mut self.pending_firmware).into_iter().partition(is_due);
        self.pending_firmware = waiting;
        let due: Vec<(String, String)> = due;
        for (path, version) in due {
            self.update_firmware(&path, &version);
        }
    }
}
