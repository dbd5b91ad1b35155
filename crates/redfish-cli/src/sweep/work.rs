//! What a sweep does at each service: what the single commands do, with their words, through the async client.

use std::time::Instant;

use clap::Subcommand;
use redfish_proto::schema::ComputerSystem;
use redfish_proto::{
    Ended, ErrorKind, Get as Read, GetPage, ListSessions, Member, Monitor, Outcome as Written, Raw,
    Reset as Act, ResetTaken, Service, Target, UntilPower,
};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::visit::{Outcome, Visit};
use crate::document;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::get::Get;
use crate::members::Members;
use crate::outcome;
use crate::reset::{self, Reset};
use crate::whoami;

/// What can be done at many services.
#[derive(Clone, Subcommand)]
pub(super) enum Command {
    /// Reads resources
    ///
    /// "output" is the document, or with several PATHs a list of them, with null in place of what could not be read.
    Get(Get),
    /// Lists a whole collection, page after page
    ///
    /// "output" is a list of the members, each as the collection lists it.
    Members(Members),
    /// Resets a system
    ///
    /// The type is checked against what each system allows. "output" is the system and its power state. A reset that
    /// was sent is never sent again, by --retry-failed neither.
    Reset(Reset),
    /// Shows who one is to each service
    Whoami,
}

impl Command {
    /// Whether it changes anything.
    pub(super) fn writes(&self) -> bool {
        matches!(self, Command::Reset(_))
    }

    /// Whether its words can be meant for a service: a URL of another is refused.
    pub(super) fn check(&self, service: &Service) -> Result<(), Failure> {
        let paths: &[String] = match self {
            Command::Get(get) => &get.paths,
            Command::Members(members) => std::slice::from_ref(&members.path),
            Command::Reset(reset) => reset.system.as_slice(),
            Command::Whoami => &[],
        };
        paths.iter().try_for_each(|path| Ok(service.target(path).map(drop)?))
    }

    /// Does it.
    pub(super) async fn run(&self, visit: &mut Visit<'_>) -> Outcome {
        match self {
            Command::Get(get) => read(get, visit).await,
            Command::Members(members) => list(members, visit).await,
            Command::Reset(reset) => act(reset, visit).await,
            Command::Whoami => who(visit).await.into(),
        }
    }
}

impl From<Result<Value, Failure>> for Outcome {
    fn from(done: Result<Value, Failure>) -> Outcome {
        match done {
            Ok(value) => Outcome { output: to_raw_value(&value).ok(), failure: None },
            Err(failure) => Outcome { output: None, failure: Some(failure) },
        }
    }
}

/// Reads each path, also after one that failed; the first failure counts.
async fn read(get: &Get, visit: &Visit<'_>) -> Outcome {
    let mut failure = None;
    let mut documents: Vec<Option<Box<RawValue>>> = Vec::new();
    for path in &get.paths {
        let read = match visit.service().target(path) {
            Ok(at) => visit.run(Raw::get(&at)).await,
            Err(error) => Err(error.into()),
        };
        match read {
            Ok(answer) => documents.push(Some(document::value(answer.body()))),
            Err(failed) => {
                failure.get_or_insert(failed);
                documents.push(None);
            }
        }
    }
    let output = match documents.len() {
        1 => documents.pop().flatten(),
        _ if documents.iter().all(Option::is_none) => None,
        _ => to_raw_value(&documents).ok(),
    };
    Outcome { output, failure }
}

/// Lists a collection. What was listed before a failure is not lost.
async fn list(members: &Members, visit: &Visit<'_>) -> Outcome {
    let mut listed = Vec::new();
    let mut failure = None;
    if let Err(ended) = each(members, visit, &mut listed, &mut failure).await {
        failure.get_or_insert(ended);
    }
    let output = match failure.is_some() && listed.is_empty() {
        true => None,
        false => to_raw_value(&listed).ok(),
    };
    Outcome { output, failure }
}

async fn each(
    members: &Members,
    visit: &Visit<'_>,
    listed: &mut Vec<Box<RawValue>>,
    failed: &mut Option<Failure>,
) -> Result<(), Failure> {
    let mut next = Some(GetPage::first(visit.service().target(&members.path)?));
    while let Some(page) = next {
        let at = page.at().clone();
        let read = visit.run(page).await?;
        for member in read.members {
            if !(members.fetch && member.is_link()) {
                listed.push(document::value(member.as_bytes()));
                continue;
            }
            match fetch(visit, &at, &member).await {
                Ok(document) => listed.push(document),
                Err(failure) if failure.is_of_one() => drop(failed.get_or_insert(failure)),
                Err(failure) => return Err(failure),
            }
        }
        next = read.next?;
    }
    Ok(())
}

/// Reads the resource that a member links to.
async fn fetch(visit: &Visit<'_>, page: &Target, member: &Member) -> Result<Box<RawValue>, Failure> {
    let at = visit.service().link(page, &member.link().unwrap_or_default())?;
    Ok(document::value(visit.run(Raw::get(&at)).await?.body()))
}

/// Who the client is to the service, as the service sees it.
async fn who(visit: &Visit<'_>) -> Result<Value, Failure> {
    let Some(auth) = visit.auth() else { return Err(Failure::nobody()) };
    let (seen, session) = match auth {
        "session" => {
            let session = visit.session().await?;
            let at = match session.location() {
                Some(at) => at.clone(),
                // Their list shows as well whether the token is accepted.
                None => visit.service().target(SESSIONS)?,
            };
            let seen = visit.run(Read::<Value>::new(at)).await;
            (known(seen)?, session.location().map(ToString::to_string))
        }
        _ => {
            let listed = visit.run(ListSessions::default()).await;
            (known(listed.map(|_| Value::Null))?, None)
        }
    };
    let user = seen.get("UserName").and_then(Value::as_str).or(visit.user());
    Ok(whoami::object(visit.service(), user, auth, session.as_deref(), visit.is_kept()))
}

const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";

/// Nothing where the service knows who asks, and does not show it to him.
fn known(seen: Result<Value, Failure>) -> Result<Value, Failure> {
    match seen {
        Err(failure) if whoami::is_known(&failure) => Ok(Value::Null),
        seen => seen,
    }
}

async fn act(reset: &Reset, visit: &mut Visit<'_>) -> Outcome {
    let taken = match take(reset, visit).await {
        Ok(taken) => taken,
        Err(failure) => return Err(failure).into(),
    };
    let ResetTaken { system, outcome, change, .. } = taken;
    if let Written::Accepted(monitor) = outcome {
        if !reset.wait {
            return Ok(outcome::object(&monitor)).into();
        }
        if let Some(outcome) = watch(monitor, visit).await {
            return outcome;
        }
    }
    if let Some(change) = change.filter(|_| reset.wait) {
        let began = Instant::now();
        let until = UntilPower::new(system.clone(), change);
        let reached = visit.run_for(visit.patience(), until, |_| {}).await;
        visit.has_waited(began);
        return match reached {
            Ok(_) => Ok(reset::object(&system, Some(change.state()))),
            // Whatever went wrong, the reset was taken: who does again what failed must not do it again.
            Err(failure) => Err(failure.unknown()),
        }
        .into();
    }
    // The reset was taken, whether the state can be read or not.
    let power = match visit.run(Read::<ComputerSystem>::new(system.clone())).await {
        Ok(read) => read.power_state,
        Err(failure) => {
            visit.note(&format!("the reset was taken, but not the state read: {failure}"));
            None
        }
    };
    Ok(reset::object(&system, power.as_deref())).into()
}

async fn take(reset: &Reset, visit: &Visit<'_>) -> Result<ResetTaken, Failure> {
    let act = Act::new(reset.kind.as_str());
    let act = match &reset.system {
        Some(path) => act.system(visit.service().target(path)?),
        None => act,
    };
    visit.run(act).await
}

/// Waits for the end of a task; what it came to where that is not well.
async fn watch(monitor: Monitor, visit: &mut Visit<'_>) -> Option<Outcome> {
    let began = Instant::now();
    let mut last = monitor.clone();
    let ended =
        visit.run_for(visit.patience(), monitor.watch(), |watch| last = watch.monitor().clone()).await;
    visit.has_waited(began);
    match ended {
        Ok(Ended::Completed(_)) => None,
        Ok(Ended::Failed(error)) => Some(Err(Failure::from(error).ending(Exit::Failed)).into()),
        Err(failure) if failure.is_kind(&ErrorKind::TaskGone) => Some(Err(failure).into()),
        Err(failure) => {
            let output = to_raw_value(&outcome::object(&last)).ok();
            Some(Outcome { output, failure: Some(failure.unfinished(last.target())) })
        }
    }
}
