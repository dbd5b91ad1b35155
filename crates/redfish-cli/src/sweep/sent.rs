//! An operation of which is known whether it has sent a write: after that, nothing may send it again.

use std::sync::atomic::{AtomicBool, Ordering};

use redfish_proto::{Access, Answer, Error, Operation, Redactor, Request, Verdict};

/// The operation, and whether it has.
pub(super) struct Sent<'a, O> {
    operation: O,
    wrote: &'a AtomicBool,
}

impl<'a, O> Sent<'a, O> {
    pub(super) fn new(operation: O, wrote: &'a AtomicBool) -> Self {
        Sent { operation, wrote }
    }

    /// What is looked after.
    pub(super) fn operation(&self) -> &O {
        &self.operation
    }
}

impl<O: Operation> Operation for Sent<'_, O> {
    type Output = O::Output;

    fn request(&self) -> Request {
        let request = self.operation.request();
        if !request.method.is_safe() {
            self.wrote.store(true, Ordering::SeqCst);
        }
        request
    }

    fn access(&self) -> Access {
        self.operation.access()
    }

    fn respond(self, answer: Answer) -> Result<Verdict<Self>, Error> {
        let Sent { operation, wrote } = self;
        operation.respond(answer).map(|verdict| mark(verdict, wrote))
    }

    fn fail(self, error: Error) -> Result<Verdict<Self>, Error> {
        let Sent { operation, wrote } = self;
        operation.fail(error).map(|verdict| mark(verdict, wrote))
    }

    fn secrets(&self, known: &mut Redactor) {
        self.operation.secrets(known);
    }
}

fn mark<O: Operation>(verdict: Verdict<O>, wrote: &AtomicBool) -> Verdict<Sent<'_, O>> {
    match verdict {
        Verdict::Done(output) => Verdict::Done(output),
        Verdict::Next(operation) => Verdict::Next(Sent { operation, wrote }),
        Verdict::Later(operation, time) => Verdict::Later(Sent { operation, wrote }, time),
    }
}
