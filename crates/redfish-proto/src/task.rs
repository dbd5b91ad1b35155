//! Tasks and Jobs, by which a service reports an operation that takes time.

use serde_json::Value;

/// Whether a resource is a Task or a Job.
pub(crate) fn is_task(resource: &Value) -> bool {
    let of_type = |name: &str| ["#Task.", "#Job.", "#DellJob."].iter().any(|prefix| name.starts_with(prefix));
    resource.get("@odata.type").and_then(Value::as_str).is_some_and(of_type)
        || resource.get("TaskState").is_some()
        || resource.get("JobState").is_some()
}
