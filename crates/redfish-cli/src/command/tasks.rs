//! `tasks`: lists the tasks and the jobs of the service.

use clap::Args;
use redfish_hyper::schema::ServiceRoot;
use redfish_proto::ops::{Get, Member};
use redfish_proto::view::{Json, Link, Number, Text};
use redfish_proto::{ErrorKind, Target};
use serde_json::{Value, json};

use super::failures::Failures;
use super::members::Pages;
use crate::failure::Failure;
use crate::sink::Table;
use crate::visit::{Job, Visit};

redfish_proto::view! {
    /// A task or a job: both have the same members, some with other names.
    struct Task {
        fn name(&self) -> Option<Text> = "Name";
        fn task_state(&self) -> Option<Text> = "TaskState";
        fn task_status(&self) -> Option<Text> = "TaskStatus";
        fn job_state(&self) -> Option<Text> = "JobState";
        fn job_status(&self) -> Option<Text> = "JobStatus";
        fn percent_complete(&self) -> Option<Number> = "PercentComplete";
        fn start_time(&self) -> Option<Text> = "StartTime";
        fn task_monitor(&self) -> Option<Link<Json>> = "TaskMonitor";
    }
}

impl Task {
    fn state(&self) -> Option<Text> {
        self.task_state().or_else(|| self.job_state())
    }

    fn health(&self) -> Option<Text> {
        self.task_status().or_else(|| self.job_status())
    }
}

redfish_proto::view! {
    /// The service of the tasks or of the jobs.
    struct TaskService {
        fn tasks(&self) -> Option<Link<Json>> = "Tasks";
        fn jobs(&self) -> Option<Link<Json>> = "Jobs";
    }
}

/// A task or a job, and its URI if the service reports one.
struct ListedTask {
    target: Option<Target>,
    task: Task,
}

/// No options.
#[derive(Args)]
pub(crate) struct Tasks {}

/// What was listed, and what could not be.
#[derive(Default)]
struct List {
    tasks: Vec<ListedTask>,
    failures: Failures,
}

impl Job for Tasks {
    async fn run(&self, visit: &mut Visit) -> Result<(), Failure> {
        let mut list = List::default();
        list.fill(visit).await?;
        let List { tasks, failures } = list;
        if tasks.is_empty() && !failures.is_empty() {
            return failures.into_result();
        }
        let table = Table {
            json: tasks.iter().map(object).collect(),
            headings: ["URI", "NAME", "STATE", "HEALTH", "DONE", "STARTED"],
            rows: tasks.iter().map(row).collect(),
            lines: tasks.iter().map(ListedTask::uri).collect(),
        };
        visit.sink.table(table).await?;
        failures.into_result()
    }
}

impl List {
    /// Lists the tasks and then the jobs.
    async fn fill(&mut self, visit: &mut Visit) -> Result<(), Failure> {
        let root = visit.service().target("/redfish/v1/")?;
        let root = visit.run(|| Get::<ServiceRoot>::new(root.clone())).await?;
        let (tasks, jobs) =
            (root.tasks().map(|link| link.cast()), root.job_service().map(|link| link.cast()));
        if tasks.is_none() && jobs.is_none() {
            return Err(Failure::missing("the service has no task service"));
        }
        if let Some(link) = tasks {
            let collection = find(&link, TaskService::tasks, visit).await;
            self.add_members(collection, visit).await;
        }
        let goes_on = self.failures.allow_more(visit).await;
        if let Some(link) = jobs.filter(|_| goes_on) {
            let collection = find(&link, TaskService::jobs, visit).await;
            self.add_members(collection, visit).await;
        }
        Ok(())
    }

    /// Adds the members of a collection. A failure concerns only a page or a member.
    async fn add_members(&mut self, collection: Result<Target, Failure>, visit: &mut Visit) {
        let mut pages = match collection {
            Ok(collection) => Pages::new(collection),
            Err(failure) => return self.failures.add(failure, visit),
        };
        while self.failures.allow_more(visit).await {
            let (page, members) = match pages.next(visit).await {
                Ok(Some(page)) => page,
                Ok(None) => return,
                Err(failure) => return self.failures.add(failure, visit),
            };
            for member in &members {
                if !self.failures.allow_more(visit).await {
                    return;
                }
                match read(visit, &page, member).await {
                    // A service may list a task among its jobs, too.
                    Ok(task)
                        if task.target.is_some() && self.tasks.iter().any(|t| t.target == task.target) => {}
                    Ok(task) => self.tasks.push(task),
                    // It ended while the others were read.
                    Err(failure) if failure.is_kind(&ErrorKind::NotFound) => {}
                    Err(failure) => self.failures.add(failure, visit),
                }
            }
        }
    }
}

/// The collection of tasks or jobs in the service of this link.
async fn find(
    link: &Link<TaskService>,
    collection: fn(&TaskService) -> Option<Link<Json>>,
    visit: &mut Visit,
) -> Result<Target, Failure> {
    let target = link.target()?;
    let service = visit.run(|| Get::<TaskService>::new(target.clone())).await?;
    match collection(&service) {
        Some(collection) => Ok(collection.target()?),
        None => Err(Failure::missing("the service has no list of tasks")),
    }
}

/// Reads a task or a job.
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
        "name": task.name(),
        "state": task.state(),
        "health": task.health(),
        "percent": task.percent_complete().map(|percent| percent.as_f64()),
        "started": task.start_time(),
        "monitor": task.task_monitor().map(|monitor| monitor.uri().to_string()),
    })
}

fn row(listed: &ListedTask) -> [String; 6] {
    let task = &listed.task;
    let text = |member: Option<Text>| member.unwrap_or_default().into();
    let percent = task.percent_complete().map(|percent| format!("{percent} %")).unwrap_or_default();
    [
        listed.uri(),
        text(task.name()),
        text(task.state()),
        text(task.health()),
        percent,
        text(task.start_time()),
    ]
}
