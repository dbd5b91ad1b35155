//! Resources as data: documents in JSON, by their paths, with placeholders for what differs from machine to machine.
//!
//! ```json
//! {
//!     "{system}": {"SecureBoot": {"@odata.id": "{system}/SecureBoot"}},
//!     "{system}/Processors/{name}": {
//!         "@each": "processors",
//!         "@odata.type": "#Processor.v1_20_0.Processor",
//!         "Name": "Processor {n}",
//!         "TotalCores": "{cores}",
//!         "Actions": {"#Processor.Reset": "annotations"}
//!     }
//! }
//! ```
//!
//! - `{name}` is replaced by the value of this name. A text that is only a placeholder becomes the value itself, such as a number.
//! - `@each` names a list, for each item of which there is a resource, or their number. The members of the item are placeholders as
//!   well, and so is its number, `n`.
//! - `@if` names a value: without it, there is no such resource.
//! - `@odata.id` and `Id` follow from the path. What can be written and created follows from the type (`writable`).
//! - An action is described by `annotations`, an `info` resource, or `both`.
//! - The members of a document whose path has one already are added to that. So a family of resources adds its own links.
//! - A collection that is not in the data is made of its members.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::action::{Action, ParameterSource};
use super::builder::ResourceBuilder;
use super::writable;

/// The values of placeholders.
pub(super) type Values = Map<String, Value>;

/// Adds the resources of a file.
pub(super) fn add(resources: &mut Vec<ResourceBuilder>, file: &str, values: &Values) {
    let documents: Map<String, Value> = serde_json::from_str(file).expect("the files of this crate are JSON");
    // What is added to a document comes after it.
    let (whole, additions): (Vec<_>, Vec<_>) =
        documents.into_iter().partition(|(_, document)| document.get("@odata.type").is_some());
    for (path, mut document) in whole.into_iter().chain(additions) {
        let take = |document: &mut Value, name: &str| {
            let members = document.as_object_mut()?;
            members.remove(name)?.as_str().map(str::to_owned)
        };
        if take(&mut document, "@if").is_some_and(|name| !values.contains_key(&name)) {
            continue;
        }
        match take(&mut document, "@each") {
            None => add_document(resources, &path, &document, values),
            Some(list) => {
                for (n, item) in (1..).zip(items(values.get(&list))) {
                    let mut values = values.clone();
                    values.insert("n".to_owned(), json!(n));
                    values.extend(item);
                    add_document(resources, &path, &document, &values);
                }
            }
        }
    }
}

/// The items of a list, or as many without values as a number says.
fn items(list: Option<&Value>) -> Vec<Values> {
    match list {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_object).cloned().collect(),
        Some(number) => (0..number.as_u64().unwrap_or_default()).map(|_| Values::new()).collect(),
        None => Vec::new(),
    }
}

fn add_document(resources: &mut Vec<ResourceBuilder>, path: &str, document: &Value, values: &Values) {
    let path = fill(path, values);
    let path = path.trim_end_matches('/');
    let mut document = filled(document, values);
    let infos = describe_actions(path, &mut document);
    match resources.iter_mut().find(|resource| resource.path == path) {
        Some(resource) => merge(resource.document_mut().expect("a document"), document),
        None => {
            document["@odata.id"] = json!(path);
            if !is_collection(&document) {
                document["Id"] = json!(last_segment(path));
            }
            resources.push(writable::allow(ResourceBuilder::new(document)));
        }
    }
    resources.extend(infos);
}

/// Replaces the description of each action by its entry. Returns the ActionInfo resources.
fn describe_actions(path: &str, document: &mut Value) -> Vec<ResourceBuilder> {
    let mut infos = Vec::new();
    for (name, entry) in document.get_mut("Actions").and_then(Value::as_object_mut).into_iter().flatten() {
        let name = name.trim_start_matches('#');
        // Members that are added to an entry.
        if entry.is_object() {
            continue;
        }
        let source = match entry.as_str() {
            Some("annotations") => ParameterSource::Annotations,
            Some("info") => ParameterSource::ActionInfo,
            Some("both") => ParameterSource::Both,
            _ => panic!("{path}: {name} is described by annotations, info or both"),
        };
        let action = Action::from_name(name).unwrap_or_else(|| panic!("{path}: {name} is not known"));
        *entry = action.entry(path, source);
        if source != ParameterSource::Annotations {
            infos.push(action.action_info(path));
        }
    }
    infos
}

/// Adds the collections that no document describes, each made of the resources directly below its path.
pub(super) fn add_collections(resources: &mut Vec<ResourceBuilder>) {
    let mut missing: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    let known: std::collections::HashSet<&str> =
        resources.iter().map(|resource| resource.path.as_str()).collect();
    for resource in resources.iter() {
        let Some((parent, id)) = resource.path.rsplit_once('/') else { continue };
        let schema = resource.odata_type().and_then(|odata_type| odata_type[1..].split('.').next());
        // A Storage lists its drives itself, and some paths only group resources.
        let has_collection = !matches!(schema, None | Some("Drive"))
            && !schema.is_some_and(|schema| schema.ends_with("Collection"));
        if has_collection && !known.contains(parent) && parent.starts_with("/redfish/v1/") {
            let schema = schema.unwrap_or_default().to_owned();
            missing.entry(parent.to_owned()).or_insert((schema, Vec::new())).1.push(id.to_owned());
        }
    }
    for (path, (schema, members)) in missing {
        let name = in_words(last_segment(&path));
        let collection = ResourceBuilder::collection(&path, &format!("{schema}Collection"), &name, members);
        resources.push(writable::allow(collection));
    }
}

/// `BootOptions` as `Boot options`.
fn in_words(name: &str) -> String {
    let mut words = String::new();
    for (n, c) in name.chars().enumerate() {
        if n > 0 && c.is_uppercase() {
            words.push(' ');
            words.extend(c.to_lowercase());
        } else {
            words.push(c);
        }
    }
    words
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn is_collection(document: &Value) -> bool {
    document["@odata.type"].as_str().is_some_and(|odata_type| odata_type.ends_with("Collection"))
}

/// Adds members to a document. Objects are merged, and lists are joined.
fn merge(document: &mut Value, added: Value) {
    match (document, added) {
        (Value::Object(members), Value::Object(added)) => {
            for (name, value) in added {
                match members.get_mut(&name) {
                    Some(member) => merge(member, value),
                    None => drop(members.insert(name, value)),
                }
            }
        }
        (Value::Array(items), Value::Array(added)) => items.extend(added),
        (document, added) => *document = added,
    }
}

/// A value with its placeholders replaced, also in the names of members.
fn filled(value: &Value, values: &Values) -> Value {
    match value {
        Value::String(text) => {
            let only = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
            only.and_then(|name| values.get(name).cloned()).unwrap_or_else(|| fill(text, values).into())
        }
        Value::Array(items) => items.iter().map(|item| filled(item, values)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (fill(name, values), filled(value, values))).collect()
        }
        other => other.clone(),
    }
}

/// A text with its placeholders replaced.
fn fill(text: &str, values: &Values) -> String {
    let mut parts = text.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        match values.get(name) {
            Some(Value::String(text)) => filled += text,
            Some(value) => filled += &value.to_string(),
            None => panic!("{text}: {name} is not a value"),
        }
        filled += rest;
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(file: &str, values: Value) -> BTreeMap<String, Value> {
        let mut resources = Vec::new();
        add(&mut resources, file, values.as_object().expect("values"));
        add_collections(&mut resources);
        resources
            .iter()
            .map(|resource| (resource.path.clone(), resource.document().unwrap().clone()))
            .collect()
    }

    #[test]
    fn placeholders_are_replaced_and_collections_are_made_of_their_members() {
        let file = r##"{
            "/redfish/v1/Systems/{id}/Processors/{name}": {"@each": "processors", "@odata.type": "#Processor.v1_0_0.Processor",
                "Name": "Processor {n} of {id}", "TotalCores": "{cores}", "Oem": {"{id}": ["{name}"]}},
            "/redfish/v1/Systems/{id}/Fpga/1": {"@if": "fpga", "@odata.type": "#Processor.v1_0_0.Processor"}
        }"##;
        let values = json!({"id": "7", "processors": [{"name": "A", "cores": 8}, {"name": "B", "cores": 4}]});
        let documents = documents(file, values);
        assert_eq!(documents.len(), 3);
        let second = &documents["/redfish/v1/Systems/7/Processors/B"];
        assert_eq!((&second["Name"], &second["TotalCores"]), (&json!("Processor 2 of 7"), &json!(4)));
        assert_eq!((&second["Id"], &second["Oem"]), (&json!("B"), &json!({"7": ["B"]})));
        let collection = &documents["/redfish/v1/Systems/7/Processors"];
        assert_eq!(collection["@odata.type"], "#ProcessorCollection.ProcessorCollection");
        assert_eq!(
            (&collection["Name"], &collection["Members@odata.count"]),
            (&json!("Processors"), &json!(2))
        );
    }

    #[test]
    fn documents_with_the_same_path_are_merged() {
        let mut resources = Vec::new();
        let first = r##"{"/redfish/v1/Systems/1": {"@odata.type": "#A.A", "Links": {"Chassis": [1]}}}"##;
        let second = r##"{"/redfish/v1/Systems/1": {"Links": {"Chassis": [2], "ManagedBy": []}, "Name": "n",
            "Actions": {"#ComputerSystem.Reset": "both"}}}"##;
        add(&mut resources, first, &Values::new());
        add(&mut resources, second, &Values::new());
        let document = resources[0].document().unwrap();
        assert_eq!(document["Links"], json!({"Chassis": [1, 2], "ManagedBy": []}));
        assert_eq!(
            document["Actions"]["#ComputerSystem.Reset"]["target"],
            "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset"
        );
        assert_eq!(resources[1].path, "/redfish/v1/Systems/1/ResetActionInfo");
    }
}
