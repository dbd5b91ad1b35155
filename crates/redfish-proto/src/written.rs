//! A change that was carried out.

use bytes::Bytes;
use http::StatusCode;

use crate::etag::ETag;
use crate::message::Message;
use crate::redact::SafeText;
use crate::target::Target;

/// A change that was carried out.
#[derive(Clone, Debug)]
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
}
