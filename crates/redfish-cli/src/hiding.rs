//! An operation that hides one more secret: the password that could renew a kept session. The session's client does
//! not have it, and a service that knows it may echo it all the same.

use redfish_proto::{Access, Answer, Error, Operation, Redactor, Request, Verdict};
use zeroize::Zeroizing;

/// The operation, and the secret.
pub(crate) struct Hiding<'a, O> {
    operation: O,
    secret: Option<&'a Zeroizing<String>>,
}

impl<'a, O> Hiding<'a, O> {
    pub(crate) fn new(operation: O, secret: Option<&'a Zeroizing<String>>) -> Self {
        Hiding { operation, secret }
    }

    /// What is hidden in.
    pub(crate) fn operation(&self) -> &O {
        &self.operation
    }
}

impl<O: Operation> Operation for Hiding<'_, O> {
    type Output = O::Output;

    fn request(&self) -> Request {
        self.operation.request()
    }

    fn access(&self) -> Access {
        self.operation.access()
    }

    fn respond(self, answer: Answer) -> Result<Verdict<Self>, Error> {
        let Hiding { operation, secret } = self;
        operation.respond(answer).map(|verdict| hide(verdict, secret))
    }

    fn fail(self, error: Error) -> Result<Verdict<Self>, Error> {
        let Hiding { operation, secret } = self;
        operation.fail(error).map(|verdict| hide(verdict, secret))
    }

    fn secrets(&self, known: &mut Redactor) {
        self.operation.secrets(known);
        if let Some(secret) = self.secret {
            known.add(secret);
        }
    }
}

fn hide<O: Operation>(verdict: Verdict<O>, secret: Option<&Zeroizing<String>>) -> Verdict<Hiding<'_, O>> {
    match verdict {
        Verdict::Done(output) => Verdict::Done(output),
        Verdict::Next(operation) => Verdict::Next(Hiding { operation, secret }),
        Verdict::Later(operation, time) => Verdict::Later(Hiding { operation, secret }, time),
    }
}
