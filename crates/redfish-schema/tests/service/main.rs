//! The resources of `redfish-mock`: each is read by every method of its type, and compared with the facts about its schema.

mod facts;
mod readers;
mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use redfish_mock::{Mock, Profile, Settings};
use redfish_proto::view::Json;
use serde_json::Value;

/// All resources that links lead to from the service root, by their URIs.
fn resources(profile: Profile) -> BTreeMap<String, Value> {
    let settings = Settings { bearer_token: Some("t".to_owned()), profile, ..Settings::default() };
    let mut mock = Mock::new(settings);
    let mut found = BTreeMap::new();
    let mut pending = vec!["/redfish/v1/".to_owned()];
    let mut known: BTreeSet<String> = pending.iter().cloned().collect();
    while let Some(uri) = pending.pop() {
        let request = http::Request::get(&uri).header("Authorization", "Bearer t").body("").unwrap();
        let response = mock.handle(&request, Duration::from_secs(1)).response;
        let Ok(resource) = serde_json::from_slice::<Value>(response.body()) else { continue };
        if response.status() != 200 {
            continue;
        }
        links(&resource, &mut |link| {
            let link = link.split('#').next().unwrap_or_default();
            if link.starts_with("/redfish/v1") && known.insert(link.to_owned()) {
                pending.push(link.to_owned());
            }
        });
        found.insert(uri, resource);
    }
    found
}

fn links(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(link) if name == "@odata.id" || name.ends_with("nextLink") => found(link),
                    member => links(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| links(item, found)),
        _ => {}
    }
}

/// `Schema.Type` in `#Schema.v1_2_3.Type`.
fn type_name(resource: &Value) -> Option<String> {
    let mut parts = resource.get("@odata.type")?.as_str()?.trim_start_matches('#').split('.');
    Some(format!("{}.{}", parts.next()?, parts.next_back()?))
}

#[test]
fn every_member_can_be_read_by_its_method() {
    let (mut values, mut types) = (0, BTreeSet::new());
    for (uri, resource) in resources(Profile::Standard) {
        let Some(name) = type_name(&resource) else { continue };
        let json = Json::new(resource.to_string().into()).unwrap();
        let found = readers::read_all(&name, &json).unwrap_or_else(|| panic!("{uri}: {name} is not a type"));
        // An empty collection has only its name.
        assert!(found >= 1, "{uri}: {found} values");
        values += found;
        types.insert(name);
    }
    println!("{values} values of {} types", types.len());
    assert!(types.len() > 40, "{types:?}");
}

#[test]
fn every_member_of_every_type_can_be_read_by_its_method() {
    let facts = facts::facts();
    let mut values = 0;
    for (schema, of) in &facts.schemas {
        for own in of.resources.keys() {
            let name = format!("{schema}.{own}");
            let (sample, expected) = samples::resource(&facts, &name);
            let json = Json::new(sample.to_string().into()).unwrap();
            let found = readers::read_all(&name, &json).unwrap_or_default();
            assert_eq!(found, expected, "{name}: {sample}");
            values += found;
        }
    }
    println!("{values} values");
}

#[test]
fn a_member_of_the_wrong_type_is_none_and_harms_no_other() {
    for (uri, resource) in resources(Profile::Standard) {
        let Some(name) = type_name(&resource) else { continue };
        let read = |resource: &Value| {
            let json = Json::new(resource.to_string().into()).unwrap();
            readers::read_all(&name, &json).unwrap()
        };
        let all = read(&resource);
        for (member, _) in resource.as_object().unwrap() {
            let mut odd = resource.clone();
            odd[member] = Value::Array(vec![Value::Array(Vec::new())]);
            let found = read(&odd);
            let mut without = resource.clone();
            without.as_object_mut().unwrap().remove(member);
            // At most one value more than without it: an open object, or a list whose items may be anything.
            assert!(
                (read(&without)..=read(&without) + 1).contains(&found),
                "{uri} {member}: {found} of {all}"
            );
        }
    }
}

#[test]
fn the_service_is_what_the_schemas_say() {
    let facts = facts::facts();
    for profile in Profile::ALL {
        let mut problems = BTreeSet::new();
        for (uri, resource) in resources(profile) {
            facts::check_resource(&facts, &uri, &resource, &mut problems);
        }
        assert!(problems.is_empty(), "{profile}: {problems:#?}");
    }
}

#[test]
fn the_service_accepts_changes_only_of_what_the_schemas_let_clients_write() {
    let facts = facts::facts();
    let mut problems = BTreeSet::new();
    let mut accepted = 0;
    for profile in Profile::ALL {
        let settings = Settings { bearer_token: Some("t".to_owned()), profile, ..Settings::default() };
        let mock = Mock::new(settings);
        for (uri, resource) in resources(profile) {
            let Some(name) = type_name(&resource) else { continue };
            for (path, is_writable) in facts::members_of(&facts, &name, &resource) {
                let value = resource.pointer(&format!("/{}", path.join("/"))).unwrap();
                let change =
                    path.iter().rev().fold(value.clone(), |value, name| serde_json::json!({*name: value}));
                let request = http::Request::patch(&uri)
                    .header("Authorization", "Bearer t")
                    .header("Content-Type", "application/json")
                    .body(change.to_string())
                    .unwrap();
                let status = mock.clone().handle(&request, Duration::from_secs(1)).response.status();
                accepted += usize::from(status.is_success());
                if status.is_success() && !is_writable {
                    problems.insert(format!("{name}.{} is read-only", path.join(".")));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(accepted > 100, "{accepted}");
}
