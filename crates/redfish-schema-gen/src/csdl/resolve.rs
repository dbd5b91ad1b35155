//! All versions of a schema become one: each type as its newest version has it, with the members that it inherits from
//! its older versions.

use std::collections::{BTreeMap, BTreeSet};

use super::CsdlError;
use super::document::{Declared, Namespace};
use crate::facts::{Kind, Member, Object, Resource, Schema};

/// Makes the schema of its versions, which are sorted.
pub(super) fn schema(versions: &[Namespace]) -> Result<Schema, CsdlError> {
    let mut schema = Schema {
        version: versions.iter().filter_map(|namespace| namespace.version).max(),
        owner: versions.iter().find_map(|namespace| namespace.owner.clone()).filter(|owner| owner != "DMTF"),
        ..Schema::default()
    };
    let mut names = BTreeSet::new();
    for namespace in versions {
        names.extend(namespace.types.keys());
        // A later version replaces an earlier one.
        schema.enumerations.extend(copied(&namespace.enumerations));
        schema.aliases.extend(copied(&namespace.aliases));
        schema.actions.extend(copied(&namespace.actions));
    }
    for name in names {
        let chain = chain(versions, name)?;
        if chain.iter().any(|declared| declared.is_resource) {
            schema.resources.insert(name.clone(), resource(&chain));
        } else {
            schema.objects.insert(name.clone(), object(&chain));
        }
    }
    Ok(schema)
}

fn copied<T: Clone>(map: &BTreeMap<String, T>) -> impl Iterator<Item = (String, T)> {
    map.iter().map(|(name, value)| (name.clone(), value.clone()))
}

/// Returns the newest version of the type and those that it inherits from, the oldest first.
fn chain<'a>(versions: &'a [Namespace], name: &str) -> Result<Vec<&'a Declared>, CsdlError> {
    let mut chain: Vec<&Declared> = Vec::new();
    let mut next = versions.iter().rev().find(|namespace| namespace.types.contains_key(name));
    while let Some((namespace, declared)) =
        next.and_then(|namespace| Some((namespace, namespace.types.get(name)?)))
    {
        let error = |problem| {
            let text = format!("{}.{name} {problem}", namespace.full_name());
            Err(CsdlError { file: namespace.file.clone(), line: None, text })
        };
        chain.push(declared);
        if chain.len() > versions.len() {
            return error("inherits from itself");
        }
        let older =
            declared.base.as_ref().filter(|base| base.schema == namespace.schema && base.name == name);
        next = versions
            .iter()
            .find(|namespace| older.is_some_and(|older| namespace.version == older.version))
            .filter(|namespace| namespace.types.contains_key(name));
        if older.is_some() && next.is_none() {
            return error("inherits from a version that does not declare it");
        }
    }
    chain.reverse();
    Ok(chain)
}

fn resource(chain: &[&Declared]) -> Resource {
    let newest = |stated: fn(&Declared) -> Option<bool>| {
        chain.iter().rev().find_map(|declared| stated(declared)).unwrap_or(false)
    };
    Resource {
        object: object(chain),
        uris: chain
            .iter()
            .rev()
            .find(|declared| !declared.uris.is_empty())
            .map(|declared| declared.uris.clone())
            .unwrap_or_default(),
        insert: newest(|declared| declared.insert),
        update: newest(|declared| declared.update),
        delete: newest(|declared| declared.delete),
    }
}

fn object(chain: &[&Declared]) -> Object {
    let open = chain.iter().rev().find_map(|declared| declared.open).unwrap_or(false).then_some(Kind::Any);
    Object {
        // The oldest version has the base that is another type.
        base: chain.first().and_then(|oldest| oldest.base.as_ref()).map(|base| base.unversioned()),
        open: chain.iter().rev().find_map(|declared| declared.dynamic.clone()).or(open),
        deprecated: chain.iter().any(|declared| declared.deprecated),
        members: members(chain),
    }
}

/// Returns the members of all versions. A member that is declared again keeps its place.
fn members(chain: &[&Declared]) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for member in chain.iter().flat_map(|declared| &declared.members) {
        match members.iter_mut().find(|other| other.name == member.name) {
            Some(older) => *older = member.clone(),
            None => members.push(member.clone()),
        }
    }
    members
}
