//! Event streams yield the same events for any division into chunks.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redfish_proto::fuzzing::sse(data));
