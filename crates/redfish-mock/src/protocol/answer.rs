//! What a service answers, and how much of it arrives.

use std::time::Duration;

use http::{Response, StatusCode};

use crate::state::events::EventStream;

/// A response, and what a front end has to do with it.
#[derive(Debug)]
pub struct Answer {
    /// The response. Where [`Answer::ending`] is [`Ending::Closed`] or [`Ending::Reset`], nobody gets to see it.
    pub response: Response<Vec<u8>>,
    /// How long to wait before the response is sent.
    pub delay: Duration,
    /// How the sending ends.
    pub ending: Ending,
}

/// How much of a response arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All of it.
    Whole,
    /// The head, so many bytes of the body, and then the connection is closed.
    Cut(usize),
    /// Nothing: the connection is closed. The request was carried out.
    Closed,
    /// Nothing: the connection is reset. The request was not carried out.
    Reset,
}

impl Answer {
    /// None at all.
    pub(crate) fn reset() -> Answer {
        let mut response = Response::new(Vec::new());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        Answer { response, delay: Duration::ZERO, ending: Ending::Reset }
    }

    /// The response's status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The response's header of this name, where it has one that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The stream of server-sent events that goes on where the response's head ends, and gives its body by
    /// [`Mock::events`](crate::Mock::events).
    pub fn stream(&self) -> Option<EventStream> {
        self.response.extensions().get().copied()
    }

    /// The response's body as JSON; `null` where it is not.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.response.body()).unwrap_or_default()
    }
}
