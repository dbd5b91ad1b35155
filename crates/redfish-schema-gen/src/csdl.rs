//! CSDL files to facts.
//!
//! ```text
//!   file ── document ──> namespaces, one for each version ── resolve ──> schema
//! ```

mod document;
mod resolve;
mod xml;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use crate::facts::Facts;
use document::Namespace;

/// Schemas that define the language of the others, and OASIS's.
const VOCABULARIES: [&str; 3] = ["RedfishExtensions", "Validation", "Org"];

/// A file that cannot be read, or is not one of the schema files that are expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsdlError {
    /// The name of the file, or the folder.
    pub file: String,
    /// The line, if it is known. The first one is 1.
    pub line: Option<u32>,
    /// What is wrong.
    pub text: String,
}

impl fmt::Display for CsdlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        self.line.iter().try_for_each(|line| write!(f, "line {line}: "))?;
        f.write_str(&self.text)
    }
}

impl std::error::Error for CsdlError {}

/// Reads the CSDL files (`*.xml`) of a folder.
pub fn read_folder(folder: &Path) -> Result<Facts, CsdlError> {
    let failed = |path: &Path, error: io::Error| CsdlError {
        file: path.display().to_string(),
        line: None,
        text: error.to_string(),
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let path = entry.map_err(|error| failed(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            // Reports text that is not UTF-8 as well.
            let text = fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
            files.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text));
        }
    }
    if files.is_empty() {
        return Err(failed(folder, io::Error::other("the folder has no .xml file")));
    }
    files.sort();
    read(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

/// Reads CSDL files, each given by its name and its text.
pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Facts, CsdlError> {
    let mut schemas: BTreeMap<String, Vec<Namespace>> = BTreeMap::new();
    let mut outside = BTreeSet::new();
    for (file, text) in files {
        let contents = document::read(file, text)?;
        outside.extend(contents.outside);
        for namespace in contents.namespaces {
            let versions = schemas.entry(namespace.schema.clone()).or_default();
            if let Some(other) = versions.iter().find(|other| other.version == namespace.version) {
                let text = format!("{} declares the namespace {} as well", other.file, other.full_name());
                return Err(CsdlError { file: file.to_owned(), line: None, text });
            }
            versions.push(namespace);
        }
    }
    let mut facts = Facts::default();
    for (name, versions) in &mut schemas {
        versions.sort_by_key(|namespace| namespace.version);
        let schema = resolve::schema(versions)?;
        if !schema.is_empty() {
            facts.schemas.insert(name.clone(), schema);
        }
    }
    link_parameters(&mut facts);
    for unresolved in facts.unresolved() {
        let schema = unresolved.name.split('.').next().unwrap_or_default();
        if schemas.contains_key(schema) || !outside.contains(schema) {
            let file = schemas.get(&unresolved.schema).and_then(|versions| versions.first());
            let file = file.map(|namespace| namespace.file.clone()).unwrap_or_default();
            return Err(CsdlError { file, line: None, text: unresolved.to_string() });
        }
        facts.outside.insert(schema.to_owned());
    }
    Ok(facts)
}

/// Makes parameters that are resources links, which is how they are sent. CSDL has no navigation parameters.
fn link_parameters(facts: &mut Facts) {
    let resources: BTreeSet<String> = facts
        .schemas
        .iter()
        .flat_map(|(schema, facts)| facts.resources.keys().map(move |name| format!("{schema}.{name}")))
        .collect();
    let actions = facts.schemas.values_mut().flat_map(|schema| schema.actions.values_mut());
    for parameter in actions.flat_map(|action| &mut action.parameters) {
        parameter.link = parameter.kind.name().is_some_and(|name| resources.contains(name));
    }
}
