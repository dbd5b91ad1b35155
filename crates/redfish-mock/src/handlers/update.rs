//! Firmware that is pushed: taken, checked, and shown in the inventory when its task is done (DSP0266, "Update service").
//!
//! ```text
//!  202 ──► written, little by little ──► the service restarts ──► Completed, in the inventory
//!            Settings::update_time         Settings::restart_time: away, and its sessions are lost
//! ```
//!
//! Nothing is installed. The new version is a fingerprint of what was sent, so that a client can see that it was all of it.

use http::{StatusCode, header};
use serde_json::{Map, Value, json};

use crate::inventory::UPDATE_SERVICE;
use crate::mock::Mock;
use crate::protocol::message::{Base, Message, ResourceEvent};
use crate::protocol::request::Request;
use crate::protocol::response::Reply;
use crate::state::random::fingerprint;

/// How an image is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Push {
    /// As a part of `multipart/form-data`, with its parameters in another.
    Multipart,
    /// As the body itself.
    Whole,
}

impl Push {
    /// The property of UpdateService that says where.
    pub(crate) const ALL: [(Push, &str); 2] =
        [(Push::Multipart, "MultipartHttpPushUri"), (Push::Whole, "HttpPushUri")];
}

impl Mock {
    pub(crate) fn push_update(&mut self, request: &Request<'_>, push: Push) -> Reply {
        let form = match push {
            Push::Whole => Ok(Form { parameters: Map::new(), image: request.body }),
            Push::Multipart => Form::read(request),
        };
        match form {
            Ok(Form { image: [], .. }) => missing("UpdateFile"),
            Ok(Form { parameters, image }) => self.update(&parameters, image, request.path.written()),
            Err(refusal) => *refusal,
        }
    }

    /// Brings the firmware of `Targets`, or all there is, to the version of an image.
    pub(crate) fn update(&mut self, parameters: &Map<String, Value>, image: &[u8], at: &str) -> Reply {
        let targets: Vec<&str> = parameters
            .get("Targets")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if let Some(unknown) = targets.iter().find(|target| self.tree.at(target).is_none()) {
            return Reply::refusal(StatusCode::BAD_REQUEST, Base::ResourceMissingAtURI, [unknown]);
        }
        let version = format!("U-{:08X}", fingerprint(image, 0));
        let inventory =
            self.tree.at(UPDATE_SERVICE).map(|service| service.document()["FirmwareInventory"].clone());
        let inventory =
            inventory.and_then(|link| Some(self.tree.at(link["@odata.id"].as_str()?)?.document().clone()));
        let links = inventory.as_ref().and_then(|inventory| inventory["Members"].as_array());
        for path in links.into_iter().flatten().filter_map(|link| link["@odata.id"].as_str()) {
            let Some(mut item) = self.tree.at(path).map(|item| item.document().clone()) else { continue };
            let of = item["RelatedItem"][0]["@odata.id"].as_str().unwrap_or_default().to_owned();
            if targets.is_empty() || targets.contains(&path) || targets.contains(&of.as_str()) {
                let old = std::mem::replace(&mut item["Version"], json!(version));
                self.tree.write(path, item);
                self.tell(Message::new(ResourceEvent::ResourceChanged, []), path);
                self.show_version(&of, &old, &version);
            }
        }
        self.wrote(at);
        Reply::done(self.profile)
    }

    /// Shows a version where its machine shows it, too.
    fn show_version(&mut self, path: &str, old: &Value, new: &str) {
        let Some(mut document) = self.tree.at(path).map(|owner| owner.document().clone()) else { return };
        let shown =
            ["BiosVersion", "FirmwareVersion"].into_iter().find(|name| document.get(*name) == Some(old));
        if let Some(name) = shown {
            document[name] = json!(new);
            self.tree.write(path, document);
            self.tell(Message::new(ResourceEvent::ResourceChanged, []), path);
        }
    }
}

fn missing(part: &str) -> Reply {
    Reply::refusals(StatusCode::BAD_REQUEST, vec![Message::new(Base::PropertyMissing, [part]).about(part)])
}

/// What a multipart body brings.
struct Form<'a> {
    parameters: Map<String, Value>,
    image: &'a [u8],
}

impl<'a> Form<'a> {
    fn read(request: &'a Request<'_>) -> Result<Form<'a>, Box<Reply>> {
        let boundary =
            request.headers.get(header::CONTENT_TYPE).and_then(|value| boundary(value.to_str().ok()?));
        let Some(boundary) = boundary else {
            let (status, name) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, header::CONTENT_TYPE);
            return Err(Box::new(Reply::refusal(status, Base::HeaderInvalid, [name.as_str()])));
        };
        let parts = split(request.body, &boundary);
        let part = |wanted: &str| match parts.iter().find(|(name, _)| name == wanted) {
            Some((_, body)) => Ok(*body),
            None => Err(Box::new(missing(wanted))),
        };
        let image = part("UpdateFile")?;
        match serde_json::from_slice(part("UpdateParameters")?) {
            Ok(Value::Object(parameters)) => Ok(Form { parameters, image }),
            _ => Err(Box::new(Reply::refusal(StatusCode::BAD_REQUEST, Base::MalformedJSON, []))),
        }
    }
}

/// The boundary that a `Content-Type` of `multipart/form-data` gives.
fn boundary(media_type: &str) -> Option<String> {
    let (kind, parameters) = media_type.split_once(';')?;
    let is_form = kind.trim().eq_ignore_ascii_case("multipart/form-data");
    let named = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    };
    parameters.split(';').find_map(named).filter(|boundary| is_form && !boundary.is_empty())
}

/// The parts of a body: the name in each `Content-Disposition`, and what follows the part's head (RFC 7578).
fn split<'a>(body: &'a [u8], boundary: &str) -> Vec<(String, &'a [u8])> {
    let delimiter = format!("\r\n--{boundary}");
    let mut parts = Vec::new();
    // The first delimiter may stand at the very beginning.
    let Some(mut rest) =
        body.strip_prefix(&delimiter.as_bytes()[2..]).or_else(|| Some(after(body, delimiter.as_bytes())?.1))
    else {
        return parts;
    };
    // What follows a delimiter is the end of its line, or `--` where it is the last.
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let Some((part, next)) = after(part, delimiter.as_bytes()) else { break };
        if let Some((head, content)) = after(part, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(head);
            let name = head.split([';', '\r', '\n']).find_map(|piece| piece.trim().strip_prefix("name="));
            parts.push((name.unwrap_or_default().trim_matches('"').to_owned(), content));
        }
        rest = next;
    }
    parts
}

/// What stands before the first `needle`, and what after.
fn after<'a>(bytes: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(needle.len()).position(|window| window == needle)?;
    Some((&bytes[..at], &bytes[at + needle.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_found_where_there_is_one() {
        for (media_type, found) in [
            ("multipart/form-data; boundary=x", Some("x")),
            ("Multipart/Form-Data;charset=utf-8; Boundary=\"a b\"", Some("a b")),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data", None),
            ("application/json; boundary=x", None),
        ] {
            assert_eq!(boundary(media_type).as_deref(), found, "{media_type}");
        }
    }

    #[test]
    fn parts_come_apart_at_the_boundary_alone() {
        let body = b"preamble\r\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{}\r\n--x\r\n\
            Content-Disposition: form-data; name=b; filename=\"f\"\r\nContent-Type: x/y\r\n\r\n1\r\n\r\n--y\r\n\r\n--x--\r\n";
        let parts: Vec<(String, &[u8])> = split(body, "x");
        assert_eq!(parts, [("a".to_owned(), &b"{}"[..]), ("b".to_owned(), b"1\r\n\r\n--y\r\n")]);
        assert_eq!(split(&body[10..], "x").len(), 2, "without a preamble");
        for broken in [&body[..40], b"", b"--x", b"--x--"] {
            assert_eq!(split(broken, "x").len(), 0);
        }
    }
}
