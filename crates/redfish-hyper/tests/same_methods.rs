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

#[test]
fn both_adapters_offer_the_same() {
    let pairs = [
        (include_str!("../src/client.rs"), include_str!("../../redfish-ureq/src/client.rs"), 20),
        (include_str!("../src/resource.rs"), include_str!("../../redfish-ureq/src/resource.rs"), 5),
        (include_str!("../src/transport.rs"), include_str!("../../redfish-ureq/src/transport.rs"), 7),
        (include_str!("../src/error.rs"), include_str!("../../redfish-ureq/src/error.rs"), 4),
    ];
    for (hyper, ureq, at_least) in pairs {
        let (hyper, ureq) = (methods(hyper), methods(ureq));
        assert!(hyper.len() >= at_least, "{} methods were found: {hyper:?}", hyper.len());
        assert_eq!(hyper, ureq);
    }
}
