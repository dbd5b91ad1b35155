//! Mockups: resources read from a folder as DMTF's Mockup-Creator writes it. `index.json` is the resource at its folder, and
//! the response to a query if the folder has a query in its name: `Entries?$skip=50`.
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
use crate::protocol::path::{self, key};
use crate::protocol::profile::Profile;
use crate::protocol::query::decode;
use crate::protocol::uris::{SESSION_SERVICE, SESSIONS};

/// The maximum depth of nested folders.
const MAX_DEPTH: usize = 64;
/// The files of Mockup-Creator that are not resources.
const IGNORED_FILES: [&str; 3] = ["headers.json", "time.json", "error.txt"];

/// The resources of a folder. Copies share them.
#[derive(Clone)]
pub struct Mockup {
    /// In the order of their files. Of several at one path, the first is served.
    resources: Arc<Vec<ResourceBuilder>>,
    warnings: Arc<[String]>,
    /// The resources as each profile renders them.
    standard: Arc<OnceLock<Tree>>,
    ilo_amplifier: Arc<OnceLock<Tree>>,
}

impl Mockup {
    /// Reads a folder: the one of the service root, or one that contains `redfish/v1` or `v1`.
    ///
    /// Files that are not JSON are served unchanged and listed in [`Mockup::warnings`]. Nothing outside the folder is read: a
    /// symbolic link that leads there is ignored, with a warning.
    ///
    /// # Errors
    ///
    /// Fails if a folder or a file cannot be read, or if there is no service root.
    pub fn read(folder: impl AsRef<Path>) -> io::Result<Mockup> {
        let folder = folder.as_ref();
        let root = folder.canonicalize()?;
        // A link may lead out of the folder.
        let is_inside = |path: &Path| path.canonicalize().is_ok_and(|path| path.starts_with(&root));
        let prefix = ["redfish/v1", "v1", ""].into_iter().find(|prefix| {
            let service_root = folder.join(prefix).join("index.json");
            service_root.is_file() && is_inside(&service_root)
        });
        // The folder to read, and the path of its resource. What is beside `redfish` is not a resource.
        let (inside, above) = match prefix {
            Some("redfish/v1") => ("redfish", "/redfish"),
            Some("v1") => ("v1", "/redfish/v1"),
            Some(_) => ("", "/redfish/v1"),
            None => {
                let what = "the folder has no service root: there is no index.json in it or in redfish/v1";
                return Err(io::Error::new(io::ErrorKind::NotFound, what));
            }
        };
        let mut reader = Reader { root, resources: Vec::new(), warnings: Vec::new() };
        reader.folder(&folder.join(inside), Path::new(inside), above, 0)?;
        reader.complete();
        Ok(Mockup {
            resources: Arc::new(reader.resources),
            warnings: reader.warnings.into(),
            standard: Arc::default(),
            ilo_amplifier: Arc::default(),
        })
    }

    /// Warnings about the folder in this profile, one line each: files that are not served or are not JSON, and changes that
    /// sessions required.
    pub fn warnings(&self, profile: Profile) -> Vec<String> {
        let mut keys = BTreeSet::new();
        let clashing = self.resources.iter().filter(|resource| !keys.insert(key(&resource.path, profile)));
        let ignored = |resource: &ResourceBuilder| {
            format!("{}: ignored, because another file is served at the same path", resource.path)
        };
        self.warnings.iter().cloned().chain(clashing.map(ignored)).collect()
    }

    pub(crate) fn tree(&self, profile: Profile) -> Tree {
        let rendered = match profile {
            Profile::Standard | Profile::Older | Profile::Slots => &self.standard,
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
    /// The real path of the folder.
    root: PathBuf,
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
        let mut entries: Vec<fs::DirEntry> = match fs::read_dir(folder).and_then(Iterator::collect) {
            Ok(entries) => entries,
            Err(error) => {
                self.warnings
                    .push(format!("{}: ignored, because it cannot be read: {error}", inside.display()));
                return Ok(());
            }
        };
        // Of the files at one path, the first is served.
        entries.sort_by_key(|entry| (entry.file_name() != "index.json", entry.file_name()));
        for entry in entries {
            let inside = inside.join(entry.file_name());
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                self.warnings
                    .push(format!("{}: ignored, because its name is not valid in a URI", inside.display()));
                continue;
            };
            let kind = entry.file_type()?;
            // Symbolic links to folders may form a loop.
            let reason = if kind.is_symlink() && !entry.path().is_file() {
                Some("it is a symbolic link to something other than a file")
            } else if kind.is_symlink() && !self.is_inside(&entry.path()) {
                Some("it is a symbolic link that leads out of the folder")
            } else {
                None
            };
            if let Some(reason) = reason {
                self.warnings.push(format!("{}: ignored, because {reason}", inside.display()));
            } else if kind.is_dir() {
                self.folder(&entry.path(), &inside, &format!("{path}/{name}"), depth + 1)?;
            } else if entry.path().is_file() && !IGNORED_FILES.contains(&name.as_str()) {
                self.file(&entry.path(), inside, path, &name)?;
            }
        }
        Ok(())
    }

    /// Whether a file is in the folder after all symbolic links.
    fn is_inside(&self, file: &Path) -> bool {
        file.canonicalize().is_ok_and(|file| file.starts_with(&self.root))
    }

    fn file(&mut self, file: &Path, inside: PathBuf, folder: &str, name: &str) -> io::Result<()> {
        let bytes = match fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.warnings
                    .push(format!("{}: ignored, because it cannot be read: {error}", inside.display()));
                return Ok(());
            }
        };
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let path = if stem == "index" { canonical(folder) } else { canonical(&format!("{folder}/{name}")) };
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
            Some(document) => resource(path, document, bytes),
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
            if ![ROOT, SESSION_SERVICE].contains(&resource.path.as_str()) {
                continue;
            }
            let is_root = resource.path == ROOT;
            match resource.document_mut() {
                Some(root) if is_root => complete_root(root, &mut self.warnings),
                Some(service) => service["Sessions"] = json!({"@odata.id": SESSIONS}),
                None => {}
            }
        }
        if !self.resources.iter().any(|resource| resource.path == ROOT && resource.document().is_some()) {
            self.warnings.push(format!("{ROOT}: the service root is not a resource"));
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

fn resource(path: String, document: Value, text: Vec<u8>) -> ResourceBuilder {
    let is_collection = document["Members"].is_array() && !path.contains('?');
    let resource = ResourceBuilder::captured(path, document, text).fully_writable();
    if is_collection { resource.creatable(&[], &[]) } else { resource }
}

/// The path of a folder as requests find it: without percent-encoding, and with the query in its name, if there is one.
fn canonical(folder: &str) -> String {
    match folder.split_once('?') {
        None => path::Path::new(folder).as_str().to_owned(),
        Some((above, query)) => format!("{}?{}", path::Path::new(above).as_str(), decode(query)),
    }
}

fn member_paths(document: &Value) -> Vec<String> {
    let path = |member: &Value| Some(path::Path::new(member["@odata.id"].as_str()?).as_str().to_owned());
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
