//! Requests that are answered 202: accepted now, carried out later, their answer fetched from a monitor.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::faults::fault::FaultKind;
use crate::mock::{Caller, Mock};
use crate::protocol::message::{Base, Message, TaskEvent};
use crate::protocol::request::Request;
use crate::protocol::response::Reply;
use crate::routing::route::Place;
use crate::state::schedule::Effect;
use crate::state::tasks::{self, Operation};

/// At how many percent of its work a task tells how far it is.
const TOLD: [u32; 3] = [25, 50, 75];

impl Mock {
    /// Carries a request out, at once or as a task. What is wrong with it is said at once either way.
    pub(crate) fn carry_out(
        &mut self,
        request: &Request<'_>,
        place: &Place,
        caller: Caller,
        now: Duration,
    ) -> Reply {
        let asked_for = |kind: &FaultKind| match kind {
            FaultKind::Task(takes) => Some((*takes, false)),
            FaultKind::FailingTask(takes) => Some((*takes, true)),
            _ => None,
        };
        let long = place.takes(self);
        let by_fault = !request.reads() && place.may_take_a_while() && self.faults.any(asked_for);
        if long.is_none() && !by_fault {
            return self.act(request, place, Some(caller), now);
        }
        let trial = self.clone().act(request, place, Some(caller), now);
        if !trial.status.is_success() {
            return trial;
        }
        match self.strike(request, asked_for).or(long.map(|takes| (takes, false))) {
            None => self.act(request, place, Some(caller), now),
            Some((takes, fails)) => {
                let lasts = if place.updates() && !fails { self.restart_time } else { Duration::ZERO };
                let written = now + takes;
                let takes = takes + lasts;
                let operation = Operation { request: request.to_owned(), caller, takes, fails };
                let id = self.tasks.begin(operation, now);
                if !lasts.is_zero() {
                    self.later.add(written, Effect::Restart { lasts, task: Some(id) });
                }
                for percent in TOLD {
                    self.later.add(now + takes * percent / 100, Effect::Progress(id, percent));
                }
                self.later.add(now + takes, Effect::Task(id));
                self.tell(Message::new(TaskEvent::TaskStarted, [&id.to_string()]), &tasks::path(id));
                self.pass(now);
                self.tasks.accepted(id, now, self.profile)
            }
        }
    }

    /// Tells how far a task is, while it runs.
    pub(crate) fn tell_progress(&mut self, id: u64, percent: u32) {
        if self.tasks.running(id).is_some() {
            let arguments = [&*id.to_string(), &*percent.to_string()];
            self.tell(Message::new(TaskEvent::TaskProgressChanged, arguments), &tasks::path(id));
        }
    }

    /// Does a task's work.
    pub(crate) fn finish_task(&mut self, id: u64, at: Duration) {
        let Some(Operation { request, caller, fails, .. }) = self.tasks.running(id).cloned() else { return };
        let request = Request::new(&request);
        let answer = match Place::find(self, &request) {
            _ if fails => Reply::refusal(StatusCode::INTERNAL_SERVER_ERROR, Base::InternalError, []),
            // A password that was changed meanwhile, or a role, counts.
            Some(place) => self.act(&request, &place, Some(caller), at),
            None => {
                let path = request.uri.path();
                Reply::refusal(StatusCode::NOT_FOUND, Base::ResourceMissingAtURI, [path])
            }
        };
        let message = self.tasks.end(id, answer, at);
        self.tell(message, &tasks::path(id));
    }

    /// What a monitor says: 202 while the task runs, then once the operation's own answer.
    pub(crate) fn poll(&mut self, request: &Request<'_>, id: u64, now: Duration) -> Reply {
        if self.strikes(request, &FaultKind::MonitorGone) {
            let path = request.uri.path();
            return Reply::refusal(StatusCode::NOT_FOUND, Base::ResourceMissingAtURI, [path]);
        }
        let answer = match request.method {
            &Method::HEAD => self.tasks.answer(id),
            _ => self.tasks.take_answer(id),
        };
        answer.unwrap_or_else(|| self.tasks.accepted(id, now, self.profile))
    }
}
