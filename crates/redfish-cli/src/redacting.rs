//! An operation that redacts one more secret: the password that could renew a saved session. The session's client does
//! not have it, but a service that knows it may echo it.

use redfish_proto::{Answer, Auth, Error, Operation, Redactor, Request, Transition};
use zeroize::Zeroizing;

/// The operation, and the secret.
pub(crate) struct Redacting<'a, O> {
    operation: O,
    secret: Option<&'a Zeroizing<String>>,
}

impl<'a, O> Redacting<'a, O> {
    pub(crate) fn new(operation: O, secret: Option<&'a Zeroizing<String>>) -> Self {
        Redacting { operation, secret }
    }

    /// The operation.
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
        Ok(operation.respond(answer)?.map(|operation| Redacting { operation, secret }))
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        let Redacting { operation, secret } = self;
        Ok(operation.fail(error)?.map(|operation| Redacting { operation, secret }))
    }

    fn secrets(&self, known: &mut Redactor) {
        self.operation.secrets(known);
        if let Some(secret) = self.secret {
            known.add(secret);
        }
    }
}
