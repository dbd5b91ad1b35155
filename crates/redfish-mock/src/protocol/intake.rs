//! The intake of a body: it takes the chunks of the body, and keeps what the service needs of it.

use std::ops::ControlFlow;

use http::StatusCode;

use super::image::ImageReader;
use super::message::Base;
use super::payload::Payload;
use super::push_form::{MAX_OVERHEAD, PushForm};
use super::response::Response;

/// The intake of a body, with the limit of its kind.
pub(crate) struct Intake {
    kind: Kind,
    limit: u64,
    received: u64,
    refusal: Option<EarlyResponse>,
}

/// What the service does with a body.
enum Kind {
    /// It keeps all of it.
    Whole(Vec<u8>),
    /// It computes the digest of an image.
    Image(ImageReader),
    /// It does the same for the image in a form.
    Form(Box<PushForm>),
}

/// A response that does not depend on the rest of the body.
pub(crate) struct EarlyResponse {
    pub(crate) response: Box<Response>,
    /// How many bytes of the body are received before the response is sent. 0: none.
    pub(crate) after: u64,
}

impl EarlyResponse {
    /// A response that is sent before the body is received.
    pub(crate) fn at_once(response: Response) -> EarlyResponse {
        EarlyResponse { response: Box::new(response), after: 0 }
    }
}

impl Intake {
    /// A body that is kept.
    pub(crate) fn whole(limit: u64) -> Intake {
        Intake::new(Kind::Whole(Vec::new()), limit)
    }

    /// An image that is the body itself.
    pub(crate) fn image(max_image: u64) -> Intake {
        Intake::new(Kind::Image(ImageReader::default()), max_image)
    }

    /// An image in a form with this boundary.
    pub(crate) fn form(boundary: &str, max_image: u64) -> Intake {
        let form = PushForm::new(boundary, max_image);
        Intake::new(Kind::Form(Box::new(form)), max_image.saturating_add(MAX_OVERHEAD))
    }

    fn new(kind: Kind, limit: u64) -> Intake {
        Intake { kind, limit, received: 0, refusal: None }
    }

    /// Whether a body of this length exceeds the limit.
    pub(crate) fn exceeds_limit(&self, length: u64) -> bool {
        length > self.limit
    }

    /// Takes the next bytes. Breaks when the rest of the body does not matter.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> ControlFlow<()> {
        self.received += chunk.len() as u64;
        if self.refusal.is_none() {
            match &mut self.kind {
                _ if self.received > self.limit => self.refuse(too_large()),
                Kind::Whole(bytes) => bytes.extend_from_slice(chunk),
                Kind::Image(reader) => reader.push(chunk),
                Kind::Form(form) => {
                    form.push(chunk);
                    if form.is_too_large() {
                        self.refuse(too_large());
                    }
                }
            }
        }
        match &self.refusal {
            Some(refusal) if self.received >= refusal.after => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    /// Ends the intake with this response. What was received is dropped.
    pub(crate) fn refuse(&mut self, response: Response) {
        self.refuse_later(EarlyResponse::at_once(response));
    }

    /// Ends the intake with a response after some of the body.
    pub(crate) fn refuse_later(&mut self, refusal: EarlyResponse) {
        self.kind = Kind::Whole(Vec::new());
        self.refusal = Some(refusal);
    }

    /// The bytes that are kept.
    pub(crate) fn kept(&self) -> usize {
        match &self.kind {
            Kind::Whole(bytes) => bytes.capacity(),
            Kind::Image(_) => 0,
            Kind::Form(form) => form.kept(),
        }
    }

    /// What was received, or the response that refuses it.
    pub(crate) fn finish(self) -> Result<Payload, Box<Response>> {
        match (self.refusal, self.kind) {
            (Some(refusal), _) => Err(refusal.response),
            (None, Kind::Whole(bytes)) => Ok(Payload::Bytes(bytes)),
            (None, Kind::Image(reader)) => {
                Ok(Payload::Push { parameters: Some(b"{}".to_vec()), image: reader.finish() })
            }
            (None, Kind::Form(form)) => Ok(form.finish()),
        }
    }
}

/// 413: the body exceeds its limit.
pub(crate) fn too_large() -> Response {
    Response::error(StatusCode::PAYLOAD_TOO_LARGE, Base::PayloadTooLarge, [])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intake_breaks_when_its_limit_is_exceeded_and_keeps_nothing() {
        for mut intake in [Intake::whole(3), Intake::image(3)] {
            assert!(!intake.exceeds_limit(3) && intake.exceeds_limit(4));
            assert!(intake.push(b"abc").is_continue());
            assert!(intake.push(b"d").is_break());
            assert!(intake.push(b"e").is_break());
            assert_eq!(intake.finish().unwrap_err().status, 413);
        }
    }

    #[test]
    fn an_image_in_a_form_has_the_same_limit() {
        let form = "--x\r\nContent-Disposition: form-data; name=UpdateFile\r\n\r\n";
        let mut intake = Intake::form("x", 3);
        assert!(!intake.exceeds_limit(3 + MAX_OVERHEAD) && intake.exceeds_limit(4 + MAX_OVERHEAD));
        assert!(intake.push(form.as_bytes()).is_continue());
        assert!(intake.push(b"abc\r\n--").is_continue());
        assert!(intake.push(b"y").is_break());
        assert_eq!(intake.finish().unwrap_err().status, 413);
    }

    #[test]
    fn a_refusal_can_be_sent_after_some_of_the_body() {
        let mut intake = Intake::whole(9);
        intake.refuse_later(EarlyResponse { response: Box::new(too_large()), after: 4 });
        assert!(intake.push(b"abc").is_continue());
        assert!(intake.push(b"d").is_break());
        assert_eq!(intake.finish().unwrap_err().status, 413);
    }
}
