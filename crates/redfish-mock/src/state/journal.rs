//! The logs of the machines: what happens to a machine is entered there.

use serde_json::{Value, json};

use super::State;
use crate::inventory::logs;
use crate::inventory::resource::Resource;
use crate::protocol::message::{MachineRoom, Message};

/// The number of entries after which a log drops its oldest one.
const MAX_ENTRIES: usize = 1_000;

impl State {
    /// Enters a message in the log of a system, chassis or manager. A mockup has only the entries that were captured.
    pub(crate) fn log(&mut self, owner: &str, message: &Message) {
        let log = format!("{owner}/LogServices/Log");
        let entries = format!("{log}/Entries");
        let Some(mut collection) = self.tree.document(&entries).filter(|_| !self.is_mockup).cloned() else {
            return;
        };
        let Some(members) = collection["Members"].as_array_mut() else { return };
        let newest = members.iter().filter_map(|entry| entry["Id"].as_str()?.parse::<u64>().ok()).max();
        let entry = logs::entry(&log, newest.unwrap_or(0) + 1, &self.date_time(), message, self.profile);
        if !self.tree.has_room(0, 2 * entry.to_string().len()) {
            return;
        }
        let dropped = (members.len() >= MAX_ENTRIES).then(|| members.remove(0));
        members.push(entry.clone());
        collection["Members@odata.count"] = json!(members.len());
        if let Some(path) = dropped.as_ref().and_then(|entry| entry["@odata.id"].as_str()) {
            self.tree.remove(path);
        }
        self.tree.add(entry);
        self.tree.write(&entries, collection);
    }

    /// Enters a message in the log of the system or manager that a resource belongs to, and publishes it.
    pub(crate) fn report<const N: usize>(&mut self, path: &str, message: MachineRoom, arguments: [&str; N]) {
        let message = Message::new(message, arguments);
        self.log(&owner(path), &message);
        self.publish(message, path);
    }

    /// Enters a message in the log of the system, chassis or manager that a resource belongs to, if it belongs to one.
    pub(crate) fn note<const N: usize>(&mut self, path: &str, message: MachineRoom, arguments: [&str; N]) {
        self.log(&owner(path), &Message::new(message, arguments));
    }

    /// Changes the document of a resource.
    pub(crate) fn change(&mut self, path: &str, change: impl FnOnce(&mut Value)) {
        if let Some(mut document) = self.tree.document(path).cloned() {
            change(&mut document);
            self.tree.write(path, document);
        }
    }

    /// The date and time.
    pub(crate) fn date_time(&self) -> String {
        crate::protocol::date::date_time(self.now)
    }
}

/// The system, chassis or manager that a resource belongs to.
fn owner(path: &str) -> String {
    path.split('/').take(5).collect::<Vec<_>>().join("/")
}

/// The name of a resource's schema, without version.
pub(crate) fn schema(resource: &Resource) -> &str {
    let odata_type = resource.document()["@odata.type"].as_str().unwrap_or_default();
    odata_type.trim_start_matches('#').split('.').next().unwrap_or_default()
}
