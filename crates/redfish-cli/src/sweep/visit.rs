//! One service of a sweep: a client is made, does its work, closes its session, and is gone with its connections.
//!
//! ```text
//!   Entry ──▶ client ──▶ work, unless the sweep is to end ──▶ close, while Seen says that it can be ──▶ Ended: a line
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use redfish_hyper::{Client, Error, Transport};
use redfish_proto::{Credentials, ErrorKind, Operation, Redactor, Service, Session, Wanted};
use redfish_tls::Trust;
use serde_json::value::RawValue;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::line::Line;
use super::list::Entry;
use super::seen::{Left, Seen};
use super::stop::{Stop, Why};
use super::work::Command;
use crate::credentials::Identity;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hiding::Hiding;
use crate::options::Options;
use crate::state::Kept;

/// What all services of a sweep have in common.
pub(super) struct Setup {
    pub(super) options: Options,
    pub(super) command: Command,
}

/// How a service ended.
pub(super) struct Ended {
    /// What is printed.
    pub(super) line: Vec<u8>,
    /// The kind of its error.
    pub(super) failed: Option<&'static str>,
    /// What is to be said beside.
    pub(super) notes: Vec<String>,
}

/// What the work brought: what was found, why it failed, or both where a part did.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) output: Option<Box<RawValue>>,
    pub(super) failure: Option<Failure>,
}

/// A client at its service.
pub(super) struct Visit<'a> {
    setup: &'a Setup,
    trust: Trust,
    service: Arc<Service>,
    client: Client,
    who: Who,
    seen: Arc<Seen>,
    began: Instant,
    /// How long its work may take from then on.
    time: Duration,
    notes: Vec<String>,
    secrets: Redactor,
}

/// Who the client is, as far as that matters later on.
enum Who {
    Nobody,
    Basic(String),
    Bearer,
    Own(String),
    Kept(Kept, Option<Zeroizing<String>>),
}

/// Visits a service, up to the end of its session.
pub(super) async fn visit(entry: Entry, setup: Arc<Setup>, stop: Stop) -> Ended {
    let began = Instant::now();
    let Entry { service: name, identity, secrets, trust } = entry;
    let mut visit = match Visit::begin(&name, identity, secrets, trust, &setup) {
        Ok(visit) => visit,
        Err(failure) => {
            let outcome = Outcome { failure: Some(failure), ..Outcome::default() };
            return Line { service: &name, outcome, status: None, began }.end(&Redactor::default());
        }
    };
    let outcome = visit.work(&stop).await;
    let status = visit.seen.status();
    visit.learn();
    visit.close().await;
    let line = Line { service: &name, outcome, status, began };
    let notes = visit.notes.iter().map(|note| visit.secrets.clean(note).into_owned()).collect();
    Ended { notes, ..line.end(&visit.secrets) }
}

impl<'a> Visit<'a> {
    fn begin(
        name: &str,
        identity: Identity,
        secrets: Redactor,
        trust: Trust,
        setup: &'a Setup,
    ) -> Result<Visit<'a>, Failure> {
        let service = setup.options.service_at(name)?;
        let seen = Seen::new();
        let (client, who) = client(&service, identity, &trust, &setup.options, &seen)?;
        Ok(Visit {
            setup,
            trust,
            service,
            client,
            who,
            seen,
            began: Instant::now(),
            time: setup.options.timeout,
            notes: Vec::new(),
            secrets,
        })
    }

    /// Does what the command asks for, unless the sweep ends before.
    async fn work(&mut self, stop: &Stop) -> Outcome {
        let command = &self.setup.command;
        let ended = tokio::select! {
            biased;
            outcome = self.renewing(command) => Ok(outcome),
            why = stop.wait() => Err(why),
        };
        ended.unwrap_or_else(|why| Outcome { failure: Some(self.stopped(why)), output: None })
    }

    /// Where a kept session turns out to be forgotten, once more with one of its own. What is kept stays as it is:
    /// only a command that names the one service renews it.
    async fn renewing(&mut self, command: &Command) -> Outcome {
        let outcome = command.run(self).await;
        let forgotten =
            outcome.failure.as_ref().is_some_and(|failure| failure.is_kind(&ErrorKind::NotAuthenticated));
        if !forgotten || self.seen.wrote() {
            return outcome;
        }
        let Who::Kept(kept, Some(password)) = &self.who else { return outcome };
        let identity = Identity::Session(Credentials::new(kept.user(), password.as_str()));
        match client(&self.service, identity, &self.trust, &self.setup.options, &self.seen) {
            Ok((client, who)) => (self.client, self.who) = (client, who),
            Err(_) => return outcome,
        }
        command.run(self).await
    }

    /// Runs an operation, within the time that is left to this service.
    pub(super) async fn run<O>(&self, operation: O) -> Result<O::Output, Failure>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        self.run_for(self.left(), operation, |_| {}).await
    }

    /// The same in a time of its own; `waits` sees the operation each time it waits.
    pub(super) async fn run_for<O>(
        &self,
        time: Duration,
        operation: O,
        mut waits: impl FnMut(&O) + Send,
    ) -> Result<O::Output, Failure>
    where
        O: Operation + Send,
        O::Output: Send,
    {
        let password = match &self.who {
            Who::Kept(_, password) => password.as_ref(),
            _ => None,
        };
        let call = self.service.call(Hiding::new(operation, password)).deadline(time);
        Ok(self.client.run_watching(call, |hiding| waits(hiding.operation())).await?)
    }

    /// The session in use, opened if there is none yet.
    pub(super) async fn session(&self) -> Result<Session, Failure> {
        match timeout(self.left(), self.client.session()).await {
            Ok(session) => Ok(session?),
            Err(_) => Err(Wanted::any().expired().into()),
        }
    }

    /// Gives back the time that was spent on waiting.
    pub(super) fn has_waited(&mut self, since: Instant) {
        self.time = self.time.saturating_add(since.elapsed());
    }

    /// Says something about this service, beside the data.
    pub(super) fn note(&mut self, text: &str) {
        self.notes.push(format!("redfish: warning: {}: {text}", self.service));
    }

    pub(super) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// How long to wait for what takes its time.
    pub(super) fn patience(&self) -> Duration {
        self.setup.options.patience()
    }

    /// The user, where one is named.
    pub(super) fn user(&self) -> Option<&str> {
        match &self.who {
            Who::Nobody | Who::Bearer => None,
            Who::Basic(user) | Who::Own(user) => Some(user),
            Who::Kept(kept, _) => Some(kept.user()),
        }
    }

    /// How the client authenticates, in the words of `--auth`; `None` where it does not.
    pub(super) fn auth(&self) -> Option<&'static str> {
        match &self.who {
            Who::Nobody => None,
            Who::Basic(_) => Some("basic"),
            Who::Bearer => Some("bearer"),
            Who::Own(_) | Who::Kept(..) => Some("session"),
        }
    }

    /// Whether it uses a session that was kept.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self.who, Who::Kept(..))
    }

    fn left(&self) -> Duration {
        self.time.saturating_sub(self.began.elapsed())
    }

    /// Why there is no outcome. A write that was sent may have happened: who does again what failed must know.
    fn stopped(&self, why: Why) -> Failure {
        let failure = Failure::stopped(why == Why::Signal);
        match self.seen.wrote() {
            true => failure.ending(Exit::OutcomeUnknown),
            false => failure,
        }
    }

    /// The token in use is a secret.
    fn learn(&mut self) {
        if let Some(token) = self.client.current().as_ref().and_then(Session::expose) {
            self.secrets.add(token);
        }
    }

    /// Closes the session. A login that is still on its way is waited for as long as makes sense.
    async fn close(&mut self) {
        let closing = async {
            let closed = self.client.close().await;
            if closed.is_ok() {
                self.seen.settled().await;
            }
            closed
        };
        let left = tokio::select! {
            biased;
            closed = closing => match closed {
                Ok(_) => return,
                Err(error) => format!("the session could not be closed: {error}"),
            },
            left = self.seen.patience() => match left {
                Left::Nothing => return,
                Left::Login => "a login was not answered; it may have left a session open.".to_owned(),
                Left::Session => "a logout was not answered; it may have left a session open.".to_owned(),
            },
        };
        self.note(&left);
    }
}

/// A client with connections of its own, which end with it: no service is left with one that waits for nothing, and
/// this process with none of thousands. It costs next to nothing: the certificates to trust, the system's among them, are
/// read once and shared.
fn client(
    service: &Arc<Service>,
    identity: Identity,
    trust: &Trust,
    options: &Options,
    seen: &Arc<Seen>,
) -> Result<(Client, Who), Failure> {
    let transport = Transport::builder().trust(trust).connect_timeout(options.connect_timeout()).build();
    let observer = seen.clone().observer(service.to_string(), options.trace);
    let builder = Client::builder(service.clone()).transport(&transport).observer(observer);
    let (builder, who) = match identity {
        Identity::Anonymous => (builder, Who::Nobody),
        Identity::Basic(credentials) => {
            let user = credentials.user().to_owned();
            (builder.basic(credentials), Who::Basic(user))
        }
        Identity::Bearer(token) => (builder.bearer(&token), Who::Bearer),
        Identity::Kept(kept, password) => (builder.resume(kept.session(service)?), Who::Kept(kept, password)),
        Identity::Session(credentials) => {
            let user = credentials.user().to_owned();
            let builder = match options.session_context() {
                Some(context) => builder.context(context),
                None => builder,
            };
            (builder.login(credentials), Who::Own(user))
        }
    };
    Ok((builder.build().map_err(Error::into_core)?, who))
}
