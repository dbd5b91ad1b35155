//! What a service can do to a walk.

use std::cell::Cell;
use std::time::Duration;

use redfish_proto::ErrorKind;
use serde_json::{Value, json};

use super::bmc::{Response, drive, drive_alone, drive_crowded, drive_with_session, link, table, walk};

fn parts(links: impl IntoIterator<Item = String>) -> Value {
    json!({"Parts": links.into_iter().map(|uri| link(&uri)).collect::<Vec<Value>>()})
}

fn many(count: usize) -> Value {
    parts((0..count).map(|n| format!("/redfish/v1/p/{n}")))
}

#[test]
fn circles_end_and_other_origins_are_reported() {
    let walked = drive_alone(walk("/redfish/v1/"), |target| match target {
        "/redfish/v1/" => {
            Response::Json(parts(["/redfish/v1/a/".into(), "https://elsewhere.example/x".into()]))
        }
        _ => Response::Json(parts([
            "/redfish/v1/a#/Parts/0".into(),
            "/redfish/v1".into(),
            "/redfish/v1/a/".into(),
        ])),
    });
    assert_eq!(walked.uris(), ["/redfish/v1/", "/redfish/v1/a/"]);
    let [unread] = walked.unread.as_slice() else { panic!("{:?}", walked.unread) };
    assert!(unread.leads_to_nothing() && unread.uri == "https://elsewhere.example/x", "{unread:?}");
    assert!(matches!(unread.error.kind(), ErrorKind::CrossOrigin { .. }));
    assert_eq!(unread.place.parent, Some(0));
}

#[test]
fn endless_links_end_the_walk_with_the_limit_and_the_uri() {
    // Ever new URIs, one at a time.
    let endless = |target: &str| {
        let number: usize = target.rsplit('/').next().unwrap().parse().unwrap_or(0);
        Response::Json(parts([format!("/redfish/v1/{}", number + 1)]))
    };
    let walked = drive_alone(walk("/redfish/v1/").max_resources(500), endless);
    assert_eq!((walked.found.len(), walked.requests.len()), (500, 501));
    assert!(walked.end().contains("its limit of 500 resources"), "{}", walked.end());
    assert_eq!(walked.end.as_ref().unwrap().uri(), Some("/redfish/v1/500"));
    let walked = drive_alone(walk("/redfish/v1/").max_depth(20), endless);
    assert_eq!((walked.found.len(), walked.end.is_none()), (21, true));
    let exceeded = walked.depth_exceeded.unwrap();
    assert!(exceeded.to_string().contains("its limit of 20 links from the start"), "{exceeded}");
    assert_eq!(exceeded.uri(), Some("/redfish/v1/21"));
    // A shorter path counts, and a circle exceeds nothing.
    let shorter = table(vec![
        ("/redfish/v1/", parts(["/redfish/v1/1".into(), "/redfish/v1/2".into()])),
        ("/redfish/v1/1", parts(["/redfish/v1/2".into()])),
        ("/redfish/v1/2", parts(["/redfish/v1/".into()])),
    ]);
    let walked = drive_alone(walk("/redfish/v1/").max_depth(1), shorter);
    assert_eq!((walked.found.len(), walked.depth_exceeded.is_none()), (3, true));

    // 900,000 on a page.
    let links: Vec<String> = (0..900_000).map(|n| format!("{{\"@odata.id\":\"/{n}\"}}")).collect();
    let page = format!("{{\"Parts\": [{}]}}", links.join(","));
    let walked = drive_alone(walk("/redfish/v1/"), |_| Response::Text(page.clone()));
    assert!(walked.end().contains("its limit of 100000 pending links"), "{}", walked.end());
    assert_eq!((walked.requests.len(), walked.end.unwrap().uri()), (1, Some("/redfish/v1/")));

    // As members, with ever new ones on further pages.
    let mut page = 0;
    let walked = drive_alone(walk("/redfish/v1/").max_pending(10_000), |target| {
        page += 1;
        let member = |n: usize| link(&format!("/redfish/v1/{page}/{n}"));
        let members: Vec<Value> = (0..3_000).map(member).collect();
        assert!(page < 10, "{target}");
        Response::Json(json!({"Members": members, "Members@odata.nextLink": format!("/redfish/v1/?{page}")}))
    });
    assert!(walked.end().contains("pending links"), "{}", walked.end());
    let walked = drive_alone(walk("/redfish/v1/").max_bytes(100), |_| Response::Json(many(10)));
    assert!(walked.end().contains("its limit of 100 bytes"), "{}", walked.end());
}

#[test]
fn an_empty_link_and_one_to_a_fragment_of_the_same_resource_lead_nowhere() {
    for empty in ["", " ", "#", "#/Parts/0", " #/Foo"] {
        let part =
            json!({"Empty": link(empty), "Links": {"Empty": [link(empty)]}, "Next": link("/redfish/v1/b")});
        let walked = drive_alone(
            walk("/redfish/v1/"),
            table(vec![
                ("/redfish/v1/", json!({"Chassis": link("/redfish/v1/Chassis"), "Empty": link(empty)})),
                (
                    "/redfish/v1/Chassis",
                    json!({"Members": [link(empty), link("/redfish/v1/a"), part.clone()]}),
                ),
                ("/redfish/v1/a", part),
                ("/redfish/v1/b", json!({})),
            ]),
        );
        assert_eq!(walked.end(), "", "{empty:?}");
        assert_eq!((walked.found.len(), walked.unread.len()), (4, 0), "{empty:?}: {:?}", walked.unread);
    }
}

#[test]
fn each_failure_is_reported_once_and_the_rest_is_read() {
    let walked = drive(
        walk("/redfish/v1/"),
        4,
        |_| 0,
        |target| match target.rsplit('/').next().unwrap() {
            "" => Response::Json(many(9)),
            "0" => Response::Status(404),
            "1" => Response::Busy(1),
            "2" => Response::Text("<html>".into()),
            "3" => Response::Text("[]".into()),
            "4" => Response::Text("{\"a\":".into()),
            "5" => Response::Status(403),
            "6" => Response::Status(500),
            _ => Response::Json(json!({})),
        },
    );
    assert_eq!(walked.uris().len(), 3);
    let mut failed: Vec<(char, bool)> = walked
        .unread
        .iter()
        .map(|unread| (unread.uri.chars().last().unwrap(), unread.leads_to_nothing()))
        .collect();
    failed.sort_unstable();
    assert_eq!(
        failed,
        [('0', true), ('1', false), ('2', false), ('3', false), ('4', false), ('5', true), ('6', false)]
    );
    // The busy one was repeated as often as the policy says.
    assert_eq!(walked.requests.iter().filter(|request| *request == "/p/1").count(), 4);
    assert!(walked.unread.iter().all(|unread| unread.error.uri() == Some(unread.uri.as_ref())));
    assert!(walked.end.is_none());
}

#[test]
fn a_refusal_for_load_halves_the_number_in_flight() {
    for (refusal, in_flight) in [(503, 4), (429, 4), (0, 4)] {
        let mut refused = 0;
        let walked = drive(
            walk("/redfish/v1/"),
            8,
            |_| 0,
            |target| {
                if target == "/redfish/v1/" {
                    return Response::Json(many(40));
                }
                // The requests that were in flight together count as one.
                refused += 1;
                match (refused, refusal) {
                    (10..=14, 0) => Response::Refused,
                    (10..=12, status) => Response::Status(status),
                    _ => Response::Json(json!({})),
                }
            },
        );
        assert_eq!((walked.found.len(), walked.max_in_flight), (41, 8), "{refusal}");
        let later = walked.in_flight.iter().rev().take(15).max();
        assert_eq!(later, Some(&in_flight), "{refusal}: {:?}", walked.in_flight);
    }
    // Down to one, however often it is refused.
    let mut count = 0;
    let walked = drive(
        walk("/redfish/v1/"),
        8,
        |_| 0,
        |target| {
            count += 1;
            match target {
                "/redfish/v1/" => Response::Json(many(60)),
                _ if count % 12 == 11 => Response::Busy(1),
                _ => Response::Json(json!({})),
            }
        },
    );
    assert_eq!((walked.found.len(), walked.in_flight.last()), (61, Some(&1)), "{:?}", walked.in_flight);
}

#[test]
fn the_number_in_flight_is_halved_from_what_was_sent_together_and_recovers() {
    // The refused one is answered last, when nothing else is in flight.
    let mut count = 0;
    let walked = drive(
        walk("/redfish/v1/"),
        8,
        |waiting| waiting - 1,
        |target| {
            count += 1;
            match target {
                "/redfish/v1/" => Response::Json(many(200)),
                _ if count == 20 => Response::Busy(1),
                _ => Response::Json(json!({})),
            }
        },
    );
    let after: Vec<usize> = walked.in_flight.iter().copied().skip(28).collect();
    assert_eq!(after.iter().take(20).max(), Some(&4), "{after:?}");
    assert_eq!((after.iter().max(), walked.found.len()), (Some(&8), 201), "{after:?}");
}

#[test]
fn a_service_that_accepts_one_request_gets_one_whatever_the_caller_chooses() {
    let root = |says: Value| {
        let mut root = many(20);
        root["ProtocolFeaturesSupported"] = json!({"MultipleHTTPRequests": says});
        root
    };
    for (says, chosen, in_flight) in [
        (json!(false), None, 1),
        (json!(true), None, 4),
        (json!(false), Some(3), 1),
        (json!(true), Some(3), 3),
        (Value::Null, Some(9), 4),
    ] {
        let walk = match chosen {
            Some(chosen) => walk("/redfish/v1/").in_flight(chosen),
            None => walk("/redfish/v1/"),
        };
        let walked = drive(
            walk,
            4,
            |_| 0,
            |target| match target {
                "/redfish/v1/" => Response::Json(root(says.clone())),
                _ => Response::Json(json!({})),
            },
        );
        assert_eq!(walked.max_in_flight, in_flight, "{says} {chosen:?}");
    }
}

#[test]
fn after_no_response_the_root_decides_whether_the_service_is_away() {
    // One URI at which the connection breaks: the rest is read.
    let walked = drive(
        walk("/redfish/v1/"),
        4,
        |_| 0,
        |target| match target {
            "/redfish/v1/" => Response::Json(many(12)),
            "/redfish/v1/p/3" => Response::Broken,
            _ => Response::Json(json!({})),
        },
    );
    assert_eq!((walked.found.len(), walked.unread.len(), walked.end.is_none()), (12, 1, true));
    assert!(!walked.unread[0].leads_to_nothing());
    assert_eq!(walked.requests.iter().filter(|request| *request == "/").count(), 2, "{:?}", walked.requests);

    // A service that is away: no more than what was in flight is requested.
    let mut is_away = false;
    let walked = drive(
        walk("/redfish/v1/"),
        4,
        |_| 0,
        |target| {
            is_away |= target == "/redfish/v1/p/5";
            match target {
                _ if is_away => Response::Refused,
                "/redfish/v1/" => Response::Json(many(1_000)),
                _ => Response::Json(json!({})),
            }
        },
    );
    assert!(walked.requests.len() < 60, "{:?}", walked.requests);
    assert!(matches!(walked.end.unwrap().kind(), ErrorKind::Transport(_)));
    assert!(walked.elapsed < Duration::from_secs(10), "{:?}", walked.elapsed);
}

#[test]
fn a_service_that_drops_what_it_cannot_serve_at_once_is_read_completely() {
    for (limit, room) in [(1, 4), (2, 4), (1, 8), (3, 16)] {
        for refusal in [0, 1, 429, 503] {
            let mut dropped = 0;
            let walked = drive_crowded(walk("/redfish/v1/"), room, |target, in_flight| {
                if in_flight > limit {
                    dropped += 1;
                    return match refusal {
                        0 => Response::Broken,
                        1 => Response::Refused,
                        status => Response::Status(status),
                    };
                }
                match target {
                    "/redfish/v1/" => Response::Json(many(100)),
                    _ => Response::Json(json!({})),
                }
            });
            let case = format!("{limit} of {room}: {refusal}");
            assert_eq!(walked.end(), "", "{case}");
            assert_eq!((walked.found.len(), walked.unread.len()), (101, 0), "{case}");
            assert!(dropped < 60, "{case}: {dropped}");
            assert!(walked.max_in_flight > limit, "{case}");
        }
    }
}

#[test]
fn the_look_at_the_root_is_sent_alone() {
    for order in [0, 1, 2] {
        let walked = drive(
            walk("/redfish/v1/"),
            4,
            |_| order,
            |target| match target {
                "/redfish/v1/" => Response::Json(many(30)),
                "/redfish/v1/p/3" => Response::Late,
                _ => Response::Json(json!({})),
            },
        );
        assert_eq!((walked.found.len(), walked.unread.len(), walked.end.is_none()), (30, 1, true));
        let look = walked.requests.iter().rposition(|request| request == "/").unwrap();
        assert!(look > 0 && walked.in_flight[look] == 1, "{order}: {:?}", walked.in_flight);
    }
}

#[test]
fn after_a_401_a_resource_that_was_read_decides_whether_the_credentials_are_valid() {
    let root = |target: &str| (target == "/redfish/v1/").then(|| Response::Json(many(12)));
    // One resource is denied: a look at one that was read shows that.
    let walked = drive(
        walk("/redfish/v1/"),
        4,
        |_| 0,
        |target| match target {
            "/redfish/v1/p/6" => Response::Status(401),
            target => root(target).unwrap_or(Response::Json(json!({}))),
        },
    );
    assert_eq!((walked.found.len(), walked.unread.len(), walked.end.is_none()), (12, 1, true));
    assert!(walked.unread[0].leads_to_nothing());
    assert_eq!(walked.requests.len(), 14);

    // The root alone does not show it.
    let walked =
        drive(walk("/redfish/v1/"), 4, |_| 0, |target| root(target).unwrap_or(Response::Status(401)));
    assert_eq!((walked.requests.len(), walked.max_in_flight), (2, 1));
    assert_eq!(*walked.end.unwrap().kind(), ErrorKind::NotAuthenticated);

    // They are refused after a while: no request but those in flight, and the look.
    let mut count = 0;
    let walked = drive(
        walk("/redfish/v1/"),
        4,
        |_| 0,
        |target| {
            count += 1;
            match root(target) {
                Some(root) => root,
                None if count > 5 => Response::Status(401),
                None => Response::Json(json!({})),
            }
        },
    );
    assert_eq!(*walked.end.unwrap().kind(), ErrorKind::NotAuthenticated);
    assert!(walked.requests.len() <= 10 && walked.unread.is_empty(), "{:?}", walked.requests);
}

#[test]
fn once_the_session_was_alive_after_a_401_the_next_ones_are_believed_without_it() {
    for room in [1, 4] {
        let is_denied =
            |target: &str| target.strip_prefix("/redfish/v1/p/").is_some_and(|n| n.ends_with('3'));
        let mut checks = 0;
        let walked = drive_with_session(
            walk("/redfish/v1/"),
            room,
            || {
                checks += 1;
                true
            },
            |target| match target {
                "/redfish/v1/" => Response::Json(many(200)),
                _ if is_denied(target) => Response::Status(401),
                _ => Response::Json(json!({})),
            },
        );
        assert_eq!((walked.found.len(), walked.unread.len(), walked.end()), (181, 20, String::new()));
        assert!(walked.unread.iter().all(|unread| unread.error.session_alive() && unread.leads_to_nothing()));
        // A 401, and a look at what was read.
        assert!(
            (1..=2).contains(&checks) && walked.requests.len() <= 201 + 25 + room,
            "{checks} {}",
            walked.requests.len()
        );

        // A session that is lost later is renewed once, and costs no resource.
        let (valid, logins) = (Cell::new(true), Cell::new(0));
        let mut count = 0;
        let walked = drive_with_session(
            walk("/redfish/v1/"),
            room,
            || {
                logins.set(logins.get() + usize::from(!valid.get()));
                valid.replace(true)
            },
            |target| {
                count += 1;
                valid.set(valid.get() && count != 100);
                match target {
                    "/redfish/v1/" => Response::Json(many(200)),
                    _ if !valid.get() || is_denied(target) => Response::Status(401),
                    _ => Response::Json(json!({})),
                }
            },
        );
        assert_eq!((walked.found.len(), walked.unread.len(), walked.end()), (181, 20, String::new()));
        assert_eq!(logins.get(), 1, "{room}");
    }
}

#[test]
fn pages_that_overlap_or_fail_lose_nothing_else() {
    let members =
        |range: std::ops::Range<usize>| range.map(|n| link(&format!("/c/{n}"))).collect::<Vec<Value>>();
    let page = |range, next: &str| json!({"Members": members(range), "Members@odata.nextLink": next});
    let respond = move |target: &str| match target {
        "/redfish/v1/" => Response::Json(json!({"Systems": link("/c")})),
        "/c" => Response::Json(page(0..5, "/c?5")),
        "/c?5" => Response::Json(page(3..8, "/c?8")),
        "/c?8" => Response::Status(500),
        _ => Response::Json(json!({})),
    };
    let walked = drive(walk("/redfish/v1/"), 4, |_| 0, respond);
    assert_eq!((walked.found.len(), walked.failed_pages.len(), walked.unread.len()), (10, 1, 0));
    assert_eq!(walked.failed_pages[0].uri(), Some("/c?8"));
    let positions: Vec<usize> =
        walked.tree().iter().filter(|(_, parent, ..)| parent == "/c").map(|row| row.2).collect();
    assert_eq!(positions, [0, 1, 2, 3, 4, 5, 6, 7]);
    // The link to the next page may be an object.
    let page = |n: usize| {
        let next = json!({"@odata.id": format!("/c?{}", n + 1)});
        json!({"Members": members(n..n + 1), "Members@odata.nextLink": next, "Inner": {"A@odata.nextLink": next}})
    };
    let walked = drive_alone(walk("/c"), |target| match target.strip_prefix("/c?").unwrap_or("0").parse() {
        Ok(5) => Response::Json(json!({"Members": members(5..6)})),
        Ok(n) if !target.starts_with("/c/") => Response::Json(page(n)),
        _ => Response::Json(json!({})),
    });
    let expected = ["/c", "/c/0", "/c/1", "/c/2", "/c/3", "/c/4", "/c/5"];
    assert_eq!((walked.uris(), walked.requests.len()), (expected.to_vec(), 13), "{:?}", walked.requests);
    let start = drive_alone(walk("/c"), table(vec![]));
    assert_eq!(start.found.len(), 0);
    assert_eq!(*start.end.unwrap().kind(), ErrorKind::NotFound);
}

#[test]
fn nothing_is_requested_more_often_than_the_policy_allows() {
    // Three retries, of a collection once more without $expand.
    let root = json!({"Systems": link("/s"), "Part": link("/p"), "ProtocolFeaturesSupported": {"ExpandQuery": {"NoLinks": true}}});
    for (plain, expanded) in [(0, 2), (503, 4), (500, 1), (405, 1)] {
        let failure = |status| if status == 0 { Response::Broken } else { Response::Status(status) };
        let walked = drive_alone(walk("/redfish/v1/"), |target| match target {
            "/redfish/v1/" => Response::Json(root.clone()),
            "/p" if plain == 503 => Response::Busy(1),
            "/s?$expand=." if plain == 503 => Response::Busy(1),
            _ => failure(plain),
        });
        let count = |uri: &str| walked.requests.iter().filter(|request| *request == uri).count();
        let of_part = match plain {
            0 | 503 => 4,
            _ => 1,
        };
        assert_eq!(
            (count("/p"), count("/s?$expand=.")),
            (of_part, expanded),
            "{plain}: {:?}",
            walked.requests
        );
        assert!(count("/s") <= of_part, "{plain}: {:?}", walked.requests);
    }
}

#[test]
fn a_resource_has_its_own_time_and_the_walk_has_one() {
    // Waits count: after 2 s, the resource is given up.
    let walk_of = || walk("/redfish/v1/").resource_deadline(Duration::from_secs(3));
    let respond = |target: &str| match target {
        "/redfish/v1/" => Response::Json(many(2)),
        "/redfish/v1/p/0" => Response::Busy(2),
        _ => Response::Json(json!({})),
    };
    let walked = drive_alone(walk_of(), respond);
    assert_eq!((walked.found.len(), walked.unread.len()), (2, 1));
    assert_eq!(
        walked.requests.iter().filter(|request| *request == "/p/0").count(),
        2,
        "{:?}",
        walked.requests
    );
    let walked = drive_alone(walk_of().deadline(Duration::from_secs(1)), respond);
    assert!(matches!(walked.end.unwrap().kind(), ErrorKind::Deadline(_)));
}
