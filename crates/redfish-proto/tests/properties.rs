//! Checks the properties of the fuzz targets with random bytes.

use proptest::prelude::*;
use redfish_proto::query::Query;
use redfish_proto::{Service, fuzzing};
use redfish_testkit::dialogue;

/// Bytes that select rows of the response table more often than arbitrary responses.
fn responses() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![9 => 0..30_u8, 1 => Just(255), 1 => any::<u8>()], 0..40)
}

/// Text with the characters of links, escapes and encodings.
fn text() -> impl Strategy<Value = Vec<u8>> {
    "(\\PC|[a-c/.:%?#&;+@\\\\\"\\n\\[\\]<> ]|//|%[0-9a-f]{2}|https://|\\\\u00[0-9a-f]{2}|&#x?[0-9]{2};){0,40}"
        .prop_map(String::into_bytes)
}

/// JSON with known members and values of every type.
fn json() -> impl Strategy<Value = Vec<u8>> {
    let value = "(null|true|-?[0-9]{1,30}(\\.[0-9]{1,3})?|\"[a-z0-9/.% ]{0,8}\"|\\[\\]|\\{\"@odata.id\": ?\"/[a-z]\"\\}|\\[[0-9], ?\\{\\}\\])";
    let member = (
        prop::sample::select(vec![
            "Members",
            "Members@odata.nextLink",
            "Members@odata.count",
            "Id",
            "Name",
            "Status",
            "Reading",
            "Systems",
            "Messages",
            "PercentComplete",
            "Parameters",
            "Boot",
            "@odata.id",
        ]),
        value,
    );
    prop::collection::btree_map(member.0, member.1, 0..8).prop_map(|members| {
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{{{}}}", members.join(", ")).into_bytes()
    })
}

/// JSON of any shape: nested, with repeated names, escapes, space, and numbers of any length, below the names of a view.
fn any_json() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec![
        "Name",
        "Count",
        "Reading",
        "Enabled",
        "Created",
        "Interval",
        "UUID",
        "Health",
        "Links",
        "Status",
        "Members",
        "Types",
        "@odata.id",
        "N\\u0061me",
        "x\\\"Name\\\":",
        "",
    ]);
    let text = "\"([a-zA-Z0-9 /#.:,{}\\[\\]-]|ä|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4}){0,12}\"";
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?",
        text,
    ];
    let any = leaf.prop_recursive(5, 60, 6, move |inner| {
        let space = "[ \n\t]{0,2}";
        let member = (name.clone(), space, inner.clone(), space);
        prop_oneof![
            prop::collection::vec((inner, space), 0..6).prop_map(|items| {
                let items: Vec<String> =
                    items.iter().map(|(item, space)| format!("{space}{item}{space}")).collect();
                format!("[{}]", items.join(","))
            }),
            prop::collection::vec(member, 0..6).prop_map(|members| {
                let member = |(name, before, value, after): &(&str, String, String, String)| {
                    format!("{before}\"{name}\"{before}:{after}{value}{after}")
                };
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
            }),
        ]
    });
    any.prop_map(|json| format!("{{\"Members\": [{json}], \"Status\": {json}}}").into_bytes())
}

/// A resource or a collection with links, some of them relations or to other origins.
fn links() -> impl Strategy<Value = Vec<u8>> {
    let link = "\\{\"@odata.id\": \"(/redfish/v1|)/[a-d](/[a-d]|/|#/x|)\"\\}|\\{\"@odata.id\": \"https://elsewhere/[a-d]\"\\}";
    (prop::sample::select(vec!["Members", "Systems", "Parts", "Links"]), prop::collection::vec(link, 0..6))
        .prop_map(|(name, links)| {
            let next = if links.len() > 3 { ", \"Members@odata.nextLink\": \"?p=2\"" } else { "" };
            format!("{{\"@odata.id\": \"/\", \"{name}\": [{}]{next}}}", links.join(",")).into_bytes()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_dialogue_keeps_its_rules(data in responses()) {
        dialogue::fuzz(&data);
    }

    #[test]
    fn a_link_never_leaves_the_origin(data in text()) {
        fuzzing::link(&data);
    }

    #[test]
    fn a_login_reads_any_response(data in prop_oneof![text(), prop::collection::vec(any::<u8>(), 0..200)]) {
        fuzzing::login(&data);
    }

    #[test]
    fn a_repair_keeps_what_can_be_read(data in prop_oneof![json(), text()]) {
        fuzzing::json(&data);
    }

    #[test]
    fn a_message_reads_any_body(data in prop_oneof![text(), prop::collection::vec(any::<u8>(), 0..200)]) {
        fuzzing::message(&data);
    }

    #[test]
    fn a_query_is_parsed_by_another_library_as_intended(
        filter in "\\PC{0,24}", member in "[A-Za-z/]{1,12}", top in any::<u64>(), skip in any::<u64>()
    ) {
        let query = Query::new().filter(filter.as_str()).select([member.as_str(), "Id"]).top(top).skip(skip);
        let target = Service::new("bmc").unwrap().target("/redfish/v1/L?old=1").unwrap().with_query(&query).unwrap();
        let url = url::Url::parse(&format!("https://bmc{}", target.as_str())).unwrap();
        prop_assert_eq!(url.path(), "/redfish/v1/L");
        let read: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
        let (top, skip, select) = (top.to_string(), skip.to_string(), format!("{member},Id"));
        let expected = [("$filter", &filter), ("$select", &select), ("$top", &top), ("$skip", &skip)];
        for (name, value) in expected {
            prop_assert_eq!(read.get(name), Some(value), "{}", name);
        }
        prop_assert_eq!(read.len(), 4);
    }

    #[test]
    fn a_page_reads_any_body(data in prop_oneof![json(), text()]) {
        fuzzing::page(&data);
    }

    #[test]
    fn a_view_loses_nothing_of_any_json(data in any_json()) {
        fuzzing::resource(&data);
    }

    #[test]
    fn a_resource_reads_any_body(data in prop_oneof![json(), text()]) {
        fuzzing::resource(&data);
    }

    #[test]
    fn a_stream_has_the_same_events_in_any_pieces(
        data in "[\\x00-\\x07]((data|id|event|retry|:)(: ?|)([0-9a-z{}\"ä ]{0,12})(\n|\r|\r\n)|\n|\r|\r\n|\u{feff}){0,16}"
    ) {
        fuzzing::sse(data.as_bytes());
    }

    #[test]
    fn a_secret_is_not_shown(data in text()) {
        fuzzing::redact(&data);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_ends_whatever_it_reads(
        bodies in prop::collection::vec(("[\\x00-\\x0f]", prop_oneof![json(), text(), links()]), 0..12),
    ) {
        let records: Vec<Vec<u8>> =
            bodies.into_iter().map(|(how, body)| [how.as_bytes(), &body].concat()).collect();
        fuzzing::walk(&records.join(&0xff));
    }
}
