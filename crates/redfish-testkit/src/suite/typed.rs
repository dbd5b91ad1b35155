//! Typed resources, against the mock.

use std::time::Duration;

use redfish_mock::{ServeOptions, Server, Settings, Tls};
use redfish_proto::ops::Outcome;
use redfish_proto::view::{Json, Link};
use redfish_proto::{Credentials, ErrorKind, Service};
use redfish_schema::Sensor;
use redfish_schema::computer_system::{BootSource, ComputerSystemPatch};
use redfish_schema::drive::Drive;
use redfish_schema::manager_account::{ManagerAccount, ManagerAccountCreate};
use redfish_schema::resource::{Health, PowerState, ResetType};

use crate::adapter::{Adapter, Builder as _};

suite! {
    ($) typed:
    links_lead_from_the_root_to_each_drive,
    the_hurried_way_leads_to_the_same,
    each_link_has_one_result_in_its_place,
    a_link_that_contains_its_resource_is_not_requested,
    a_link_to_a_part_of_a_resource_leads_to_the_part,
    members_of_all_pages_are_fetched_in_order,
    a_change_is_sent_with_the_version_that_was_read,
    an_account_is_created_with_what_is_required,
    a_change_that_takes_time_is_finished_or_fails,
    an_action_is_checked_before_it_is_sent,
}

fn mock<A: Adapter>() -> (Server, A) {
    mock_with_faults(&[])
}

fn mock_with_faults<A: Adapter>(faults: &[&str]) -> (Server, A) {
    let options = ServeOptions { tls: Tls::None, ..ServeOptions::default() };
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    let server = Server::start(Settings { faults, ..Settings::default() }, options).unwrap();
    let client = A::builder(Service::new(&server.url()).unwrap())
        .login(Credentials::new("admin", "machine-room"))
        .build()
        .unwrap();
    (server, client)
}

/// The methods and paths of all requests so far.
fn handled(server: &Server) -> Vec<(String, String)> {
    server.mock(|mock| {
        mock.handled().map(|request| (request.method.to_string(), request.path.clone())).collect()
    })
}

fn links_lead_from_the_root_to_each_drive<A: Adapter>() {
    let (server, client) = mock::<A>();
    let root = client.root().unwrap();
    assert!(root.redfish_version().unwrap().starts_with("1."));
    let systems = client.follow(&root.systems().unwrap()).unwrap();
    let mut serials = Vec::new();
    for system in client.fetch_all(&systems.members().collect::<Vec<_>>()) {
        let system = system.unwrap();
        assert!(system.etag().is_some());
        for storage in client.fetch_members(system.storage()) {
            for drive in client.fetch_all(&storage.unwrap().drives().collect::<Vec<_>>()) {
                serials.push(drive.unwrap().serial_number().unwrap());
            }
        }
    }
    assert!(serials.len() >= 2, "{serials:?}");
    client.close().unwrap();
    assert_eq!(server.open_sessions(), 0);
}

fn the_hurried_way_leads_to_the_same<A: Adapter>() {
    let (_server, client) = mock::<A>();
    let systems = client.systems().unwrap();
    assert_eq!(
        systems.iter().map(|system| system.host_name().unwrap()).collect::<Vec<_>>(),
        ["db-01", "web-04", "archive-02"]
    );
    assert_eq!(systems[0].power_state(), Some(PowerState::On));
    assert_eq!(systems[0].status().unwrap().health(), Some(Health::OK));
    assert!(!client.chassis().unwrap().is_empty());
    assert!(client.managers().unwrap()[0].firmware_version().is_some());
    client.close().unwrap();
}

/// Links as a resource of the client's service contains them.
fn links<A: Adapter, T>(client: &A, text: &str) -> Vec<Link<T>> {
    let root = client.service().target("/redfish/v1/").unwrap();
    let json = Json::of_resource(text.to_owned().into(), client.service(), root).unwrap();
    json.read::<redfish_proto::view::List<Link<T>>>("Links").collect()
}

fn each_link_has_one_result_in_its_place<A: Adapter>() {
    let (server, client) = mock::<A>();
    let drives = client.systems().unwrap()[0].storage().unwrap();
    let storage = client.fetch_members(&drives).remove(0).unwrap();
    let uris: Vec<String> = storage.drives().map(|drive| drive.uri().into_owned()).collect();
    let text = format!(
        r#"{{"Links": [{{"@odata.id": "{0}"}}, {{"@odata.id": "/redfish/v1/Nowhere"}}, {{"@odata.id": "https://evil.example/x"}},
            {{"@odata.id": "{1}"}}, {{"@odata.id": "{0}"}}]}}"#,
        uris[0], uris[1]
    );
    let drives = client.fetch_all(&links::<A, Drive>(&client, &text));
    let found: Vec<Result<&str, &ErrorKind>> = drives
        .iter()
        .map(|drive| drive.as_ref().map(|drive| drive.target().as_str()).map_err(|error| error.kind()))
        .collect();
    assert!(
        matches!(
            found.as_slice(),
            [Ok(first), Err(ErrorKind::NotFound), Err(ErrorKind::CrossOrigin { .. }), Ok(second), Ok(again)]
                if *first == uris[0] && *second == uris[1] && *again == uris[0]
        ),
        "{found:?}"
    );
    assert_eq!(handled(&server).iter().filter(|(_, path)| *path == uris[0]).count(), 1);
    assert!(client.fetch_all::<Drive>(&[]).is_empty());
    client.close().unwrap();
}

fn a_link_that_contains_its_resource_is_not_requested<A: Adapter>() {
    let (server, client) = mock::<A>();
    client.session().unwrap();
    let before = handled(&server).len();
    let text = r##"{"Links": [{"@odata.id": "/redfish/v1/S/1", "@odata.type": "#Sensor.v1_10_0.Sensor", "Id": "1", "Name": "Inlet", "Reading": 21.50}]}"##;
    let sensors = client.fetch_all(&links::<A, Sensor>(&client, text));
    let sensor = sensors[0].as_ref().unwrap();
    assert_eq!(sensor.reading().unwrap().as_str(), "21.50");
    assert_eq!((sensor.target().as_str(), sensor.etag()), ("/redfish/v1/S/1", None));
    assert_eq!(handled(&server).len(), before);
    client.close().unwrap();
}

fn a_link_to_a_part_of_a_resource_leads_to_the_part<A: Adapter>() {
    let (server, client) = mock::<A>();
    let chassis = client.chassis().unwrap();
    let thermal = chassis.iter().find_map(|chassis| chassis.thermal()).unwrap();
    let fans: Vec<String> =
        client.follow(&thermal).unwrap().fans().map(|fan| fan.name().unwrap().into()).collect();
    let uri = thermal.uri().into_owned();
    let text = format!(r##"{{"Links": ["{uri}#/Fans/0", "{uri}#/Fans/1", "{uri}#/Fans/99"]}}"##);
    let links = links::<A, redfish_schema::thermal::Fan>(&client, &text);
    let before = handled(&server).len();
    let parts = client.fetch_all(&links);
    assert_eq!(handled(&server).len(), before + 1, "the resource is read once");
    let names: Vec<_> = parts[..2].iter().map(|fan| fan.as_ref().unwrap().name().unwrap()).collect();
    assert_eq!(names, fans[..2]);
    assert!(parts[2].as_ref().unwrap_err().to_string().contains("/Fans/99"), "{:?}", parts[2]);
    let second = client.follow(&links[1]).unwrap();
    assert_eq!(
        (second.name().unwrap(), second.target().fragment()),
        (fans[1].as_str().into(), Some("/Fans/1"))
    );
    client.close().unwrap();
}

fn members_of_all_pages_are_fetched_in_order<A: Adapter>() {
    let (_server, client) = mock::<A>();
    let manager = &client.managers().unwrap()[0];
    let services = client.fetch_members(manager.log_services());
    let entries = services[0].as_ref().unwrap().entries().unwrap();
    let entries: Vec<_> = client.fetch_members(&entries).into_iter().map(Result::unwrap).collect();
    assert!(entries.len() > 1, "{}", entries.len());
    let uris: Vec<_> = entries.iter().map(|entry| entry.target().as_str().to_owned()).collect();
    let listed: Vec<String> = client
        .members(entries[0].target().path().rsplit_once('/').unwrap().0)
        .unwrap()
        .map(|member| member.unwrap().link().unwrap().into_owned())
        .collect();
    assert_eq!(uris, listed);
    assert!(entries.iter().all(|entry| entry.created().unwrap().unix().is_some()));
    client.close().unwrap();
}

fn a_change_is_sent_with_the_version_that_was_read<A: Adapter>() {
    let (_server, client) = mock::<A>();
    let system = client.systems().unwrap().remove(0);
    let change = |tag: &str| {
        ComputerSystemPatch::new()
            .asset_tag(tag)
            .boot(|boot| boot.boot_source_override_target(BootSource::Pxe))
    };
    let _ = client.update(&system, change("first")).unwrap();
    let conflict = client.update(&system, change("second")).unwrap_err();
    assert!(matches!(conflict.kind(), ErrorKind::Conflict), "{conflict}");
    let system = client.reread(system).unwrap();
    assert_eq!(system.asset_tag().as_deref(), Some("first"));
    let boot = system.boot().unwrap();
    assert_eq!(boot.boot_source_override_target(), Some(BootSource::Pxe));
    assert!(boot.boot_source_override_target_allowable_values().any(|target| target == BootSource::Cd));
    let _ = client.update(&system, ComputerSystemPatch::new().asset_tag("")).unwrap();
    let _ = client.patch(system.target().as_str(), &change("third")).unwrap();
    assert_eq!(client.reread(system).unwrap().asset_tag().as_deref(), Some("third"));
    client.close().unwrap();
}

fn an_account_is_created_with_what_is_required<A: Adapter>() {
    let (_server, client) = mock::<A>();
    let root = client.root().unwrap();
    let service = client.follow(&root.account_service().unwrap()).unwrap();
    let accounts = service.accounts().unwrap();
    let body = ManagerAccountCreate::new("ada", "Operator", "engine No. 1").enabled(true);
    assert!(!format!("{body:?}").contains("engine"), "{body:?}");
    let outcome = client.create(&accounts, body).unwrap();
    let created = outcome.created().unwrap().as_str().to_owned();
    assert_eq!(client.get::<ManagerAccount>(&created).unwrap().user_name().unwrap(), "ada");
    let Outcome::Finished(written) = outcome else { panic!("{outcome:?}") };
    let in_response: ManagerAccount = written.decode(client.service()).unwrap();
    assert_eq!(in_response.role_id().unwrap(), "Operator");
    let role = client.follow(&in_response.links().unwrap().role().unwrap()).unwrap();
    assert_eq!(role.id().unwrap(), "Operator");
    let names: Vec<String> = client
        .fetch_members(&accounts)
        .into_iter()
        .map(|account| account.unwrap().user_name().unwrap_or_default().to_string())
        .collect();
    assert!(names.contains(&"ada".to_owned()), "{names:?}");
    let first: ManagerAccount = client.get("/redfish/v1/AccountService/Accounts/1").unwrap();
    assert!(first.enabled().unwrap());
    client.close().unwrap();
}

fn a_change_that_takes_time_is_finished_or_fails<A: Adapter>() {
    let (_server, client) = mock_with_faults::<A>(&["task=0s@/redfish/v1/Systems/E1D8B426*1"]);
    let system =
        client.systems().unwrap().into_iter().find(|system| system.id().unwrap() == "E1D8B426").unwrap();
    let outcome = client.update(&system, ComputerSystemPatch::new().asset_tag("R7-U12")).unwrap();
    assert!(matches!(outcome, Outcome::Accepted(_)) && outcome.created().is_none(), "{outcome:?}");
    client.finish(outcome, Duration::from_secs(60)).unwrap();
    assert_eq!(client.reread(system).unwrap().asset_tag().unwrap(), "R7-U12");
    client.close().unwrap();
}

fn an_action_is_checked_before_it_is_sent<A: Adapter>() {
    let (server, client) = mock::<A>();
    let system = client.systems().unwrap().remove(0);
    let before = handled(&server).len();
    let error = system
        .reset(ResetType::Other("Explode".into()))
        .and_then(|operation| client.run(operation))
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidParameter { .. }), "{error}");
    let chassis = client.chassis().unwrap().remove(0);
    let missing = chassis.reset(ResetType::PowerCycle).unwrap_err();
    assert!(matches!(missing.kind(), ErrorKind::ActionNotFound { .. }), "{missing}");
    assert!(missing.to_string().contains("/redfish/v1/Chassis/"), "{missing}");
    let _ = client.run(system.reset(ResetType::GracefulRestart).unwrap()).unwrap();
    let posts: Vec<_> =
        handled(&server).into_iter().skip(before).filter(|(method, _)| method == "POST").collect();
    assert_eq!(posts.len(), 1, "{posts:?}");
    client.close().unwrap();
}
