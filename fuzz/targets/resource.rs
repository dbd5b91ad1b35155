//! Resources of any bytes, as each of the types.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redfish_proto::fuzzing::resource(data));
