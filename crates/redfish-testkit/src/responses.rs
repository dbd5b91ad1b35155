//! A table of possible responses of a service. A sequence of its rows makes a dialogue.

use bytes::Bytes;
use http::{StatusCode, response};

use redfish_proto::driver::{Failure, HeadLimits};

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct CannedResponse {
    /// A short description.
    pub name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// A response: status, headers, body. `{n}` is the number of the response.
    Complete(u16, &'static [(&'static str, &'static str)], &'static str),
    /// A response with a truncated body.
    Truncated(u16, &'static [(&'static str, &'static str)]),
    /// No response.
    Failed(Failure),
}

use Kind::{Complete, Failed, Truncated};

const TOKEN: (&str, &str) = ("x-auth-token", "token-{n}-token");
const LOCATION: (&str, &str) = ("location", "/redfish/v1/SessionService/Sessions/{n}");
const ENCODED: (&str, &str) = ("content-encoding", "zstd");
const PASSWORD_CHANGE_REQUIRED: &str =
    r#"{"@Message.ExtendedInfo": [{"MessageId": "Base.1.8.PasswordChangeRequired"}]}"#;
/// Serves as a service root, a collection with a marked session, and a resource.
const RESOURCE: &str = r#"{"@odata.id": "/redfish/v1/x", "Id": "x", "RedfishVersion": "1.5.0",
    "Members": [{"@odata.id": "/redfish/v1/SessionService/Sessions/{n}", "MySession": true}]}"#;

/// The table.
pub const RESPONSES: [CannedResponse; 35] = [
    row("a resource", Complete(200, &[], RESOURCE)),
    row("the session itself", Complete(200, &[], r#"{"@odata.id": "{path}", "Id": "x"}"#)),
    row("an HTML page", Complete(200, &[], "<html>{password} {token}</html>")),
    row("a truncated body", Truncated(200, &[])),
    row("a login", Complete(201, &[TOKEN, LOCATION], "")),
    row("a login without a Location", Complete(201, &[TOKEN], "{}")),
    row("a login at another host", Complete(201, &[TOKEN, ("location", "http://evil/Sessions/{n}")], "")),
    row("a truncated login", Truncated(201, &[TOKEN, LOCATION])),
    row("a login without a token", Complete(201, &[LOCATION], "")),
    row("a login that must change its password", Complete(201, &[TOKEN, LOCATION], PASSWORD_CHANGE_REQUIRED)),
    row("a refusal with a token", Complete(403, &[TOKEN, LOCATION], "")),
    row("no content", Complete(204, &[], "")),
    row("a task", Complete(202, &[("location", "/redfish/v1/Monitor"), ("retry-after", "2")], "")),
    row("a redirect to a slash", Complete(301, &[("location", "./{slash}")], "")),
    row("a redirect off the origin", Complete(302, &[("location", "https://evil/redfish/v1/")], "")),
    row("a redirect to a read", Complete(303, &[("location", "/redfish/v1/y{n}")], "")),
    row("a redirect that keeps the method", Complete(307, &[("location", "/redfish/v1/z{n}")], "")),
    row("a redirect to the same target", Complete(308, &[("location", "")], "")),
    row("not authenticated", Complete(401, &[], "{password}")),
    row("not authenticated, truncated", Truncated(401, &[])),
    row("forbidden", Complete(403, &[], r#"{"error": {"code": "{password}", "message": "{token}"}}"#)),
    row("forbidden before the password is changed", Complete(403, &[], PASSWORD_CHANGE_REQUIRED)),
    row("not found", Complete(404, &[], "")),
    row("method not allowed", Complete(405, &[], "")),
    row("precondition failed", Complete(412, &[], "")),
    row("busy for a second", Complete(503, &[("retry-after", "1")], "")),
    row("busy", Complete(503, &[], r#"{"error": {"@Message.ExtendedInfo": {"MessageId": "RAC0218"}}}"#)),
    row("a request that took too long", Complete(408, &[], "")),
    row("too many requests", Complete(429, &[("retry-after", "0.5")], "")),
    row("not sent", Failed(Failure::NotSent)),
    row("connection broken", Failed(Failure::Broken)),
    row("timed out", Failed(Failure::TimedOut)),
    row("head too large", Failed(Failure::HeadTooLarge(HeadLimits { bytes: 65_536, headers: 100 }))),
    row("malformed", Failed(Failure::Malformed)),
    row(
        "a login in a coding that is not supported",
        Complete(201, &[TOKEN, LOCATION, ENCODED], "{password}"),
    ),
];

const fn row(name: &'static str, kind: Kind) -> CannedResponse {
    CannedResponse { name, kind }
}

/// The response to an exchange, with its body or the failure within it; or the failure of the exchange.
pub(crate) type ExchangeResult = Result<(response::Parts, Result<Bytes, Failure>), Failure>;

impl CannedResponse {
    /// Renders the response to the `n`th request of a dialogue, to that path.
    pub(crate) fn render(&self, n: usize, path: &str, password: &str, token: &str) -> ExchangeResult {
        let segment = path.rsplit('/').next().unwrap_or_default();
        let fill = |text: &str| {
            text.replace("{n}", &n.to_string())
                .replace("{path}", path)
                .replace("./{slash}", &format!("{segment}/"))
                .replace("{password}", password)
                .replace("{token}", token)
        };
        let (status, headers, body) = match self.kind {
            Complete(status, headers, body) => (status, headers, Ok(Bytes::from(fill(body)))),
            Truncated(status, headers) => (status, headers, Err(Failure::Broken)),
            Failed(failure) => return Err(failure),
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
