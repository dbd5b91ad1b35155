//! The set of resources and their places do not depend on the order of responses.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::bmc::{Response, drive, drive_alone, link, resource, table, walk};

/// A graph: for each resource, its links and its relations. Resource 0 is the start.
type Graph = Vec<(Vec<usize>, Vec<usize>)>;

fn uri(number: usize) -> String {
    if number == 0 { "/redfish/v1".to_owned() } else { format!("/redfish/v1/{number}") }
}

fn body(number: usize, graph: &Graph) -> Value {
    let links = |numbers: &[usize]| numbers.iter().map(|number| link(&uri(*number))).collect::<Vec<Value>>();
    let (parts, relations) = &graph[number];
    resource(&uri(number), json!({"Parts": links(parts), "RelatedItem": links(relations)}))
}

/// The places by definition: layer by layer, the smallest depth, then position, then URI of the parent.
fn expected(graph: &Graph, max_depth: usize) -> Vec<(String, String, usize)> {
    let mut depths = BTreeMap::from([(0, 0)]);
    let mut parents: BTreeMap<usize, usize> = BTreeMap::new();
    loop {
        let settled: BTreeSet<usize> = depths.keys().copied().collect();
        let is_first_layer = settled.len() == 1 && parents.is_empty();
        // Relations lead to the first resources of a layer, links to the others.
        let mut layer: BTreeMap<usize, usize> = BTreeMap::new();
        let mut candidates: BTreeMap<usize, Vec<(usize, usize, String, usize)>> = BTreeMap::new();
        let sources = settled.clone();
        let mut add =
            |from: usize, depth: usize, rank: usize, to: &[usize], layer: &mut BTreeMap<usize, usize>| {
                let mut grew = false;
                for (position, child) in to.iter().enumerate() {
                    if settled.contains(child) || depth + 1 > max_depth {
                        continue;
                    }
                    let position = if rank == 2 { graph[from].0.len() + position } else { position };
                    candidates.entry(*child).or_default().push((
                        depth + 1,
                        rank << 30 | position,
                        uri(from),
                        from,
                    ));
                    let known = layer.entry(*child).or_insert(usize::MAX);
                    if depth + 1 < *known {
                        *known = depth + 1;
                        grew = true;
                    }
                }
                grew
            };
        if is_first_layer {
            add(0, 0, 0, &graph[0].0, &mut layer);
        } else {
            for from in &sources {
                add(*from, depths[from], 2, &graph[*from].1, &mut layer);
            }
        }
        loop {
            let known: Vec<(usize, usize)> = layer.iter().map(|(number, depth)| (*number, *depth)).collect();
            let mut grew = false;
            for (from, depth) in known {
                grew |= add(from, depth, 0, &graph[from].0, &mut layer);
            }
            if !grew {
                break;
            }
        }
        if layer.is_empty() && !is_first_layer {
            break;
        }
        for (child, depth) in &layer {
            let best = candidates[child].iter().filter(|(found, ..)| found == depth).min().unwrap();
            parents.insert(*child, best.3);
        }
        // A marker, so that the first layer is not repeated if it is empty.
        parents.entry(0).or_insert(0);
        depths.extend(layer);
    }
    let parent = |number: &usize| if *number == 0 { String::new() } else { uri(parents[number]) };
    let mut places: Vec<_> =
        depths.iter().map(|(number, depth)| (uri(*number), parent(number), *depth)).collect();
    places.sort();
    places
}

fn graphs() -> impl Strategy<Value = Graph> {
    (2..14_usize).prop_flat_map(|size| {
        let links = || prop::collection::vec(0..size, 0..4);
        prop::collection::vec((links(), links()), size)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_set_of_resources_and_their_places_do_not_depend_on_timing(
        graph in graphs(),
        max_depth in 1..7_usize,
        room in 1..6_usize,
        order in prop::collection::vec(0..6_usize, 100),
    ) {
        let respond = |target: &str| {
            let number = target.trim_start_matches("/redfish/v1").trim_start_matches('/');
            Response::Json(body(number.parse().unwrap_or(0), &graph))
        };
        let alone = drive_alone(walk("/redfish/v1").max_depth(max_depth), respond);
        let mut order = order.into_iter().cycle();
        let walked = drive(walk("/redfish/v1").max_depth(max_depth), room, |_| order.next().unwrap(), respond);
        prop_assert_eq!(walked.tree(), alone.tree());
        prop_assert!(walked.end.is_none());
        // Each once.
        prop_assert_eq!(walked.requests.len(), walked.found.len());
        let places: Vec<_> = walked.tree().into_iter().map(|(uri, parent, _, depth)| (uri, parent, depth)).collect();
        prop_assert_eq!(places, expected(&graph, max_depth));
    }
}

#[test]
fn a_shorter_path_that_is_found_late_moves_a_resource_and_what_is_below_it() {
    let respond = table(vec![
        ("/redfish/v1/", resource("/redfish/v1", json!({"A": link("/a"), "B": link("/b"), "C": link("/c")}))),
        ("/a", json!({"Next": link("/d")})),
        ("/d", json!({"Next": link("/e")})),
        ("/e", json!({"Next": link("/f")})),
        ("/b", json!({"Next": link("/e")})),
        ("/c", json!({})),
        ("/f", json!({})),
    ]);
    // The response of /b comes last.
    let walked = drive(walk("/redfish/v1/"), 3, |waiting| usize::from(waiting > 1), respond);
    let depths: Vec<(String, usize)> =
        walked.tree().into_iter().map(|(uri, _, _, depth)| (uri, depth)).collect();
    let expected = [("/a", 1), ("/b", 1), ("/c", 1), ("/d", 2), ("/e", 2), ("/f", 3), ("/redfish/v1/", 0)];
    assert_eq!(depths, expected.map(|(uri, depth)| (uri.to_owned(), depth)));
    assert!(walked.tree().contains(&("/e".to_owned(), "/b".to_owned(), 1 << 30, 2)));
}

#[test]
fn a_relation_is_followed_only_where_nothing_else_leads_and_only_below_the_start() {
    let respond = table(vec![
        ("/redfish/v1/", resource("/redfish/v1", json!({}))),
        (
            "/r",
            json!({"Links": {"Cpu": link("/r/s/1"), "Only": link("/r/only"), "Away": link("/x")}, "Systems": link("/r/s")}),
        ),
        ("/r/s", json!({"Members": [link("/r/s/1")]})),
        ("/r/s/1", json!({"RelatedItem": [link("/r/s/2"), link("/r/only/1")]})),
        ("/r/s/2", json!({})),
        ("/r/only", json!({"Part": link("/r/only/1")})),
        ("/r/only/1", json!({})),
    ]);
    let walked = drive_alone(walk("/r"), respond);
    let parents: Vec<(String, String)> =
        walked.tree().into_iter().map(|(uri, parent, ..)| (uri, parent)).collect();
    let expected = [
        ("/r", ""),
        ("/r/only", "/r"),
        ("/r/only/1", "/r/only"),
        ("/r/s", "/r"),
        ("/r/s/1", "/r/s"),
        ("/r/s/2", "/r/s/1"),
    ];
    assert_eq!(parents, expected.map(|(uri, parent)| (uri.to_owned(), parent.to_owned())));
}

#[test]
fn the_members_of_a_collection_come_after_its_other_links() {
    let respond = |target: &str| match target {
        "/redfish/v1/" => Response::Json(json!({"Boxes": link("/b"), "Chassis": link("/c")})),
        "/b" => Response::Json(
            json!({"Oem": {"Limits": link("/b/limits")}, "Members": [link("/b/1"), link("/b/2")],
            "Members@odata.nextLink": "/b?2"}),
        ),
        "/b?2" => Response::Json(json!({"Members": [link("/b/3")]})),
        "/c" => Response::Json(json!({"Links": {"Boxes": [link("/b/3"), link("/b/1")]}})),
        _ => Response::Json(json!({})),
    };
    for order in 0..4 {
        let walked = drive(walk("/redfish/v1/"), 4, |waiting| waiting.saturating_sub(order), respond);
        let mut boxes: Vec<(usize, String)> = walked
            .tree()
            .into_iter()
            .filter(|(_, parent, ..)| parent == "/b")
            .map(|(uri, _, position, _)| (position, uri))
            .collect();
        boxes.sort();
        let uris: Vec<&str> = boxes.iter().map(|(_, uri)| uri.as_str()).collect();
        assert_eq!(uris, ["/b/limits", "/b/1", "/b/2", "/b/3"]);
        assert!(boxes.windows(2).all(|pair| pair[0].0 < pair[1].0), "{boxes:?}");
    }
}
