//! `patch`, `put`, `post`, `delete`.

use std::io;
use std::marker::PhantomData;
use std::path::Path;

use clap::Args;
use redfish_proto::ops::{IfMatch, Outcome, Write, Written};
use redfish_proto::{Body, Target};
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::outcome::WaitOption;
use crate::failure::Failure;
use crate::files::Source;
use crate::options::Options;
use crate::visit::{Job, Visit};

/// Maximum size of a body from a file, in bytes.
pub(super) const MAX_BODY: u64 = 32 << 20;

/// What to do if the resource cannot be read before the change.
const UNKNOWN_VERSION: &str = "Nothing was sent, because the version of the resource is not known. With --no-match, any \
                               version is overwritten.";

/// The resource and the body.
#[derive(Args)]
pub(crate) struct Post {
    /// Path such as /redfish/v1/Systems/1, or a URL of this service
    path: String,
    /// JSON, @FILE, or - for standard input. Other users can see arguments: put a secret in a file
    json: String,
    #[command(flatten)]
    wait: WaitOption,
    /// The body, after `prepare`.
    #[arg(skip)]
    body: Body,
}

/// A change, and whether to send `If-Match`.
#[derive(Args)]
pub(crate) struct Change<M: Method> {
    #[command(flatten)]
    post: Post,
    /// Do not read the ETag and do not send If-Match. This overwrites concurrent changes
    #[arg(long)]
    no_match: bool,
    #[arg(skip)]
    method: PhantomData<M>,
}

/// The method of a change.
pub(crate) trait Method: Send + Sync {
    fn write(target: &Target, body: Body) -> Write;
}

/// Changes members.
pub(crate) struct Patch;

/// Replaces the resource.
pub(crate) struct Put;

/// The resource to delete, and perhaps how.
#[derive(Args)]
pub(crate) struct Delete {
    /// Path such as /redfish/v1/Systems/1, or a URL of this service
    path: String,
    /// JSON, @FILE, or - for standard input, for example {"@Redfish.OperationApplyTime": "OnReset"}. Default: no body
    json: Option<String>,
    #[command(flatten)]
    wait: WaitOption,
    /// The body, after `prepare`.
    #[arg(skip)]
    body: Option<Body>,
}

impl Job for Post {
    fn reads_stdin(&self) -> bool {
        self.json == "-"
    }

    fn paths(&self) -> Vec<&str> {
        vec![&self.path]
    }

    fn prepare(&mut self, options: &Options) -> Result<(), Failure> {
        self.body = Body::secret(read_json(&self.json, "the body", options)?);
        Ok(())
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        self.send(Write::post, IfMatch::None, visit).await
    }
}

impl<M: Method> Job for Change<M> {
    fn reads_stdin(&self) -> bool {
        self.post.reads_stdin()
    }

    fn paths(&self) -> Vec<&str> {
        self.post.paths()
    }

    fn prepare(&mut self, options: &Options) -> Result<(), Failure> {
        self.post.prepare(options)
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let if_match = if self.no_match { IfMatch::None } else { IfMatch::Current };
        self.post.send(M::write, if_match, visit).await
    }
}

impl Method for Patch {
    fn write(target: &Target, body: Body) -> Write {
        Write::patch(target, body).checking_settings()
    }
}

impl Method for Put {
    fn write(target: &Target, body: Body) -> Write {
        Write::put(target, body)
    }
}

impl Job for Delete {
    fn reads_stdin(&self) -> bool {
        self.json.as_deref() == Some("-")
    }

    fn prepare(&mut self, options: &Options) -> Result<(), Failure> {
        let body = self.json.as_ref().map(|json| read_json(json, "the body", options)).transpose()?;
        self.body = body.map(Body::secret);
        Ok(())
    }

    fn paths(&self) -> Vec<&str> {
        vec![&self.path]
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let target = visit.service().target(&self.path)?;
        // The ETag is read only if the service requires `If-Match`.
        let write = Write::delete(&target).if_match(IfMatch::IfRequired);
        let write = match &self.body {
            Some(body) => write.json(body.clone()),
            None => write,
        };
        let outcome = visit.run(|| write.clone()).await;
        self.wait.finish(outcome, visit).await
    }
}

impl Post {
    async fn send(
        &self,
        write: fn(&Target, Body) -> Write,
        if_match: IfMatch,
        visit: &mut Visit,
    ) -> Result<(), Failure> {
        let target = visit.service().target(&self.path)?;
        let write = write(&target, self.body.clone()).if_match(if_match);
        let outcome = visit.run(|| write.clone()).await.map_err(|failure| {
            if failure.is_of_unreadable_resource() { failure.with_hint(UNKNOWN_VERSION) } else { failure }
        });
        if let Ok(Outcome::Finished(Written { settings: Some(settings), .. })) = &outcome {
            visit.note(format!("the settings resource {settings} holds this: a change belongs there"));
        }
        self.wait.finish(outcome, visit).await
    }
}

/// Reads JSON from an argument, from `@FILE` or from standard input. `what` names it in an error, which repeats none of it.
pub(super) fn read_json(
    argument: &str,
    what: &str,
    options: &Options,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let unreadable = |error: io::Error| Failure::unusable("the body cannot be read", error);
    let text = match (argument, argument.strip_prefix('@')) {
        ("-", _) => Source::Stdin.read(MAX_BODY, options.timeout).map_err(unreadable)?,
        (_, Some(file)) => {
            Source::File(Path::new(file)).read(MAX_BODY, options.timeout).map_err(unreadable)?
        }
        (json, None) => json.as_bytes().to_vec().into(),
    };
    match serde_json::from_slice::<IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let what = format!("{what} is not JSON, at line {line}, column {column}");
            Err(Failure::usage(what, "Quote it for the shell, or use @FILE."))
        }
    }
}
