//! The features that schemas belong to.

use std::collections::BTreeMap;

use crate::facts::Facts;

/// The group of each schema.
pub(super) struct Groups(BTreeMap<String, String>);

/// The group whose types are always there.
const BASE: &str = "base";

impl Groups {
    /// Reads `groups.txt`.
    ///
    /// # Errors
    /// A text that says what is wrong.
    pub(super) fn parse(text: &str, facts: &Facts) -> Result<Groups, String> {
        let mut groups = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (group, names) = line.split_once(" = ").ok_or_else(|| format!("groups.txt: {line}"))?;
            for name in names.split_whitespace() {
                let all = match name.strip_suffix('*') {
                    Some(name) => {
                        vec![name.to_owned(), format!("{name}Collection"), format!("{name}Metrics")]
                    }
                    None => vec![name.to_owned()],
                };
                let known: Vec<_> = all.into_iter().filter(|name| facts.schemas.contains_key(name)).collect();
                if known.is_empty() {
                    return Err(format!("groups.txt: there is no schema {name}"));
                }
                for name in known {
                    if groups.insert(name.clone(), group.to_owned()).is_some() {
                        return Err(format!("groups.txt: {name} is in two groups"));
                    }
                }
            }
        }
        match facts.schemas.keys().find(|schema| !groups.contains_key(*schema)) {
            Some(schema) => Err(format!("groups.txt: {schema} is in no group")),
            None => Ok(Groups(groups)),
        }
    }

    /// The feature of a schema; `None` if its types are always there.
    pub(super) fn feature(&self, schema: &str) -> Option<&str> {
        self.0.get(schema).map(String::as_str).filter(|group| *group != BASE)
    }

    /// All features.
    pub(super) fn features(&self) -> Vec<&str> {
        let mut features: Vec<_> =
            self.0.values().map(String::as_str).filter(|group| *group != BASE).collect();
        features.sort_unstable();
        features.dedup();
        features
    }
}
