//! Work that takes a while: tasks, and the monitors that give the work's own answer (DSP0266, "Asynchronous operations").
//!
//! ```text
//!  202 ──► Running ──┬──► Completed   the monitor gives the operation's answer once, then is gone
//!                    ├──► Exception   the same
//!                    └──► Cancelled   by DELETE; the monitor is gone at once
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::mock::Caller;
use crate::protocol::date::date_time;
use crate::protocol::message::{Message, TaskEvent};
use crate::protocol::profile::Profile;
use crate::protocol::response::{Content, Rendered, Reply};

pub(crate) const TASK_SERVICE: &str = "/redfish/v1/TaskService";
pub(crate) const TASKS: &str = "/redfish/v1/TaskService/Tasks";
pub(crate) const MONITORS: &str = "/redfish/v1/TaskService/TaskMonitors";

/// After how many minutes a task that has ended is forgotten.
pub(crate) const KEPT_MINUTES: u64 = 60;
/// How many tasks are kept; the oldest that has ended makes room.
const KEPT: usize = 100;

/// A request that is carried out later, in the name of who sent it.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) request: http::Request<Vec<u8>>,
    pub(crate) caller: Caller,
    pub(crate) takes: Duration,
    /// Whether it ends badly, whatever it would have done.
    pub(crate) fails: bool,
}

#[derive(Clone)]
struct Task {
    operation: Operation,
    began: Duration,
    end: Option<End>,
    /// What the monitor has to tell yet.
    answer: Option<Reply>,
}

/// How a task ended.
#[derive(Clone)]
struct End {
    at: Duration,
    state: &'static str,
    messages: Vec<Message>,
}

/// The tasks, by the number that is their `Id` and their monitor's.
#[derive(Clone, Default)]
pub(crate) struct Tasks {
    table: BTreeMap<u64, Task>,
    last: u64,
}

impl Tasks {
    /// Accepts an operation; the task's number.
    pub(crate) fn begin(&mut self, operation: Operation, now: Duration) -> u64 {
        if self.table.len() >= KEPT {
            let oldest = self.table.iter().find(|(_, task)| task.end.is_some()).map(|(&id, _)| id);
            oldest.map(|id| self.table.remove(&id));
        }
        self.last += 1;
        self.table.insert(self.last, Task { operation, began: now, end: None, answer: None });
        self.last
    }

    /// What a task that still runs has to do.
    pub(crate) fn running(&self, id: u64) -> Option<&Operation> {
        self.table.get(&id).filter(|task| task.end.is_none()).map(|task| &task.operation)
    }

    /// Ends a task with the answer of its operation; what there is to say of that.
    pub(crate) fn end(&mut self, id: u64, answer: Reply, at: Duration) -> Message {
        let name = id.to_string();
        let (state, event) = if answer.status.is_client_error() || answer.status.is_server_error() {
            ("Exception", TaskEvent::TaskAborted)
        } else {
            ("Completed", TaskEvent::TaskCompletedOK)
        };
        let message = Message::new(event, [&name]);
        let Some(task) = self.table.get_mut(&id) else { return message };
        let mut messages = vec![message.clone()];
        if let Content::Messages(told) = &answer.content {
            messages.extend(told.iter().cloned());
        }
        task.end = Some(End { at, state, messages });
        task.answer = Some(answer);
        // It may be long, and is not needed any more.
        task.operation.request.body_mut().clear();
        message
    }

    /// Drops a task's monitor, and stops the task where it still runs; what there is to say of that.
    pub(crate) fn cancel(&mut self, id: u64, at: Duration) -> Option<Message> {
        let task = self.table.get_mut(&id)?;
        task.answer = None;
        if task.end.is_some() {
            return None;
        }
        let message = Message::new(TaskEvent::TaskCancelled, [&id.to_string()]);
        task.end = Some(End { at, state: "Cancelled", messages: vec![message.clone()] });
        Some(message)
    }

    pub(crate) fn remove(&mut self, id: u64) {
        self.table.remove(&id);
    }

    /// Forgets what ended long ago.
    pub(crate) fn expire(&mut self, now: Duration) {
        let kept = Duration::from_secs(KEPT_MINUTES * 60);
        self.table.retain(|_, task| task.end.as_ref().is_none_or(|end| now.saturating_sub(end.at) < kept));
    }

    /// The task at the last segment of a path.
    pub(crate) fn find(&self, segment: &str) -> Option<u64> {
        let id = segment.parse().ok()?;
        (self.table.contains_key(&id) && id.to_string() == segment).then_some(id)
    }

    /// The task whose monitor stands at the last segment of a path, as long as the monitor has something to tell.
    pub(crate) fn find_monitored(&self, segment: &str) -> Option<u64> {
        self.find(segment).filter(|id| self.is_monitored(*id))
    }

    fn is_monitored(&self, id: u64) -> bool {
        self.table.get(&id).is_some_and(|task| task.end.is_none() || task.answer.is_some())
    }

    /// Whose task it is.
    pub(crate) fn account(&self, id: u64) -> Option<u32> {
        self.table.get(&id).map(|task| task.operation.caller.account)
    }

    /// The operation's own answer, where there is one. It is told once.
    pub(crate) fn take_answer(&mut self, id: u64) -> Option<Reply> {
        self.table.get_mut(&id)?.answer.take()
    }

    /// The same for who only looks.
    pub(crate) fn answer(&self, id: u64) -> Option<Reply> {
        self.table.get(&id)?.answer.clone()
    }

    /// 202: the task as it is, where its monitor is, and when to ask again.
    pub(crate) fn accepted(&self, id: u64, now: Duration, profile: Profile) -> Reply {
        let content = match self.render(id, now, profile) {
            // An ETag here would be taken for that of what was written.
            Some(task) => Content::Document(Rendered { etag: String::new(), ..task }),
            None => Content::Nothing,
        };
        let left = self
            .table
            .get(&id)
            .map_or(Duration::ZERO, |task| (task.began + task.operation.takes).saturating_sub(now));
        // Soon enough for a client to see it proceed.
        let again = left.as_millis().div_ceil(1000).clamp(1, 2);
        let mut reply =
            Reply::new(StatusCode::ACCEPTED, content).with(http::header::RETRY_AFTER, &again.to_string());
        reply.created = Some(monitor(id));
        reply
    }

    pub(crate) fn collection(&self, profile: Profile) -> Rendered {
        let members: Vec<Value> = self.table.keys().map(|id| json!({"@odata.id": path(*id)})).collect();
        let document = json!({
            "@odata.id": TASKS,
            "@odata.type": "#TaskCollection.TaskCollection",
            "Name": "Tasks",
            "Members@odata.count": members.len(),
            "Members": members,
        });
        Rendered::new(document, 0, profile)
    }

    pub(crate) fn render(&self, id: u64, now: Duration, profile: Profile) -> Option<Rendered> {
        let task = self.table.get(&id)?;
        let mut document = task.document(id, now, profile);
        if self.is_monitored(id) {
            document["TaskMonitor"] = json!(monitor(id));
        }
        Some(Rendered::new(document, 0, profile))
    }
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
            "@odata.id": path(id),
            "@odata.type": "#Task.v1_7_4.Task",
            "Id": name,
            "Name": format!("Task {id}"),
            "TaskState": state,
            "TaskStatus": match state { "Exception" => "Critical", "Cancelled" => "Warning", _ => "OK" },
            "PercentComplete": percent,
            "StartTime": date_time(self.began),
            // Neither headers nor body: a password may be in them.
            "Payload": {"HttpOperation": request.method().as_str(), "TargetUri": request.uri().path()},
            "Messages": messages.iter().map(|message| message.spell(profile)).collect::<Vec<_>>(),
        });
        match &self.end {
            Some(end) => document["EndTime"] = json!(date_time(end.at)),
            None => {
                document["EstimatedDuration"] = json!(format!("PT{}S", self.operation.takes.as_secs_f64()))
            }
        }
        document
    }

    fn percent(&self, now: Duration) -> u128 {
        let (now, completed) = match &self.end {
            Some(end) => (end.at, end.state == "Completed"),
            None => (now, false),
        };
        if completed {
            return 100;
        }
        let elapsed = now.saturating_sub(self.began).as_millis();
        (elapsed * 100 / self.operation.takes.as_millis().max(1)).min(99)
    }
}

/// The path of a task.
pub(crate) fn path(id: u64) -> String {
    format!("{TASKS}/{id}")
}

/// The path of a task's monitor.
pub(crate) fn monitor(id: u64) -> String {
    format!("{MONITORS}/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::accounts::Role;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn operation() -> Operation {
        let caller = Caller { account: 1, session: None, role: Role::Administrator };
        Operation { request: http::Request::new(Vec::new()), caller, takes: seconds(10), fails: false }
    }

    #[test]
    fn ten_thousand_tasks_leave_a_hundred_and_then_none() {
        let mut tasks = Tasks::default();
        for n in 0..10_000 {
            let id = tasks.begin(operation(), seconds(n));
            tasks.end(id, Reply::done(Profile::Standard), seconds(n));
            assert!(tasks.table.len() <= KEPT);
        }
        assert_eq!(tasks.table.len(), KEPT);
        tasks.expire(seconds(9_999 + 3599));
        assert_eq!(tasks.table.len(), 1);
        tasks.expire(seconds(9_999 + 3600));
        assert_eq!(tasks.table.len(), 0);
    }

    #[test]
    fn a_task_that_runs_is_never_at_a_hundred_percent() {
        let mut tasks = Tasks::default();
        let id = tasks.begin(operation(), seconds(5));
        let percent = |tasks: &Tasks, now| tasks.table[&id].percent(now);
        assert_eq!(percent(&tasks, seconds(5)), 0);
        assert_eq!(percent(&tasks, seconds(8)), 30);
        assert_eq!(percent(&tasks, seconds(99)), 99);
        tasks.end(id, Reply::done(Profile::Standard), seconds(15));
        assert_eq!(percent(&tasks, seconds(15)), 100);
    }
}
