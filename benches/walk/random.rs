//! A large service, generated at random from a seed.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::tree::{ROOT, Tree, link, links};

const COLLECTIONS: [&str; 8] =
    ["Memory", "Processors", "Sensors", "Storage", "Ports", "Fans", "Volumes", "PCIeDevices"];
const SINGLES: [&str; 4] = ["Bios", "Metrics", "Thermal", "Power"];

/// A resource with links.
struct Holder {
    path: String,
    members: Map<String, Value>,
}

/// A service with this number of resources.
pub(crate) fn tree(seed: u64, resources: usize) -> Tree {
    let mut random = Random(seed);
    let mut tree = Tree::default();
    tree.add_root(&["Systems"]);
    let mut holders = Vec::new();
    let mut used = HashSet::new();
    let members = |path: &str, count: usize| -> Vec<String> {
        (1..=count).map(|number| format!("{path}/{number}")).collect()
    };
    let systems = members(&format!("{ROOT}/Systems"), 8);
    tree.add_collection(&format!("{ROOT}/Systems"), "ComputerSystem", &systems);
    holders.extend(systems.into_iter().map(Holder::new));
    loop {
        let left = resources.saturating_sub(tree.resources() + holders.len());
        let parent = random.below(holders.len());
        let kind = match left {
            0 => break,
            1 => 0,
            _ => random.below(8),
        };
        let name = match kind {
            0 | 1 => SINGLES[random.below(SINGLES.len())],
            2 => "Entries",
            _ => COLLECTIONS[random.below(COLLECTIONS.len())],
        };
        let path = format!("{}/{name}", holders[parent].path);
        if path.len() > 200 || !used.insert(path.clone()) {
            continue;
        }
        holders[parent].members.insert(name.to_owned(), link(&path));
        match kind {
            0 | 1 => holders.push(Holder::new(path)),
            2 => tree.add_entries(&path, &holders[parent].path, 1 + random.below(200).min(left - 2)),
            _ => {
                let members = members(&path, random.below(40).min(left - 1));
                tree.add_collection(&path, "Resource", &members);
                holders.extend(members.into_iter().map(Holder::new));
            }
        }
    }
    let paths: Vec<String> = holders.iter().map(|holder| holder.path.clone()).collect();
    for Holder { path, mut members } in holders {
        for number in 0..random.below(12) {
            members.insert(format!("Text{number}"), "x".repeat(random.below(80)).into());
        }
        let related: Vec<String> =
            (0..random.below(4)).map(|_| paths[random.below(paths.len())].clone()).collect();
        members.insert("Links".into(), json!({"Related": links(&related)}));
        tree.add(&path, "Resource.v1_0_0", members.into());
    }
    tree
}

impl Holder {
    fn new(path: String) -> Holder {
        Holder { path, members: Map::new() }
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((value ^ (value >> 31)) % bound as u64) as usize
    }
}
