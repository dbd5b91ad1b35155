//! The runtime of a command: one thread, and more for blocking work.

use std::future::{Future, pending};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::runtime::Builder;
use tokio::task::spawn_blocking;

use crate::failure::Failure;

/// Runs a future to its end. Does not wait for blocking work that it leaves behind, such as a name lookup, a lock or a slow
/// reader.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(unavailable)?;
    let done = catch_unwind(AssertUnwindSafe(|| runtime.block_on(work)));
    // Also after a panic: dropping the runtime would wait for blocking work.
    runtime.shutdown_background();
    Ok(done.unwrap_or_else(|panic| resume_unwind(panic)))
}

/// Runs blocking work on another thread. If the future is dropped, the work continues until the process ends.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is shutting down, and the caller with it.
            Err(_) => pending().await,
        },
    }
}

fn unavailable(error: io::Error) -> Failure {
    Failure::local("the runtime cannot be started", error)
}
