//! `tasks`: lists the tasks and the jobs of the service.

use clap::Args;
use redfish_proto::ops::{Get, Member};
use redfish_proto::schema::{Job as JobResource, JobService, Link, ServiceRoot, Task, TaskService};
use redfish_proto::{ErrorKind, Target};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::failures::Failures;
use super::members::Pages;
use crate::failure::Failure;
use crate::sink::Table;
use crate::visit::{Job, Visit};

/// A task or a job, and its URI.
struct Listed {
    target: Target,
    task: Task,
}

/// No options.
#[derive(Args)]
pub(crate) struct Tasks {}

impl Job for Tasks {
    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let mut failures = Failures::default();
        let listed = list(visit, &mut failures).await?;
        let table = Table {
            json: listed.iter().map(object).collect(),
            headings: ["URI", "NAME", "STATE", "HEALTH", "DONE", "STARTED"],
            rows: listed.iter().map(row).collect(),
            lines: listed.iter().map(|listed| listed.target.to_string()).collect(),
        };
        visit.sink.table(table).await?;
        failures.into_result()
    }
}

/// Lists the tasks and then the jobs, and continues after a failure of one of the two services.
async fn list(visit: &mut Visit, failures: &mut Failures) -> Result<Vec<Listed>, Failure> {
    let service = visit.service().clone();
    let root = service.target("/redfish/v1/")?;
    let service_root = visit.run(|| Get::<ServiceRoot>::new(root.clone())).await?;
    if service_root.tasks.is_none() && service_root.job_service.is_none() {
        return Err(Failure::missing("the service has no task service"));
    }
    let mut listed = Vec::new();
    if let Some(link) = service_root.tasks {
        let tasks = |service: TaskService| service.tasks;
        if let Err(failure) = list_members::<_, Task>(visit, &link, tasks, &mut listed).await {
            failures.add(failure, visit);
        }
    }
    if let Some(link) = service_root.job_service {
        let jobs = |service: JobService| service.jobs;
        if let Err(failure) = list_members::<_, JobResource>(visit, &link, jobs, &mut listed).await {
            failures.add(failure, visit);
        }
    }
    Ok(listed)
}

/// Lists the members of a collection that a service links to.
async fn list_members<S: DeserializeOwned + Send, T: DeserializeOwned + Into<Task> + Send>(
    visit: &mut Visit,
    link: &Link,
    collection: fn(S) -> Option<Link>,
    listed: &mut Vec<Listed>,
) -> Result<(), Failure> {
    let root = visit.service().target("/redfish/v1/")?;
    let target = visit.service().link(&root, link.as_str())?;
    let service = visit.run(|| Get::<S>::new(target.clone())).await?;
    let Some(collection) = collection(service) else {
        return Err(Failure::missing("the service has no list of tasks"));
    };
    let mut pages = Pages::new(visit.service().link(&target, collection.as_str())?);
    while let Some((page, members)) = pages.next(visit).await? {
        for member in &members {
            listed.extend(read::<T>(visit, &page, member).await?);
        }
    }
    Ok(())
}

/// Reads a task or a job; `None` if it no longer exists.
async fn read<T: DeserializeOwned + Into<Task> + Send>(
    visit: &mut Visit,
    page: &Target,
    member: &Member,
) -> Result<Option<Listed>, Failure> {
    let target = visit.service().link(page, &member.link().unwrap_or_default())?;
    if !member.is_link() {
        return Ok(Some(Listed { target, task: member.json::<T>()?.into() }));
    }
    match visit.run(|| Get::<T>::new(target.clone())).await {
        Ok(task) => Ok(Some(Listed { target, task: task.into() })),
        Err(failure) if failure.is_kind(&ErrorKind::NotFound) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn object(Listed { target, task }: &Listed) -> Value {
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

fn row(Listed { target, task }: &Listed) -> [String; 6] {
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
