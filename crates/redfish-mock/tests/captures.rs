//! Captures of real services: pages, letter case, escapes, numbers, links out of the folder, and a dump of the mock itself.

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::mockups::{SYSTEM, folder, serve, small, write};
use common::{Client, SESSIONS, settings};
use redfish_mock::{Mockup, Profile, Settings};
use serde_json::{Value, json};

#[test]
fn a_folder_with_a_query_is_the_response_to_it_and_its_collection_has_no_other_pages() {
    let folder = small("pages", "redfish/v1/");
    let entries = "/redfish/v1/Systems/sys/Entries";
    let links = |range: std::ops::Range<usize>| -> Vec<Value> {
        range.map(|id| json!({"@odata.id": format!("{entries}/{id}")})).collect()
    };
    let next = format!("{entries}?$skip=60");
    let first = json!({"@odata.id": entries, "Members@odata.count": 90, "Members": links(0..60),
        "Members@odata.nextLink": next});
    let second = json!({"@odata.id": entries, "Members@odata.count": 90, "Members": links(60..90)});
    write(&folder, "redfish/v1/Systems/sys/Entries/index.json", &first.to_string());
    write(&folder, "redfish/v1/Systems/sys/Entries?$skip=60/index.json", &second.to_string());
    write(&folder, "redfish/v1/Systems/sys/Entries?$filter=a/b/index.json", &second.to_string());
    let mut client = serve(Mockup::read(&folder).expect("a mockup")).basic("ada");
    let members = |client: &mut Client, path: &str| {
        let page = client.get(path).json();
        let count = page["Members"].as_array().expect("members").len();
        (count, page["Members@odata.nextLink"].as_str().map(str::to_owned))
    };
    // More than a page of our own.
    assert_eq!(members(&mut client, entries), (60, Some(next.clone())));
    for path in [next.clone(), format!("{entries}?%24skip=60"), format!("{entries}/?$skip=60")] {
        assert_eq!(members(&mut client, &path), (30, None), "{path}");
    }
    assert_eq!(members(&mut client, &format!("{entries}?$filter=a/b")), (30, None));
    for page in ["$skip=10", "%24skiptoken=a", "skip=50"] {
        assert_eq!(client.get(&format!("{entries}?{page}")).status(), 404, "{page} was not captured");
    }
    assert_eq!(members(&mut client, &format!("{entries}?$skip=0")), (60, Some(next.clone())));
    for query in ["$top=5", "$filter=Name%20eq%20'a'"] {
        assert_eq!(client.get(&format!("{entries}?{query}")).status(), 400, "{query} would lose members");
    }
    assert_eq!(client.post(entries, json!({})).status(), 201);
    let written = client.get(entries).json();
    assert_eq!(
        (&written["Members@odata.count"], &written["Members@odata.nextLink"]),
        (&json!(91), &json!(next))
    );
    assert_eq!(client.send("POST", &next, &[], "{}").status(), 201, "a query does not matter to a write");

    // A member of a further page is deleted from there.
    let entry = format!("{entries}/70");
    write(&folder, "redfish/v1/Systems/sys/Entries/70/index.json", &json!({"@odata.id": entry}).to_string());
    let mut client = serve(Mockup::read(&folder).expect("a mockup")).basic("ada");
    assert_eq!(client.delete(&entry).status(), 204);
    assert_eq!((members(&mut client, entries).0, members(&mut client, &next).0), (60, 29));
    for page in [entries, &next] {
        assert_eq!(client.get(page).json()["Members@odata.count"], 89, "{page}");
    }
}

#[test]
fn letter_case_distinguishes_resources_except_in_ilo_amplifier() {
    let folder = small("case", "redfish/v1/");
    for name in ["EnclosureChassis", "enclosurechassis"] {
        let path = format!("/redfish/v1/Chassis/{name}");
        let document = json!({"@odata.id": path, "Name": name});
        write(&folder, &format!("redfish/v1/Chassis/{name}/index.json"), &document.to_string());
    }
    let mockup = Mockup::read(&folder).expect("a mockup");
    let mut client = serve(mockup.clone()).basic("ada");
    for name in ["EnclosureChassis", "enclosurechassis"] {
        assert_eq!(client.get(&format!("/redfish/v1/Chassis/{name}")).json()["Name"], name);
    }
    assert_eq!(client.get("/redfish/v1/Chassis/ENCLOSURECHASSIS").status(), 404);
    assert_eq!(mockup.warnings(Profile::Standard).len(), 1);

    let clash =
        "/redfish/v1/Chassis/enclosurechassis: ignored, because another file is served at the same path";
    assert!(mockup.warnings(Profile::IloAmplifier).contains(&clash.to_owned()));
    let settings = Settings { mockup: Some(mockup), ..settings(Profile::IloAmplifier) };
    let mut client = Client::new(settings).basic("ada");
    for name in ["EnclosureChassis", "enclosurechassis"] {
        assert_eq!(client.get(&format!("/redfish/v1/Chassis/{name}")).json()["Name"], "EnclosureChassis");
    }
}

#[test]
fn a_folder_with_percent_escapes_is_found_with_and_without_them() {
    let folder = small("escapes", "redfish/v1/");
    let ports = "/redfish/v1/Systems/sys/Ports";
    let port = format!("{ports}/NIC.1%231%20a");
    let collection = json!({"@odata.id": ports, "Members": [{"@odata.id": port}]});
    write(&folder, "redfish/v1/Systems/sys/Ports/index.json", &collection.to_string());
    let document = json!({"@odata.id": port, "Name": "Port", "Actions": {
        "#Port.Reset": {"target": format!("{port}/Actions/Port.Reset")}}});
    write(&folder, "redfish/v1/Systems/sys/Ports/NIC.1%231%20a/index.json", &document.to_string());
    write(&folder, "redfish/v1/Systems/sys/Ports/100%/index.json", &json!({"@odata.id": "x"}).to_string());
    let mut client = serve(Mockup::read(&folder).expect("a mockup")).basic("ada");
    assert_eq!(client.get(&port).json()["@odata.id"], port);
    assert_eq!(client.get(&format!("{ports}/%4eIC.1%231%20a")).json()["Name"], "Port");
    assert_eq!(client.get(&format!("{ports}/100%")).status(), 200);
    let expanded = client.get(&format!("{ports}?$expand=.")).json();
    assert_eq!(expanded["Members"][0]["Name"], "Port");
    assert_eq!(client.post(&format!("{port}/Actions/Port.Reset"), json!({})).status(), 204);
    assert_eq!(client.delete(&port).status(), 204);
    assert_eq!(client.get(ports).json()["Members"], json!([]));
}

#[test]
fn numbers_are_served_as_captured() {
    let folder = small("numbers", "redfish/v1/");
    let sensor = "/redfish/v1/Chassis/1/Sensors/1";
    let text = r#"{"@odata.id": "/redfish/v1/Chassis/1/Sensors/1", "@odata.etag": "old",
        "Reading": 21.990000000000002, "Peak": 1.50, "Low": -0, "Big": 123456789012345678901234567890, "Exp": 1E+2}"#;
    write(&folder, "redfish/v1/Chassis/1/Sensors/1/index.json", text);
    let mut client = serve(Mockup::read(&folder).expect("a mockup")).basic("ada");
    let answer = client.get(sensor);
    let shown = String::from_utf8(answer.response.body().clone()).expect("text");
    for member in [
        "\"Reading\":21.990000000000002",
        "\"Peak\":1.50",
        "\"Low\":-0",
        "\"Big\":123456789012345678901234567890",
        "\"Exp\":1E+2",
    ] {
        assert!(shown.contains(member), "{member} in {shown}");
    }
    let etag = answer.header("ETag").expect("an ETag");
    assert_eq!(answer.json()["@odata.etag"], etag);
    // A change keeps the values of the others.
    let changed = client.patch(sensor, json!({"Peak": 2}));
    assert!(
        changed.response.body().windows(18).any(|part| part == b"21.990000000000002"),
        "{}",
        changed.json()
    );
}

#[cfg(unix)]
#[test]
fn nothing_outside_the_folder_is_served() {
    use std::os::unix::fs::symlink;

    let outside = folder("outside");
    write(&outside, "secret.json", r#"{"@odata.id": "/x", "Secret": 1}"#);
    let folder = small("inside", "redfish/v1/");
    let inside = folder.join("redfish/v1/Systems/sys");
    write(&folder, "README", "not a resource");
    for name in ["Leak", "Link"] {
        fs::create_dir(inside.join(name)).expect("a folder");
    }
    symlink(outside.join("secret.json"), inside.join("Leak/index.json")).expect("a link");
    symlink("../Bios/index.json", inside.join("Link/index.json")).expect("a link");
    symlink(&outside, inside.join("Folder")).expect("a link");
    symlink("missing", inside.join("dangling.json")).expect("a link");
    let mockup = Mockup::read(&folder).expect("a mockup");
    assert_eq!(
        mockup.warnings(Profile::Standard),
        [
            "redfish/v1/Systems/sys/Folder: ignored, because it is a symbolic link to something other than a file",
            "redfish/v1/Systems/sys/Leak/index.json: ignored, because it is a symbolic link that leads out of the folder",
            "redfish/v1/Systems/sys/dangling.json: ignored, because it is a symbolic link to something other than a file",
            "no session service: the one of the mock is added",
        ]
    );
    let mut client = serve(mockup).basic("ada");
    assert_eq!(client.get(&format!("{SYSTEM}/Link")).json()["Name"], "Bios", "it stays inside");
    for path in ["Leak", "Folder/secret.json", "dangling.json", "Leak/../../../../../../etc/passwd"] {
        assert_eq!(client.get(&format!("{SYSTEM}/{path}")).status(), 404, "{path}");
    }
    assert_eq!(client.get("/README").status(), 404);

    let linked = common::mockups::folder("linked");
    symlink(folder.join("redfish"), linked.join("redfish")).expect("a link");
    assert!(Mockup::read(&linked).is_err(), "its root is outside");
}

#[test]
fn a_resource_takes_precedence_over_other_files_and_an_unreadable_file_is_a_warning() {
    let folder = small("precedence", "redfish/v1/");
    write(&folder, "redfish/v1/Systems/sys/index.html", "<html></html>");
    fs::create_dir(folder.join("redfish/v1/Systems/sys/Odd")).expect("a folder");
    fs::create_dir(folder.join("redfish/v1/Systems/sys/Odd/index.json")).expect("a folder");
    let mockup = Mockup::read(&folder).expect("a mockup");
    let warnings = mockup.warnings(Profile::Standard);
    assert!(
        warnings.contains(&format!("{SYSTEM}: ignored, because another file is served at the same path"))
    );
    assert_eq!(serve(mockup).basic("ada").get(SYSTEM).json()["Id"], "sys");
}

/// Walks a service like Mockup-Creator: every link, page and file that a response names. Returns what each URI returns.
fn walk(client: &mut Client) -> BTreeMap<String, Value> {
    let mut pending = vec!["/redfish".to_owned(), "/redfish/v1/odata".to_owned(), "/redfish/v1".to_owned()];
    let mut found = BTreeMap::new();
    while let Some(uri) = pending.pop() {
        // The sessions of the walk are not those of the dump.
        if uri.starts_with(SESSIONS) || found.contains_key(&uri) {
            continue;
        }
        let mut document = client.get(&uri).json();
        links(&document, &mut pending);
        document.as_object_mut().map(|document| document.remove("@odata.etag"));
        found.insert(uri, document);
    }
    found
}

fn links(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| links(item, found)),
        Value::Object(members) => members.iter().for_each(|(name, value)| match value.as_str() {
            Some(link)
                if ["@odata.id", "Uri", "Members@odata.nextLink", "@Redfish.ActionInfo"]
                    .contains(&name.as_str()) =>
            {
                if link.starts_with('/') && !link.contains('#') {
                    found.push(link.trim_end_matches('/').to_owned());
                }
            }
            _ => links(value, found),
        }),
        _ => {}
    }
}

#[test]
fn a_dump_of_the_service_yields_the_same_resources() {
    for profile in [Profile::Standard, Profile::IloAmplifier] {
        let mut original = Client::new(settings(profile)).basic("ada");
        let expected = walk(&mut original);
        assert!(expected.len() > 150, "{} resources", expected.len());
        let folder = folder(&format!("dump-{profile}"));
        for (uri, document) in &expected {
            write(&folder, &format!("{}/index.json", &uri[1..]), &document.to_string());
        }
        let mockup = Mockup::read(&folder).expect("a mockup");
        assert_eq!(mockup.warnings(profile), [""; 0]);
        let mut served = Client::new(Settings { mockup: Some(mockup), ..settings(profile) }).basic("ada");
        let found = walk(&mut served);
        for (uri, document) in &expected {
            assert_eq!(found.get(uri), Some(document), "{profile} {uri}");
        }
        assert_eq!(found.len(), expected.len(), "{profile}");
    }
}
