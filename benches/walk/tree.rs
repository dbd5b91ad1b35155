//! The resources of a service, and the folder from which a mock serves them.

use std::collections::HashSet;
use std::path::Path;
use std::{fs, io};

use serde_json::{Map, Value, json};

pub(crate) const ROOT: &str = "/redfish/v1";

/// The number of log entries on one page.
const PAGE: usize = 40;

/// Documents by their targets: resources, and the further pages of collections.
#[derive(Default)]
pub(crate) struct Tree(Vec<(String, Value)>);

impl Tree {
    /// Adds the service root, which links to these collections, and the session service.
    pub(crate) fn add_root(&mut self, collections: &[&str]) {
        let mut members = json!({
            "RedfishVersion": "1.18.0",
            "ProtocolFeaturesSupported": {
                "ExpandQuery": {"ExpandAll": false, "Levels": true, "MaxLevels": 1, "Links": false, "NoLinks": true},
            },
            "SessionService": link(&format!("{ROOT}/SessionService")),
            "Links": {"Sessions": link(&format!("{ROOT}/SessionService/Sessions"))},
        });
        for name in collections {
            members[*name] = link(&format!("{ROOT}/{name}"));
        }
        self.add(ROOT, "ServiceRoot.v1_16_0", members);
        let sessions = link(&format!("{ROOT}/SessionService/Sessions"));
        let members = json!({"ServiceEnabled": true, "SessionTimeout": 1800, "Sessions": sessions});
        self.add(&format!("{ROOT}/SessionService"), "SessionService.v1_1_9", members);
    }

    /// Adds a resource of this type, such as `Memory.v1_20_0`, with these members.
    pub(crate) fn add(&mut self, path: &str, schema: &str, members: Value) {
        self.0.push((path.to_owned(), resource(path, schema, members)));
    }

    /// Adds a collection, whose members are links.
    pub(crate) fn add_collection(&mut self, path: &str, member: &str, members: &[String]) {
        let links = members.iter().map(|path| link(path)).collect();
        self.0.push((path.to_owned(), page(path, path, member, links, members.len(), None)));
    }

    /// Adds a log with the links that lead to it. Its entries are complete on its pages.
    pub(crate) fn add_log(&mut self, holder: &str, name: &str, entries: usize) {
        let (services, log) = (format!("{holder}/LogServices"), format!("{holder}/LogServices/{name}"));
        self.add_collection(&services, "LogService", std::slice::from_ref(&log));
        let members = json!({"MaxNumberOfRecords": 1000, "OverWritePolicy": "WrapsWhenFull",
            "ServiceEnabled": true, "Entries": link(&format!("{log}/Entries"))});
        self.add(&log, "LogService.v1_8_0", members);
        self.add_entries(&format!("{log}/Entries"), holder, entries);
    }

    /// Adds the entries of a log.
    pub(crate) fn add_entries(&mut self, path: &str, origin: &str, count: usize) {
        let entries: Vec<Value> = (1..=count).map(|number| entry(path, origin, number)).collect();
        for (index, members) in entries.chunks(PAGE).enumerate() {
            let at = |skip: usize| {
                if skip == 0 { path.to_owned() } else { format!("{path}?$skip={skip}") }
            };
            let (skip, next) = (index * PAGE, index * PAGE + members.len());
            let next = (next < count).then(|| at(next));
            self.0.push((at(skip), page(&at(skip), path, "LogEntry", members.to_vec(), count, next)));
        }
        self.0.extend(entries.into_iter().map(|entry| (text(&entry["@odata.id"]).to_owned(), entry)));
    }

    /// The number of resources.
    pub(crate) fn resources(&self) -> usize {
        self.0.iter().filter(|(target, _)| !target.contains('?')).count()
    }

    /// The number of log entries.
    pub(crate) fn entries(&self) -> usize {
        self.0.iter().filter(|(_, document)| text(&document["@odata.type"]).starts_with("#LogEntry.")).count()
    }

    /// The number of requests that read everything without `$expand`: one for each page, and one for each resource that is
    /// not complete on any page.
    pub(crate) fn requests(&self) -> usize {
        let members = self.0.iter().filter_map(|(_, document)| document["Members"].as_array()).flatten();
        let is_complete =
            |member: &&Value| ["@odata.type", "Id", "Name"].iter().all(|name| member[*name].is_string());
        let complete: HashSet<&str> =
            members.filter(is_complete).map(|member| text(&member["@odata.id"])).collect();
        self.0.iter().filter(|(target, _)| !complete.contains(target.as_str())).count()
    }

    /// Writes a folder as DMTF's Mockup-Creator does.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        for (target, document) in &self.0 {
            let folder = folder.join(target.trim_start_matches('/'));
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("index.json"), document.to_string())?;
        }
        Ok(())
    }
}

pub(crate) fn link(path: &str) -> Value {
    json!({"@odata.id": path})
}

/// A list of links.
pub(crate) fn links(paths: &[String]) -> Value {
    paths.iter().map(|path| link(path)).collect()
}

fn resource(path: &str, schema: &str, members: Value) -> Value {
    let name = schema.split('.').next().unwrap_or_default();
    let id = path.rsplit('/').next().unwrap_or_default();
    let mut document = json!({"@odata.id": path, "@odata.type": format!("#{schema}.{name}"), "Id": id,
        "Name": format!("{name} {id}")});
    if let (Some(document), Value::Object(members)) = (document.as_object_mut(), members) {
        document.extend(members);
    }
    document
}

/// A page of a collection.
fn page(
    target: &str,
    collection: &str,
    member: &str,
    members: Vec<Value>,
    count: usize,
    next: Option<String>,
) -> Value {
    let mut document = Map::new();
    document.insert("@odata.id".into(), target.into());
    document.insert("@odata.type".into(), format!("#{member}Collection.{member}Collection").into());
    document.insert("Name".into(), collection.rsplit('/').next().into());
    document.insert("Members@odata.count".into(), count.into());
    document.insert("Members".into(), members.into());
    if let Some(next) = next {
        document.insert("Members@odata.nextLink".into(), next.into());
    }
    document.into()
}

fn entry(log: &str, origin: &str, number: usize) -> Value {
    let severity = ["OK", "Warning", "Critical"][number % 3];
    let members = json!({
        "EntryType": "Event",
        "Severity": severity,
        "Created": format!("2026-03-{:02}T{:02}:{:02}:00Z", number % 28 + 1, number % 24, number % 60),
        "Message": format!("Fan {} runs at {} % of its speed, above the limit that was set for it.", number % 8, number % 100),
        "MessageId": "Environment.1.0.FanSpeedAboveLimit",
        "MessageArgs": [format!("Fan {}", number % 8), "80"],
        "Links": {"OriginOfCondition": link(origin)},
    });
    resource(&format!("{log}/{number}"), "LogEntry.v1_16_0", members)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
