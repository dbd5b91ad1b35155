//! The settings resource of a resource (DSP0266, "Settings resource"), which holds what takes effect later. iDRAC 10 changes
//! Boot there.

use serde_json::Value;

use crate::answer::Answer;
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::link::link_at;
use crate::operation::Request;
use crate::ops::check_session::CHECK_TIMEOUT;
use crate::outcome::Outcome;
use crate::target::Target;

/// A change whose resource has a settings resource.
#[derive(Clone, Debug)]
pub(super) struct SettingsCheck {
    target: Target,
    /// The result of the change.
    result: Result<Outcome, Error>,
}

/// The settings resource of the resource that was read, if it has one.
pub(super) fn settings_of(resource: &Answer) -> Option<Target> {
    let document: Value = resource.json().ok()?;
    let target = resource.resolve(link_at(&document, "/@Redfish.Settings/SettingsObject/@odata.id")?).ok()?;
    (!target.is_same_except_slash(resource.target())).then_some(target)
}

impl SettingsCheck {
    /// `None` if the change was carried out in part, or later, or failed for a reason that has nothing to do with it: its
    /// outcome says enough.
    pub(super) fn new(target: Target, result: &Result<Outcome, Error>) -> Option<SettingsCheck> {
        let may_belong_there = match result {
            Ok(outcome) => matches!(outcome, Outcome::Finished(_)),
            Err(error) => {
                let is_refusal =
                    matches!(error.kind(), ErrorKind::Refused | ErrorKind::Conflict | ErrorKind::Forbidden);
                is_refusal && !error.may_have_written()
            }
        };
        may_belong_there.then(|| SettingsCheck { target, result: result.clone() })
    }

    /// Reads the settings resource, without much delay: the change itself has its outcome.
    pub(super) fn request(&self) -> Request {
        let request = Request::get(&self.target).probe(CHECK_TIMEOUT);
        if self.result.is_err() { request.explaining_refusal() } else { request }
    }

    /// The result of the change, which names the settings resource if that holds a member of the change.
    pub(super) fn explained(self, settings: &Answer, change: &Value) -> Result<Outcome, Error> {
        let held: Option<Value> = settings.check().and_then(|()| settings.json()).ok();
        if !held.is_some_and(|held| holds(&held, change)) {
            return self.result;
        }
        match self.result {
            Ok(Outcome::Finished(mut written)) => {
                written.settings = Some(Box::new(self.target));
                Ok(Outcome::Finished(written))
            }
            Ok(outcome) => Ok(outcome),
            Err(error) => {
                let earlier = error.hint();
                let hint =
                    format!("{earlier} Its settings resource {} holds this: change it there.", self.target);
                Err(error.with_hint(settings.safe(hint.trim_start())))
            }
        }
    }

    /// The result of the change without the settings resource.
    pub(super) fn unexplained(self) -> Result<Outcome, Error> {
        self.result
    }
}

/// Whether a resource has one of the members of a change.
fn holds(resource: &Value, change: &Value) -> bool {
    match (resource, change) {
        (Value::Object(resource), Value::Object(change)) => {
            change.is_empty()
                || change.iter().any(|(name, change)| {
                    !name.contains('@') && resource.get(name).is_some_and(|member| holds(member, change))
                })
        }
        _ => true,
    }
}
