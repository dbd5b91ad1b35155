//! The one place where a sweep writes: a thread that may wait for a slow reader, so that nothing else has to.

use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::failure::Failure;
use crate::options::Options;
use crate::output;
use crate::progress::Line;

/// What may wait to be written. What is done beyond that waits in turn, and nothing new is begun.
const WAITING: usize = 16;

/// Writes lines as they come.
pub(super) struct Printer {
    to: mpsc::Sender<Output>,
    end: oneshot::Receiver<Result<(), Failure>>,
}

enum Output {
    /// Data, for standard output.
    Line(Vec<u8>),
    /// What is beside the data.
    Note(String),
    /// How far it is, where somebody looks.
    Progress(String),
}

impl Printer {
    /// One whose `failed` is called when standard output cannot be written to any more.
    pub(super) fn start(options: &Options, failed: impl FnOnce() + Send + 'static) -> Printer {
        let (to, mut outputs) = mpsc::channel(WAITING);
        let (ended, end) = oneshot::channel();
        let mut line = Line::new(!options.trace);
        thread::spawn(move || {
            let mut done = Ok(());
            while let Some(next) = outputs.blocking_recv() {
                done = write(&next, &mut line);
                if done.is_err() {
                    failed();
                    break;
                }
            }
            drop(line);
            let _ = ended.send(done);
        });
        Printer { to, end }
    }

    /// Prints a line of data.
    pub(super) async fn line(&self, line: Vec<u8>) {
        let _ = self.to.send(Output::Line(line)).await;
    }

    /// Says something beside the data.
    pub(super) async fn note(&self, text: String) {
        let _ = self.to.send(Output::Note(text)).await;
    }

    /// Shows how far it is, unless there is more urgent to write.
    pub(super) fn show(&self, text: impl FnOnce() -> String) {
        if let Ok(place) = self.to.try_reserve() {
            place.send(Output::Progress(text()));
        }
    }

    /// Waits until all is written.
    pub(super) async fn end(self) -> Result<(), Failure> {
        drop(self.to);
        self.end.await.unwrap_or(Ok(()))
    }
}

fn write(next: &Output, line: &mut Line) -> Result<(), Failure> {
    match next {
        Output::Line(data) => {
            line.clear();
            output::print(data)
        }
        Output::Note(text) => {
            line.clear();
            output::note(text);
            Ok(())
        }
        Output::Progress(text) => {
            line.show(text);
            Ok(())
        }
    }
}
