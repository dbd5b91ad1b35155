//! The outcomes of a write, as values. `ops` reads them from responses.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::etag::ETag;
use crate::message::Message;
use crate::redact::{Redactor, SafeText};
use crate::target::Target;

/// The outcome of a request that the service may complete later.
///
/// A client's `finish` waits for its end.
#[derive(Clone, Debug)]
#[must_use = "the service may not have carried it out yet"]
#[non_exhaustive]
pub enum Outcome {
    /// The service has completed it.
    Finished(Written),
    /// The service has accepted it and completes it later. The monitor reports its end.
    Accepted(Monitor),
    /// The service has accepted it and completes it later, but does not say where its end will be reported.
    AcceptedWithoutMonitor(Written),
}

impl Outcome {
    /// The URI of what was created, if that is done and the service says it.
    pub fn created(&self) -> Option<&Target> {
        match self {
            Outcome::Finished(written) => written.created.as_ref(),
            _ => None,
        }
    }
}

/// A change that was carried out.
///
/// `Debug` shows the length of the body, which may contain secrets.
#[derive(Clone)]
#[non_exhaustive]
pub struct Written {
    /// The status: usually 200, 201 or 204.
    pub status: StatusCode,
    /// The URI of the new resource. `None` if the service did not return one, or one that the policy for links refuses.
    pub created: Option<Target>,
    /// The new ETag of the resource.
    pub etag: Option<ETag>,
    /// The body as the service sent it. `None` if it broke off, is too large or cannot be decoded.
    pub body: Option<Bytes>,
    /// The messages of the service. None of them is a refusal, unless a part of the change was not carried out and the
    /// caller accepts that: some say what was done, others for example that a reset is required.
    pub messages: Vec<Message>,
    /// The `TaskStatus` of the Task that completed it, such as `Warning`. Empty if there was none.
    pub task_status: SafeText,
    /// The settings resource that the change belongs to, after [`Write::checking_settings`](crate::ops::Write::checking_settings):
    /// it holds a member of the change.
    pub settings: Option<Box<Target>>,
    /// What the body is read with.
    pub(crate) source: Arc<BodySource>,
}

/// What links in a body are relative to, and the secrets that may be in it.
pub(crate) struct BodySource {
    pub(crate) target: Target,
    pub(crate) secrets: Arc<Redactor>,
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written")
            .field("status", &self.status)
            .field("created", &self.created)
            .field("body", &self.body.as_ref().map(Bytes::len))
            .field("messages", &self.messages)
            .finish_non_exhaustive()
    }
}

/// The monitor of an accepted operation, which reports its end. It can be saved as JSON and watched by another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monitor {
    #[serde(rename = "at")]
    pub(crate) target: Target,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<Target>,
    /// Whether a 202 named it.
    #[serde(default, rename = "accepted", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_accepted: bool,
    #[serde(skip)]
    pub(crate) acceptance: Acceptance,
}

/// What is known from the response that accepted an operation. It does not count when two monitors are compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acceptance {
    /// The secrets of the request, which the service may echo at the end.
    pub(crate) secrets: Arc<Redactor>,
    pub(crate) messages: Vec<Message>,
    pub(crate) progress: Progress,
}

impl PartialEq for Acceptance {
    fn eq(&self, _: &Acceptance) -> bool {
        true
    }
}

impl Eq for Acceptance {}

/// The progress of an operation, from its Task or Job. Missing values are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// `TaskState` or `JobState`: `Running`, `Completed`, …
    pub state: SafeText,
    /// `TaskStatus` or `JobStatus`: `OK`, `Warning` or `Critical`.
    pub status: SafeText,
    /// `PercentComplete`.
    pub percent: Option<u8>,
    /// `Messages`, or the only `Message` of a Job.
    pub messages: Vec<Message>,
    /// How it ended. `None` while it goes on.
    pub(crate) end: Option<End>,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Well,
    Badly,
}
