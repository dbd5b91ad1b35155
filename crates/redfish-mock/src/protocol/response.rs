//! The response of a handler, before it is rendered for a profile.

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};

use super::event::EventStream;
use super::message::{Base, Message};
use super::profile::Profile;
use super::representation::Representation;

/// Status, headers and content of a response. [`render`](super::render::render) makes the HTTP response.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The methods that the resource allows; empty if there is no resource.
    pub(crate) allow: Vec<Method>,
    /// The path for the header `Location`: the resource that was created, or the monitor of a task.
    pub(crate) location: Option<String>,
    pub(crate) content: Content,
    /// The event stream that follows the head and replaces the content.
    pub(crate) stream: Option<EventStream>,
}

/// The body of a [`Response`].
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Empty,
    Resource(Representation),
    /// Messages in the error object of DSP0266.
    Messages(Vec<Message>),
    Raw {
        media_type: &'static str,
        bytes: Vec<u8>,
    },
}

impl Response {
    pub(crate) fn new(status: StatusCode, content: Content) -> Response {
        Response {
            status,
            headers: HeaderMap::new(),
            allow: Vec::new(),
            location: None,
            content,
            stream: None,
        }
    }

    /// 200 with a resource.
    pub(crate) fn resource(resource: Representation) -> Response {
        Response::new(StatusCode::OK, Content::Resource(resource))
    }

    /// An error with one message. Every error response of this crate is made here or in [`Response::with_messages`].
    pub(crate) fn error<const N: usize>(status: StatusCode, message: Base, arguments: [&str; N]) -> Response {
        Response::with_messages(status, vec![Message::new(message, arguments)])
    }

    /// 404: there is no resource at `path`.
    pub(crate) fn not_found(path: &str) -> Response {
        Response::error(StatusCode::NOT_FOUND, Base::ResourceMissingAtURI, [path])
    }

    /// 507: the service has no room for another resource, or for a larger one.
    pub(crate) fn no_room() -> Response {
        Response::error(StatusCode::INSUFFICIENT_STORAGE, Base::CreateLimitReachedForResource, [])
    }

    /// 503: the service is busy, and the client may try again at once.
    pub(crate) fn busy() -> Response {
        let seconds = "1";
        Response::error(StatusCode::SERVICE_UNAVAILABLE, Base::ServiceTemporarilyUnavailable, [seconds])
            .with_header(http::header::RETRY_AFTER, seconds)
    }

    pub(crate) fn with_messages(status: StatusCode, messages: Vec<Message>) -> Response {
        Response::new(status, Content::Messages(messages))
    }

    /// Success without content: 204 in `standard`, 200 with the message `Success` in `ilo-amplifier`.
    pub(crate) fn success(profile: Profile) -> Response {
        match profile {
            Profile::Standard | Profile::Older | Profile::Slots => {
                Response::new(StatusCode::NO_CONTENT, Content::Empty)
            }
            Profile::IloAmplifier => {
                Response::with_messages(StatusCode::OK, vec![Message::new(Base::Success, [])])
            }
        }
    }

    /// 201: the new resource is at `path`. Without content, the body is the message `Created`.
    pub(crate) fn created(path: String, content: Option<Content>) -> Response {
        let content = content.unwrap_or_else(|| Content::Messages(vec![Message::new(Base::Created, [])]));
        Response { location: Some(path), ..Response::new(StatusCode::CREATED, content) }
    }

    /// Adds a header. Ignores a value that is not valid in a header: the client may have chosen it.
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Response {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_header_value_is_left_out() {
        let response =
            Response::success(Profile::Standard).with_header(http::header::RETRY_AFTER, "1\r\nX-Evil: 1");
        assert!(response.headers.is_empty());
    }
}
