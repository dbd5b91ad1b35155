//! The printer of a sweep: a thread, so that nothing else waits for a slow reader.

use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::failure::Failure;
use crate::options::Options;
use crate::output;
use crate::progress::ProgressLine;

/// Maximum number of queued lines. If the queue is full, no further services are started.
const QUEUE: usize = 16;

/// Prints lines as they come.
pub(super) struct Printer {
    queue: mpsc::Sender<Output>,
    result: oneshot::Receiver<Result<(), Failure>>,
}

enum Output {
    /// For standard output.
    Line(Vec<u8>),
    /// For standard error.
    Note(String),
    /// For the progress line.
    Progress(String),
}

impl Printer {
    /// Starts the thread. It calls `on_error` if standard output cannot be written.
    pub(super) fn start(options: &Options, on_error: impl FnOnce() + Send + 'static) -> Printer {
        let (queue, mut outputs) = mpsc::channel(QUEUE);
        let (sender, result) = oneshot::channel();
        let mut progress = ProgressLine::new(!options.trace);
        thread::spawn(move || {
            let mut result = Ok(());
            while let Some(next) = outputs.blocking_recv() {
                result = write(&next, &mut progress);
                if result.is_err() {
                    on_error();
                    break;
                }
            }
            drop(progress);
            let _ = sender.send(result);
        });
        Printer { queue, result }
    }

    /// Prints a line on standard output.
    pub(super) async fn line(&self, line: Vec<u8>) {
        let _ = self.queue.send(Output::Line(line)).await;
    }

    /// Prints a line on standard error.
    pub(super) async fn note(&self, text: String) {
        let _ = self.queue.send(Output::Note(text)).await;
    }

    /// Shows the progress, unless the queue is full.
    pub(super) fn show(&self, text: impl FnOnce() -> String) {
        if let Ok(permit) = self.queue.try_reserve() {
            permit.send(Output::Progress(text()));
        }
    }

    /// Waits until everything is printed.
    pub(super) async fn finish(self) -> Result<(), Failure> {
        drop(self.queue);
        self.result.await.unwrap_or(Ok(()))
    }
}

fn write(next: &Output, progress: &mut ProgressLine) -> Result<(), Failure> {
    match next {
        Output::Line(data) => {
            progress.clear();
            output::print(data)
        }
        Output::Note(text) => {
            progress.clear();
            output::note(text);
            Ok(())
        }
        Output::Progress(text) => {
            progress.show(text);
            Ok(())
        }
    }
}
