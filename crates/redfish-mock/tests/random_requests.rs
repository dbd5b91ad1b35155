//! Random requests: every request gets an answer, with a status of DSP0266.

mod common;

use std::time::Duration;

use common::{Client, settings};
use redfish_mock::{Profile, Settings};

/// A reproducible random sequence (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn choose<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[(self.next() % choices.len() as u64) as usize]
    }
}

const METHODS: &[&str] = &["GET", "GET", "HEAD", "POST", "PATCH", "PATCH", "DELETE", "PUT", "OPTIONS"];
const PATHS: &[&str] = &[
    "/redfish/v1/",
    "/redfish/v1/Systems",
    "/redfish/v1/Systems/E1D8B426",
    "/redfish/v1/Systems/E1D8B426/Actions/ComputerSystem.Reset",
    "/redfish/v1/Systems/E1D8B426/Bios",
    "/redfish/v1/Systems/E1D8B426/Bios/Actions/Bios.ResetBios",
    "/redfish/v1/Managers/E1D8B426/Actions/Manager.ResetToDefaults",
    "/redfish/v1/Managers/E1D8B426/EthernetInterfaces/1",
    "/redfish/v1/Managers/E1D8B426/NetworkProtocol",
    "/redfish/v1/Managers/E1D8B426/NetworkProtocol/HTTPS/Certificates",
    "/redfish/v1/Managers/E1D8B426/NetworkProtocol/HTTPS/Certificates/2",
    "/redfish/v1/Managers/E1D8B426/LogServices/Log/Entries",
    "/redfish/v1/Managers/E1D8B426/LogServices/Log/Actions/LogService.ClearLog",
    "/redfish/v1/TaskService/Tasks",
    "/redfish/v1/TaskService/Tasks/1",
    "/redfish/v1/TaskService/TaskMonitors/1",
    "/redfish/v1/TaskService/TaskMonitors/2",
    "/redfish/v1/EventService/Subscriptions",
    "/redfish/v1/EventService/Subscriptions/1",
    "/redfish/v1/EventService/SSE",
    "/redfish/v1/EventService/Actions/EventService.SubmitTestEvent",
    "/redfish/v1/UpdateService/push",
    "/redfish/v1/UpdateService/multipart-push",
    "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate",
    "/redfish/v1/AccountService",
    "/redfish/v1/AccountService/Accounts",
    "/redfish/v1/AccountService/Accounts/4",
    "/redfish/v1/SessionService/Sessions",
    "/redfish/v1/Registries/Members",
    "/redfish/v1/%zz/../Actions/x",
];
const QUERIES: &[&str] = &[
    "",
    "",
    "?only",
    "?excerpt",
    "?$expand=*($levels=1)",
    "?$expand=.",
    "?$select=Members/Name,Boot/Mode",
    "?$filter=Id%20eq%20'1'%20or%20not%20(Size%20gt%205)",
    "?$filter=((((",
    "?$skip=3&$top=2",
    "?$skip=99999999999999999999",
    "?%24top=%FF%",
    "?a=b&&=&$",
];
const BODIES: &[&str] = &[
    "",
    "{}",
    "[]",
    "null",
    "{\"",
    "\u{0}",
    r#"{"ResetType": "On"}"#,
    r#"{"ResetType": ["On"], "@odata.id": 7}"#,
    r#"{"ResetType": "ResetAll"}"#,
    r#"{"AssetTag": null, "Boot": {"BootSourceOverrideEnabled": "Once"}}"#,
    r#"{"Attributes": {"BootRetries": 4}}"#,
    r#"{"IPv4StaticAddresses": [null, {}, {"Address": "192.0.2.7"}], "DHCPv4": {"DHCPEnabled": true}}"#,
    r#"{"NTP": {"NTPServers": [{}, null, "a"]}, "VLAN": []}"#,
    r#"{"CertificateString": "x", "CertificateType": "PEM"}"#,
    r#"{"Protocol": "Redfish", "Destination": "http://127.0.0.1/", "MessageIds": [null, {}]}"#,
    r#"{"MessageId": "x", "ImageURI": "x", "Targets": [null, 7, "/redfish/v1/"]}"#,
    r#"{"UserName": "eve", "Password": "eavesdrop", "RoleId": "Operator"}"#,
    r#"{"AccountLockoutThreshold": 0}"#,
    "--x\r\nContent-Disposition: form-data; name=UpdateFile\r\n\r\n1\r\n--x--",
];
const TYPES: &[&str] = &[
    "application/json",
    "application/json",
    "application/json",
    "multipart/form-data; boundary=x",
    "text/plain",
];
const CONDITIONS: &[&str] = &["*", "\"\"", "W/\"1\", ,", ""];

#[test]
fn every_request_gets_an_answer() {
    let mut statuses = std::collections::BTreeMap::new();
    // The methods that each path allows, from earlier responses.
    let mut allowed: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for seed in 0..20 {
        let mut random = Random(seed);
        let profile = if seed % 4 == 0 { Profile::IloAmplifier } else { Profile::Standard };
        let faults = ["task=3s*20", "failing-task*3", "monitor-gone*2", "bare-messages*9"];
        let faults = faults.iter().map(|fault| fault.parse().expect("a fault")).collect();
        let mut client = Client::new(Settings { faults, ..settings(profile) }).basic("ada");
        for _ in 0..200 {
            let target = random.choose(PATHS);
            let path = format!("{target}{}", random.choose(QUERIES));
            let known: Vec<&str> = allowed.get(target).into_iter().flatten().map(String::as_str).collect();
            let any = known.is_empty() || random.next() % 8 == 0;
            let method = random.choose(if any { METHODS } else { &known });
            let headers = [
                ("Content-Type", random.choose(TYPES)),
                (
                    random.choose(&["If-Match", "If-None-Match", "Accept", "X-Other", "X-Other"]),
                    random.choose(CONDITIONS),
                ),
            ];
            let (name, value) = client.credentials.clone().expect("credentials");
            let mut request = http::Request::builder().method(method).uri(&path).header(name, value);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let Ok(request) = request.body(random.choose(BODIES)) else { continue };
            let answer = client.mock.handle(&request, client.now);
            let status = answer.status().as_u16();
            if let Some(methods) = answer.header("Allow") {
                allowed.insert(target.to_owned(), methods.split(", ").map(str::to_owned).collect());
            }
            *statuses.entry(status).or_insert(0) += 1;
            let is_json = answer.header("Content-Type") == Some("application/json");
            assert!(
                !is_json || request.method() == "HEAD" || answer.json().is_object(),
                "{} {path} {status}",
                request.method()
            );
            if let Some(stream) = answer.stream() {
                client.mock.events(stream, client.now).expect("an open stream");
            }
            client.now += Duration::from_millis(random.next() % 1500);
        }
        // The service may be restarting after a firmware update.
        client.wait(60);
        assert_eq!(client.get("/redfish/v1/Systems").status(), 200, "seed {seed}");
    }
    println!("{} requests: {statuses:?}", statuses.values().sum::<u32>());
    for status in [200, 201, 202, 204, 304, 400, 404, 405, 412, 415, 501] {
        assert!(statuses.contains_key(&status), "no {status}: {statuses:?}");
    }
}
