//! Mockups: resources read from a folder as DMTF's Mockup-Creator writes it. `index.json` is the resource at its folder.
//!
//! A folder without a session service gets the one of the mock, so that clients can log in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::{fmt, fs, io};

use serde_json::{Value, json};

use super::builder::ResourceBuilder;
use super::tree::Tree;
use super::{root, services};
use crate::protocol::profile::Profile;
use crate::protocol::uris::{SESSION_SERVICE, SESSIONS};

/// The maximum depth of nested folders.
const MAX_DEPTH: usize = 64;
/// The files of Mockup-Creator that are not resources.
const IGNORED_FILES: [&str; 2] = ["headers.json", "time.json"];

/// The resources of a folder. Copies share them.
#[derive(Clone)]
pub struct Mockup {
    resources: Arc<Vec<ResourceBuilder>>,
    warnings: Arc<[String]>,
    /// The resources as each profile renders them.
    standard: Arc<OnceLock<Tree>>,
    ilo_amplifier: Arc<OnceLock<Tree>>,
}

impl Mockup {
    /// Reads a folder: the one of the service root, or one that contains `redfish/v1` or `v1`.
    ///
    /// Files that are not JSON are served unchanged and listed in [`Mockup::warnings`].
    ///
    /// # Errors
    ///
    /// Fails if a folder or a file cannot be read, or if there is no service root.
    pub fn read(folder: impl AsRef<Path>) -> io::Result<Mockup> {
        let folder = folder.as_ref();
        let prefix =
            ["redfish/v1", "v1", ""].into_iter().find(|root| folder.join(root).join("index.json").is_file());
        let above = match prefix {
            Some("redfish/v1") => "",
            Some("v1") => "/redfish",
            Some(_) => "/redfish/v1",
            None => {
                let what = "the folder has no service root: there is no index.json in it or in redfish/v1";
                return Err(io::Error::new(io::ErrorKind::NotFound, what));
            }
        };
        let mut reader = Reader { resources: Vec::new(), warnings: Vec::new() };
        reader.folder(folder, Path::new(""), above, 0)?;
        reader.complete();
        Ok(Mockup {
            resources: Arc::new(reader.resources),
            warnings: reader.warnings.into(),
            standard: Arc::default(),
            ilo_amplifier: Arc::default(),
        })
    }

    /// Warnings about the folder, one line each: files that are not JSON, and changes that sessions required.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(crate) fn tree(&self, profile: Profile) -> Tree {
        let rendered = match profile {
            Profile::Standard => &self.standard,
            Profile::IloAmplifier => &self.ilo_amplifier,
        };
        rendered.get_or_init(|| Tree::new(self.resources.iter().cloned(), profile)).clone()
    }
}

impl fmt::Debug for Mockup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mockup").field("resources", &self.resources.len()).finish_non_exhaustive()
    }
}

struct Reader {
    resources: Vec<ResourceBuilder>,
    warnings: Vec<String>,
}

impl Reader {
    /// Reads a folder. `inside` is its path within the mockup, `path` the path of its resource.
    fn folder(&mut self, folder: &Path, inside: &Path, path: &str, depth: usize) -> io::Result<()> {
        if depth > MAX_DEPTH {
            self.warnings.push(format!("{}: ignored, because it is nested too deep", inside.display()));
            return Ok(());
        }
        let mut entries: Vec<fs::DirEntry> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let inside = inside.join(entry.file_name());
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                self.warnings
                    .push(format!("{}: ignored, because its name is not valid in a URI", inside.display()));
                continue;
            };
            // Symbolic links to folders may form a loop, so they are not followed.
            if entry.file_type()?.is_dir() {
                self.folder(&entry.path(), &inside, &format!("{path}/{name}"), depth + 1)?;
            } else if entry.path().is_file() && !IGNORED_FILES.contains(&name.as_str()) {
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
        // Versions, OData documents and registries have no `@odata.id`. They are served unchanged.
        let builder = match parsed.filter(|document: &Value| document["@odata.id"].is_string()) {
            Some(document) => resource(path, document),
            None => {
                let is_json = serde_json::from_slice::<Value>(&bytes).is_ok();
                // The metadata is `index.xml`, for example.
                let is_expected = stem == "index" && ["xml", "yaml"].contains(&extension);
                if !is_json && !is_expected {
                    self.warnings.push(format!("{}: not JSON, served unchanged", inside.display()));
                }
                ResourceBuilder::raw(&path, media_type, bytes)
            }
        };
        self.resources.push(builder);
        Ok(())
    }

    /// Makes the public resources public, and adds what a login needs.
    fn complete(&mut self) {
        // Members of collections can be deleted.
        let members: BTreeSet<String> =
            self.resources.iter().filter_map(ResourceBuilder::document).flat_map(member_paths).collect();
        for resource in &mut self.resources {
            resource.capabilities.delete = members.contains(&resource.path);
            resource.is_public = PUBLIC.contains(&resource.path.as_str());
            let path = resource.path.clone();
            match (path.as_str(), resource.document_mut()) {
                (ROOT, Some(root)) => complete_root(root, &mut self.warnings),
                (SESSION_SERVICE, Some(service)) => service["Sessions"] = json!({"@odata.id": SESSIONS}),
                _ => {}
            }
        }
        let has = |path: &str| self.resources.iter().any(|resource| resource.path == path);
        let mut missing = Vec::new();
        if !has("/redfish") {
            missing.push(root::versions());
        }
        if !has(SESSION_SERVICE) {
            self.warnings.push("no session service: the one of the mock is added".to_owned());
            missing.push(services::session_service());
        }
        self.resources.extend(missing);
    }
}

const ROOT: &str = "/redfish/v1";
/// The resources that need no authentication (DSP0266, "Authentication").
const PUBLIC: [&str; 5] =
    ["/redfish", ROOT, "/redfish/v1/$metadata", "/redfish/v1/odata", "/redfish/v1/openapi.yaml"];

fn resource(path: String, document: Value) -> ResourceBuilder {
    let is_collection = document["Members"].is_array();
    let resource = ResourceBuilder { path, ..ResourceBuilder::new(document) }.fully_writable();
    if is_collection { resource.creatable(&[]) } else { resource }
}

fn member_paths(document: &Value) -> Vec<String> {
    let path = |member: &Value| Some(member["@odata.id"].as_str()?.trim_end_matches('/').to_owned());
    document["Members"].as_array().into_iter().flatten().filter_map(path).collect()
}

fn complete_root(document: &mut Value, warnings: &mut Vec<String>) {
    let sessions =
        document["Links"]["Sessions"]["@odata.id"].as_str().map(|path| path.trim_end_matches('/').to_owned());
    if sessions.as_deref() != Some(SESSIONS) {
        if let Some(sessions) = sessions {
            warnings.push(format!("the sessions are at {SESSIONS}, not at {sessions}"));
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
