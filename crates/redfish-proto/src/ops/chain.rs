//! Sequences of operations.

use std::fmt;

use crate::answer::Answer;
use crate::error::Error;
use crate::operation::{Auth, Operation, Request, Transition};
use crate::redact::Redactor;

/// A sequence of operations, each made from the output of the previous one. It is itself an operation with the output
/// `T`.
///
/// ```
/// use redfish_proto::ops::{Chain, WaitUntil, Write};
/// use redfish_proto::{Body, Error, Target};
/// use serde_json::json;
///
/// /// Turns the location indicator on and waits until it is on.
/// fn locate(chassis: Target) -> Result<Chain<()>, Error> {
///     let change = Body::json(&json!({"LocationIndicatorActive": true}))?;
///     Ok(Chain::new(Write::patch(&chassis, change), move |_| {
///         Chain::next(WaitUntil::new(chassis, |chassis| chassis["LocationIndicatorActive"] == true), |_| Chain::done(()))
///     }))
/// }
/// ```
///
/// Each operation keeps its own behavior, for example without a response. Its [`secrets`](Operation::secrets) are an
/// exception: a call registers them once, at its start, so only those of the first operation are known.
pub struct Chain<T>(Box<dyn DynLink<T>>);

/// A [`Link`] of any operation.
trait DynLink<T>: Send + Sync {
    fn request(&self) -> Request;
    fn auth(&self) -> Auth;
    fn secrets(&self, known: &mut Redactor);
    fn respond(self: Box<Self>, answer: Answer) -> Result<Transition<Chain<T>>, Error>;
    fn fail(self: Box<Self>, error: Error) -> Result<Transition<Chain<T>>, Error>;
}

/// An operation, and what follows it.
struct Link<O, F> {
    operation: O,
    then: F,
}

impl<T: 'static> Chain<T> {
    /// Runs the operation. `then` makes the next one from its output, or ends the chain.
    pub fn new<O, F>(operation: O, then: F) -> Chain<T>
    where
        O: Operation + Send + Sync + 'static,
        F: FnOnce(O::Output) -> Result<Transition<Chain<T>>, Error> + Send + Sync + 'static,
    {
        Chain(Box::new(Link { operation, then }))
    }

    /// Continues with this operation, at the end of a `then`. Always `Ok`.
    pub fn next<O, F>(operation: O, then: F) -> Result<Transition<Chain<T>>, Error>
    where
        O: Operation + Send + Sync + 'static,
        F: FnOnce(O::Output) -> Result<Transition<Chain<T>>, Error> + Send + Sync + 'static,
    {
        Ok(Transition::Next(Chain::new(operation, then)))
    }

    /// Ends the chain with this output, at the end of a `then`. Always `Ok`.
    pub fn done(output: T) -> Result<Transition<Chain<T>>, Error> {
        Ok(Transition::Done(output))
    }

    fn continue_after<O, F>(transition: Transition<O>, then: F) -> Result<Transition<Chain<T>>, Error>
    where
        O: Operation + Send + Sync + 'static,
        F: FnOnce(O::Output) -> Result<Transition<Chain<T>>, Error> + Send + Sync + 'static,
    {
        match transition {
            Transition::Done(output) => then(output),
            Transition::Next(operation) => Ok(Transition::Next(Chain::new(operation, then))),
            Transition::Later(operation, time) => Ok(Transition::Later(Chain::new(operation, then), time)),
        }
    }
}

impl<T, O, F> DynLink<T> for Link<O, F>
where
    T: 'static,
    O: Operation + Send + Sync + 'static,
    F: FnOnce(O::Output) -> Result<Transition<Chain<T>>, Error> + Send + Sync + 'static,
{
    fn request(&self) -> Request {
        self.operation.request()
    }

    fn auth(&self) -> Auth {
        self.operation.auth()
    }

    fn secrets(&self, known: &mut Redactor) {
        self.operation.secrets(known);
    }

    fn respond(self: Box<Self>, answer: Answer) -> Result<Transition<Chain<T>>, Error> {
        Chain::continue_after(self.operation.respond(answer)?, self.then)
    }

    fn fail(self: Box<Self>, error: Error) -> Result<Transition<Chain<T>>, Error> {
        Chain::continue_after(self.operation.fail(error)?, self.then)
    }
}

impl<T> Operation for Chain<T> {
    type Output = T;

    fn request(&self) -> Request {
        self.0.request()
    }

    fn auth(&self) -> Auth {
        self.0.auth()
    }

    fn secrets(&self, known: &mut Redactor) {
        self.0.secrets(known);
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        self.0.respond(answer)
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        self.0.fail(error)
    }
}

impl<T> fmt::Debug for Chain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let request = self.0.request();
        write!(f, "Chain(at {} {})", request.method, request.target)
    }
}

/// Implements [`Operation`] by the field that contains the inner operation. The optional method registers secrets of
/// the outer one.
macro_rules! forward_to {
    ($inner:ident $(, $secrets:ident)?) => {
        fn request(&self) -> $crate::operation::Request {
            self.$inner.request()
        }

        fn auth(&self) -> $crate::operation::Auth {
            self.$inner.auth()
        }

        fn secrets(&self, known: &mut $crate::redact::Redactor) {
            self.$inner.secrets(known);
            $(self.$secrets(known);)?
        }

        #[allow(clippy::needless_update, reason = "some types have no other field")]
        fn respond(
            self,
            answer: $crate::answer::Answer,
        ) -> Result<$crate::operation::Transition<Self>, $crate::error::Error> {
            Ok(self.$inner.respond(answer)?.map(|$inner| Self { $inner, ..self }))
        }

        #[allow(clippy::needless_update, reason = "some types have no other field")]
        fn fail(
            self,
            error: $crate::error::Error,
        ) -> Result<$crate::operation::Transition<Self>, $crate::error::Error> {
            Ok(self.$inner.fail(error)?.map(|$inner| Self { $inner, ..self }))
        }
    };
}

pub(crate) use forward_to;

/// Sends one request and returns the response with any status, or the error if there is no response.
#[derive(Clone, Debug)]
pub(crate) struct Exchange(pub(crate) Request);

impl Operation for Exchange {
    type Output = Result<Answer, Error>;

    fn request(&self) -> Request {
        self.0.clone()
    }

    fn secrets(&self, known: &mut Redactor) {
        self.0.body.register_secrets(known);
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        Ok(Transition::Done(Ok(answer)))
    }

    fn fail(self, error: Error) -> Result<Transition<Self>, Error> {
        Ok(Transition::Done(Err(error)))
    }
}
