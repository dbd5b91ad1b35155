//! Resources of arbitrary bytes, parsed as each type.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redfish_proto::fuzzing::resource(data));
