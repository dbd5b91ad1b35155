//! `sweep`: one command on many services at once, with one JSON line per service.
//!
//! ```text
//!   list ──▶ Entry ──▶ visit, `--parallel` at once ──▶ FinishedLine ──▶ printer: the line
//!                          ▲                                 └────────▶ tally: the summary
//!                          └── stop: a signal, the deadline, a broken pipe
//! ```

mod line;
mod list;
mod printer;
mod prior_results;
mod tally;

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::command::Command;
use crate::failure::Failure;
use crate::files::is_stdin;
use crate::limit;
use crate::observer;
use crate::options::{Options, positive};
use crate::output;
use crate::runtime::block_on;
use crate::signal::{self, StopMode};
use crate::stop::{Stop, StopReason};
use crate::visit::{Job, Visit, VisitResult};
use line::{FinishedLine, Line};
use list::Entry;
use printer::Printer;
use prior_results::PriorResults;
use tally::Tally;

/// How often the progress is updated.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// The services, and the command to run on them.
#[derive(Args)]
pub(crate) struct Sweep {
    /// Services file; - is standard input. Each line is a URL, or a JSON object with the members service, user,
    /// password_file, cacert, pin. The options are the defaults of the members. Lines that start with # are ignored
    #[arg(long, value_name = "FILE", global = true)]
    services: Option<PathBuf>,
    /// Maximum number of services at once
    #[arg(long, value_name = "N", default_value = "64", value_parser = positive, global = true)]
    parallel: usize,
    /// Only the services that failed in the earlier sweep with this output. If the command writes, services where a write
    /// may have happened are skipped
    #[arg(long, value_name = "FILE", global = true)]
    retry_failed: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

/// What all visits of a sweep share.
struct Setup {
    options: Arc<Options>,
    command: Command,
}

impl Sweep {
    pub(crate) fn run(mut self, options: Options) -> Result<(), Failure> {
        let Some(services) = self.services.take() else {
            return Err(Failure::usage("--services is missing", "See \"redfish help sweep\"."));
        };
        let files = [Some(&services), self.retry_failed.as_ref()];
        let named = files.into_iter().flatten().filter(|file| is_stdin(file)).count();
        options.check_stdin(named + usize::from(self.command.reads_stdin()))?;
        if !self.command.ends() && options.deadline.is_none() {
            let what = "this command does not end by itself, so it needs a deadline in a sweep";
            return Err(Failure::usage(what, "Use --deadline or --count."));
        }
        self.command.prepare(&options)?;
        let (entries, skipped) = self.entries(&services, &options)?;
        // Two connections per service: the one in use, and a new one.
        limit::raise(self.parallel.min(entries.len()).saturating_mul(2))?;

        let stop = Stop::new();
        signal::listen(&stop, StopMode::Interrupt);
        let mut tally = Tally::new(entries.len(), skipped);
        let setup = Arc::new(Setup { options: Arc::new(options), command: self.command });
        block_on(async {
            tokio::select! {
                result = sweep(entries, self.parallel, &setup, &stop, &mut tally) => result,
                () = stop.signal_timeout() => {
                    output::note("redfish: warning: not all services ended in time: lines are missing, and sessions may be left open");
                    for clause in observer::left_open() {
                        output::note(format_args!("redfish: warning: {clause}"));
                    }
                    Ok(())
                }
            }
        })??;
        summary(&tally, &setup.options)
    }

    /// The services to visit, and the number of those that are skipped.
    fn entries(&self, services: &Path, options: &Options) -> Result<(Vec<Entry>, usize), Failure> {
        let mut entries = list::read(services, options, |service| self.command.check(service))?;
        let Some(file) = &self.retry_failed else { return Ok((entries, 0)) };
        let skipped = PriorResults::read(file, options)?.select(&mut entries, self.command.writes())?;
        if skipped > 0 {
            output::note(format_args!(
                "redfish: warning: {skipped} services are skipped, because a write may have happened there\n\
                 hint: Look at each first, then run the command where it is still necessary."
            ));
        }
        Ok((entries, skipped))
    }
}

async fn sweep(
    entries: Vec<Entry>,
    parallel: usize,
    setup: &Arc<Setup>,
    stop: &Stop,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let on_broken_pipe = stop.clone();
    let printer = Printer::start(&setup.options, move || on_broken_pipe.request(StopReason::BrokenPipe));
    let mut pending = entries.into_iter();
    let mut in_flight = JoinSet::new();
    if let Some(time) = setup.options.deadline {
        let on_deadline = stop.clone();
        tokio::spawn(async move {
            sleep(time).await;
            on_deadline.request(StopReason::Deadline);
        });
    }
    let mut tick = interval(PROGRESS_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        while in_flight.len() < parallel && stop.reason().is_none() {
            let Some(entry) = pending.next() else { break };
            in_flight.spawn(visit(entry, setup.clone(), stop.clone()));
        }
        tokio::select! {
            biased;
            joined = in_flight.join_next() => match joined {
                Some(Ok(line)) => finish(line, tally, &printer).await,
                Some(Err(error)) => resume_unwind(error.into_panic()),
                None => break,
            },
            _ = tick.tick() => printer.show(|| tally.progress(in_flight.len())),
        }
    }
    let not_visited = pending.len();
    if let Some(reason @ (StopReason::Signal | StopReason::Deadline)) = stop.reason() {
        for entry in pending {
            let failure = Failure::stopped(reason == StopReason::Signal);
            finish(Line::not_visited(&entry.service, failure), tally, &printer).await;
        }
    }
    match printer.finish().await {
        // The services of a sweep are many jobs, of which some are not done: that is not how a pipe usually ends.
        Err(failure) if failure.is_broken_pipe() => Err(Failure::reader_left(not_visited)),
        result => result,
    }
}

/// Visits a service and closes its session.
async fn visit(entry: Entry, setup: Arc<Setup>, stop: Stop) -> FinishedLine {
    let began = Instant::now();
    let Entry { service, access } = entry;
    let result = match Visit::in_sweep(&setup.options, &service, access) {
        Ok(visit) => visit.complete(&setup.command, &stop).await,
        Err(failure) => VisitResult::failed(failure),
    };
    Line { service: &service, began, result }.finish()
}

/// Counts a service and prints its line.
async fn finish(line: FinishedLine, tally: &mut Tally, printer: &Printer) {
    tally.add(line.failure);
    for note in line.notes {
        printer.note(note).await;
    }
    printer.line(line.json).await;
}

/// Prints the summary, or returns it as the failure.
fn summary(tally: &Tally, options: &Options) -> Result<(), Failure> {
    // After a signal, the failure would not be reported, so the summary is printed here.
    if !tally.all_succeeded() && signal::status().is_none() {
        return Err(Failure::sweep(tally.text(), tally.object()));
    }
    if options.errors_as_json() {
        output::note(tally.object());
    } else {
        output::note(format_args!("redfish: {}", tally.text()));
    }
    Ok(())
}
