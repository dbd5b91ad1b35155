use super::*;

crate::enumeration! {
    /// Colors.
    enum Color {
        /// `Amber`.
        Amber = "Amber",
        /// `Sky blue`.
        SkyBlue = "Sky blue",
    }
}

crate::view! {
    /// A lamp.
    struct Lamp = "Lamp.Lamp" {
        fn name(&self) -> Option<Text> = "Name";
        fn color(&self) -> Option<Color> = "Color";
        fn watts(&self) -> Option<Number> = "Watts";
        fn count(&self) -> Option<i64> = "Count";
        fn next(&self) -> Option<Link<Lamp>> = "Next";
        fn all(&self) -> List<Link<Lamp>> = "All";
        fn colors(&self) -> List<Color> = "Colors";
        fn inner(&self) -> Option<Lamp> = "Inner";
        fn inners(&self) -> List<Lamp> = "Inners";
        fn anything(&self) -> Option<Json> = "Anything";
    }
}

fn lamp(text: &str) -> Lamp {
    let service = Arc::new(Service::new("bmc").unwrap());
    let target = Target::well_known("/redfish/v1/Lamps/1");
    Json::of_resource(text.to_owned().into(), &service, target).unwrap().decode().unwrap()
}

#[test]
fn members_are_read_on_demand() {
    let lamp = lamp(
        r#" {"Name": "a\u00e4\/", "Color": "amber", "Watts": 1.50, "Count": "7", "Colors": ["Amber", 1, null, "Teal"],
            "Inner": {"Name": 5, "Inner": {"Color": "Sky blue"}}, "Inners": {"Name": "one"}, "Anything": [1, {"x": 2}]} "#,
    );
    assert_eq!(lamp.name().as_deref(), Some("aä/"));
    assert_eq!(lamp.color(), Some(Color::Amber));
    assert_eq!(lamp.watts().unwrap().as_str(), "1.50");
    assert_eq!(lamp.count(), Some(7));
    assert_eq!(lamp.colors().map(|color| color.to_string()).collect::<Vec<_>>(), ["Amber", "Teal"]);
    let inner = lamp.inner().unwrap();
    assert_eq!(inner.name().as_deref(), Some("5"));
    assert_eq!(inner.inner().unwrap().color(), Some(Color::SkyBlue));
    assert_eq!(lamp.inners().next().unwrap().name().as_deref(), Some("one"));
    assert_eq!(lamp.anything().unwrap().text(), r#"[1, {"x": 2}]"#);
    assert!(lamp.text().starts_with('{') && lamp.text().ends_with('}'));
}

#[test]
fn an_odd_member_costs_that_member_only() {
    let lamp = lamp(
        r#"{"Name": {"odd": 1}, "Color": null, "Watts": "n/a", "Count": 1.5, "Next": {}, "All": null, "Inner": "text",
            "Inners": 3, "Colors": {}}"#,
    );
    assert_eq!((lamp.name(), lamp.color(), lamp.watts(), lamp.count()), (None, None, None, None));
    assert_eq!((lamp.next(), lamp.inner()), (None, None));
    assert!(lamp.all().is_empty() && lamp.inners().is_empty() && lamp.colors().is_empty());
    assert!(matches!(lamp.member("Name"), Member::Value(name) if name.text() == r#"{"odd": 1}"#));
    assert!(matches!(lamp.member("Color"), Member::Null));
    assert!(matches!(lamp.member("AssetTag"), Member::Absent));
}

#[test]
fn a_view_of_another_value_has_no_members() {
    for text in ["[1]", "7", "\"x\"", "null", "true"] {
        let json = Json::new(text.into()).unwrap();
        assert!(json.decode::<Lamp>().is_err(), "{text}");
        let lamp = Lamp::of(json);
        assert!(lamp.name().is_none() && lamp.all().is_empty(), "{text}");
        assert_eq!(lamp.text(), text);
    }
    assert!(Json::new("{".into()).is_err());
    assert!(Json::new("{\"a\": }".into()).is_err());
}

#[test]
fn links_know_where_they_are() {
    let lamp = lamp(
        r##"{"Next": {"@odata.id": "2"}, "All": ["/redfish/v1/Lamps/3", {"href": "/redfish/v1/Lamps/4"}, {"@odata.id": ""}, null, {"@odata.id": null}, 5, true,
            {"@odata.id": "/redfish/v1/Lamps/5", "@odata.type": "#Lamp.Lamp", "Id": "5", "Name": "five", "Next": {"@odata.id": "6"}},
            {"@odata.id": "/redfish/v1/Lamps/7", "Name": "seven"}, {"\u0040odata.id": "/redfish/v1/Lamps/8"},
            {"@odata.id": null, "href": "/redfish/v1/Lamps/9"}]}"##,
    );
    let next = lamp.next().unwrap();
    assert_eq!(next.target().unwrap().as_str(), "/redfish/v1/Lamps/2");
    assert!(next.expanded().is_none());
    let all: Vec<_> = lamp.all().collect();
    let uris: Vec<_> = all.iter().map(|link| link.uri().into_owned()).collect();
    assert_eq!(uris, ["3", "4", "5", "7", "8", "9"].map(|id| format!("/redfish/v1/Lamps/{id}")));
    let five = all[2].expanded().unwrap();
    assert_eq!(five.name().as_deref(), Some("five"));
    assert!(all[0].expanded().is_none() && all[3].expanded().is_none());
    let six = five.next().unwrap();
    assert_eq!(six.target().unwrap().as_str(), "/redfish/v1/Lamps/6");
    assert!(Json::new("\"/a\"".into()).unwrap().get_ref().read::<Link<Lamp>>().unwrap().target().is_err());
}

#[test]
fn annotations_are_beside_their_member() {
    let lamp = lamp(
        r##"{"@odata.id": "/a", "@odata.type": "#Lamp.Lamp", "@odata.etag": "W/\"1\"", "@Redfish.CollectionCapabilities": ["Name"],
            "Color@Redfish.AllowableValues": ["Amber", "Teal"], "Name@Message.ExtendedInfo": [{"MessageId": "A"}]}"##,
    );
    assert_eq!(lamp.odata_id().as_deref(), Some("/a"));
    assert_eq!(lamp.odata_type().as_deref(), Some("#Lamp.Lamp"));
    assert_eq!(lamp.odata_etag().as_deref(), Some("W/\"1\""));
    let colors: Vec<Color> = lamp.allowable_values("Color").collect();
    assert_eq!(colors, [Color::Amber, Color::Other("Teal".into())]);
    let capabilities: Json = lamp.annotation("", "Redfish.CollectionCapabilities").unwrap();
    assert_eq!(capabilities.text(), r#"["Name"]"#);
    let info: Json = lamp.annotation("Name", "Message.ExtendedInfo").unwrap();
    assert_eq!(info.items().next().unwrap().text(), r#"{"MessageId": "A"}"#);
    assert_eq!(lamp.annotation::<Json>("Color", "Message.ExtendedInfo"), None);
}

#[test]
fn parts_of_vendors_are_views_or_types_of_serde() {
    #[derive(serde::Deserialize)]
    struct Part {
        #[serde(rename = "Name")]
        name: String,
    }
    let lamp = lamp(r#"{"Oem": {"dell": {"Name": "x"}, "Hpe": null, "Acme": [1]}}"#);
    assert_eq!(lamp.oem_as::<Part>("Dell").unwrap().name, "x");
    assert_eq!(lamp.oem_as::<Lamp>("dell").unwrap().name().as_deref(), Some("x"));
    assert!(lamp.oem_as::<Lamp>("Hpe").is_none() && lamp.oem_as::<Part>("Acme").is_none());
    assert_eq!(lamp.oem_as::<Json>("Acme").unwrap().text(), "[1]");
}

#[test]
fn a_pointer_leads_to_a_value() {
    let lamp = lamp(r#"{"a/b": {"~": [1, {"x": "y"}]}}"#);
    assert_eq!(lamp.pointer("/a~1b/~0/1/x").unwrap().text(), "\"y\"");
    assert_eq!(lamp.pointer("").unwrap().text(), lamp.text());
    for pointer in ["/a~1b/~0/01", "/a~1b/~0/+1", "/a", "a", "/a~1b/~0/2", "/a~1b/~0/-", "/a~1b/~0/0/x"] {
        assert_eq!(lamp.pointer(pointer), None, "{pointer}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let lamp = lamp(r#"{"Name": "x", "Password": "hunter2", "Inner": {"Token": "t0ken"}}"#);
    let shown = format!("{lamp:?} {:?} {:?}", lamp.inner(), lamp.member("Password"));
    assert!(shown.contains("\"x\"") && !shown.contains("hunter2") && !shown.contains("t0ken"), "{shown}");
}

#[test]
fn views_can_be_sent_between_threads_and_written_as_json() {
    fn is_send<T: Send + Sync + 'static>(_: &T) {}
    let lamp = lamp(r#"{"Inner": {"Count": 18446744073709551616}}"#);
    is_send(&lamp);
    let inner = lamp.inner().unwrap();
    drop(lamp);
    assert_eq!(serde_json::to_string(inner.json()).unwrap(), r#"{"Count": 18446744073709551616}"#);
}

#[test]
fn a_value_that_serde_refuses_is_repaired() {
    let lamp = lamp(r#"{"Inner": {"Name": "half \ud83d", "Count": 1}}"#);
    let value: serde_json::Value = lamp.inner().unwrap().decode().unwrap();
    assert_eq!(value["Name"], "half \u{fffd}");
    assert_eq!(lamp.inner().unwrap().name().unwrap(), "half \u{fffd}");
}

crate::patch! {
    /// Changes of a lamp.
    struct LampPatch of Lamp {
        name: value Nullable<String> = "Name";
        watts: value f64 = "Watts";
        inner: object LampPatch = "Inner";
    }
}

crate::patch! {
    /// A lamp like another one.
    struct LampCopy of Lamp {
        name: value Nullable<Text> = "Name";
        color: value Nullable<Color> = "Color";
        watts: value Nullable<Number> = "Watts";
        count: value Nullable<i64> = "Count";
        colors: list Color = "Colors";
        next: value Nullable<Reference> = "Next";
        all: list Reference = "All";
    }
}

#[test]
fn changes_of_an_object_add_up() {
    let patch =
        LampPatch::new().inner(|inner| inner.name("a")).inner(|inner| inner.watts(2)).inner(|inner| inner);
    assert_eq!(serde_json::to_string(&patch).unwrap(), r#"{"Inner":{"Name":"a","Watts":2}}"#);
    assert_eq!(serde_json::to_string(&LampPatch::new().inner(|inner| inner)).unwrap(), "{}");
    assert!(serde_json::to_string(&LampPatch::new().watts(f64::NAN)).is_err());
    assert!(serde_json::to_string(&LampPatch::new().inner(|inner| inner.watts(f64::NAN))).is_err());
    assert!(serde_json::to_string(&LampPatch::new().watts(f64::NAN).watts(5)).is_ok());
    assert!(!format!("{:?}", LampPatch::new().name("hunter2")).contains("hunter2"));
}

#[test]
fn what_was_read_can_be_written() {
    let lamp = lamp(
        r##"{"Name": "a", "Color": "Teal", "Watts": 21.990000000000002, "Colors": ["Amber", "Teal"], "Next": {"@odata.id": "/n"},
            "All": [{"@odata.id": "/a"}, {"@odata.id": "/b"}], "Count": null}"##,
    );
    let copy = LampCopy::new()
        .name(lamp.name())
        .color(lamp.color())
        .watts(lamp.watts())
        .colors(lamp.colors())
        .next(lamp.next().unwrap())
        .all(lamp.all())
        .count(lamp.count());
    let expected = r##"{"All":[{"@odata.id":"/a"},{"@odata.id":"/b"}],"Color":"Teal","Colors":["Amber","Teal"],"Count":null,"Name":"a","Next":{"@odata.id":"/n"},"Watts":21.990000000000002}"##;
    assert_eq!(serde_json::to_string(&copy).unwrap(), expected);
    let text = String::from("b");
    let set = LampCopy::new().name(&text).count(7_u32).watts(7_u64).color(None).next("/m");
    let expected = r##"{"Color":null,"Count":7,"Name":"b","Next":{"@odata.id":"/m"},"Watts":7}"##;
    assert_eq!(serde_json::to_string(&set).unwrap(), expected);
    assert_eq!(lamp.all().len(), 2);
    let mut seen = 0;
    for color in &lamp.colors() {
        seen += color.as_str().len();
    }
    assert_eq!(seen, "AmberTeal".len());
}

#[test]
fn a_member_is_copied_exactly_or_not_at_all() {
    let lamp = lamp(
        r#"{"Colors": ["Amber", null, 5, {"a": 1}], "Name": null, "Watts": "n/a", "Color": {"odd": "\ud83d"}}"#,
    );
    let copy = ["Colors", "Name", "Watts", "Color", "Count", "All"]
        .iter()
        .fold(LampCopy::new(), |copy, name| copy.copy_member(name, &lamp));
    let expected =
        r#"{"Color":{"odd":"\ufffd"},"Colors":["Amber",null,5,{"a":1}],"Name":null,"Watts":"n/a"}"#
            .replace("\\ufffd", "\u{fffd}");
    assert_eq!(serde_json::to_string(&copy).unwrap(), expected);
}

#[test]
fn a_patch_without_changes_is_not_sent() {
    let lamp =
        crate::Resource::new(lamp("{}"), Target::well_known("/redfish/v1/Lamps/1"), None, Bytes::new());
    let error = crate::ops::Write::update(&lamp, LampPatch::new().inner(|inner| inner)).unwrap_err();
    assert!(error.to_string().contains("there are no changes"), "{error}");
}

#[test]
fn a_part_of_a_resource_is_not_written_to() {
    let target = Target::well_known("/redfish/v1/Lamps").part("/Members");
    let part = crate::Resource::new(lamp("{}"), target, None, Bytes::new());
    let error = crate::ops::Write::update(&part, LampPatch::new().name("x")).unwrap_err();
    assert!(matches!(error.kind(), crate::ErrorKind::InvalidTarget(_)), "{error}");
    let shown =
        format!("{:?}", crate::Resource::new((), Target::well_known("/a"), None, Bytes::from("hunter2")));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_link_to_another_origin_is_named_in_the_error() {
    let lamp = lamp(r#"{"Next": {"@odata.id": "https://elsewhere/x"}}"#);
    let error = lamp.next().unwrap().target().unwrap_err().to_string();
    assert!(error.contains("/redfish/v1/Lamps/1") && error.contains("https://elsewhere/x"), "{error}");
    let local: Lamp = Json::new(r#"{"Next": "/x"}"#.into()).unwrap().decode().unwrap();
    let error = local.next().unwrap().target().unwrap_err().to_string();
    assert!(error.contains("was not received from a service"), "{error}");
}

#[test]
fn an_action_that_cannot_be_invoked_says_why() {
    let invoke = |actions: &str, level: &str| {
        let lamp = lamp(&format!(r#"{{"Actions": {actions}}}"#));
        let parameters = Changes::new().value("Level", level);
        crate::ops::Invoke::on(&lamp, "Lamp.Dim", parameters).map(drop).map_err(|error| error.to_string())
    };
    let listed = r##"{"#Lamp.Dim": {"target": "/dim", "Level@Redfish.AllowableValues": "Low"}}"##;
    assert!(invoke(listed, "Low").is_ok());
    for (actions, expected) in [
        (listed, "the parameter Level accepts Low"),
        ("null", "no action is offered"),
        (
            r##"{"#Lamp.Dim": {"target": "https://elsewhere/dim"}}"##,
            "a link to another origin, https://elsewhere/dim",
        ),
        (r##"{"#Lamp.Dim": {"target": "."}}"##, "no action is offered"),
    ] {
        let error = invoke(actions, "High").unwrap_err();
        assert!(error.contains(expected) && error.contains("/redfish/v1/Lamps/1"), "{error}");
    }
}
