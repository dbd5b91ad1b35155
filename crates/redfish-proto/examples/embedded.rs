//! A custom driver: `std::net::TcpStream`, HTTP written by hand, and the loop.
//!
//! `cargo run -p redfish-proto --example embedded -- http://127.0.0.1:8000 USER PASSWORD`

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a driver does the I/O")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{header, response};
use redfish_proto::driver::{Authenticator, Failure, Now, Outgoing, SessionSource, Step, TransportError};
use redfish_proto::ops::Get;
use redfish_proto::{Call, Credentials, Error};
use redfish_proto::{Operation, Service};

type ExchangeResult = Result<(response::Parts, Result<Bytes, TransportError>), TransportError>;

fn exchange(outgoing: Outgoing) -> ExchangeResult {
    let (head, body) = outgoing.request.into_parts();
    let address = (head.uri.host().unwrap_or_default(), head.uri.port_u16().unwrap_or(80));
    let mut stream =
        TcpStream::connect(address).map_err(|error| TransportError::new(Failure::NotSent, error))?;
    let path = head.uri.path_and_query().map_or("/", |p| p.as_str());
    let mut request = format!("{} {path} HTTP/1.1\r\nConnection: close\r\n", head.method);
    for (name, value) in &head.headers {
        // This driver cannot decompress gzip.
        if name != header::ACCEPT_ENCODING {
            request += &format!("{name}: {}\r\n", value.to_str().unwrap_or_default());
        }
    }
    request += "\r\n";
    let mut answer = Vec::new();
    // A timeout also leaves open whether the request was received.
    stream
        .set_read_timeout(Some(outgoing.limits.timeout))
        .and_then(|()| stream.write_all(request.as_bytes()))
        .and_then(|()| stream.write_all(body.bytes().map_or(b"", |body| body)))
        .and_then(|()| stream.take(outgoing.limits.limit as u64).read_to_end(&mut answer))
        .map_err(|error| TransportError::new(Failure::Broken, error))?;
    Ok(parse(&answer).ok_or(Failure::Malformed)?)
}

fn parse(answer: &[u8]) -> Option<(response::Parts, Result<Bytes, TransportError>)> {
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let mut lines = std::str::from_utf8(&answer[..end]).ok()?.split("\r\n");
    let mut head = http::Response::builder().status(lines.next()?.split(' ').nth(1)?);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        head = head.header(name, value.trim());
    }
    Some((head.body(()).ok()?.into_parts().0, Ok(Bytes::copy_from_slice(&answer[end + 4..]))))
}

fn run<O: Operation>(bmc: &mut Authenticator, since: Instant, call: Call<O>) -> Result<O::Output, Error> {
    let now = || Now(since.elapsed());
    let mut step = call.start(now());
    loop {
        step = match step {
            Step::Send(outgoing, reply) => match exchange(outgoing) {
                Ok((head, body)) => reply.receive(head, body, now()),
                Err(failure) => reply.fail(failure, now()),
            },
            Step::Wait(time, timer) => {
                std::thread::sleep(time);
                timer.fire(now())
            }
            Step::Session(request, reply) => match bmc.renew(&request) {
                Ok(SessionSource::Ready(session)) => reply.give(Ok(session), now()),
                Ok(SessionSource::Unavailable) => reply.decline(now()),
                Ok(SessionSource::Login(login)) => {
                    let opened = run(bmc, since, login);
                    reply.give(bmc.accept(opened).map(Into::into), now())
                }
                Err(error) => reply.give(Err(error), now()),
            },
            Step::Done(result) => return result,
        };
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, user, password] = arguments.as_slice() else { return Err("URL USER PASSWORD".into()) };
    let service = Arc::new(Service::new(url)?);
    let mut bmc = Authenticator::session(service.clone(), Arc::new(Credentials::new(user, password)), None);
    let systems = service.call(Get::<serde_json::Value>::new(service.target("/redfish/v1/Systems")?));
    let read = run(&mut bmc, Instant::now(), systems);
    // The session is closed even if the read failed.
    while let Some(logout) = bmc.close() {
        println!("session: {:?}", run(&mut bmc, Instant::now(), logout)?);
    }
    println!("{:#}", read?);
    Ok(())
}
