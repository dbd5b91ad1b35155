//! Resetting a computer system (DSP0268, ComputerSystem.Reset), and waiting for its new power state.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::driver::time::Now;
use crate::enumerations::{PowerState, ResetType};
use crate::error::Error;
use crate::kind::ErrorKind;
use crate::message::{Condition, Message};
use crate::operation::{Operation, Request, Transition};
use crate::ops::action::invoke_on;
use crate::ops::chain::{Chain, Exchange, forward_to};
use crate::ops::follow_links::{FollowLinks, Missing};
use crate::ops::read_pages::{Collector, ReadPages};
use crate::ops::watch::{POLL_INTERVAL, next_poll};
use crate::outcome::Outcome;
use crate::outcome::Written;
use crate::redact::SafeText;
use crate::resource::Resource;
use crate::target::Target;
use crate::view::Enumeration as _;

/// The default URI of the collection of systems.
const SYSTEMS: &str = "/redfish/v1/Systems";

/// Resets a system: the given one, or the only one.
///
/// The reset type is checked against the allowable values before it is sent. A refusal because the system is in the
/// requested state already is a success, if the system reports that state, or reports none and the message is certain. A reset type
/// is sent as the service lists it, whatever its letter case.
#[derive(Debug)]
pub struct Reset {
    kind: ResetType,
    chain: Chain<ResetAccepted>,
}

/// A reset that the service accepted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResetAccepted {
    /// The system.
    pub system: Target,
    /// The outcome of the request. The power state follows seconds later.
    pub outcome: Outcome,
    /// The expected change of the power state, for [`WaitForPower`]. `None` if it is not known.
    pub change: Option<PowerChange>,
    /// Whether the system had a `PowerState` before the reset. If not, a wait for another state would never end.
    pub has_power_state: bool,
}

/// The change of a system's power state by a reset.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PowerChange {
    /// To this state.
    To(PowerState),
    /// From `On` to another state, and back.
    Restart,
}

impl PowerChange {
    /// The final state.
    pub fn state(&self) -> &PowerState {
        match self {
            PowerChange::To(state) => state,
            PowerChange::Restart => &PowerState::On,
        }
    }
}

impl From<PowerState> for PowerChange {
    fn from(state: PowerState) -> PowerChange {
        PowerChange::To(state)
    }
}

impl Reset {
    /// Resets the only system. A text such as `"ForceOff"` is a reset type, too.
    pub fn new(kind: impl Into<ResetType>) -> Reset {
        let kind = kind.into();
        let reset_type = kind.clone();
        let find = FollowLinks::new("/Systems/@odata.id", Missing::At(SYSTEMS));
        let chain = Chain::new(find, |(systems, _)| {
            Chain::next(ReadPages::new(systems, Systems::default()), move |(systems, failure)| {
                Ok(Transition::Next(Reset::invoke(&reset_type, systems.only(failure)?)))
            })
        });
        Reset { kind, chain }
    }

    /// Resets this system instead.
    #[must_use]
    pub fn system(self, system: Target) -> Reset {
        Reset { chain: Reset::invoke(&self.kind, system), ..self }
    }

    fn invoke(kind: &ResetType, system: Target) -> Chain<ResetAccepted> {
        let parameters = Map::from_iter([("ResetType".to_owned(), Value::from(kind.clone()))]);
        let change = Reset::expected_power_change(kind);
        Chain::new(Exchange(Request::get(&system)), move |received| {
            let answer = received?.success()?;
            let shown: Value = answer.json()?;
            let has_power_state = power_state(&shown).is_some();
            let expected = change.clone();
            let accepted =
                move |system, outcome| ResetAccepted { system, outcome, change: expected, has_power_state };
            invoke_on(&answer, "ComputerSystem.Reset", parameters, move |received| {
                let answer = received?;
                match (Outcome::read(&answer), change) {
                    (Ok(outcome), _) => Chain::done(accepted(system, outcome)),
                    (Err(refusal), Some(PowerChange::To(state))) if says_in_state(&refusal, &state) => {
                        let outcome = Outcome::Finished(Written::of(&answer, answer.messages()));
                        check_state(system.clone(), state, refusal, move || accepted(system, outcome))
                    }
                    (Err(refusal), _) => Err(refusal),
                }
            })
        })
    }

    /// The change of the power state by a reset of this type. `None` if it is not known.
    pub fn expected_power_change(kind: &ResetType) -> Option<PowerChange> {
        match kind {
            ResetType::On | ResetType::ForceOn => Some(PowerChange::To(PowerState::On)),
            ResetType::ForceOff | ResetType::GracefulShutdown => Some(PowerChange::To(PowerState::Off)),
            ResetType::GracefulRestart
            | ResetType::ForceRestart
            | ResetType::PowerCycle
            | ResetType::FullPowerCycle => Some(PowerChange::Restart),
            _ => None,
        }
    }
}

/// The state that a system reports, if it reports one.
fn power_state(system: &Value) -> Option<PowerState> {
    let state = system.get("PowerState").and_then(Value::as_str).filter(|state| !state.is_empty());
    state.map(PowerState::of)
}

/// Whether a refusal says that the system is in this state. iDRAC answers 409 to On for a system that is on, where DSP0266
/// requires a success.
fn says_in_state(refusal: &Error, state: &PowerState) -> bool {
    let names = |message: &Message| match message.condition() {
        Some(Condition::InState(named)) => named.is_none_or(|named| *state == *named),
        _ => false,
    };
    !refusal.may_have_written() && refusal.messages().iter().any(names)
}

/// Reads the system to see whether it is in this state. If it reports another one, or cannot be read, the refusal counts. A
/// system without a `PowerState` cannot contradict a message whose meaning is certain.
fn check_state(
    system: Target,
    state: PowerState,
    refusal: Error,
    accepted: impl FnOnce() -> ResetAccepted + Send + Sync + 'static,
) -> Result<Transition<Chain<ResetAccepted>>, Error> {
    let is_listed = |message: &Message| matches!(message.listed_condition(), Some(Condition::InState(Some(named))) if state == named);
    let is_certain = refusal.messages().iter().any(is_listed);
    Chain::next(Exchange(Request::get(&system).explaining_refusal()), move |received| {
        let system: Option<Value> = received.ok().and_then(|answer| answer.success().ok()?.json().ok());
        let is_there = match system.as_ref().map(power_state) {
            Some(Some(reported)) => reported == state,
            Some(None) => is_certain,
            None => false,
        };
        if is_there { Chain::done(accepted()) } else { Err(refusal) }
    })
}

impl Operation for Reset {
    type Output = ResetAccepted;

    forward_to!(chain);
}

/// The links to the systems, and their targets.
#[derive(Debug, Default)]
struct Systems(Vec<(SafeText, Result<Target, Error>)>);

impl Systems {
    /// The only system. If a page could not be read, there may be another one.
    fn only(self, failure: Option<Error>) -> Result<Target, Error> {
        match (<[_; 1]>::try_from(self.0), failure) {
            (Ok([(_, system)]), None) => system,
            (Ok(_), Some(failure)) => Err(failure),
            (Err(systems), Some(failure)) if systems.is_empty() => Err(failure),
            (Err(systems), _) => {
                let choices = systems.into_iter().map(|(link, _)| link).collect();
                Err(Error::new(ErrorKind::AmbiguousTarget { choices }))
            }
        }
    }
}

impl Collector for Systems {
    type Member = IgnoredAny;

    /// No system is read yet.
    fn target(&mut self, link: &str, answer: &Answer) -> Result<Option<Target>, Error> {
        let target = answer.resolve(link).map_err(|error| answer.stamp(error));
        self.0.push((answer.safe(link), target));
        Ok(None)
    }

    fn add(&mut self, _: Resource<IgnoredAny>) {}

    fn member_unreadable(&mut self, _: Target, _: Error) -> Result<(), Error> {
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.0.len() > 1
    }
}

/// Waits until a change of a system's power state is complete, up to the deadline of the call.
///
/// A state is reached when the system reports it. A restart is complete when the system has reported another state than
/// `On`, and then `On`. Many systems report `On` while they restart, or are off only between two polls. So a restart is
/// also complete if the system reports `On` [`restart_grace`](crate::Policy::restart_grace) after the first poll.
#[derive(Debug)]
pub struct WaitForPower {
    system: Target,
    observed: Observed,
    /// The state at the last poll that reported one.
    last: SafeText,
    failures: u32,
}

/// The states of a change so far.
#[derive(Debug)]
struct Observed {
    change: PowerChange,
    /// The time of the first poll.
    first: Option<Now>,
    /// Whether another state than the final one was observed.
    has_left: bool,
}

impl WaitForPower {
    /// Waits for a change of this system, from the first poll on.
    pub fn new(system: Target, change: impl Into<PowerChange>) -> WaitForPower {
        WaitForPower {
            system,
            observed: Observed { change: change.into(), first: None, has_left: false },
            last: SafeText::default(),
            failures: 0,
        }
    }

    /// The expected change.
    pub fn change(&self) -> &PowerChange {
        &self.observed.change
    }
}

impl Observed {
    /// Takes the current state and returns whether the change is complete. A missing state is ignored.
    fn observe(&mut self, state: Option<&PowerState>, grace: Duration, now: Now) -> bool {
        let first = *self.first.get_or_insert(now);
        let Some(state) = state else { return false };
        let is_final = state == self.change.state();
        self.has_left |= !is_final;
        let must_wait = self.change == PowerChange::Restart && !self.has_left && now.since(first) < grace;
        is_final && !must_wait
    }
}

impl Operation for WaitForPower {
    type Output = ();

    fn request(&self) -> Request {
        Request::get(&self.system)
    }

    fn respond(mut self, answer: Answer) -> Result<Transition<Self>, Error> {
        let system: Value = match answer.check().and_then(|()| answer.json()) {
            Ok(system) => system,
            Err(error) => return self.fail(error),
        };
        let state = power_state(&system);
        self.failures = 0;
        if let Some(state) = &state {
            self.last = answer.safe(state.as_str());
        }
        if self.observed.observe(state.as_ref(), answer.service.policy().restart_grace, answer.now()) {
            Ok(Transition::Done(()))
        } else {
            Ok(Transition::Later(self, Some(POLL_INTERVAL)))
        }
    }

    fn fail(mut self, error: Error) -> Result<Transition<Self>, Error> {
        match next_poll(&mut self.failures, error) {
            Ok(wait) => Ok(Transition::Later(self, Some(wait))),
            Err(error) if self.last.is_empty() => {
                Err(error.with_last_seen(format_args!("no power state was reported"), &[]))
            }
            Err(error) => {
                Err(error.with_last_seen(format_args!("its last power state was {}", self.last), &[]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(30);

    /// The second at which a change is complete, with these states at these seconds.
    fn completed_at(change: PowerChange, looks: &[(u64, &str)]) -> Option<u64> {
        let mut observed = Observed { change, first: None, has_left: false };
        let mut look = |second, state: &str| {
            let state = Some(state).filter(|state| !state.is_empty()).map(PowerState::of);
            observed.observe(state.as_ref(), GRACE, Now(Duration::from_secs(second)))
        };
        looks.iter().find(|(second, state)| look(*second, state)).map(|(second, _)| *second)
    }

    #[test]
    fn a_restart_is_complete_after_another_state_or_after_the_grace_period() {
        for (looks, end) in [
            (&[(100, "On"), (101, "On"), (102, "Off"), (103, "PoweringOn"), (104, "On")][..], Some(104)),
            (&[(100, "Off"), (101, "On")], Some(101)),
            (&[(100, "On"), (101, "PoweringOff"), (140, "Off"), (141, "PoweringOn")], None),
            (&[(100, "On"), (101, "On"), (129, "On"), (130, "On")], Some(130)),
            // A missing state is ignored.
            (&[(100, "On"), (101, ""), (102, "On"), (129, "On"), (131, ""), (132, "On")], Some(132)),
            (&[(100, ""), (129, "On"), (130, "On")], Some(130)),
        ] {
            assert_eq!(completed_at(PowerChange::Restart, looks), end, "{looks:?}");
        }
    }

    #[test]
    fn a_state_is_reached_when_it_is_reported() {
        assert_eq!(completed_at(PowerState::On.into(), &[(100, "On")]), Some(100));
        assert_eq!(
            completed_at(PowerState::Off.into(), &[(100, "On"), (101, "PoweringOff"), (102, "Off")]),
            Some(102)
        );
        assert_eq!(completed_at(PowerState::Off.into(), &[(100, "On"), (900, "On")]), None);
    }
}
