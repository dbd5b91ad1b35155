//! The response to a request, and what can be read of it.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ETAG, HeaderMap, LOCATION};
use http::{Method, StatusCode, response};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::base::Base;
use crate::body::{Body, PayloadCut, PayloadUnread};
use crate::cause::TransportError;
use crate::driver::time::{self, Now};
use crate::error::Error;
use crate::etag::ETag;
use crate::json::{self, Flaws, Repaired, strip_bom};
use crate::kind::{ErrorKind, Failure};
use crate::link;
use crate::message::{self, Message};
use crate::policy::Links;
use crate::reason::SessionAlive;
use crate::redact::{Redactor, SafeText};
use crate::service::Service;
use crate::target::Target;
use crate::view::{Decode, Json, Source};

/// A response. Its head is complete; its body may have broken off. `Debug` shows neither headers nor body, which may
/// contain secrets.
pub struct Answer {
    pub(crate) head: response::Parts,
    pub(crate) body: Result<Bytes, TransportError>,
    /// The body as it can be read, once the strict parser has refused it.
    pub(crate) repaired: OnceLock<Option<Repaired>>,
    pub(crate) method: Method,
    pub(crate) target: Target,
    /// The method and the target before any redirect, if there was one.
    pub(crate) first_request: Option<(Method, Target)>,
    /// The body of the request.
    pub(crate) sent: Body,
    pub(crate) is_replay: bool,
    /// Whether a check found that the session is alive after this 401.
    pub(crate) session_alive: bool,
    pub(crate) now: Now,
    pub(crate) service: Arc<Service>,
    pub(crate) redactor: Arc<Redactor>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.body.as_ref().map(Bytes::len);
        write!(f, "Answer({} {}: {}, body {body:?})", self.method, self.target, self.head.status)
    }
}

impl ETag {
    /// The ETag of a response: the header, or else the body's `@odata.etag`. `None` if there is none, or none that can be
    /// read and sent back.
    pub fn of(answer: &Answer) -> Option<ETag> {
        ETag::read(answer).ok().flatten()
    }

    /// Like [`of`](ETag::of), but one that cannot be read or sent back is not the same as none.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] for an ETag that is not text in ASCII, and those of [`Answer::json`].
    pub fn read(answer: &Answer) -> Result<Option<ETag>, Error> {
        let unusable = |place| answer.malformed(place, "an ETag that cannot be sent back");
        match &answer.body {
            Ok(body) if message::is_web_page(body) => {
                return Err(Error::new(ErrorKind::Transport(Failure::WebPage)).with_status(answer.status()));
            }
            Err(error) if error.failure() == Failure::Partial => answer.body().map(drop)?,
            _ => {}
        }
        match answer.headers().get(ETAG).filter(|value| !value.as_bytes().trim_ascii().is_empty()) {
            Some(value) => {
                let etag = value.to_str().ok().and_then(ETag::new);
                etag.map(Some).ok_or_else(|| unusable(""))
            }
            None if !answer.is_object()? => Err(answer.not_a_resource()),
            None => match answer.json::<ETagOfBody<'_>>()?.etag.map(RawValue::get) {
                None | Some("null") => Ok(None),
                // A number out of range could become a text.
                Some(quoted) if quoted.starts_with('"') && quoted.is_ascii() => {
                    let text: String = json::part(quoted).unwrap_or_default();
                    let etag = ETag::new(&text).filter(|_| text.is_ascii());
                    if etag.is_some() || text.trim().is_empty() {
                        Ok(etag)
                    } else {
                        Err(unusable("/@odata.etag"))
                    }
                }
                Some(_) => Err(unusable("/@odata.etag")),
            },
        }
    }
}

/// The ETag in a body.
#[derive(Deserialize)]
struct ETagOfBody<'a> {
    #[serde(rename = "@odata.etag", borrow)]
    etag: Option<&'a RawValue>,
}

impl Answer {
    /// The status. It counts even if the body breaks off: iDRAC 8 cuts the body of a 401.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The headers. Those with secrets are marked as sensitive.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The method of the last request: GET after a 303.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The target of the last request, which differs from the first after a redirect.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The method and the target of the request before any redirect.
    pub(crate) fn requested(&self) -> (&Method, &Target) {
        match &self.first_request {
            Some((method, target)) => (method, target),
            None => (&self.method, &self.target),
        }
    }

    /// Whether the request was sent again with another session, after a 401.
    pub fn is_replay(&self) -> bool {
        self.is_replay
    }

    /// Whether the payload of the request was certainly not read.
    pub(crate) fn is_payload_unread(&self) -> bool {
        self.head.extensions.get::<PayloadUnread>().is_some()
    }

    /// Whether the payload of the request was not sent to its end.
    pub(crate) fn is_payload_cut(&self) -> bool {
        self.head.extensions.get::<PayloadCut>().is_some()
    }

    /// When it arrived, on the driver's clock.
    pub fn now(&self) -> Now {
        self.now
    }

    /// The body.
    ///
    /// # Errors
    /// If it broke off or is too large, and [`ErrorKind::Malformed`] if it cannot be decoded. The error has the status.
    pub fn body(&self) -> Result<&Bytes, Error> {
        self.body.as_ref().map_err(|error| {
            error.body_error(self.service.policy().body_limit, &self.redactor).with_status(self.status())
        })
    }

    /// The body as JSON. What a strict parser refuses is repaired if possible ([`json`]).
    ///
    /// # Errors
    /// Those of [`body`](Answer::body), and [`ErrorKind::Malformed`] with the JSON pointer of the value that does not
    /// fit.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        self.json_and_text().map(|(value, _)| value)
    }

    /// The body as a type: a view, whose links are relative to the target of this answer, or a type of serde.
    ///
    /// # Errors
    /// Those of [`json`](Answer::json).
    pub fn decode<T: Decode>(&self) -> Result<T, Error> {
        let depth = self.service.policy().json_depth;
        let base = self.base();
        self.read_or_repair(|text, body| {
            let source = |text| Source::body(text, body, &base);
            json::read_with(text, depth, |text| T::decode(source(text)))
        })
    }

    /// What the body is read with.
    pub(crate) fn base(&self) -> Arc<Base> {
        self.base_at(self.target.clone())
    }

    /// What a part of the body is read with that is the resource at this target.
    pub(crate) fn base_at(&self, target: Target) -> Arc<Base> {
        let (service, redactor) = (Arc::clone(&self.service), Arc::clone(&self.redactor));
        Arc::new(Base { service, target, redactor })
    }

    /// The part of the resource that a fragment means.
    pub(crate) fn decode_fragment<T: Decode>(&self, fragment: &str) -> Result<T, Error> {
        let resource: Json = self.decode()?;
        resource.decode_fragment(fragment).map_err(|(pointer, reason)| self.malformed(&pointer, &reason))
    }

    /// The body as JSON, and the text that was read, which differs from the body if that was repaired.
    pub(crate) fn json_and_text<'a, T: Deserialize<'a>>(&'a self) -> Result<(T, &'a Bytes), Error> {
        let depth = self.service.policy().json_depth;
        self.read_or_repair(|text, body| Ok((json::read(text, depth)?, body)))
    }

    /// Reads the body, or the repaired one if that fails. `read` gets the text, and the bytes that it is a part of.
    fn read_or_repair<'a, T>(
        &'a self,
        read: impl Fn(&'a [u8], &'a Bytes) -> Result<T, (String, String)>,
    ) -> Result<T, Error> {
        let body = self.body()?;
        let result = read(strip_bom(body), body).or_else(|refused| {
            match self.repaired.get_or_init(|| json::repair(body)) {
                Some(Repaired { text, .. }) => read(text, text),
                None => Err(refused),
            }
        });
        result.map_err(|(pointer, reason)| match message::is_web_page(body) {
            true => Error::new(ErrorKind::Transport(Failure::WebPage)).with_status(self.status()),
            false => self.malformed(&pointer, &reason),
        })
    }

    /// What is wrong with the body, although it could be read. Known after [`json`](Answer::json).
    pub fn flaws(&self) -> Flaws {
        self.repaired
            .get()
            .and_then(Option::as_ref)
            .map(|repaired| repaired.flaws.clone())
            .unwrap_or_default()
    }

    /// Whether the body is a JSON object, as every resource is (DSP0266, "Resources").
    pub(crate) fn is_object(&self) -> Result<bool, Error> {
        let begins_as_object = |text: &[u8]| strip_bom(text).trim_ascii_start().starts_with(b"{");
        // The usual body is not parsed for this.
        if begins_as_object(self.body()?) {
            return Ok(true);
        }
        let (_, text) = self.json_and_text::<&RawValue>()?;
        Ok(begins_as_object(text))
    }

    /// The error of a body that is not a resource.
    pub(crate) fn not_a_resource(&self) -> Error {
        self.malformed("", "not a resource")
    }

    /// The target of the `Location` header, if there is one.
    pub fn location(&self) -> Option<Result<Target, Error>> {
        self.location_header().map(|location| self.resolve(&location))
    }

    /// Resolves a link in this response, according to the policy for links.
    ///
    /// # Errors
    /// [`ErrorKind::CrossOrigin`] for a link to another origin if the policy refuses it, [`ErrorKind::Malformed`] for
    /// text that is not a link.
    pub fn resolve(&self, link: &str) -> Result<Target, Error> {
        self.resolve_with(link, self.service.policy().links)
    }

    /// Resolves only the path of a link in this response, at the service's own origin: services know themselves by
    /// other names.
    ///
    /// # Errors
    /// [`ErrorKind::CrossOrigin`] for a URI that is not HTTP, [`ErrorKind::Malformed`] for text that is not a link.
    pub fn resolve_path_only(&self, link: &str) -> Result<Target, Error> {
        self.resolve_with(link, Links::PathOnly)
    }

    /// The service's messages, in any known form. Empty if the body is not JSON.
    pub fn messages(&self) -> Vec<Message> {
        self.body.as_ref().map(|body| message::messages(body, &self.redactor)).unwrap_or_default()
    }

    /// The wait that the service asks for.
    pub fn retry_after(&self) -> Option<Duration> {
        time::retry_after(self.headers())
    }

    /// Adds this exchange to an error that is returned as a value.
    pub(crate) fn stamp(&self, error: Error) -> Error {
        error.with_origin(self.service.origin()).stamped(Some((&self.method, &self.target)), &self.redactor)
    }

    /// The error that this response reports, whatever its status.
    pub fn refusal(&self) -> Error {
        self.refusal_of(self.messages())
    }

    /// Like [`refusal`](Answer::refusal), with these messages.
    pub(crate) fn refusal_of(&self, messages: Vec<Message>) -> Error {
        let text = match (&self.body, messages.is_empty()) {
            (Ok(body), true) => message::page_text(body, &self.redactor),
            _ => SafeText::default(),
        };
        let mut error =
            Error::from_status(self.status(), self.retry_after(), messages, text, |m| self.account(m));
        if self.status() == StatusCode::UNAUTHORIZED {
            if self.session_alive {
                error = error.with_session_alive(SessionAlive::Confirmed);
            } else if self.is_replay {
                error = error.with_session_alive(SessionAlive::NewSessionRefused);
            }
        }
        if self.is_host_refusal() {
            let host = String::from_utf8_lossy(self.service.origin().host().as_bytes());
            error = error.of_host(self.safe(&format!(
                "The service may not accept {host} in the Host header: use the name that it knows in its URL, and let DNS or \
                 /etc/hosts resolve that name to this address."
            )));
        }
        // The error may be returned after other exchanges, so it names this one.
        self.stamp(error)
    }

    /// Whether the service may have refused the request for its `Host`: a 421, or a 400 with a web page. iDRAC answers every
    /// request in this way if it does not know the name.
    pub(crate) fn is_host_refusal(&self) -> bool {
        match self.status() {
            StatusCode::MISDIRECTED_REQUEST => true,
            StatusCode::BAD_REQUEST => self.body.as_deref().is_ok_and(message::is_web_page),
            _ => false,
        }
    }

    /// The account in the arguments of a `PasswordChangeRequired`.
    pub(crate) fn account(&self, message: &Message) -> Option<Target> {
        self.resolve_path_only(message.args.first().filter(|a| !a.is_empty())?).ok()
    }

    /// Removes the secrets that the client knows from a text, for use in an error.
    pub fn safe(&self, text: &str) -> SafeText {
        self.redactor.clean(text)
    }

    /// The error of an unexpected response: the JSON pointer of what does not fit, and the reason.
    pub fn malformed(&self, pointer: &str, reason: &str) -> Error {
        Error::malformed(self.safe(pointer), self.safe(reason)).with_status(self.status())
    }

    pub(crate) fn location_header(&self) -> Option<Cow<'_, str>> {
        let value = self.headers().get(LOCATION)?.as_bytes();
        Some(String::from_utf8_lossy(value)).filter(|text| !text.trim().is_empty())
    }

    fn resolve_with(&self, link: &str, links: Links) -> Result<Target, Error> {
        link::resolve(link, &self.target, self.service.origin(), links)
            .map_err(|error| Error::of_link(error, self.safe(link)))
    }
}
