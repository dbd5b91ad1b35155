//! The client as the shared suites see it.

mod clock;

use std::io::{Read, Write};

use redfish_ureq::{Client, Stream};

use clock::clock;

redfish_testkit::adapter!(redfish_ureq, "ureq");

/// Every method has done its work when it returns.
fn wait<T>(done: T) -> T {
    done
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
