//! `patch`, `put`, `post`, `delete`: writes, and the answers to them as the service sends them.

use std::fs::File;
use std::io::{self, Read};

use clap::Args;
use redfish_proto::{Body, Match, Target, Write};
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::options::Options;
use crate::outcome::Waiting;

/// The longest body that is read from a file.
const LARGEST: u64 = 32 << 20;

/// What to write, and where.
#[derive(Args)]
pub(crate) struct Post {
    /// Where: /redfish/v1/Systems/1, or a URL of this service
    path: String,
    /// What: JSON, @FILE, or - for standard input. Other users see arguments: a secret belongs in a file
    json: String,
    #[command(flatten)]
    waiting: Waiting,
}

/// What to change, and whether it must be as it was seen.
#[derive(Args)]
pub(crate) struct Change {
    #[command(flatten)]
    post: Post,
    /// Don't read the ETag first, and send no If-Match: what others change meanwhile is overwritten
    #[arg(long)]
    no_match: bool,
}

/// What to delete.
#[derive(Args)]
pub(crate) struct Delete {
    /// Where: /redfish/v1/Systems/1, or a URL of this service
    path: String,
    #[command(flatten)]
    waiting: Waiting,
}

impl Change {
    /// Makes the write of target and body.
    pub(crate) fn run(&self, options: &Options, write: fn(&Target, Body) -> Write) -> Result<(), Failure> {
        self.post.send(options, write, if self.no_match { Match::Whatever } else { Match::Current })
    }
}

impl Post {
    pub(crate) fn run(&self, options: &Options) -> Result<(), Failure> {
        self.send(options, Write::post, Match::Whatever)
    }

    fn send(
        &self,
        options: &Options,
        write: fn(&Target, Body) -> Write,
        matching: Match,
    ) -> Result<(), Failure> {
        options.check_stdin(self.json == "-")?;
        let at = options.service()?.target(&self.path)?;
        send(options, &write(&at, self.body()?).matching(matching), &self.waiting)
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
        // There is no way to say which version is meant, so that one is found where the service insists.
        send(options, &Write::delete(&at).matching(Match::IfRequired), &self.waiting)
    }
}

fn send(options: &Options, write: &Write, waiting: &Waiting) -> Result<(), Failure> {
    Connection::scoped(options, |connection| {
        let outcome = connection.run(|_| Ok(write.clone()))?;
        waiting.finish(outcome, connection, options)
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
