//! Streams of events, cut anywhere: the same events.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| redfish_proto::fuzzing::sse(data));
