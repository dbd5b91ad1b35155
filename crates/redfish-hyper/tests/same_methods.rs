//! The two adapters' clients offer the same methods by the same names, and so do their builders and transports.

use std::collections::BTreeMap;

/// The public methods of each type in a source file: `Client::get`, with the names of its arguments.
fn methods(source: &str) -> BTreeMap<String, Vec<String>> {
    let mut of = "";
    let mut methods = BTreeMap::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("impl ") {
            of = rest.trim_end_matches(" {");
        }
        let Some(rest) = line.strip_prefix("    pub ") else { continue };
        let Some(rest) = rest.strip_prefix("async ").unwrap_or(rest).strip_prefix("fn ") else { continue };
        // A signature may be broken over lines; its arguments end where its result or body begins.
        let mut signature = rest.to_owned();
        while !signature.contains(['{', ';']) {
            signature.push_str(lines.next().expect("the end of a signature"));
        }
        let name = signature.split(['(', '<']).next().unwrap().to_owned();
        let arguments = signature.split(" -> ").next().unwrap().split(": ");
        let mut arguments: Vec<String> = arguments
            .filter_map(|before| before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next())
            .filter(|word| word.starts_with(char::is_lowercase))
            .map(ToOwned::to_owned)
            .collect();
        arguments.dedup();
        methods.insert(format!("{of}::{name}"), arguments);
    }
    methods
}

/// What only one of them needs: an async caller awaits the next and drops what it no longer wants, a sync one has an
/// iterator and ends it from another thread.
const OF_ITS_KIND: [&str; 2] = ["Events::next", "Events::cancel"];

#[test]
fn both_adapters_offer_the_same() {
    let pairs = [
        (include_str!("../src/client.rs"), include_str!("../../redfish-ureq/src/client.rs"), 20),
        (include_str!("../src/resource.rs"), include_str!("../../redfish-ureq/src/resource.rs"), 5),
        (include_str!("../src/transport.rs"), include_str!("../../redfish-ureq/src/transport.rs"), 7),
        (include_str!("../src/error.rs"), include_str!("../../redfish-ureq/src/error.rs"), 4),
        (include_str!("../src/transfer.rs"), include_str!("../../redfish-ureq/src/transfer.rs"), 2),
        (include_str!("../src/events.rs"), include_str!("../../redfish-ureq/src/events.rs"), 2),
        (include_str!("../src/source.rs"), include_str!("../../redfish-ureq/src/source.rs"), 5),
    ];
    for (hyper, ureq, at_least) in pairs {
        let (mut hyper, mut ureq) = (methods(hyper), methods(ureq));
        OF_ITS_KIND.iter().for_each(|of_its_kind| {
            hyper.remove(*of_its_kind);
            ureq.remove(*of_its_kind);
        });
        assert!(hyper.len() >= at_least, "{} methods were found: {hyper:?}", hyper.len());
        assert_eq!(hyper, ureq);
    }
}
