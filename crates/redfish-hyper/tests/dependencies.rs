//! What a program takes on with an adapter: how many packages, and whose cryptography.

#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::process::Command;

/// The packages of a program that uses an adapter, ours included. `cargo tree` and not `cargo metadata`, which joins the
/// features that all members of the workspace ask for.
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

/// What the HTTP library, rustls, the system's roots, gzip and serde_json take by themselves, and how many more are ours.
const ALLOWED: [(&str, usize, usize); 2] = [("redfish-ureq", 40, 4), ("redfish-hyper", 53, 6)];

#[test]
fn an_adapter_needs_few_packages_beside_those_of_its_library() {
    for (adapter, floor, more) in ALLOWED {
        let packages = packages(adapter, &[]);
        println!("{adapter}: {} packages", packages.len());
        assert!(packages.len() <= floor + more, "{adapter} has {}: {packages:?}", packages.len());
        assert!(packages.contains("ring") && !packages.contains("aws-lc-rs"), "{packages:?}");
    }
}

#[test]
fn a_program_that_brings_its_own_cryptography_gets_none_of_ours() {
    for (adapter, ..) in ALLOWED {
        let packages = packages(adapter, &["--no-default-features"]);
        assert!(!packages.contains("ring") && !packages.contains("aws-lc-rs"), "{packages:?}");
    }
}
