//! The mock's answer to a request: an HTTP response, and how much of it reaches the client.

use std::time::Duration;

use http::{Response, StatusCode};

use super::event::EventStream;

/// A response, and how to deliver it.
#[derive(Debug)]
pub struct Answer {
    /// The response. The client does not receive it if [`Answer::ending`] is [`Ending::Closed`] or [`Ending::Reset`].
    pub response: Response<Vec<u8>>,
    /// How long to wait before sending the response.
    pub delay: Duration,
    /// How much of the response to send.
    pub ending: Ending,
}

/// How much of a response is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All of it.
    Whole,
    /// The head and this many bytes of the body; then the connection is closed.
    Cut(usize),
    /// Nothing: the connection is closed. The request was carried out.
    Closed,
    /// Nothing: the connection is reset. The request was not carried out.
    Reset,
}

impl Answer {
    /// An answer that sends the whole response at once.
    pub(crate) fn whole(response: Response<Vec<u8>>) -> Answer {
        Answer { response, delay: Duration::ZERO, ending: Ending::Whole }
    }

    /// An answer that resets the connection.
    pub(crate) fn reset() -> Answer {
        let mut response = Response::new(Vec::new());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        Answer { response, delay: Duration::ZERO, ending: Ending::Reset }
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The value of a header of the response, if the response has it and it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The event stream that follows the head of the response. [`Mock::events`](crate::Mock::events) returns what it sends.
    pub fn stream(&self) -> Option<EventStream> {
        self.response.extensions().get().copied()
    }

    /// The body of the response as JSON; `null` if it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.response.body()).unwrap_or_default()
    }
}
