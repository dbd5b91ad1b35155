//! The command `redfish`.
fn main() {}
