//! The dependencies of a program that uses an adapter: the number of packages, and the cryptographic provider.

#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::process::Command;

/// The packages of a program that uses an adapter, including ours. `cargo metadata` would unify the features of all
/// workspace members, so this uses `cargo tree`.
fn packages(adapter: &str, features: &[&str]) -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--package", adapter])
        .args(features)
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let lines = String::from_utf8(tree.stdout).unwrap();
    lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// The number of packages of the HTTP library, rustls, the system's roots, gzip and serde_json, and of additional ones.
const ALLOWED: [(&str, usize, usize); 2] = [("redfish-ureq", 40, 4), ("redfish-hyper", 53, 6)];

#[test]
fn an_adapter_adds_few_packages_to_those_of_its_library() {
    for (adapter, library, additional) in ALLOWED {
        let packages = packages(adapter, &[]);
        println!("{adapter}: {} packages", packages.len());
        assert!(packages.len() <= library + additional, "{adapter} has {}: {packages:?}", packages.len());
        assert!(packages.contains("ring") && !packages.contains("aws-lc-rs"), "{packages:?}");
    }
}

#[test]
fn no_provider_is_linked_without_default_features() {
    for (adapter, ..) in ALLOWED {
        let packages = packages(adapter, &["--no-default-features"]);
        assert!(!packages.contains("ring") && !packages.contains("aws-lc-rs"), "{packages:?}");
    }
}
