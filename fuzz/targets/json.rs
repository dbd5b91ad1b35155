//! JSON of arbitrary bytes, repaired.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redfish_proto::fuzzing::json(data));
