//! `tasks`: what the service is at, or was.

use redfish_proto::schema::{ServiceRoot, Task, TaskService};
use redfish_proto::{ErrorKind, Get, Member, Target};
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::members::each;
use crate::options::{Options, Output};
use crate::output;

/// A task, and where it is.
struct Listed {
    at: Target,
    task: Task,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    options.check_stdin(false)?;
    Connection::scoped(options, |connection| {
        let listed = list(connection)?;
        show(&listed, options)
    })
}

fn list(connection: &mut Connection<'_>) -> Result<Vec<Listed>, Failure> {
    let service = connection.service().clone();
    let root = service.target("/redfish/v1/")?;
    let found = connection.run(|_| Ok(Get::<ServiceRoot>::new(root.clone())))?;
    let Some(tasks) = found.tasks else { return Err(Failure::missing("the service has no task service")) };
    let at = service.link(&root, tasks.as_str())?;
    let found = connection.run(|_| Ok(Get::<TaskService>::new(at.clone())))?;
    let Some(tasks) = found.tasks else { return Err(Failure::missing("the service has no list of tasks")) };
    let mut listed = Vec::new();
    each(connection, service.link(&at, tasks.as_str())?, |connection, page, member| {
        listed.extend(read(connection, page, &member)?);
        Ok(())
    })?;
    Ok(listed)
}

/// Reads one. Nothing where it was removed since the list was.
fn read(connection: &mut Connection<'_>, page: &Target, member: &Member) -> Result<Option<Listed>, Failure> {
    let at = connection.service().link(page, &member.link().unwrap_or_default())?;
    if !member.is_link() {
        return Ok(Some(Listed { at, task: member.json()? }));
    }
    match connection.run(|_| Ok(Get::<Task>::new(at.clone()))) {
        Ok(task) => Ok(Some(Listed { at, task })),
        Err(failure) if failure.is_kind(&ErrorKind::NotFound) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn show(listed: &[Listed], options: &Options) -> Result<(), Failure> {
    match options.output_of_table() {
        Output::Json => output::line(listed.iter().map(object).collect::<Value>()),
        Output::Table => {
            let rows: Vec<_> = listed.iter().map(row).collect();
            output::line(output::table(["URI", "NAME", "STATE", "HEALTH", "DONE", "STARTED"], &rows))
        }
        Output::Text => listed.iter().try_for_each(|listed| output::line(&listed.at)),
    }
}

fn object(Listed { at, task }: &Listed) -> Value {
    json!({
        "uri": at.to_string(),
        "name": task.name,
        "state": task.task_state,
        "health": task.task_status,
        "percent": task.percent_complete.as_ref().and_then(|percent| percent.as_f64()),
        "started": task.start_time,
        "monitor": task.task_monitor.as_ref().map(|monitor| monitor.as_str()),
    })
}

fn row(Listed { at, task }: &Listed) -> [String; 6] {
    let text = |member: &Option<String>| member.clone().unwrap_or_default();
    let percent = task.percent_complete.as_ref().map(|percent| format!("{percent} %")).unwrap_or_default();
    [
        at.to_string(),
        text(&task.name),
        text(&task.task_state),
        text(&task.task_status),
        percent,
        text(&task.start_time),
    ]
}
