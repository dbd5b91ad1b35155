//! How many requests a walk needs, and which.

use redfish_proto::query::Features;
use redfish_proto::walk::Walk;
use serde_json::{Value, json};

use super::bmc::{Response, Walked, drive, drive_alone, link, resource, service, table, walk};

/// A service with a collection of four, of which two are complete in the page, and a log of two pages.
fn bmc(expands: bool) -> Vec<(&'static str, Value)> {
    let thing = |uri: &str| resource(uri, json!({"Part": link(&format!("{uri}/Part"))}));
    let features = json!({"ExpandQuery": {"NoLinks": expands, "Levels": true, "MaxLevels": 1}});
    let entry = |n: usize| {
        resource(&format!("/redfish/v1/Log/Entries/{n}"), json!({"@odata.type": "#LogEntry.v1_0_0.LogEntry"}))
    };
    let root = json!({"Systems": link("/redfish/v1/Systems"), "Entries": link("/redfish/v1/Log/Entries"),
        "ProtocolFeaturesSupported": features, "Oem": {"First": link("/redfish/v1/Systems/3")}});
    let part = |uri: &str| resource(uri, json!({}));
    let whole = ["1", "2", "3", "4"].map(|id| thing(&format!("/redfish/v1/Systems/{id}")));
    let mut some: Vec<Value> = whole[..2].to_vec();
    some.extend(["3", "4"].map(|id| link(&format!("/redfish/v1/Systems/{id}"))));
    let log = |entries: [usize; 2], next: Option<&str>| {
        let mut page =
            json!({"@odata.type": "#LogEntryCollection.LogEntryCollection", "Members": entries.map(entry)});
        if let Some(next) = next {
            page["Members@odata.nextLink"] = next.into();
        }
        page
    };
    vec![
        ("/redfish/v1/", resource("/redfish/v1", root)),
        ("/redfish/v1/Systems", resource("/redfish/v1/Systems", json!({"Members": some}))),
        (
            "/redfish/v1/Systems?$expand=.($levels=1)",
            resource("/redfish/v1/Systems", json!({"Members": whole})),
        ),
        ("/redfish/v1/Systems/3", whole[2].clone()),
        ("/redfish/v1/Systems/4", whole[3].clone()),
        ("/redfish/v1/Systems/1/Part", part("/redfish/v1/Systems/1/Part")),
        ("/redfish/v1/Systems/2/Part", part("/redfish/v1/Systems/2/Part")),
        ("/redfish/v1/Systems/3/Part", part("/redfish/v1/Systems/3/Part")),
        ("/redfish/v1/Systems/4/Part", part("/redfish/v1/Systems/4/Part")),
        ("/redfish/v1/Log/Entries", log([1, 2], Some("/redfish/v1/Log/Entries?page=2"))),
        ("/redfish/v1/Log/Entries?$expand=.($levels=1)", log([1, 2], Some("/redfish/v1/Log/Entries?page=2"))),
        ("/redfish/v1/Log/Entries?page=2", log([3, 4], None)),
    ]
}

/// With any number in flight, and in any order, the requests are the same.
fn requests(make: impl Fn() -> Walk, resources: Vec<(&str, Value)>) -> Walked {
    let respond = table(resources);
    let sorted = |walked: &Walked| {
        let mut requests = walked.requests.clone();
        requests.sort();
        requests
    };
    let alone = drive_alone(make(), respond.clone());
    for order in 0..5 {
        let walked = drive(make(), 4, |waiting| waiting.saturating_sub(order), respond.clone());
        assert_eq!((walked.uris(), sorted(&walked)), (alone.uris(), sorted(&alone)));
    }
    alone
}

#[test]
fn what_is_complete_in_a_page_is_not_requested() {
    let walked = requests(|| walk("/redfish/v1/"), bmc(false));
    let mut requests: Vec<&str> = walked.requests.iter().map(String::as_str).collect();
    requests.sort_unstable();
    let expected = [
        "/",
        "/Log/Entries",
        "/Systems",
        "/Systems/1/Part",
        "/Systems/2/Part",
        "/Systems/3",
        "/Systems/3/Part",
        "/Systems/4",
        "/Systems/4/Part",
    ];
    assert_eq!(requests, expected);
    // The root, two collections, four systems with their parts, and two entries.
    assert_eq!((walked.found.len(), walked.shortened), (13, 1));
    let walked = self::requests(|| walk("/redfish/v1/").whole_logs(), bmc(false));
    assert_eq!((walked.requests.len(), walked.found.len(), walked.shortened), (10, 15, 0));
}

#[test]
fn a_collection_is_expanded_if_the_service_offers_that() {
    let walked = requests(|| walk("/redfish/v1/"), bmc(true));
    let mut sorted: Vec<&str> = walked.requests.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    let parts = ["/Systems/1/Part", "/Systems/2/Part", "/Systems/3/Part", "/Systems/4/Part"];
    assert_eq!(sorted[..2], ["/", "/Log/Entries?$expand=.($levels=1)"]);
    assert_eq!(sorted[2..6], parts);
    assert_eq!(sorted[6..], ["/Systems?$expand=.($levels=1)"]);
    // The URI of a resource has no query that the walk has added.
    assert!(walked.uris().contains(&"/redfish/v1/Systems"), "{:?}", walked.uris());
    let plain = requests(|| walk("/redfish/v1/").expand(false), bmc(true));
    assert_eq!((plain.requests.len(), plain.uris()), (9, walked.uris()));
}

#[test]
fn a_failed_expansion_is_requested_plainly_and_soon_not_tried_any_more() {
    let names = ["Chassis", "Fabrics", "Managers", "Storage", "Systems"];
    let root = names.map(|name| (name.to_owned(), link(&format!("/redfish/v1/{name}"))));
    let mut root: Value = root.into_iter().collect::<serde_json::Map<_, _>>().into();
    root["ProtocolFeaturesSupported"] = json!({"ExpandQuery": {"NoLinks": true}});
    for refusal in [400, 403, 404, 501, 500, 0] {
        let walked = drive_alone(walk("/redfish/v1/"), |target| match target {
            "/redfish/v1/" => Response::Json(root.clone()),
            _ if target.ends_with("?$expand=.") && refusal == 0 => Response::Text("<html>".into()),
            _ if target.ends_with("?$expand=.") => Response::Status(refusal),
            _ => Response::Json(json!({"Members": []})),
        });
        let expanded = walked.requests.iter().filter(|request| request.ends_with("?$expand=.")).count();
        let is_refusal = matches!(refusal, 400 | 403 | 404 | 501);
        assert_eq!((expanded, walked.found.len()), (if is_refusal { 3 } else { 5 }, 6), "{refusal}");
        assert!(walked.unread.is_empty() && walked.end.is_none());
    }
}

#[test]
fn an_expanded_collection_whose_members_have_the_same_uri_is_read_plainly() {
    // The URIs of a page without $expand are right.
    let copy = |id: &str| resource("/redfish/v1/Systems/1", json!({"Id": id}));
    let links = ["1", "2"].map(|id| link(&format!("/redfish/v1/Systems/{id}")));
    let root = json!({"Systems": link("/redfish/v1/Systems"), "ProtocolFeaturesSupported": {"ExpandQuery": {"NoLinks": true}}});
    let walked = drive_alone(
        walk("/redfish/v1/"),
        table(vec![
            ("/redfish/v1/", root),
            ("/redfish/v1/Systems?$expand=.", json!({"Members": [copy("1"), copy("2")]})),
            ("/redfish/v1/Systems", json!({"Members": links})),
            ("/redfish/v1/Systems/1", copy("1")),
            ("/redfish/v1/Systems/2", copy("2")),
        ]),
    );
    assert_eq!(walked.found.len(), 4, "{:?}", walked.uris());
}

#[test]
fn an_expanded_collection_that_lacks_members_is_read_plainly() {
    let member = |n: usize| resource(&format!("/redfish/v1/Systems/{n}"), json!({}));
    let without_link = |n: usize| {
        let mut member = member(n);
        member.as_object_mut().unwrap().remove("@odata.id");
        member
    };
    let error = json!({"error": {"code": "Base.1.0.GeneralError", "message": "not now"}});
    let collection =
        |members: Value| json!({"@odata.type": "#SystemCollection.SystemCollection", "Members": members});
    let with_count = |members: Value, count: usize| {
        let mut collection = collection(members);
        collection["Members@odata.count"] = count.into();
        collection
    };
    let links: Vec<Value> = (0..3).map(|n| link(&format!("/redfish/v1/Systems/{n}"))).collect();
    for (name, expanded, is_right) in [
        ("right", with_count(json!([member(0), member(1), member(2)]), 3), true),
        ("no members", json!({"@odata.type": "#SystemCollection.SystemCollection", "Name": "S"}), false),
        ("no type", json!({"Name": "S"}), false),
        ("no links", collection(json!([without_link(0), without_link(1), without_link(2)])), false),
        ("one without a link", collection(json!([member(0), without_link(1), member(2)])), false),
        ("null", collection(json!([member(0), Value::Null, member(2)])), false),
        ("an error", collection(json!([member(0), error, member(2)])), false),
        ("empty", with_count(json!([]), 3), false),
        ("dropped", with_count(json!([member(0), member(2)]), 3), false),
        ("the same", collection(json!([member(0), member(0), member(0)])), false),
    ] {
        let responses = table(vec![
            (
                "/redfish/v1/",
                json!({"Systems": link("/redfish/v1/Systems"),
                "ProtocolFeaturesSupported": {"ExpandQuery": {"NoLinks": true}}}),
            ),
            ("/redfish/v1/Systems?$expand=.", expanded),
            ("/redfish/v1/Systems", with_count(links.clone().into(), 3)),
            ("/redfish/v1/Systems/0", member(0)),
            ("/redfish/v1/Systems/1", member(1)),
            ("/redfish/v1/Systems/2", member(2)),
        ]);
        let tree = drive_alone(walk("/redfish/v1/"), responses.clone());
        assert_eq!((tree.found.len(), tree.unread.len()), (5, 0), "{name}: {:?}", tree.uris());
        let collection = service().target("/redfish/v1/Systems").unwrap();
        let members = drive_alone(Walk::members(service(), collection), responses);
        let expected: Vec<String> = (0..3).map(|n| format!("/redfish/v1/Systems/{n}")).collect();
        assert_eq!(members.uris(), expected, "{name}");
        for requests in [&tree.requests, &members.requests] {
            let plain = requests.iter().filter(|request| *request == "/Systems").count();
            assert_eq!(plain, usize::from(!is_right), "{name}: {requests:?}");
        }
    }
}

#[test]
fn an_expansion_that_is_denied_or_always_too_much_is_requested_plainly() {
    let names = ["Chassis", "Fabrics", "Managers", "Systems"];
    let root = names.map(|name| (name.to_owned(), link(&format!("/redfish/v1/{name}"))));
    let mut root: Value = root.into_iter().collect::<serde_json::Map<_, _>>().into();
    root["Thing"] = link("/redfish/v1/Thing");
    root["ProtocolFeaturesSupported"] = json!({"ExpandQuery": {"NoLinks": true}});
    for status in [401, 429, 503] {
        for room in [1, 4] {
            let respond = |target: &str| match target {
                "/redfish/v1/" => Response::Json(root.clone()),
                // The first one shows that the credentials are valid.
                _ if target.ends_with("?$expand=.") && !target.contains("Chassis") => {
                    Response::Status(status)
                }
                _ => Response::Json(json!({"Members": []})),
            };
            let walked = drive(walk("/redfish/v1/"), room, |_| 0, respond);
            assert_eq!(
                (walked.found.len(), walked.end()),
                (6, String::new()),
                "{status}: {:?}",
                walked.unread
            );
            let plain = ["/Fabrics", "/Managers", "/Systems"]
                .map(|uri| walked.requests.iter().filter(|request| *request == uri).count());
            // A check of the credentials may repeat one.
            let is_once = |count: &usize| *count == 1 || status == 401 && *count == 2;
            assert!(plain.iter().all(is_once), "{status}: {:?}", walked.requests);
        }
    }
}

#[test]
fn an_expanded_page_that_lacks_members_is_read_plainly_if_it_is_the_last_one() {
    let members = |range: std::ops::Range<usize>| {
        range.map(|n| resource(&format!("/c/{n}"), json!({}))).collect::<Vec<Value>>()
    };
    let page = |members: Vec<Value>, next: Option<&str>| json!({"Members": members, "Members@odata.count": 6, "Members@odata.nextLink": next});
    let walked = drive_alone(
        Walk::members(service(), service().target("/c").unwrap()),
        table(vec![
            ("/redfish/v1/", json!({"ProtocolFeaturesSupported": {"ExpandQuery": {"NoLinks": true}}})),
            ("/c?$expand=.", page(members(0..3), Some("/c?$skip=3&$expand=."))),
            // It overlaps, which is no fault, and lacks the last one, which is.
            ("/c?$skip=3&$expand=.", page(members(2..5), None)),
            ("/c?$skip=3", page((2..6).map(|n| link(&format!("/c/{n}"))).collect(), None)),
            ("/c/3", members(3..4).remove(0)),
            ("/c/4", members(4..5).remove(0)),
            ("/c/5", members(5..6).remove(0)),
        ]),
    );
    assert_eq!((walked.found.len(), walked.unread.len()), (6, 0), "{:?}", walked.requests);
}

#[test]
fn a_selected_part_or_a_type_that_is_wanted_whole_is_requested() {
    let member = |n: usize| resource(&format!("/c/{n}"), json!({}));
    let page = json!({"Members": [member(1), member(2)]});
    let tail = vec![("/c/1", member(1)), ("/c/2", member(2)), ("/redfish/v1/", json!({}))];
    for (start, requests) in [("/c", 2), ("/c?$select=Name", 4), ("/c?a=1&excerpt", 4), ("/c?$filter=x", 2)] {
        let resources = [vec![(start, page.clone())], tail.clone()].concat();
        assert_eq!(drive_alone(walk(start), table(resources)).requests.len(), requests, "{start}");
    }
    let resources = [vec![("/c", page.clone())], tail].concat();
    let reread = drive_alone(walk("/c").reread(["Thing"]), table(resources.clone()));
    assert_eq!((reread.requests.len(), reread.found.len()), (4, 3));
    assert_eq!(drive_alone(walk("/c").reread(["Other"]), table(resources)).requests.len(), 2);
}

#[test]
fn the_root_is_read_for_what_it_says_unless_that_is_known() {
    let resources = vec![("/redfish/v1/", json!({})), ("/a", json!({}))];
    assert_eq!(drive_alone(walk("/a"), table(resources.clone())).requests, ["/", "/a"]);
    assert_eq!(drive_alone(walk("/redfish/v1"), table(vec![("/redfish/v1", json!({}))])).requests, [""]);
    let mut known = walk("/a");
    known.learn_features(Some(Features::default()));
    assert_eq!(drive_alone(known, table(resources)).requests, ["/a"]);
    // It need not be readable.
    assert_eq!(drive_alone(walk("/a"), table(vec![("/a", json!({}))])).found.len(), 1);
}

#[test]
fn a_walk_starts_at_a_resource_and_not_at_a_part_of_it() {
    let resources = table(vec![("/redfish/v1/", json!({})), ("/a", json!({"Self": link("/a")}))]);
    assert_eq!(drive_alone(walk("/a#/Self"), resources).uris(), ["/a"]);
}

#[test]
fn links_are_followed_as_the_filter_says() {
    let walked = drive_alone(
        walk("/redfish/v1/").follow(|link| link.name != "Entries" && !link.target.path().ends_with("/Part")),
        table(bmc(false)),
    );
    assert_eq!(walked.uris().len(), 6, "{:?}", walked.uris());
    let walked =
        drive_alone(walk("/redfish/v1/").follow(|link| link.resource_type != "Thing"), table(bmc(false)));
    assert_eq!(walked.requests, ["/"]);
}
