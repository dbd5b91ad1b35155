//! An upload of a gigabyte in constant memory.

#![cfg(target_os = "linux")]

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use redfish_proto::Service;

use crate::adapter::{Adapter, Builder as _, Source as _};
use crate::bmc::Bmc;

suite! {
    ($) large:
    a_gigabyte_upload_needs_less_than_sixteen_megabytes,
}

const LENGTH: u64 = 1 << 30;

/// The peak memory of this process, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

// The only test of this file, because the peak is that of the process.
fn a_gigabyte_upload_needs_less_than_sixteen_megabytes<A: Adapter>() {
    let received = Arc::new(AtomicU64::new(0));
    let upload_length = received.clone();
    let buffer = Mutex::new(vec![0; 256 << 10]);
    let bmc = Bmc::start(move |connection, head| match head.target.as_str() {
        "/redfish/v1/" => connection.respond("200 OK", "", r#"{"UpdateService": {"@odata.id": "/update"}}"#),
        "/update" => connection.respond("200 OK", "", r#"{"MultipartHttpPushUri": "/push"}"#),
        _ => {
            let length = connection.discard(head, &mut buffer.lock().unwrap())?;
            upload_length.store(length, Ordering::SeqCst);
            connection.respond("204 No Content", "", "")
        }
    });
    let client = A::builder(Service::new(&bmc.url()).unwrap()).build().unwrap();
    let small = A::Source::once(1 << 20, io::repeat(7).take(1 << 20));
    let _ = client.update_firmware("small.bin", &small, &[]).unwrap();
    let before = peak();
    let image = A::Source::once(LENGTH, io::repeat(7).take(LENGTH));
    let _ = client.update_firmware("large.bin", &image, &[]).unwrap();
    let grown = peak() - before;
    assert!(received.load(Ordering::SeqCst) > LENGTH);
    assert!(grown < 16 << 20, "memory grew by {grown} bytes");
    println!("memory grew by {grown} bytes");
}
