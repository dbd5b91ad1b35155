//! Following links from the service root to a resource.

use serde_json::Value;

use crate::answer::Answer;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::link::link_at;
use crate::operation::{Auth, Operation, Request, Transition};
use crate::reason::Feature;
use crate::target::Target;

/// The service root (DSP0266, "Service root request").
pub(crate) fn root() -> Target {
    Target::well_known("/redfish/v1/")
}

/// Reads the service root and follows one link after another. Returns the target of the last link, and the answer that
/// contained it.
#[derive(Debug)]
pub(crate) struct FollowLinks {
    target: Target,
    auth: Auth,
    /// The link to follow next, and those after it, as JSON pointers.
    pointer: &'static str,
    rest: &'static [&'static str],
    missing: Missing,
}

/// What a missing link means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Missing {
    /// The service does not support this.
    NotSupported(Feature),
    /// The resource is at this path, the standard's usual one.
    At(&'static str),
}

impl FollowLinks {
    /// Follows the link at this pointer of the service root.
    pub(crate) fn new(pointer: &'static str, missing: Missing) -> FollowLinks {
        FollowLinks { target: root(), auth: Auth::Session, pointer, rest: &[], missing }
    }

    /// Then follows the links at these pointers, each in the resource that the previous link leads to.
    pub(crate) fn then(mut self, pointers: &'static [&'static str]) -> FollowLinks {
        self.rest = pointers;
        self
    }

    /// Reads the root without credentials.
    pub(crate) fn anonymous_root(mut self) -> FollowLinks {
        self.auth = Auth::None;
        self
    }
}

impl Operation for FollowLinks {
    type Output = (Target, Answer);

    fn request(&self) -> Request {
        Request::get(&self.target)
    }

    fn auth(&self) -> Auth {
        self.auth
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let answer = answer.success()?;
        let resource: Value = answer.json()?;
        let target = match (link_at(&resource, self.pointer), self.missing) {
            (Some(link), _) => answer.resolve(link)?,
            (None, Missing::At(path)) => Target::well_known(path),
            (None, Missing::NotSupported(feature)) => {
                return Err(Error::new(ErrorKind::NotSupported(feature)));
            }
        };
        match self.rest.split_first() {
            None => Ok(Transition::Done((target, answer))),
            Some((pointer, rest)) => {
                Ok(Transition::Next(FollowLinks { target, auth: Auth::Session, pointer, rest, ..self }))
            }
        }
    }
}
