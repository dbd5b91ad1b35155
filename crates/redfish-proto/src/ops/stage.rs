//! Stages: operations that another operation works through, one after the other.
//!
//! An operation with stages defines two methods, and [`forward_to_stage!`] makes an [`Operation`] of them:
//!
//! ```text
//!   fn stage(&self) -> &dyn DynOperation                      the stage that asks now
//!   fn resume(self, Received) -> Result<Transition, Error>    gives it the answer or the error, and goes on when it is done
//! ```

use std::time::Duration;

use crate::error::Error;
use crate::operation::{Answer, Auth, Operation, Request, Transition};
use crate::redact::Redactor;

/// What a stage receives: the answer, or the error if there is none.
pub(crate) type Received = Result<Answer, Error>;

/// The methods of an [`Operation`] that describe its next request, whatever its type.
pub(crate) trait DynOperation {
    fn request(&self) -> Request;
    fn auth(&self) -> Auth;
    fn secrets(&self, known: &mut Redactor);
}

impl<O: Operation> DynOperation for O {
    fn request(&self) -> Request {
        Operation::request(self)
    }

    fn auth(&self) -> Auth {
        Operation::auth(self)
    }

    fn secrets(&self, known: &mut Redactor) {
        Operation::secrets(self, known);
    }
}

/// Implements every method of [`Operation`] with the type's own `stage` and `resume`, so that no stage misses one. The
/// name of a method adds the secrets that the current stage does not know yet.
macro_rules! forward_to_stage {
    ($($own_secrets:ident)?) => {
        fn request(&self) -> $crate::operation::Request {
            self.stage().request()
        }

        fn auth(&self) -> $crate::operation::Auth {
            self.stage().auth()
        }

        fn secrets(&self, known: &mut $crate::redact::Redactor) {
            self.stage().secrets(known);
            $(self.$own_secrets(known);)?
        }

        fn respond(
            self,
            answer: $crate::operation::Answer,
        ) -> Result<$crate::operation::Transition<Self>, $crate::error::Error> {
            self.resume(Ok(answer))
        }

        fn fail(
            self,
            error: $crate::error::Error,
        ) -> Result<$crate::operation::Transition<Self>, $crate::error::Error> {
            self.resume(Err(error))
        }
    };
}

pub(crate) use forward_to_stage;

/// Where a stage is after it has received something.
pub(crate) enum Resumed<O: Operation> {
    /// It has returned its output.
    Done(O::Output),
    /// It has another request.
    Pending(Pending<O>),
}

/// A stage that has another request, now or after a wait.
pub(crate) struct Pending<O> {
    stage: O,
    /// The wait, as in [`Transition::Later`]; the outer `None` means now.
    wait: Option<Option<Duration>>,
}

impl<O> Pending<O> {
    /// The transition of the operation whose stage it is.
    pub(crate) fn map<P: Operation>(self, outer: impl FnOnce(O) -> P) -> Transition<P> {
        match self.wait {
            None => Transition::Next(outer(self.stage)),
            Some(wait) => Transition::Later(outer(self.stage), wait),
        }
    }

    /// The transition of an operation that does not wait.
    pub(crate) fn map_now<P: Operation>(self, outer: impl FnOnce(O) -> P) -> Transition<P> {
        Transition::Next(outer(self.stage))
    }
}

/// Gives a stage what was received.
pub(crate) fn resume<O: Operation>(stage: O, received: Received) -> Result<Resumed<O>, Error> {
    let transition = match received {
        Ok(answer) => stage.respond(answer),
        Err(error) => stage.fail(error),
    };
    Ok(match transition? {
        Transition::Done(output) => Resumed::Done(output),
        Transition::Next(stage) => Resumed::Pending(Pending { stage, wait: None }),
        Transition::Later(stage, wait) => Resumed::Pending(Pending { stage, wait: Some(wait) }),
    })
}

/// A stage of one request, which returns the answer whatever its status.
#[derive(Clone, Debug)]
pub(crate) struct Exchange(pub(crate) Request);

impl Operation for Exchange {
    type Output = Answer;

    fn request(&self) -> Request {
        self.0.clone()
    }

    fn secrets(&self, known: &mut Redactor) {
        self.0.body.register_secrets(known);
    }

    fn respond(self, answer: Answer) -> Result<Transition<Self>, Error> {
        Ok(Transition::Done(answer))
    }
}
