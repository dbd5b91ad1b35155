//! Changing a resource with PATCH, PUT, POST and DELETE.

mod settings;

use http::header::{HeaderValue, IF_MATCH};
use http::{Method, StatusCode};
use serde_json::Value;

use crate::answer::Answer;
use crate::body::Body;
use crate::error::Error;
use crate::etag::{ETag, ETagForm};
use crate::kind::ErrorKind;
use crate::operation::{Operation, Request, Transition};
use crate::outcome::Outcome;
use crate::reason::{RequestError, TargetError};
use crate::redact::Redactor;
use crate::resource::Resource;
use crate::target::Target;
use crate::view::{Changes, Collection, Create, Link, Patch};

use settings::{SettingsCheck, settings_of};

/// What to do if the version of a resource cannot be read.
const UNKNOWN_VERSION: &str = "Nothing was changed, because the resource's version is not known. To overwrite any version, send no If-Match.";

/// A change of a resource (DSP0266, "Data modification requests").
///
/// By default it is sent without `If-Match`. A 412 ends in [`Conflict`](crate::ErrorKind::Conflict) with the current
/// ETag of the resource.
#[derive(Clone, Debug)]
pub struct Write {
    request: Request,
    if_match: IfMatch,
    /// Whether to say if the change belongs to the settings resource.
    checks_settings: bool,
    /// The settings resource, if the resource was read and has one.
    settings: Option<Target>,
    stage: Stage,
}

/// The version of the resource that a [`Write`] changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfMatch {
    /// Any version.
    #[default]
    None,
    /// This version, which the caller has read.
    Exactly(ETag),
    /// The current version, which is read first. A change by another client between the two requests is not
    /// overwritten.
    Current,
    /// Any version. After a 428, the ETag is read and the write is sent again: a 428 means that the first was not
    /// carried out.
    IfRequired,
}

#[derive(Clone, Debug)]
enum Stage {
    /// Reads the ETag before the write.
    Read,
    /// Writes, with this `If-Match`.
    Send(Option<HeaderValue>),
    /// Reads the ETag to add it to this error.
    Explain(Error),
    /// Reads the settings resource.
    CheckSettings(Box<SettingsCheck>),
}

impl Write {
    /// Changes the members in the body and leaves the others.
    pub fn patch(target: &Target, body: Body) -> Write {
        Write::of(Request::patch(target).json(body))
    }

    /// Replaces the whole resource.
    pub fn put(target: &Target, body: Body) -> Write {
        Write::of(Request::new(Method::PUT, target).json(body))
    }

    /// Creates a member of a collection.
    pub fn post(target: &Target, body: Body) -> Write {
        Write::of(Request::post(target).json(body))
    }

    /// Removes a resource.
    pub fn delete(target: &Target) -> Write {
        Write::of(Request::delete(target))
    }

    /// Sets the JSON body of a [`delete`](Write::delete), such as `@Redfish.OperationApplyTime`.
    #[must_use]
    pub fn json(mut self, body: Body) -> Write {
        self.request = self.request.json(body);
        self
    }

    /// Changes a resource that was read, if it is still the version that was read. One without an ETag is read for it first.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] for a number that is not finite and for a patch without changes, [`ErrorKind::InvalidTarget`]
    /// for a part of a resource, which has no URI of its own: a write there would change the resource that contains it.
    pub fn update<P: Patch>(resource: &Resource<P::Resource>, patch: P) -> Result<Write, Error> {
        if resource.target().fragment().is_some() {
            let error = Error::new(ErrorKind::InvalidTarget(TargetError::PartOfResource));
            return Err(error.with_hint("Change the resource that it is in."));
        }
        let version = resource.etag().cloned().map_or(IfMatch::Current, IfMatch::Exactly);
        let changes: Changes = patch.into();
        if changes.is_empty() {
            return Err(Error::new(ErrorKind::InvalidRequest(RequestError::NoChanges)));
        }
        Ok(Write::patch(resource.target(), Body::json(&changes)?).if_match(version))
    }

    /// Creates a member of a collection.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] for a number that is not finite, and those of
    /// [`Link::target`].
    pub fn create<P, C>(collection: &Link<C>, body: P) -> Result<Write, Error>
    where
        P: Create,
        C: Collection<Member = P::Resource>,
    {
        Ok(Write::post(&collection.target()?, Body::json(&body)?))
    }

    fn of(request: Request) -> Write {
        Write {
            request,
            if_match: IfMatch::None,
            checks_settings: false,
            settings: None,
            stage: Stage::Send(None),
        }
    }

    /// Says if the change belongs to the settings resource of the resource (DSP0266, "Settings resource"): in
    /// [`Written::settings`](crate::ops::Written::settings), or in the hint of a refusal. The settings resource is read only if
    /// the resource was read for its ETag, and names one.
    #[must_use]
    pub fn checking_settings(mut self) -> Write {
        self.checks_settings = true;
        self
    }

    /// Sets the version that it changes.
    #[must_use]
    pub fn if_match(mut self, if_match: IfMatch) -> Write {
        self.stage = match &if_match {
            IfMatch::Exactly(etag) => Stage::Send(Some(etag.value())),
            IfMatch::Current => Stage::Read,
            IfMatch::None | IfMatch::IfRequired => Stage::Send(None),
        };
        self.if_match = if_match;
        self
    }

    fn after_write(mut self, answer: &Answer, etag: Option<&HeaderValue>) -> Result<Transition<Self>, Error> {
        match answer.status() {
            StatusCode::PRECONDITION_FAILED => {
                self.stage = Stage::Explain(answer.refusal());
                Ok(Transition::Next(self))
            }
            StatusCode::PRECONDITION_REQUIRED if self.if_match == IfMatch::IfRequired && etag.is_none() => {
                self.stage = Stage::Read;
                Ok(Transition::Next(self))
            }
            _ => self.finish(answer),
        }
    }

    /// Ends with the outcome, after a look at the settings resource if there is one.
    fn finish(mut self, answer: &Answer) -> Result<Transition<Self>, Error> {
        let result = Outcome::read(answer).map_err(|error| answer.stamp(error));
        match self.settings.take().and_then(|settings| SettingsCheck::new(settings, &result)) {
            Some(check) => {
                self.stage = Stage::CheckSettings(Box::new(check));
                Ok(Transition::Next(self))
            }
            None => result.map(Transition::Done),
        }
    }

    /// What the request changes.
    fn change(&self) -> Value {
        let sent = self.request.body.bytes().and_then(|bytes| serde_json::from_slice(bytes).ok());
        sent.unwrap_or_default()
    }
}

impl Operation for Write {
    type Output = Outcome;

    fn request(&self) -> Request {
        match &self.stage {
            Stage::Read | Stage::Explain(_) => Request::get(&self.request.target),
            Stage::CheckSettings(check) => check.request(),
            Stage::Send(None) => self.request.clone(),
            Stage::Send(Some(etag)) => self.request.clone().header(IF_MATCH, etag.clone()),
        }
    }

    fn secrets(&self, known: &mut Redactor) {
        self.request.body.register_secrets(known);
    }

    fn respond(mut self, answer: Answer) -> Result<Transition<Self>, Error> {
        match self.stage.clone() {
            Stage::Read => {
                let answer = answer.success()?;
                let form = answer.service.policy().etag_form;
                let etag = match form {
                    // The version does not matter then.
                    ETagForm::Any | ETagForm::Never => ETag::of(&answer),
                    _ => ETag::read(&answer).map_err(|error| error.with_hint(UNKNOWN_VERSION))?,
                };
                self.settings = Some(&answer).filter(|_| self.checks_settings).and_then(settings_of);
                self.stage = Stage::Send(etag.and_then(|etag| etag.in_form(form)));
                // Another 428 is final.
                self.if_match = IfMatch::Current;
                Ok(Transition::Next(self))
            }
            Stage::Send(etag) => self.after_write(&answer, etag.as_ref()),
            Stage::Explain(error) => Err(error.with_etag(ETag::of(&answer))),
            Stage::CheckSettings(check) => check.explained(&answer, &self.change()).map(Transition::Done),
        }
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        match self.stage {
            // The conflict is reported even if the ETag cannot be read.
            Stage::Explain(conflict) => Err(conflict),
            Stage::CheckSettings(check) => check.unexplained().map(Transition::Done),
            _ => Err(error),
        }
    }
}
