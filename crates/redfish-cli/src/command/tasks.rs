//! `tasks`: lists the tasks of the service.

use clap::Args;
use redfish_proto::ops::{Get, Member};
use redfish_proto::schema::{ServiceRoot, Task, TaskService};
use redfish_proto::{ErrorKind, Target};
use serde_json::{Value, json};

use super::failures::Failures;
use super::members::Pages;
use crate::failure::Failure;
use crate::sink::Table;
use crate::visit::{Job, Visit};

/// A task, and its URI if the service reports one.
struct ListedTask {
    target: Option<Target>,
    task: Task,
}

/// No options.
#[derive(Args)]
pub(crate) struct Tasks {}

impl Job for Tasks {
    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let tasks = find(visit).await?;
        let (mut listed, mut failures) = (Vec::new(), Failures::default());
        if let Err(failure) = list(tasks, visit, &mut listed, &mut failures).await {
            failures.add(failure, visit);
        }
        if listed.is_empty() && !failures.is_empty() {
            return failures.into_result();
        }
        let table = Table {
            json: listed.iter().map(object).collect(),
            headings: ["URI", "NAME", "STATE", "HEALTH", "DONE", "STARTED"],
            rows: listed.iter().map(row).collect(),
            lines: listed.iter().map(ListedTask::uri).collect(),
        };
        visit.sink.table(table).await?;
        failures.into_result()
    }
}

/// The collection of tasks.
async fn find(visit: &mut Visit) -> Result<Target, Failure> {
    let service = visit.service().clone();
    let root = service.target("/redfish/v1/")?;
    let service_root = visit.run(|| Get::<ServiceRoot>::new(root.clone())).await?;
    let Some(tasks) = service_root.tasks else {
        return Err(Failure::missing("the service has no task service"));
    };
    let target = service.link(&root, tasks.as_str())?;
    let task_service = visit.run(|| Get::<TaskService>::new(target.clone())).await?;
    let Some(tasks) = task_service.tasks else {
        return Err(Failure::missing("the service has no list of tasks"));
    };
    Ok(service.link(&target, tasks.as_str())?)
}

/// Lists the tasks. Fails if a page cannot be read.
async fn list(
    tasks: Target,
    visit: &mut Visit,
    listed: &mut Vec<ListedTask>,
    failures: &mut Failures,
) -> Result<(), Failure> {
    let mut pages = Pages::new(tasks);
    while failures.allow_more(visit).await {
        let Some((page, members)) = pages.next(visit).await? else { break };
        for member in &members {
            if !failures.allow_more(visit).await {
                break;
            }
            match read(visit, &page, member).await {
                Ok(task) => listed.push(task),
                // It ended while the others were read.
                Err(failure) if failure.is_kind(&ErrorKind::NotFound) => {}
                Err(failure) => failures.add(failure, visit),
            }
        }
    }
    Ok(())
}

/// Reads a task.
async fn read(visit: &mut Visit, page: &Target, member: &Member) -> Result<ListedTask, Failure> {
    let target = member.link().map(|link| visit.link(page, &link));
    match target {
        Some(target) if member.is_link() => {
            let target = target?;
            let task = visit.run(|| Get::<Task>::new(target.clone())).await?;
            Ok(ListedTask { target: Some(target), task })
        }
        target => Ok(ListedTask { target: target.and_then(Result::ok), task: member.json()? }),
    }
}

impl ListedTask {
    /// Its URI, or nothing.
    fn uri(&self) -> String {
        self.target.as_ref().map(Target::to_string).unwrap_or_default()
    }
}

fn object(ListedTask { target, task }: &ListedTask) -> Value {
    json!({
        "uri": target,
        "name": task.name,
        "state": task.task_state,
        "health": task.task_status,
        "percent": task.percent_complete.as_ref().and_then(|percent| percent.as_f64()),
        "started": task.start_time,
        "monitor": task.task_monitor.as_ref().map(|monitor| monitor.as_str()),
    })
}

fn row(listed: &ListedTask) -> [String; 6] {
    let task = &listed.task;
    let text = |member: &Option<String>| member.clone().unwrap_or_default();
    let percent = task.percent_complete.as_ref().map(|percent| format!("{percent} %")).unwrap_or_default();
    [
        listed.uri(),
        text(&task.name),
        text(&task.task_state),
        text(&task.task_status),
        percent,
        text(&task.start_time),
    ]
}
