//! What a service may answer: one table, from which whole dialogues are spelled.

use bytes::Bytes;
use http::{StatusCode, response};

use redfish_proto::driver::Failure;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Letter {
    /// What it stands for.
    pub name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// An answer: status, headers, body. `{n}` is the number of the answer.
    Head(u16, &'static [(&'static str, &'static str)], &'static str),
    /// The same, with a body that breaks off.
    Cut(u16, &'static [(&'static str, &'static str)]),
    /// No answer.
    Lost(Failure),
}

use Kind::{Cut, Head, Lost};

const TOKEN: (&str, &str) = ("x-auth-token", "token-{n}-token");
const HERE: (&str, &str) = ("location", "/redfish/v1/SessionService/Sessions/{n}");
const CHANGE: &str = r#"{"@Message.ExtendedInfo": [{"MessageId": "Base.1.8.PasswordChangeRequired"}]}"#;
/// Passes for a service root, a collection with a marked session, and a resource.
const RESOURCE: &str = r#"{"@odata.id": "/redfish/v1/x", "Id": "x", "RedfishVersion": "1.5.0",
    "Members": [{"@odata.id": "/redfish/v1/SessionService/Sessions/{n}", "MySession": true}]}"#;

/// The whole table.
pub const ALPHABET: [Letter; 32] = [
    row("a resource", Head(200, &[], RESOURCE)),
    row("the session itself", Head(200, &[], r#"{"@odata.id": "{path}", "Id": "x"}"#)),
    row("a page", Head(200, &[], "<html>{password} {token}</html>")),
    row("a body that breaks off", Cut(200, &[])),
    row("a login", Head(201, &[TOKEN, HERE], "")),
    row("a login without a Location", Head(201, &[TOKEN], "{}")),
    row("a login at another host", Head(201, &[TOKEN, ("location", "http://evil/Sessions/{n}")], "")),
    row("a login that breaks off", Cut(201, &[TOKEN, HERE])),
    row("a login without a token", Head(201, &[HERE], "")),
    row("a login that must change its password", Head(201, &[TOKEN, HERE], CHANGE)),
    row("a refusal with a token", Head(403, &[TOKEN, HERE], "")),
    row("nothing more to say", Head(204, &[], "")),
    row("a task", Head(202, &[("location", "/redfish/v1/Monitor"), ("retry-after", "2")], "")),
    row("a redirect to a slash", Head(301, &[("location", "./{slash}")], "")),
    row("a redirect off the origin", Head(302, &[("location", "https://evil/redfish/v1/")], "")),
    row("a redirect to a read", Head(303, &[("location", "/redfish/v1/y{n}")], "")),
    row("a redirect that keeps the method", Head(307, &[("location", "/redfish/v1/z{n}")], "")),
    row("a redirect to where it was", Head(308, &[("location", "")], "")),
    row("not authenticated", Head(401, &[], "{password}")),
    row("not authenticated, broken off", Cut(401, &[])),
    row("forbidden", Head(403, &[], r#"{"error": {"code": "{password}", "message": "{token}"}}"#)),
    row("forbidden before the password is changed", Head(403, &[], CHANGE)),
    row("not found", Head(404, &[], "")),
    row("method not allowed", Head(405, &[], "")),
    row("precondition failed", Head(412, &[], "")),
    row("busy for a second", Head(503, &[("retry-after", "1")], "")),
    row("busy", Head(503, &[], r#"{"error": {"@Message.ExtendedInfo": {"MessageId": "RAC0218"}}}"#)),
    row("not sent", Lost(Failure::NotSent)),
    row("connection broken", Lost(Failure::Broken)),
    row("timed out", Lost(Failure::TimedOut)),
    row("too large", Lost(Failure::TooLarge)),
    row("malformed", Lost(Failure::Malformed)),
];

const fn row(name: &'static str, kind: Kind) -> Letter {
    Letter { name, kind }
}

/// An answer of the table, or how there is none.
pub(crate) type Reaction = Result<(response::Parts, Result<Bytes, Failure>), Failure>;

impl Letter {
    /// What it means as the answer to a request of that path: the `n`th of its dialogue.
    pub(crate) fn react(&self, n: usize, path: &str, password: &str, token: &str) -> Reaction {
        let segment = path.rsplit('/').next().unwrap_or_default();
        let fill = |text: &str| {
            text.replace("{n}", &n.to_string())
                .replace("{path}", path)
                .replace("./{slash}", &format!("{segment}/"))
                .replace("{password}", password)
                .replace("{token}", token)
        };
        let (status, headers, body) = match self.kind {
            Head(status, headers, body) => (status, headers, Ok(Bytes::from(fill(body)))),
            Cut(status, headers) => (status, headers, Err(Failure::Broken)),
            Lost(failure) => return Err(failure),
        };
        let (mut head, ()) = http::Response::new(()).into_parts();
        head.status = StatusCode::from_u16(status).unwrap_or_default();
        for (name, value) in headers {
            if let Ok(value) = fill(value).parse() {
                head.headers.insert(*name, value);
            }
        }
        Ok((head, body))
    }
}
