//! An operation with one more secret to redact: the password for renewing a saved session. The client does not have it, but
//! the service may echo it.

use redfish_proto::{Answer, Auth, Error, Operation, Redactor, Request, Transition};
use zeroize::Zeroizing;

/// An operation, and the secret to redact.
pub(crate) struct Redacting<'a, O> {
    operation: O,
    secret: Option<&'a Zeroizing<String>>,
}

impl<'a, O> Redacting<'a, O> {
    pub(crate) fn new(operation: O, secret: Option<&'a Zeroizing<String>>) -> Self {
        Redacting { operation, secret }
    }

    pub(crate) fn operation(&self) -> &O {
        &self.operation
    }
}

impl<O: Operation> Operation for Redacting<'_, O> {
    type Output = O::Output;

    fn request(&self) -> Request {
        self.operation.request()
    }

    fn auth(&self) -> Auth {
        self.operation.auth()
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        let Redacting { operation, secret } = self;
        operation.respond(answer).map(|transition| redact(transition, secret))
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        let Redacting { operation, secret } = self;
        operation.fail(error).map(|transition| redact(transition, secret))
    }

    fn secrets(&self, known: &mut Redactor) {
        self.operation.secrets(known);
        if let Some(secret) = self.secret {
            known.add(secret);
        }
    }
}

fn redact<O: Operation>(
    transition: Transition<O>,
    secret: Option<&Zeroizing<String>>,
) -> Transition<Redacting<'_, O>> {
    match transition {
        Transition::Done(output) => Transition::Done(output),
        Transition::Next(operation) => Transition::Next(Redacting { operation, secret }),
        Transition::Later(operation, time) => Transition::Later(Redacting { operation, secret }, time),
    }
}
