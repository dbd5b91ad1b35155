//! A service's resources read from a folder, as DMTF's Mockup-Creator writes one: `index.json` is the resource at its folder.
//!
//! Where the folder has no session service, the service's own is laid beside, so that clients can log in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::{fmt, fs, io};

use serde_json::{Value, json};

use crate::inventory;
use crate::inventory::tree::{Draft, Tree};
use crate::protocol::profile::Profile;
use crate::state::sessions::{SESSION_SERVICE, SESSIONS};

/// How deep folders may stand in each other.
const DEPTH: usize = 64;
/// What Mockup-Creator notes beside a resource.
const NOTES: [&str; 2] = ["headers.json", "time.json"];

/// The resources of a folder. Copies share them.
#[derive(Clone)]
pub struct Mockup {
    drafts: Arc<Vec<Draft>>,
    warnings: Arc<[String]>,
    /// As each profile renders them.
    standard: Arc<OnceLock<Tree>>,
    ilo_amplifier: Arc<OnceLock<Tree>>,
}

impl Mockup {
    /// Reads a folder: that of the service root, or one that has `redfish/v1` or `v1` in it.
    ///
    /// What is not JSON is served as it is, and named in [`Mockup::warnings`].
    ///
    /// # Errors
    ///
    /// When a folder or a file can't be read, or there is no service root.
    pub fn read(folder: impl AsRef<Path>) -> io::Result<Mockup> {
        let folder = folder.as_ref();
        let prefix =
            ["redfish/v1", "v1", ""].into_iter().find(|root| folder.join(root).join("index.json").is_file());
        let above = match prefix {
            Some("redfish/v1") => "",
            Some("v1") => "/redfish",
            Some(_) => "/redfish/v1",
            None => {
                let what = "the folder has no index.json of a service root: neither in it nor in redfish/v1";
                return Err(io::Error::new(io::ErrorKind::NotFound, what));
            }
        };
        let mut reader = Reader { drafts: Vec::new(), warnings: Vec::new() };
        reader.folder(folder, Path::new(""), above, 0)?;
        reader.complete();
        Ok(Mockup {
            drafts: Arc::new(reader.drafts),
            warnings: reader.warnings.into(),
            standard: Arc::default(),
            ilo_amplifier: Arc::default(),
        })
    }

    /// What is odd about the folder: files that are not JSON, and what had to be changed for sessions. A line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(crate) fn tree(&self, profile: Profile) -> Tree {
        let rendered = match profile {
            Profile::Standard => &self.standard,
            Profile::IloAmplifier => &self.ilo_amplifier,
        };
        rendered.get_or_init(|| Tree::new(self.drafts.iter().cloned(), profile)).clone()
    }
}

impl fmt::Debug for Mockup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mockup").field("resources", &self.drafts.len()).finish_non_exhaustive()
    }
}

struct Reader {
    drafts: Vec<Draft>,
    warnings: Vec<String>,
}

impl Reader {
    /// Reads what is in a folder; `inside` is the folder within the mockup, `path` that of its resource.
    fn folder(&mut self, folder: &Path, inside: &Path, path: &str, depth: usize) -> io::Result<()> {
        if depth > DEPTH {
            self.warnings.push(format!("{}: too deep, and left out", inside.display()));
            return Ok(());
        }
        let mut entries: Vec<fs::DirEntry> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let inside = inside.join(entry.file_name());
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                self.warnings.push(format!("{}: no name for a URI, and left out", inside.display()));
                continue;
            };
            // A link to a folder may lead in a circle, and is not followed.
            if entry.file_type()?.is_dir() {
                self.folder(&entry.path(), &inside, &format!("{path}/{name}"), depth + 1)?;
            } else if entry.path().is_file() && !NOTES.contains(&name.as_str()) {
                self.file(&entry.path(), inside, path, &name)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, file: &Path, inside: PathBuf, folder: &str, name: &str) -> io::Result<()> {
        let bytes = fs::read(file)?;
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let path = if stem == "index" && !folder.is_empty() {
            folder.to_owned()
        } else {
            format!("{folder}/{name}")
        };
        let media_type = match extension {
            "json" => "application/json",
            "xml" => "application/xml",
            "yaml" | "yml" => "application/yaml",
            "html" | "htm" => "text/html",
            "txt" | "md" => "text/plain",
            _ => "application/octet-stream",
        };
        let parsed = serde_json::from_slice(&bytes).ok().filter(|_| stem == "index");
        // The list of versions, OData's and registries have no address of their own, and are served as they are.
        let draft = match parsed.filter(|document: &Value| document["@odata.id"].is_string()) {
            Some(document) => resource(path, document),
            None => {
                let is_json = serde_json::from_slice::<Value>(&bytes).is_ok();
                // `index.xml` of the metadata, and the like.
                let should_not_be = stem == "index" && ["xml", "yaml"].contains(&extension);
                if !is_json && !should_not_be {
                    self.warnings.push(format!("{}: not JSON, and served as it is", inside.display()));
                }
                Draft::raw(&path, media_type, bytes)
            }
        };
        self.drafts.push(draft);
        Ok(())
    }

    /// Lets clients in: what the standard opens to all is open, and there are sessions where a login looks for them.
    fn complete(&mut self) {
        // A member of a collection can be deleted.
        let members: BTreeSet<String> =
            self.drafts.iter().filter_map(Draft::document).flat_map(members).collect();
        for draft in &mut self.drafts {
            draft.takes.delete = members.contains(&draft.path);
            draft.open = OPEN.contains(&draft.path.as_str());
            let path = draft.path.clone();
            match (path.as_str(), draft.document_mut()) {
                (ROOT, Some(root)) => complete_root(root, &mut self.warnings),
                (SESSION_SERVICE, Some(service)) => service["Sessions"] = json!({"@odata.id": SESSIONS}),
                _ => {}
            }
        }
        let has = |path: &str| self.drafts.iter().any(|draft| draft.path == path);
        let mut missing = Vec::new();
        if !has("/redfish") {
            missing.push(inventory::versions());
        }
        if !has(SESSION_SERVICE) {
            self.warnings.push("no session service: one is laid beside".to_owned());
            missing.push(inventory::session_service());
        }
        self.drafts.extend(missing);
    }
}

const ROOT: &str = "/redfish/v1";
/// What is open to all (DSP0266, "Authentication").
const OPEN: [&str; 5] =
    ["/redfish", ROOT, "/redfish/v1/$metadata", "/redfish/v1/odata", "/redfish/v1/openapi.yaml"];

fn resource(path: String, document: Value) -> Draft {
    let is_collection = document["Members"].is_array();
    let draft = Draft { path, ..Draft::new(document) }.any_change();
    if is_collection { draft.creates(&[]) } else { draft }
}

fn members(document: &Value) -> Vec<String> {
    let link = |member: &Value| Some(member["@odata.id"].as_str()?.trim_end_matches('/').to_owned());
    document["Members"].as_array().into_iter().flatten().filter_map(link).collect()
}

fn complete_root(document: &mut Value, warnings: &mut Vec<String>) {
    let named =
        document["Links"]["Sessions"]["@odata.id"].as_str().map(|path| path.trim_end_matches('/').to_owned());
    if named.as_deref() != Some(SESSIONS) {
        if let Some(named) = named {
            warnings.push(format!("the sessions are at {SESSIONS}, not at {named}"));
        }
        if !document["Links"].is_object() {
            document["Links"] = json!({});
        }
        document["Links"]["Sessions"] = json!({"@odata.id": SESSIONS});
    }
    if document.get("SessionService").is_none() {
        document["SessionService"] = json!({"@odata.id": SESSION_SERVICE});
    }
}
