//! The facts that the repository contains.

use redfish_schema_gen::Facts;
use redfish_schema_gen::facts::{Access, Excerpt, Kind, Member, Object, Schema};

const FACTS: &str = include_str!("../../redfish-schema/facts.txt");

fn facts() -> Facts {
    Facts::parse(FACTS).unwrap_or_else(|error| panic!("facts.txt: {error}"))
}

#[test]
fn the_file_is_what_is_written() {
    let written = facts().to_string();
    for (number, (file, written)) in FACTS.lines().zip(written.lines()).enumerate() {
        assert_eq!(file, written, "line {}", number + 1);
    }
    assert_eq!(FACTS.len(), written.len());
}

#[test]
fn every_type_that_is_named_is_declared() {
    let unresolved: Vec<_> = facts().unresolved().iter().map(ToString::to_string).collect();
    assert!(unresolved.is_empty(), "{unresolved:#?}");
}

#[test]
fn no_schema_is_lost() {
    let facts = facts();
    let sum = |count: fn(&Schema) -> usize| facts.schemas.values().map(count).sum::<usize>();
    let members = facts.schemas.values().flat_map(objects).map(|object| object.members.len()).sum();
    for (what, count, least) in [
        ("schemas", facts.schemas.len(), 270),
        ("resources", sum(|schema| schema.resources.len()), 270),
        ("objects", sum(|schema| schema.objects.len()), 800),
        ("enumerations", sum(|schema| schema.enumerations.len()), 400),
        ("actions", sum(|schema| schema.actions.len()), 170),
        ("members", members, 4500),
    ] {
        assert!(count >= least, "{count} {what}, expected {least} at least");
    }
}

#[test]
fn every_enumeration_has_values_and_none_twice() {
    for (schema, facts) in &facts().schemas {
        for (name, enumeration) in &facts.enumerations {
            assert!(!enumeration.values.is_empty(), "{schema}.{name}");
            let mut texts: Vec<_> = enumeration.values.iter().map(|value| &value.text).collect();
            texts.sort();
            texts.dedup();
            assert_eq!(texts.len(), enumeration.values.len(), "{schema}.{name}");
        }
    }
}

#[test]
fn no_object_has_a_member_twice() {
    for (schema, facts) in &facts().schemas {
        for object in objects(facts) {
            let mut names: Vec<_> = object.members.iter().map(|member| &member.name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), object.members.len(), "{schema}: {names:?}");
        }
    }
}

#[test]
fn the_members_of_a_collection_are_resources() {
    let facts = facts();
    let mut collections = 0;
    for (schema, resource) in facts
        .schemas
        .iter()
        .flat_map(|(name, schema)| schema.resources.values().map(move |resource| (name, resource)))
    {
        if resource.object.base.as_deref() == Some("Resource.ResourceCollection") {
            let members = resource.object.members.iter().find(|member| member.name == "Members");
            let members = members.unwrap_or_else(|| panic!("{schema} has no members"));
            assert!(members.list && members.required, "{schema}: {members:?}");
            let member = members.kind.name().and_then(|name| facts.resource(name));
            assert!(member.is_some(), "{schema}: {:?} is not a resource", members.kind);
            collections += 1;
        }
    }
    assert!(collections >= 100, "{collections} collections");
}

#[test]
fn links_and_excerpts_lead_to_resources() {
    let facts = facts();
    for (schema, schema_facts) in &facts.schemas {
        let parameters = schema_facts.actions.values().flat_map(|action| &action.parameters);
        for member in objects(schema_facts).flat_map(|object| &object.members).chain(parameters) {
            if member.link || matches!(member.excerpt, Excerpt::Copy(_)) {
                let name = member.kind.name().unwrap_or_default();
                let is_outside = facts.outside.contains(name.split('.').next().unwrap_or_default());
                assert!(is_outside || facts.resource(name).is_some(), "{schema}: {member:?}");
            }
        }
    }
}

#[test]
fn the_uris_of_a_resource_are_paths_of_the_service() {
    for (schema, resource) in facts()
        .schemas
        .iter()
        .flat_map(|(name, schema)| schema.resources.values().map(move |resource| (name, resource)))
    {
        for uri in &resource.uris {
            assert!(uri.pattern.starts_with("/redfish/v1"), "{schema}: {}", uri.pattern);
            let (open, close) = (uri.pattern.matches('{').count(), uri.pattern.matches('}').count());
            assert_eq!(open, close, "{schema}: {}", uri.pattern);
        }
    }
}

#[test]
fn what_everyone_knows_of_a_system_is_there() {
    let facts = facts();
    let system = facts.resource("ComputerSystem.ComputerSystem").expect("the resource");
    assert_eq!(system.object.base.as_deref(), Some("Resource.Resource"));
    assert!(system.update, "a system can be changed");
    assert!(system.uris.iter().any(|uri| uri.pattern == "/redfish/v1/Systems/{ComputerSystemId}"));
    let member = |name| system.object.members.iter().find(|member| member.name == name).expect(name).clone();

    let power =
        Member { nullable: true, ..Member::new("PowerState", Kind::Named("Resource.PowerState".to_owned())) };
    assert_eq!(member("PowerState"), power);
    let tag = Member { access: Access::ReadWrite, nullable: true, ..Member::new("AssetTag", Kind::Text) };
    assert_eq!(member("AssetTag"), tag);
    assert!(member("Processors").link);

    let reset = &facts.schemas["ComputerSystem"].actions["Reset"];
    assert_eq!(reset.parameters.first().map(|parameter| parameter.name.as_str()), Some("ResetType"));
}

/// Returns the resources and objects of a schema.
fn objects(schema: &Schema) -> impl Iterator<Item = &Object> {
    schema.resources.values().map(|resource| &resource.object).chain(schema.objects.values())
}
