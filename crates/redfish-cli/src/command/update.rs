//! `update`: pushes an image to the update service.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use redfish_hyper::Source;
use redfish_proto::Error;
use redfish_proto::ops::PushUpdate;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::outcome::WaitOption;
use super::write::{MAX_BODY, read_json};
use crate::failure::Failure;
use crate::files;
use crate::options::Options;
use crate::progress;
use crate::visit::{Job, Visit};

/// The parts that the command itself sends.
const OWN_PARTS: [&str; 2] = ["UpdateParameters", "UpdateFile"];

/// The image, its targets and what is sent with it.
#[derive(Args)]
pub(crate) struct Update {
    /// Image file
    file: PathBuf,
    /// URI of a resource to update; may be repeated. Default: the service decides, unless another client has reserved the
    /// push or has left its own targets
    #[arg(long = "target", value_name = "URI")]
    targets: Vec<String>,
    /// Members of UpdateParameters: JSON, @FILE, or - for standard input, for example {"ForceUpdate": true}
    #[arg(long, value_name = "JSON")]
    parameters: Option<String>,
    /// Further part of a multipart push, as the vendor documents it, for example OemParameters=FILE; may be repeated
    #[arg(long = "part", value_name = "NAME=FILE")]
    parts: Vec<String>,
    #[command(flatten)]
    wait: WaitOption,
    /// What is sent, after `prepare`.
    #[arg(skip)]
    push: Option<Push>,
}

/// What is sent: the image, the parameters and the further parts.
struct Push {
    image: Source,
    parameters: Map<String, Value>,
    parts: Vec<Part>,
}

/// A further part.
struct Part {
    name: String,
    media_type: &'static str,
    bytes: Vec<u8>,
}

impl Job for Update {
    fn reads_stdin(&self) -> bool {
        self.parameters.as_deref() == Some("-")
    }

    fn prepare(&mut self, options: &Options) -> Result<(), Failure> {
        let unreadable = |error| Failure::unusable("the image cannot be read", error);
        // A pipe has no length, and opening it may block.
        if !fs::metadata(&self.file).map_err(unreadable)?.is_file() {
            return Err(Failure::usage("the image is not a regular file", "Write it to a file first."));
        }
        let image = Source::file(&self.file).map_err(unreadable)?;
        self.push =
            Some(Push { image, parameters: self.read_parameters(options)?, parts: self.read_parts()? });
        Ok(())
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let Some(push) = &self.push else { return Err(Failure::missing("there is no image")) };
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let length = push.image.payload().length;
        let line = Arc::new(Mutex::new(visit.sink.progress()));
        let shared_line = line.clone();
        let image = push.image.clone().progress(move |sent| {
            let mut line = shared_line.lock().unwrap_or_else(PoisonError::into_inner);
            line.show(&progress::upload(sent, length));
        });
        let (name, image, time) = (&*name, &image, visit.time_left());
        let send = |client: redfish_hyper::Client| async move {
            let update = push.update(image.push_update(name)?)?;
            let time = time.saturating_add(update.transfer_time());
            client.push(client.service().call(update).deadline(time), image).await
        };
        let outcome = visit.with_client(send).await;
        line.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let outcome = outcome.map_err(|failure| match failure.kind() {
            "push-reserved" => {
                let hint = failure.hint().replace("name the resources to update", "use --target");
                failure.with_hint(&hint)
            }
            _ => failure,
        });
        self.wait.finish(outcome, visit).await
    }
}

impl Update {
    /// The members of `UpdateParameters`, with the targets.
    fn read_parameters(&self, options: &Options) -> Result<Map<String, Value>, Failure> {
        let mut parameters = match &self.parameters {
            None => Map::new(),
            Some(json) => {
                match serde_json::from_slice(&read_json(json, "the value of --parameters", options)?) {
                    Ok(Value::Object(parameters)) => parameters,
                    _ => return Err(Failure::usage("the value of --parameters is not a JSON object", "")),
                }
            }
        };
        let is_text = |target: &Value| target.is_string();
        let targets = parameters.get("Targets");
        if targets.is_some_and(|list| !list.as_array().is_some_and(|list| list.iter().all(is_text))) {
            return Err(Failure::usage("Targets in --parameters is not a list of URIs", ""));
        }
        if !self.targets.is_empty()
            && parameters.insert("Targets".to_owned(), self.targets.clone().into()).is_some()
        {
            return Err(Failure::usage(
                "--parameters has Targets, and --target is given",
                "Leave one of them out.",
            ));
        }
        Ok(parameters)
    }

    fn read_parts(&self) -> Result<Vec<Part>, Failure> {
        let mut names = HashSet::from(OWN_PARTS);
        let mut parts = Vec::new();
        for part in &self.parts {
            let (name, file) = part
                .split_once('=')
                .filter(|(name, file)| !name.is_empty() && !file.is_empty())
                .ok_or_else(|| Failure::usage("the value of --part is not NAME=FILE", ""))?;
            if !names.insert(name) {
                let hint = "UpdateParameters and UpdateFile are sent by the command itself.";
                return Err(Failure::usage("a name of --part is used twice", hint));
            }
            parts.push(Part::read(name, Path::new(file))?);
        }
        Ok(parts)
    }
}

impl Push {
    /// Adds the parameters and the parts to a push.
    fn update(&self, update: PushUpdate) -> Result<PushUpdate, Error> {
        let parameters = self.parameters.iter();
        let update =
            parameters.fold(update, |update, (name, value)| update.parameter(name.as_str(), value.clone()));
        let mut parts = self.parts.iter();
        parts.try_fold(update, |update, part| {
            update.part(part.name.as_str(), part.media_type, part.bytes.clone())
        })
    }
}

impl Part {
    fn read(name: &str, file: &Path) -> Result<Part, Failure> {
        let unreadable = |error| Failure::unusable("a file of --part cannot be read", error);
        let bytes = files::read_regular(file, MAX_BODY).map_err(unreadable)?;
        let is_json = serde_json::from_slice::<IgnoredAny>(&bytes).is_ok();
        let media_type = if is_json { "application/json" } else { "application/octet-stream" };
        Ok(Part { name: name.to_owned(), media_type, bytes })
    }
}
