//! Tasks, and the monitors that return the responses of their operations (DSP0266, "Asynchronous operations").
//!
//! ```text
//!  202 ──► Running ──┬──► Completed   the monitor returns the response of the operation once, then is gone
//!                    ├──► Exception   the same
//!                    └──► Cancelled   by DELETE; the monitor is gone at once
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::caller::Caller;
use crate::inventory::services::TASK_RETENTION_MINUTES;
use crate::protocol::date::date_time;
use crate::protocol::message::{Base, Message, TaskEvent};
use crate::protocol::payload::Payload;
use crate::protocol::profile::Profile;
use crate::protocol::representation::Representation;
use crate::protocol::response::{Content, Response};
use crate::protocol::uris::{self, JOBS, TASKS};

/// The maximum number of tasks. A new task replaces the oldest one that has ended.
const MAX_TASKS: usize = 100;
/// The maximum size of the bodies that running tasks keep, in bytes. A single one may be larger.
const MAX_KEPT: usize = 16 << 20;

/// A request that a task carries out later for its caller.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) request: http::Request<Payload>,
    pub(crate) caller: Caller,
    pub(crate) duration: Duration,
    pub(crate) plan: Plan,
}

/// How a task is shown, and how it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// A task that carries out its operation.
    Task,
    /// A Job that carries out its operation.
    Job,
    /// A task that fails.
    Fails,
    /// A task that ends as Completed, with the status Critical.
    EndsCritically,
}

#[derive(Clone)]
struct Task {
    operation: Operation,
    started: Duration,
    end: Option<End>,
    /// The response that the monitor has not returned yet.
    response: Option<Response>,
}

/// How a task ended.
#[derive(Clone)]
struct End {
    at: Duration,
    state: &'static str,
    status: &'static str,
    messages: Vec<Message>,
}

/// The tasks by their `Id`, which is also that of their monitors.
#[derive(Clone, Default)]
pub(crate) struct Tasks {
    table: BTreeMap<u64, Task>,
    last: u64,
}

impl Tasks {
    /// Whether a task that keeps a body of this size can start.
    pub(crate) fn can_start(&self, size: usize) -> bool {
        let running = || self.table.values().filter(|task| task.end.is_none());
        let kept: usize = running().map(|task| task.operation.request.body().bytes().len()).sum();
        running().count() < MAX_TASKS && (kept == 0 || kept + size <= MAX_KEPT)
    }

    /// Starts a task, if [`Tasks::can_start`] allows it. Returns its number.
    pub(crate) fn start(&mut self, operation: Operation, now: Duration) -> u64 {
        if self.table.len() >= MAX_TASKS {
            let oldest = self.table.iter().find(|(_, task)| task.end.is_some()).map(|(&id, _)| id);
            oldest.map(|id| self.table.remove(&id));
        }
        self.last += 1;
        self.table.insert(self.last, Task { operation, started: now, end: None, response: None });
        self.last
    }

    /// The operation of a task that is running.
    pub(crate) fn running(&self, id: u64) -> Option<&Operation> {
        self.table.get(&id).filter(|task| task.end.is_none()).map(|task| &task.operation)
    }

    /// Ends a task with the response of its operation. Returns the message to publish.
    pub(crate) fn end(&mut self, id: u64, response: Response, at: Duration) -> Message {
        let name = id.to_string();
        let (state, status, event) = if response.status.is_client_error() || response.status.is_server_error()
        {
            ("Exception", "Critical", TaskEvent::TaskAborted)
        } else {
            ("Completed", "OK", TaskEvent::TaskCompletedOK)
        };
        let message = Message::new(event, [&name]);
        let Some(task) = self.table.get_mut(&id) else { return message };
        let mut messages = vec![message.clone()];
        if let Content::Messages(details) = &response.content {
            messages.extend(details.iter().cloned());
        }
        task.end = Some(End { at, state, status, messages });
        task.response = Some(response);
        // The body may be long, and is not needed any more.
        *task.operation.request.body_mut() = Payload::default();
        message
    }

    /// Ends a task as Completed, with the status Critical, as iDRAC reports an update that failed. Its monitor then returns the
    /// task. Returns the message to publish.
    pub(crate) fn end_critically(&mut self, id: u64, at: Duration, profile: Profile) -> Message {
        let message = Message::new(TaskEvent::TaskAborted, [&id.to_string()]);
        let messages = vec![message.clone(), Message::new(Base::InternalError, [])];
        if let Some(task) = self.table.get_mut(&id) {
            task.end = Some(End { at, state: "Completed", status: "Critical", messages });
        }
        let shown = self.representation(id, at, profile);
        if let (Some(task), Some(shown)) = (self.table.get_mut(&id), shown) {
            task.response = Some(Response::resource(Representation { etag: String::new(), ..shown }));
        }
        message
    }

    /// Removes the monitor of a task, and cancels the task if it is running. Returns the message to publish.
    pub(crate) fn cancel(&mut self, id: u64, at: Duration) -> Option<Message> {
        let task = self.table.get_mut(&id)?;
        task.response = None;
        if task.end.is_some() {
            return None;
        }
        let message = Message::new(TaskEvent::TaskCancelled, [&id.to_string()]);
        task.end = Some(End { at, state: "Cancelled", status: "Warning", messages: vec![message.clone()] });
        Some(message)
    }

    pub(crate) fn remove(&mut self, id: u64) {
        self.table.remove(&id);
    }

    /// Removes the tasks that ended long ago.
    pub(crate) fn expire(&mut self, now: Duration) {
        let retention = Duration::from_secs(TASK_RETENTION_MINUTES * 60);
        self.table
            .retain(|_, task| task.end.as_ref().is_none_or(|end| now.saturating_sub(end.at) < retention));
    }

    /// The task with this last segment of its path.
    pub(crate) fn find(&self, segment: &str) -> Option<u64> {
        self.find_any(segment).filter(|id| !self.is_job(*id))
    }

    /// The Job with this last segment of its path.
    pub(crate) fn find_job(&self, segment: &str) -> Option<u64> {
        self.find_any(segment).filter(|id| self.is_job(*id))
    }

    fn find_any(&self, segment: &str) -> Option<u64> {
        let id = segment.parse().ok()?;
        (self.table.contains_key(&id) && id.to_string() == segment).then_some(id)
    }

    fn is_job(&self, id: u64) -> bool {
        self.table.get(&id).is_some_and(|task| task.operation.plan == Plan::Job)
    }

    /// The task with this last segment of the path of its monitor, if the monitor still exists.
    pub(crate) fn find_monitor(&self, segment: &str) -> Option<u64> {
        self.find(segment).filter(|id| self.has_monitor(*id))
    }

    fn has_monitor(&self, id: u64) -> bool {
        self.table.get(&id).is_some_and(|task| task.end.is_none() || task.response.is_some())
    }

    /// The account that started a task.
    pub(crate) fn account(&self, id: u64) -> Option<u32> {
        self.table.get(&id).map(|task| task.operation.caller.account)
    }

    /// Removes and returns the response of the operation, if the task has ended.
    pub(crate) fn take_response(&mut self, id: u64) -> Option<Response> {
        self.table.get_mut(&id)?.response.take()
    }

    /// Returns the response of the operation, if the task has ended, and keeps it.
    pub(crate) fn response(&self, id: u64) -> Option<Response> {
        self.table.get(&id)?.response.clone()
    }

    /// 202: the current state of the task, the URI of its monitor, and when to poll it.
    pub(crate) fn accepted(&self, id: u64, now: Duration, profile: Profile) -> Response {
        let content = match self.representation(id, now, profile).filter(|_| !self.is_job(id)) {
            // Clients would mistake an ETag for that of the written resource.
            Some(task) => Content::Resource(Representation { etag: String::new(), ..task }),
            None => Content::Empty,
        };
        let left = self
            .table
            .get(&id)
            .map_or(Duration::ZERO, |task| (task.started + task.operation.duration).saturating_sub(now));
        // Short enough for the client to see the progress.
        let retry_after = left.as_millis().div_ceil(1000).clamp(1, 2);
        let response = Response::new(StatusCode::ACCEPTED, content)
            .with_header(http::header::RETRY_AFTER, &retry_after.to_string());
        let location = if self.is_job(id) { uris::job(id) } else { uris::task_monitor(id) };
        Response { location: Some(location), ..response }
    }

    pub(crate) fn collection(&self, profile: Profile) -> Representation {
        let tasks = self.table.keys().filter(|id| !self.is_job(**id));
        listing(TASKS, "Task", tasks.map(|id| uris::task(*id)), profile)
    }

    /// The collection of Jobs.
    pub(crate) fn jobs(&self, profile: Profile) -> Representation {
        let jobs = self.table.keys().filter(|id| self.is_job(**id));
        listing(JOBS, "Job", jobs.map(|id| uris::job(*id)), profile)
    }

    pub(crate) fn representation(&self, id: u64, now: Duration, profile: Profile) -> Option<Representation> {
        let task = self.table.get(&id)?;
        let mut document = task.document(id, now, profile);
        if self.is_job(id) {
            document = job(document);
        } else if self.has_monitor(id) {
            document["TaskMonitor"] = json!(uris::task_monitor(id));
        }
        Some(Representation::new(document, 0, profile))
    }
}

/// A collection of resources of this schema.
fn listing(
    path: &str,
    schema: &str,
    members: impl Iterator<Item = String>,
    profile: Profile,
) -> Representation {
    let members: Vec<Value> = members.map(|member| json!({"@odata.id": member})).collect();
    let document = json!({
        "@odata.id": path,
        "@odata.type": format!("#{schema}Collection.{schema}Collection"),
        "Name": format!("{schema}s"),
        "Members@odata.count": members.len(),
        "Members": members,
    });
    Representation::new(document, 0, profile)
}

impl Task {
    fn document(&self, id: u64, now: Duration, profile: Profile) -> Value {
        let name = id.to_string();
        let request = &self.operation.request;
        let percent = self.percent(now);
        let mut messages = vec![Message::new(TaskEvent::TaskStarted, [&name])];
        match &self.end {
            Some(end) => messages.extend(end.messages.iter().cloned()),
            None => {
                messages.push(Message::new(TaskEvent::TaskProgressChanged, [&name, &percent.to_string()]))
            }
        }
        let state = self.end.as_ref().map_or("Running", |end| end.state);
        let mut document = json!({
            "@odata.id": uris::task(id),
            "@odata.type": "#Task.v1_7_4.Task",
            "Id": name,
            "Name": format!("Task {id}"),
            "TaskState": state,
            "TaskStatus": self.end.as_ref().map_or("OK", |end| end.status),
            "PercentComplete": percent,
            "StartTime": date_time(self.started),
            // Without headers and body, which may contain a password.
            "Payload": {"HttpOperation": request.method().as_str(), "TargetUri": request.uri().path()},
            "Messages": messages.iter().map(|message| message.render(profile)).collect::<Vec<_>>(),
        });
        match &self.end {
            Some(end) => document["EndTime"] = json!(date_time(end.at)),
            None => {
                document["EstimatedDuration"] = json!(format!("PT{}S", self.operation.duration.as_secs_f64()))
            }
        }
        document
    }

    fn percent(&self, now: Duration) -> u128 {
        let (now, completed) = match &self.end {
            Some(end) => (end.at, end.status == "OK"),
            None => (now, false),
        };
        if completed {
            return 100;
        }
        let elapsed = now.saturating_sub(self.started).as_millis();
        (elapsed * 100 / self.operation.duration.as_millis().max(1)).min(99)
    }
}

/// The document of a task as that of a Job.
fn job(mut task: Value) -> Value {
    let id = task["Id"].as_str().unwrap_or_default().to_owned();
    let mut take = |name: &str| task[name].take();
    json!({
        "@odata.id": format!("{JOBS}/{id}"),
        "@odata.type": "#Job.v1_2_5.Job",
        "Name": format!("Job {id}"),
        "Id": id,
        "JobState": take("TaskState"),
        "JobStatus": take("TaskStatus"),
        "PercentComplete": take("PercentComplete"),
        "StartTime": take("StartTime"),
        "Payload": take("Payload"),
        "Messages": take("Messages"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::privilege::Role;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn operation() -> Operation {
        let caller = Caller { account: 1, session: None, role: Role::Administrator };
        Operation {
            request: http::Request::new(Payload::default()),
            caller,
            duration: seconds(10),
            plan: Plan::Task,
        }
    }

    #[test]
    fn ten_thousand_tasks_leave_one_hundred_and_then_none() {
        let mut tasks = Tasks::default();
        for n in 0..10_000 {
            let id = tasks.start(operation(), seconds(n));
            tasks.end(id, Response::success(Profile::Standard), seconds(n));
            assert!(tasks.table.len() <= MAX_TASKS);
        }
        assert_eq!(tasks.table.len(), MAX_TASKS);
        tasks.expire(seconds(9_999 + 3599));
        assert_eq!(tasks.table.len(), 1);
        tasks.expire(seconds(9_999 + 3600));
        assert_eq!(tasks.table.len(), 0);
    }

    #[test]
    fn a_running_task_is_never_100_percent_complete() {
        let mut tasks = Tasks::default();
        let id = tasks.start(operation(), seconds(5));
        let percent = |tasks: &Tasks, now| tasks.table[&id].percent(now);
        assert_eq!(percent(&tasks, seconds(5)), 0);
        assert_eq!(percent(&tasks, seconds(8)), 30);
        assert_eq!(percent(&tasks, seconds(99)), 99);
        tasks.end(id, Response::success(Profile::Standard), seconds(15));
        assert_eq!(percent(&tasks, seconds(15)), 100);
    }
}
