//! Walks through the members of a collection.

use redfish_proto::walk::Walk;
use serde_json::{Value, json};

use super::bmc::{Response, drive, drive_taking, link, resource, service, table, walk};

#[test]
fn members_are_read_in_the_order_of_the_collection_within_a_window() {
    let links =
        |range: std::ops::Range<usize>| range.map(|n| link(&format!("/c/{n}"))).collect::<Vec<Value>>();
    let collection = || Walk::members(service(), service().target("/c").unwrap());
    let respond = |target: &str| match target {
        "/redfish/v1/" => Response::Json(json!({})),
        "/c" => Response::Json(json!({"Members": links(0..300), "Members@odata.nextLink": "/c?p=2"})),
        "/c?p=2" => Response::Json(json!({"Members": links(300..305), "Members@odata.nextLink": "/c?p=3"})),
        "/c/7" => Response::Status(403),
        target if target.starts_with("/c/") => Response::Json(json!({"Id": target})),
        _ => Response::Status(500),
    };
    // The last response comes first, and the first one as late as possible.
    let mut furthest = 0;
    let walked = drive(
        collection(),
        8,
        |waiting| waiting - 1,
        |target| {
            furthest = furthest.max(target.strip_prefix("/c/").and_then(|n| n.parse().ok()).unwrap_or(0));
            respond(target)
        },
    );
    let expected: Vec<String> = (0..305).filter(|n| *n != 7).map(|n| format!("/c/{n}")).collect();
    let found: Vec<&str> = walked.found.iter().map(|(_, uri)| uri.as_str()).collect();
    assert_eq!(found, expected);
    assert_eq!((walked.unread[0].number, walked.failed_pages.len(), furthest), (7, 1, 304));
    // While the first one is missing, no more than the window is read.
    let mut ahead = 0;
    drive(
        collection(),
        8,
        |waiting| usize::from(waiting > 1),
        |target| {
            if let Some(n) = target.strip_prefix("/c/").and_then(|n| n.parse::<usize>().ok()) {
                ahead = ahead.max(n);
                if n == 0 {
                    assert!(ahead < 64, "{ahead}");
                }
            }
            respond(target)
        },
    );
}

fn number(target: &str) -> usize {
    target.rsplit(['/', '=']).next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[test]
fn the_next_page_is_requested_once_the_members_before_it_are_taken() {
    let collection = Walk::members(service(), service().target("/c").unwrap());
    let walked = drive_taking(
        1,
        collection,
        4,
        |_| 0,
        |target| match number(target) {
            _ if target == "/redfish/v1/" => Response::Json(json!({})),
            page => {
                let member = |n| resource(&format!("/c/{}", page * 50 + n), json!({}));
                let members: Vec<Value> = (0..50).map(member).collect();
                let next = (page < 9).then(|| format!("/c?p={}", page + 1));
                Response::Json(json!({"Members": members, "Members@odata.nextLink": next}))
            }
        },
    );
    assert_eq!((walked.found.len(), walked.requests.len()), (500, 11));
    assert_eq!(walked.taken[1..], [0, 50, 100, 150, 200, 250, 300, 350, 400, 450]);
}

#[test]
fn members_that_wait_for_their_turn_hold_a_limited_number_of_bytes() {
    let text = "x".repeat(1 << 20);
    // Each member is a MiB, or each further page with one small member.
    for page_is_large in [false, true] {
        let (mut answered, mut ahead) = (0, 0);
        let walked = drive(
            Walk::members(service(), service().target("/c").unwrap()),
            4,
            |waiting| usize::from(waiting > 1),
            |target| {
                if target == "/c/0" {
                    ahead = answered;
                }
                answered += 1;
                match target {
                    "/redfish/v1/" => Response::Json(json!({})),
                    "/c/0" => Response::Json(json!({})),
                    "/c" if !page_is_large => {
                        let members: Vec<Value> = (0..40).map(|n| link(&format!("/c/{n}"))).collect();
                        Response::Json(json!({"Members": members}))
                    }
                    "/c" => {
                        let first = [link("/c/0")];
                        Response::Json(json!({"Members": first, "Members@odata.nextLink": "/c?p=1"}))
                    }
                    _ if !page_is_large => Response::Json(json!({"Text": text})),
                    page => {
                        let n = number(page);
                        let next = (n < 39).then(|| format!("/c?p={}", n + 1));
                        let member = resource(&format!("/c/{n}"), json!({}));
                        Response::Json(
                            json!({"Members": [member], "Text": text, "Members@odata.nextLink": next}),
                        )
                    }
                }
            },
        );
        assert_eq!(walked.found.len(), 40);
        assert!((8..=14).contains(&ahead), "{page_is_large}: {ahead}");
    }
}

#[test]
fn nothing_is_requested_while_many_events_wait() {
    let walked = drive_taking(
        1,
        walk("/redfish/v1/"),
        4,
        |_| 0,
        |target| match target.strip_prefix("/redfish/v1/c/") {
            None => {
                let links: Vec<Value> = (0..40).map(|n| link(&format!("/redfish/v1/c/{n}"))).collect();
                Response::Json(json!({"Parts": links}))
            }
            Some(n) => {
                let member = |m| resource(&format!("/redfish/v1/c/{n}/{m}"), json!({}));
                Response::Json(json!({"Members": (0..100).map(member).collect::<Vec<Value>>()}))
            }
        },
    );
    assert_eq!(walked.found.len(), 1 + 40 * 101);
    for (sent, taken) in walked.taken.iter().enumerate() {
        assert!(*taken + 600 >= sent * 101, "{taken} events were taken before request {sent}");
    }
}

#[test]
fn no_member_is_read_twice_whatever_the_spelling_of_its_link() {
    let whole = |uri: &str, id: &str| resource(uri, json!({"Id": id}));
    let first = json!([
        link("/c/a"),
        link("/c/a/"),
        link("/c/b#frag"),
        link("/c/b"),
        whole("/c/d/", "d"),
        link("/c/e#/Parts/0")
    ]);
    let second = json!([
        link("/c/a/"),
        link("/c/d"),
        link("/c/f"),
        whole("/c/b/", "b"),
        link("/c/e#/Parts/1"),
        whole("/c/g#/Parts/0", "g0"),
        whole("/c/g#/Parts/1", "g1"),
        link("/c/g")
    ]);
    let walked = drive(
        Walk::members(service(), service().target("/c").unwrap()),
        4,
        |_| 0,
        table(vec![
            ("/redfish/v1/", json!({})),
            ("/c", json!({"Members": first, "Members@odata.nextLink": "/c?2"})),
            ("/c?2", json!({"Members": second})),
            ("/c/a", json!({})),
            ("/c/b", json!({})),
            ("/c/e", json!({})),
            ("/c/f", json!({})),
            ("/c/g", json!({})),
        ]),
    );
    let found: Vec<&str> = walked.found.iter().map(|(_, uri)| uri.as_str()).collect();
    assert_eq!(
        found,
        ["/c/a", "/c/b", "/c/d/", "/c/e", "/c/f", "/c/g", "/c/g", "/c/g"],
        "{:?}",
        walked.unread
    );
    let mut requests = walked.requests;
    requests.sort_unstable();
    assert_eq!(requests, ["/", "/c", "/c/a", "/c/b", "/c/e", "/c/f", "/c/g", "/c?2"]);
}

#[test]
fn a_member_that_its_page_contains_in_part_is_requested_unless_a_part_was_selected() {
    let members = json!([
        {"@odata.id": "/c/a", "@odata.type": "#Thing.v1_0_0.Thing"},
        {"@odata.id": "/c/b", "Name": "b"},
        resource("/c/c", json!({})),
        {"@odata.id": "https://evil.example/d", "Name": "d"},
        {"Name": "e"},
    ]);
    let page = json!({"Members": members});
    let read = |collection: &str| {
        let responses = vec![
            ("/redfish/v1/", json!({})),
            ("/c", page.clone()),
            ("/c?$select=Members/Name", page.clone()),
            ("/c/a", resource("/c/a", json!({}))),
            ("/c/b", resource("/c/b", json!({}))),
        ];
        drive(Walk::members(service(), service().target(collection).unwrap()), 1, |_| 0, table(responses))
    };
    let walked = read("/c");
    assert_eq!(walked.requests, ["/", "/c", "/c/a", "/c/b"]);
    // Without a URI of its own, a member is a part of the collection.
    let found: Vec<&str> = walked.found.iter().map(|(_, uri)| uri.as_str()).collect();
    assert_eq!(found, ["/c/a", "/c/b", "/c/c", "/c#/Members", "/c#/Members"]);
    assert_eq!(read("/c?$select=Members/Name").requests, ["/", "/c?$select=Members/Name"]);
}
