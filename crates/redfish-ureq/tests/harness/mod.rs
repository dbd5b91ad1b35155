//! The client as the shared tests use it.

mod clock;

use std::io::{Read, Write};

use redfish_ureq::{Client, Stream};

use clock::clock;

redfish_testkit::adapter!(redfish_ureq, "ureq");

/// Returns the result: every method blocks until it is done.
fn wait<T>(result: T) -> T {
    result
}

fn reader<R: Read>(reader: R) -> R {
    reader
}

fn writer<W: Write>(writer: W) -> W {
    writer
}

fn stream(stream: Stream) -> Stream {
    stream
}

fn scoped<T, E>(client: Client, work: impl FnOnce(Client) -> Result<T, E>) -> Result<T, E> {
    client.scoped(work)
}
