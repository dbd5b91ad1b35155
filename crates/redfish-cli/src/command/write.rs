//! `patch`, `put`, `post`, `delete`: writes, and the responses to them as the service sends them.

use std::io;
use std::marker::PhantomData;
use std::path::Path;

use clap::Args;
use redfish_proto::ops::{IfMatch, Write};
use redfish_proto::{Body, Service, Target};
use serde::de::IgnoredAny;

use super::outcome::Waiting;
use crate::failure::Failure;
use crate::files::Source;
use crate::options::Options;
use crate::visit::{Job, Visit};

/// The longest body that is read from a file.
const LARGEST: u64 = 32 << 20;

/// What to write, and where.
#[derive(Args)]
pub(crate) struct Post {
    /// Where: /redfish/v1/Systems/1, or a URL of this service
    path: String,
    /// What: JSON, @FILE, or - for standard input. Other users see arguments: a secret belongs in a file
    json: String,
    #[command(flatten)]
    waiting: Waiting,
    /// The body, once it was read.
    #[arg(skip)]
    body: Body,
}

/// What to change, and whether it must be as it was seen.
#[derive(Args)]
pub(crate) struct Change<K: Kind> {
    #[command(flatten)]
    post: Post,
    /// Don't read the ETag first, and send no If-IfMatch: what others change meanwhile is overwritten
    #[arg(long)]
    no_match: bool,
    #[arg(skip)]
    kind: PhantomData<K>,
}

/// A kind of change.
pub(crate) trait Kind: Send + Sync {
    fn write(at: &Target, body: Body) -> Write;
}

/// The members that are given.
pub(crate) struct Patch;

/// The whole resource.
pub(crate) struct Put;

/// What to delete.
#[derive(Args)]
pub(crate) struct Delete {
    /// Where: /redfish/v1/Systems/1, or a URL of this service
    path: String,
    #[command(flatten)]
    waiting: Waiting,
}

impl Job for Post {
    fn reads_stdin(&self) -> bool {
        self.json == "-"
    }

    fn check(&self, service: &Service) -> Result<(), Failure> {
        Ok(service.target(&self.path).map(drop)?)
    }

    fn prepare(&mut self, options: &Options) -> Result<(), Failure> {
        self.body = self.read(options)?;
        Ok(())
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        self.send(Write::post, IfMatch::None, visit).await
    }
}

impl<K: Kind> Job for Change<K> {
    fn reads_stdin(&self) -> bool {
        self.post.reads_stdin()
    }

    fn check(&self, service: &Service) -> Result<(), Failure> {
        self.post.check(service)
    }

    fn prepare(&mut self, options: &Options) -> Result<(), Failure> {
        self.post.prepare(options)
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let matching = if self.no_match { IfMatch::None } else { IfMatch::Current };
        self.post.send(K::write, matching, visit).await
    }
}

impl Kind for Patch {
    fn write(at: &Target, body: Body) -> Write {
        Write::patch(at, body)
    }
}

impl Kind for Put {
    fn write(at: &Target, body: Body) -> Write {
        Write::put(at, body)
    }
}

impl Job for Delete {
    fn check(&self, service: &Service) -> Result<(), Failure> {
        Ok(service.target(&self.path).map(drop)?)
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let at = visit.service().target(&self.path)?;
        // There is no way to say which version is meant, so one is found if the service insists.
        let write = Write::delete(&at).if_match(IfMatch::IfRequired);
        let outcome = visit.run(|| write.clone()).await?;
        self.waiting.finish(outcome, visit).await
    }
}

impl Post {
    async fn send(
        &self,
        write: fn(&Target, Body) -> Write,
        matching: IfMatch,
        visit: &mut Visit,
    ) -> Result<(), Failure> {
        let at = visit.service().target(&self.path)?;
        let write = write(&at, self.body.clone()).if_match(matching);
        let outcome = visit.run(|| write.clone()).await?;
        self.waiting.finish(outcome, visit).await
    }

    fn read(&self, options: &Options) -> Result<Body, Failure> {
        let unreadable = |error: io::Error| Failure::unusable("the body cannot be read", error);
        let text = match (self.json.as_str(), self.json.strip_prefix('@')) {
            ("-", _) => Source::Stdin.read(LARGEST, options.timeout).map_err(unreadable)?,
            (_, Some(file)) => {
                Source::File(Path::new(file)).read(LARGEST, options.timeout).map_err(unreadable)?
            }
            (json, None) => json.as_bytes().to_vec().into(),
        };
        match serde_json::from_slice::<IgnoredAny>(&text) {
            Ok(_) => Ok(Body::secret(text)),
            // Its own words may repeat what was typed.
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                let what = format!("the body is no JSON, at line {line}, column {column}");
                Err(Failure::usage(what, "Quote it for the shell, or use @FILE."))
            }
        }
    }
}
