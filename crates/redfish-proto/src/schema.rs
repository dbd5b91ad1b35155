//! Types of the most common resources (DSP0268). Every member is optional. A value in another form than the
//! standard's is read if it makes sense; otherwise it counts as missing. The raw JSON with all other members is in
//! [`Resource`](crate::Resource).

use serde::Deserialize;

use crate::json;
use crate::lenient::{Lenient, deserialize_member};
pub use crate::lenient::{Link, Number};

macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $member:literal $(| $other:literal)?,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize, PartialEq)]
        #[serde(default)]
        #[non_exhaustive]
        pub struct $name {$(
            #[doc = concat!("`", $member, "`.")]
            #[serde(rename = $member, $(alias = $other,)? deserialize_with = "deserialize_member")]
            pub $field: Option<$type>,
        )*}

        impl Lenient for $name {
            fn read(text: &str) -> Option<$name> {
                json::part(text)
            }
        }
    )*};
}

resources! {
    /// The status of a resource.
    Status {
        state: String = "State",
        health: String = "Health",
        health_rollup: String = "HealthRollup",
    }

    /// The service root.
    ServiceRoot {
        id: String = "Id",
        name: String = "Name",
        uuid: String = "UUID",
        redfish_version: String = "RedfishVersion",
        vendor: String = "Vendor",
        product: String = "Product",
        systems: Link = "Systems",
        chassis: Link = "Chassis",
        managers: Link = "Managers",
        session_service: Link = "SessionService",
        account_service: Link = "AccountService",
        event_service: Link = "EventService",
        update_service: Link = "UpdateService",
        tasks: Link = "Tasks",
        job_service: Link = "JobService",
        registries: Link = "Registries",
        links: RootLinks = "Links",
    }

    /// The service root's `Links`.
    RootLinks {
        sessions: Link = "Sessions",
    }

    /// The session service.
    SessionService {
        id: String = "Id",
        name: String = "Name",
        service_enabled: bool = "ServiceEnabled",
        session_timeout: Number = "SessionTimeout",
        sessions: Link = "Sessions",
    }

    /// A session.
    Session {
        id: String = "Id",
        user_name: String = "UserName",
        session_type: String = "SessionType",
        client_origin: String = "ClientOriginIPAddress",
        context: String = "Context",
        created_time: String = "CreatedTime",
    }

    /// The members of a collection itself. Its resources are read by [`GetPage`](crate::ops::GetPage).
    Collection {
        name: String = "Name",
        description: String = "Description",
        count: Number = "Members@odata.count",
        next: Link = "Members@odata.nextLink",
    }

    /// A computer system.
    ComputerSystem {
        id: String = "Id",
        name: String = "Name",
        system_type: String = "SystemType",
        manufacturer: String = "Manufacturer",
        model: String = "Model",
        sku: String = "SKU",
        serial_number: String = "SerialNumber",
        part_number: String = "PartNumber",
        asset_tag: String = "AssetTag",
        uuid: String = "UUID",
        host_name: String = "HostName",
        power_state: String = "PowerState",
        bios_version: String = "BiosVersion",
        status: Status = "Status",
        boot: Boot = "Boot",
        memory_summary: MemorySummary = "MemorySummary",
        processor_summary: ProcessorSummary = "ProcessorSummary",
    }

    /// The boot settings of a system.
    Boot {
        override_enabled: String = "BootSourceOverrideEnabled",
        override_target: String = "BootSourceOverrideTarget",
        override_mode: String = "BootSourceOverrideMode",
        allowable_targets: Vec<String> = "BootSourceOverrideTarget@Redfish.AllowableValues",
    }

    /// A system's memory.
    MemorySummary {
        total_gib: Number = "TotalSystemMemoryGiB",
        status: Status = "Status",
    }

    /// A system's processors.
    ProcessorSummary {
        count: Number = "Count",
        model: String = "Model",
        status: Status = "Status",
    }

    /// A chassis.
    Chassis {
        id: String = "Id",
        name: String = "Name",
        chassis_type: String = "ChassisType",
        manufacturer: String = "Manufacturer",
        model: String = "Model",
        serial_number: String = "SerialNumber",
        part_number: String = "PartNumber",
        asset_tag: String = "AssetTag",
        power_state: String = "PowerState",
        status: Status = "Status",
    }

    /// A manager: the controller itself.
    Manager {
        id: String = "Id",
        name: String = "Name",
        manager_type: String = "ManagerType",
        model: String = "Model",
        firmware_version: String = "FirmwareVersion",
        uuid: String = "UUID",
        date_time: String = "DateTime",
        power_state: String = "PowerState",
        status: Status = "Status",
    }

    /// The account service.
    AccountService {
        service_enabled: bool = "ServiceEnabled",
        min_password_length: Number = "MinPasswordLength",
        max_password_length: Number = "MaxPasswordLength",
        lockout_threshold: Number = "AccountLockoutThreshold",
        lockout_duration: Number = "AccountLockoutDuration",
        accounts: Link = "Accounts",
        roles: Link = "Roles",
    }

    /// An account.
    ManagerAccount {
        id: String = "Id",
        user_name: String = "UserName",
        role_id: String = "RoleId",
        enabled: bool = "Enabled",
        locked: bool = "Locked",
        password_change_required: bool = "PasswordChangeRequired",
        account_types: Vec<String> = "AccountTypes",
    }

    /// The task service.
    TaskService {
        service_enabled: bool = "ServiceEnabled",
        date_time: String = "DateTime",
        overwrite_policy: String = "CompletedTaskOverWritePolicy",
        tasks: Link = "Tasks",
    }

    /// A task.
    Task {
        id: String = "Id",
        name: String = "Name",
        task_state: String = "TaskState",
        task_status: String = "TaskStatus",
        percent_complete: Number = "PercentComplete",
        start_time: String = "StartTime",
        end_time: String = "EndTime",
        task_monitor: Link = "TaskMonitor",
        messages: Vec<Message> = "Messages",
    }

    /// The job service.
    JobService {
        service_enabled: bool = "ServiceEnabled",
        date_time: String = "DateTime",
        jobs: Link = "Jobs",
    }

    /// A job.
    Job {
        id: String = "Id",
        name: String = "Name",
        job_state: String = "JobState",
        job_status: String = "JobStatus",
        percent_complete: Number = "PercentComplete",
        start_time: String = "StartTime",
        end_time: String = "EndTime",
        messages: Vec<Message> = "Messages",
    }

    /// The update service.
    UpdateService {
        service_enabled: bool = "ServiceEnabled",
        http_push_uri: Link = "HttpPushUri",
        multipart_http_push_uri: Link = "MultipartHttpPushUri",
        max_image_size: Number = "MaxImageSizeBytes",
        firmware_inventory: Link = "FirmwareInventory",
        software_inventory: Link = "SoftwareInventory",
    }

    /// An item of software or firmware.
    SoftwareInventory {
        id: String = "Id",
        name: String = "Name",
        version: String = "Version",
        updateable: bool = "Updateable",
        software_id: String = "SoftwareId",
        release_date: String = "ReleaseDate",
        status: Status = "Status",
    }

    /// The event service.
    EventService {
        service_enabled: bool = "ServiceEnabled",
        server_sent_event_uri: Link = "ServerSentEventUri",
        event_format_types: Vec<String> = "EventFormatTypes",
        resource_types: Vec<String> = "ResourceTypes",
        registry_prefixes: Vec<String> = "RegistryPrefixes",
        subscriptions: Link = "Subscriptions",
    }

    /// A subscription to events, or a stream of them.
    EventDestination {
        id: String = "Id",
        name: String = "Name",
        destination: String = "Destination",
        protocol: String = "Protocol",
        context: String = "Context",
        subscription_type: String = "SubscriptionType",
        event_format_type: String = "EventFormatType",
        delivery_retry_policy: String = "DeliveryRetryPolicy",
        status: Status = "Status",
    }

    /// An entry of a log.
    LogEntry {
        id: String = "Id",
        created: String = "Created",
        entry_type: String = "EntryType",
        severity: String = "Severity",
        message: String = "Message",
        message_id: String = "MessageId" | "MessageID",
        message_args: Vec<String> = "MessageArgs",
        resolved: bool = "Resolved",
    }

    /// A sensor.
    Sensor {
        id: String = "Id",
        name: String = "Name",
        reading: Number = "Reading",
        reading_type: String = "ReadingType",
        reading_units: String = "ReadingUnits",
        range_min: Number = "ReadingRangeMin",
        range_max: Number = "ReadingRangeMax",
        status: Status = "Status",
    }

    /// The parameters of an action.
    ActionInfo {
        id: String = "Id",
        name: String = "Name",
        parameters: Vec<ActionParameter> = "Parameters",
    }

    /// A parameter of an action.
    ActionParameter {
        name: String = "Name",
        required: bool = "Required",
        data_type: String = "DataType",
        allowable_values: Vec<String> = "AllowableValues",
        minimum: Number = "MinimumValue",
        maximum: Number = "MaximumValue",
    }

    /// A message within a resource.
    Message {
        message_id: String = "MessageId" | "MessageID",
        message: String = "Message",
        message_args: Vec<String> = "MessageArgs",
        severity: String = "Severity",
        message_severity: String = "MessageSeverity",
        resolution: String = "Resolution",
    }
}

impl From<Job> for Task {
    /// The members that both have.
    fn from(job: Job) -> Task {
        Task {
            id: job.id,
            name: job.name,
            task_state: job.job_state,
            task_status: job.job_status,
            percent_complete: job.percent_complete,
            start_time: job.start_time,
            end_time: job.end_time,
            task_monitor: None,
            messages: job.messages,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_read_leniently() {
        let text = r##"{
            "@odata.type": "#ComputerSystem", "Id": 1, "Name": null, "PowerState": "", "AssetTag": {"odd": true},
            "Status": {"Health": "OK", "State": null, "Oem": {}}, "Boot": [],
            "MemorySummary": {"TotalSystemMemoryGiB": "18446744073709551617"}, "Unknown": [1, 2]
        }"##;
        let system: ComputerSystem = serde_json::from_str(text).unwrap();
        assert_eq!(system.id.as_deref(), Some("1"));
        assert_eq!((system.name, system.asset_tag), (None, None));
        assert_eq!(system.power_state.as_deref(), Some(""));
        assert_eq!(system.status.unwrap().health.as_deref(), Some("OK"));
        assert_eq!(system.memory_summary.unwrap().total_gib.unwrap().as_str(), "18446744073709551617");
    }

    #[test]
    fn a_list_may_be_one_object() {
        let task: Task = serde_json::from_str(r#"{"Messages": {"MessageID": "A.1.B"}}"#).unwrap();
        assert_eq!(task.messages.unwrap()[0].message_id.as_deref(), Some("A.1.B"));
    }
}
