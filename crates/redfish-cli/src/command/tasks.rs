//! `tasks`: lists the tasks of the service.

use clap::Args;
use redfish_proto::ops::{Get, Member};
use redfish_proto::schema::{ServiceRoot, Task, TaskService};
use redfish_proto::{ErrorKind, Target};
use serde_json::{Value, json};

use super::members::Pages;
use crate::failure::Failure;
use crate::sink::Table;
use crate::visit::{Job, Visit};

/// A task and its URI.
struct ListedTask {
    target: Target,
    task: Task,
}

/// No options.
#[derive(Args)]
pub(crate) struct Tasks {}

impl Job for Tasks {
    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let listed = list(visit).await?;
        let table = Table {
            json: listed.iter().map(object).collect(),
            headings: ["URI", "NAME", "STATE", "HEALTH", "DONE", "STARTED"],
            rows: listed.iter().map(row).collect(),
            lines: listed.iter().map(|listed| listed.target.to_string()).collect(),
        };
        visit.sink.table(table).await
    }
}

async fn list(visit: &mut Visit) -> Result<Vec<ListedTask>, Failure> {
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
    let mut listed = Vec::new();
    let mut pages = Pages::new(service.link(&target, tasks.as_str())?);
    while let Some((page, members)) = pages.next(visit).await? {
        for member in &members {
            listed.extend(read(visit, &page, member).await?);
        }
    }
    Ok(listed)
}

/// Reads a task; `None` if it no longer exists.
async fn read(visit: &mut Visit, page: &Target, member: &Member) -> Result<Option<ListedTask>, Failure> {
    let target = visit.service().link(page, &member.link().unwrap_or_default())?;
    if !member.is_link() {
        return Ok(Some(ListedTask { target, task: member.json()? }));
    }
    match visit.run(|| Get::<Task>::new(target.clone())).await {
        Ok(task) => Ok(Some(ListedTask { target, task })),
        Err(failure) if failure.is_kind(&ErrorKind::NotFound) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn object(ListedTask { target, task }: &ListedTask) -> Value {
    json!({
        "uri": target.to_string(),
        "name": task.name,
        "state": task.task_state,
        "health": task.task_status,
        "percent": task.percent_complete.as_ref().and_then(|percent| percent.as_f64()),
        "started": task.start_time,
        "monitor": task.task_monitor.as_ref().map(|monitor| monitor.as_str()),
    })
}

fn row(ListedTask { target, task }: &ListedTask) -> [String; 6] {
    let text = |member: &Option<String>| member.clone().unwrap_or_default();
    let percent = task.percent_complete.as_ref().map(|percent| format!("{percent} %")).unwrap_or_default();
    [
        target.to_string(),
        text(&task.name),
        text(&task.task_state),
        text(&task.task_status),
        percent,
        text(&task.start_time),
    ]
}
