//! Messages and flaws of bodies that a transcript cannot express.

use redfish_proto::driver::Step;
use redfish_proto::ops::{GetPage, Read, Write};
use redfish_proto::{Body, ErrorKind, Identity, Operation};
use serde_json::Value;

use crate::common::{START, head, sent, service};

#[test]
fn every_message_of_a_success_counts_although_few_are_shown() {
    let service = service();
    let names: Vec<String> = (0..300).map(|n| format!("Attr{n}")).collect();
    let change: serde_json::Map<_, _> = names.iter().map(|name| (name.clone(), 1.into())).collect();
    let judged = |refused: &[&String]| {
        let message = |name: &String| {
            let key = if refused.contains(&name) { "PropertyNotWritable" } else { "PropertyModified" };
            let text = "x".repeat(4_000);
            let message = serde_json::json!([{"MessageId": format!("Base.1.8.{key}"), "Message": text}]);
            (format!("{name}@Message.ExtendedInfo"), message)
        };
        let body: serde_json::Map<_, _> = names.iter().map(message).collect();
        let write = Write::patch(&service.target("/x").unwrap(), Body::json(&change).unwrap());
        let call = service.call(write).with_identity(Identity::anonymous(&service));
        let (_, reply) = sent(call.start(START));
        let body = serde_json::to_vec(&body).unwrap();
        match reply.receive(head(200, &[]), Ok(body.into()), START) {
            Step::Done(result) => result,
            other => panic!("{other:?}"),
        }
    };
    assert!(judged(&[]).is_ok());
    let error = judged(&[&names[299]]).unwrap_err();
    let ErrorKind::PartiallyApplied { accepted, rejected, .. } = error.kind() else { panic!("{error}") };
    assert_eq!((accepted.len(), rejected.len()), (299, 1));
    assert!(error.messages()[0].is("PropertyNotWritable"), "refusals come first");
    let error = judged(&names.iter().collect::<Vec<_>>()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Refused);
}

/// The output of a read whose response has this body.
fn read<O: Operation>(operation: impl Fn(redfish_proto::Target) -> O, body: &'static str) -> O::Output {
    let service = service();
    let call = service.call(operation(service.target("/x").unwrap()));
    let (_, reply) = sent(call.with_identity(Identity::anonymous(&service)).start(START));
    match reply.receive(head(200, &[]), Ok(body.into()), START) {
        Step::Done(result) => result.unwrap(),
        _ => panic!("{body}"),
    }
}

#[test]
fn what_is_wrong_with_a_body_that_can_be_read_is_told() {
    let page = read(
        GetPage::first,
        "{\"Members\": [], \"Name\": \"a\tb\", \"error\": {\"code\": \"Base.1.8.InternalError\"}}",
    );
    assert_eq!(page.flaws.control_characters, 1);
    assert!(page.messages[0].is("InternalError"), "{:?}", page.messages);
    let resource = read(Read::<Value>::new, "{\"Id\": 1, \"Id\": 2}");
    assert_eq!((resource.flaws().duplicates, &resource.value()["Id"]), (1, &Value::from(2)));
    let sound = read(GetPage::first, "{\"Members\": []}");
    assert!(sound.flaws.is_empty() && sound.messages.is_empty());
}
