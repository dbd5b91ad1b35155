//! The resources of the service: three invented servers, each with its system, chassis and manager, or a mockup.
//!
//! The resources of the machines and most services are data, which [`template`] reads. Those that depend on the code, such as logs and
//! registries, are built in the `add` of a module.

pub(crate) mod action;
pub(crate) mod builder;
mod event_service;
pub(crate) mod live;
pub(crate) mod logs;
mod machine;
mod members;
pub(crate) mod mockup;
pub(crate) mod network;
mod registries;
pub(crate) mod resource;
mod root;
pub(crate) mod services;
mod template;
pub(crate) mod tree;
mod writable;

use std::sync::LazyLock;

use crate::protocol::profile::Profile;
use builder::ResourceBuilder;
use machine::MACHINES;
use template::Values;
use tree::Tree;

/// The resources of the invented servers. They are built once for each profile.
pub(crate) fn tree(profile: Profile) -> Tree {
    fn build(profile: Profile) -> Tree {
        Tree::new(resources(profile), profile)
    }
    static TREES: [LazyLock<Tree>; 4] = [
        LazyLock::new(|| build(Profile::Standard)),
        LazyLock::new(|| build(Profile::IloAmplifier)),
        LazyLock::new(|| build(Profile::Older)),
        LazyLock::new(|| build(Profile::Slots)),
    ];
    Tree::clone(&TREES[profile as usize])
}

fn resources(profile: Profile) -> Vec<ResourceBuilder> {
    let mut resources = Vec::new();
    root::add(&mut resources, profile);
    services::add(&mut resources, profile);
    add_data(&mut resources, profile);
    logs::add(&mut resources, profile);
    if profile != Profile::Older {
        event_service::add(&mut resources);
    }
    registries::add(&mut resources, profile);
    template::add_collections(&mut resources);
    // The descriptions list all other resources, so they are built last.
    root::add_descriptions(&mut resources, profile);
    resources
}

/// Adds the resources that are data.
fn add_data(resources: &mut Vec<ResourceBuilder>, profile: Profile) {
    if profile == Profile::Older {
        for machine in MACHINES.iter() {
            template::add(resources, include_str!("inventory/data/older.json"), machine.values());
        }
        return;
    }
    // The version of the standard that iLO Amplifier Pack has does not define these services.
    let has_services = profile != Profile::IloAmplifier;
    template::add(resources, include_str!("inventory/data/update.json"), &Values::new());
    if has_services {
        for file in
            [include_str!("inventory/data/services.json"), include_str!("inventory/data/privileges.json")]
        {
            template::add(resources, file, &Values::new());
        }
    }
    for machine in MACHINES.iter() {
        for file in [
            include_str!("inventory/data/system.json"),
            include_str!("inventory/data/bios.json"),
            include_str!("inventory/data/storage.json"),
            include_str!("inventory/data/chassis.json"),
            include_str!("inventory/data/sensors.json"),
            include_str!("inventory/data/manager.json"),
            include_str!("inventory/data/firmware.json"),
        ] {
            template::add(resources, file, machine.values());
        }
        if has_services {
            template::add(resources, include_str!("inventory/data/machine_services.json"), machine.values());
        }
    }
}

/// The identifiers of the machines, which their systems, chassis and managers share.
pub(crate) fn machine_ids() -> impl Iterator<Item = &'static str> {
    MACHINES.iter().map(|machine| machine.text("id"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::resource::{Body, PatchRule};
    use super::*;
    use crate::protocol::path::Path;
    use crate::protocol::uris::{ACCOUNTS, JOBS, SESSIONS, SUBSCRIPTIONS, TASKS};

    #[test]
    fn a_write_does_not_change_other_copies() {
        let original = tree(Profile::Standard);
        let mut copy = original.clone();
        let path = "/redfish/v1/Systems/E1D8B426";
        let etag = |tree: &Tree| match &tree.get(path).unwrap().body {
            Body::Document { representation, .. } => representation.etag.clone(),
            Body::Raw { .. } => String::new(),
        };
        let document = copy.get(path).unwrap().document().clone();
        copy.write(path, document);
        assert_ne!(etag(&copy), etag(&original));
        assert_eq!(etag(&original), etag(&tree(Profile::Standard)));
    }

    #[test]
    fn every_link_has_a_target_and_every_resource_is_linked() {
        for profile in Profile::ALL {
            let tree = tree(profile);
            let mut linked = BTreeSet::new();
            let mut count = 0;
            for resource in tree.iter() {
                links(resource.document(), &mut |link| {
                    count += 1;
                    let (path, pointer) = link.split_once('#').unwrap_or((link, ""));
                    let target = tree.find(&Path::new(path));
                    let known = target.is_some_and(|target| target.document().pointer(pointer).is_some());
                    assert!(
                        known || [SESSIONS, ACCOUNTS, TASKS, JOBS, SUBSCRIPTIONS].contains(&link),
                        "{} links to {link}, which does not exist",
                        resource.path
                    );
                    if link.trim_end_matches('/') != resource.path {
                        linked.insert(link.trim_end_matches('/').to_owned());
                    }
                });
            }
            for resource in tree.iter().filter(|resource| resource.path.starts_with("/redfish/v1/")) {
                let named = ["/redfish/v1/$metadata", "/redfish/v1/odata", "/redfish/v1/openapi.yaml"];
                let reached = linked.contains(&resource.path)
                    || named.contains(&resource.path.as_str())
                    || resource.path.starts_with("/redfish/v1/RegistryStore/");
                assert!(reached, "nothing links to {}", resource.path);
            }
            assert!(count > 100, "{count} links");
        }
    }

    #[test]
    fn every_document_has_the_required_properties() {
        for resource in tree(Profile::Standard).iter() {
            let document = resource.document();
            if !resource.path.starts_with("/redfish/v1")
                || document.is_null()
                || resource.path.ends_with("/odata")
            {
                continue;
            }
            for member in ["@odata.id", "@odata.type", "Name"] {
                assert!(document[member].is_string(), "{} has no {member}", resource.path);
            }
            assert_eq!(document["@odata.id"].as_str().unwrap().trim_end_matches('/'), resource.path);
        }
    }

    #[test]
    fn every_writable_property_accepts_its_value() {
        for resource in tree(Profile::Standard).iter() {
            let PatchRule::Only(writable) = resource.capabilities.patch else { continue };
            for property in writable {
                // A sensor has some thresholds, and the settings of a BIOS only those that are pending.
                let value = resource.document().pointer(&format!("/{}", property.path));
                let Some(value) = value else { continue };
                assert!(
                    property.kind.check(property.path, value).is_ok(),
                    "{} {}",
                    resource.path,
                    property.path
                );
            }
        }
    }

    fn links<'a>(value: &'a Value, found: &mut impl FnMut(&'a str)) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| links(item, found)),
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(link)
                            if ["@odata.id", "@Redfish.ActionInfo"].contains(&name.as_str()) =>
                        {
                            found(link);
                        }
                        value => links(value, found),
                    }
                }
            }
            _ => {}
        }
    }
}
