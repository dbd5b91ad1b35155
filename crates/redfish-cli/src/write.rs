//! `post`, `put`, `delete`: writes, and the answers to them as the service sends them.

use std::fs::File;
use std::io::{self, Read};

use clap::Args;
use http::Method;
use redfish_proto::{Body, Raw};
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use crate::connection::Connection;
use crate::document;
use crate::failure::Failure;
use crate::options::Options;

/// The longest body that is read from a file.
const LARGEST: u64 = 32 << 20;

/// What to write, and where.
#[derive(Args)]
pub(crate) struct Write {
    /// Where: /redfish/v1/Systems/1, or a URL of this service
    path: String,
    /// What: JSON, @FILE, or - for standard input. Other users see arguments: a secret belongs in a file
    json: String,
}

/// What to delete.
#[derive(Args)]
pub(crate) struct Delete {
    /// Where: /redfish/v1/Systems/1, or a URL of this service
    path: String,
}

impl Write {
    pub(crate) fn run(&self, options: &Options, method: Method) -> Result<(), Failure> {
        options.check_stdin(self.json == "-")?;
        let at = options.service()?.target(&self.path)?;
        send(options, &Raw::new(method, &at).json(self.body()?))
    }

    fn body(&self) -> Result<Body, Failure> {
        let text = match (self.json.as_str(), self.json.strip_prefix('@')) {
            ("-", _) => read(io::stdin().lock()),
            (_, Some(file)) => File::open(file).and_then(read),
            (json, None) => Ok(Zeroizing::new(json.as_bytes().to_vec())),
        };
        let text = text.map_err(|error| Failure::unusable("the body cannot be read", error))?;
        match serde_json::from_slice::<IgnoredAny>(&text) {
            Ok(_) => Ok(Body::secret(text)),
            // Its own words may repeat what was typed.
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                let what = format!("the body is no JSON, at line {line}, column {column}");
                Err(Failure::usage(what, "Quote it for the shell, or use @FILE."))
            }
        }
    }
}

impl Delete {
    pub(crate) fn run(&self, options: &Options) -> Result<(), Failure> {
        options.check_stdin(false)?;
        let at = options.service()?.target(&self.path)?;
        send(options, &Raw::new(Method::DELETE, &at))
    }
}

fn send(options: &Options, request: &Raw) -> Result<(), Failure> {
    Connection::scoped(options, |connection| {
        let answer = connection.run(|_| Ok(request.clone()))?;
        match answer.body() {
            body if body.is_empty() => Ok(()),
            body => document::print(body, options),
        }
    })
}

fn read(source: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::new());
    source.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::other("it is too large"));
    }
    Ok(text)
}
