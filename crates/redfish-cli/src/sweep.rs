//! `sweep`: one command at many services at once, a line of JSON each as it ends.
//!
//! ```text
//!   list ──▶ Entry ──▶ visit, so many at once ──▶ FinishedLine ──▶ printer: the line
//!                          ▲                        └─────▶ tally: the summary
//!                          └── stop: a signal, the deadline, a reader that left
//! ```

mod earlier;
mod line;
mod list;
mod printer;
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
use crate::options::Options;
use crate::output;
use crate::runtime::block_on;
use crate::signal::{self, Ends};
use crate::stop::{Stop, Why};
use crate::visit::{Job, Visit, VisitResult};
use earlier::Earlier;
use line::{FinishedLine, Line};
use list::Entry;
use printer::Printer;
use tally::Tally;

/// How often the progress is drawn.
const TICK: Duration = Duration::from_millis(250);

/// At which services, how many at once, and what to do there.
#[derive(Args)]
pub(crate) struct Sweep {
    /// The file of the services, - is standard input: a URL a line, or a JSON object a line with the members service,
    /// user, password_file, cacert, pin. What a line does not say the options say; lines that begin with # are none
    #[arg(long, value_name = "FILE", global = true)]
    services: Option<PathBuf>,
    /// How many services at once
    #[arg(long, value_name = "N", default_value = "64", value_parser = number, global = true)]
    parallel: usize,
    /// Only the services that failed in this file, which an earlier sweep printed. If the command writes, those are left
    /// out where a write may have happened
    #[arg(long, value_name = "FILE", global = true)]
    retry_failed: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

/// What all services of a sweep have in common.
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
            let what = "a command that has no end needs a deadline in a sweep";
            return Err(Failure::usage(what, "Use --deadline, or --count."));
        }
        self.command.prepare(&options)?;
        let (entries, skipped) = self.entries(&services, &options)?;
        // Two connections a service: one that calls use, and one that is being made.
        limit::raise(self.parallel.min(entries.len()).saturating_mul(2))?;

        let stop = Stop::new();
        signal::listen(&stop, Ends::Early);
        let mut tally = Tally::new(entries.len(), skipped);
        let setup = Arc::new(Setup { options: Arc::new(options), command: self.command });
        block_on(async {
            tokio::select! {
                swept = sweep(entries, self.parallel, &setup, &stop, &mut tally) => swept,
                () = stop.overdue() => {
                    output::note("redfish: warning: not all ended in time: lines are missing, and sessions may be left open.");
                    for sentence in observer::left() {
                        output::note(format_args!("redfish: warning: {sentence}."));
                    }
                    Ok(())
                }
            }
        })??;
        summary(&tally, &setup.options)
    }

    /// What there is to do, and how many services are left out.
    fn entries(&self, services: &Path, options: &Options) -> Result<(Vec<Entry>, usize), Failure> {
        let mut entries = list::read(services, options, |service| self.command.check(service))?;
        let Some(file) = &self.retry_failed else { return Ok((entries, 0)) };
        let skipped = Earlier::read(file, options)?.select(&mut entries, self.command.writes())?;
        if skipped > 0 {
            output::note(format_args!(
                "redfish: warning: {skipped} services are skipped: a write may have happened there. Look at each first, \
                 then do what is still to do by itself."
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
    let left = stop.clone();
    let printer = Printer::start(&setup.options, move || left.ask(Why::Reader));
    let mut waiting = entries.into_iter();
    let mut in_flight = JoinSet::new();
    if let Some(time) = setup.options.deadline {
        let late = stop.clone();
        tokio::spawn(async move {
            sleep(time).await;
            late.ask(Why::Deadline);
        });
    }
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        while in_flight.len() < parallel && stop.asked().is_none() {
            let Some(entry) = waiting.next() else { break };
            in_flight.spawn(visit(entry, setup.clone(), stop.clone()));
        }
        tokio::select! {
            biased;
            ended = in_flight.join_next() => match ended {
                Some(Ok(ended)) => tell(ended, tally, &printer).await,
                Some(Err(ended)) => resume_unwind(ended.into_panic()),
                None => break,
            },
            _ = tick.tick() => printer.show(|| tally.progress(in_flight.len())),
        }
    }
    if let Some(why @ (Why::Signal | Why::Deadline)) = stop.asked() {
        for entry in waiting {
            tell(Line::never(&entry.service, Failure::stopped(why == Why::Signal)), tally, &printer).await;
        }
    }
    printer.end().await
}

/// Visits a service, up to the end of its session.
async fn visit(entry: Entry, setup: Arc<Setup>, stop: Stop) -> FinishedLine {
    let began = Instant::now();
    let Entry { service, access } = entry;
    let result = match Visit::in_sweep(&setup.options, &service, access) {
        Ok(visit) => visit.complete(&setup.command, &stop).await,
        Err(failure) => VisitResult::failed(failure),
    };
    Line { service: &service, began, result }.end()
}

/// Counts a service and prints its line.
async fn tell(ended: FinishedLine, tally: &mut Tally, printer: &Printer) {
    tally.add(ended.failed);
    for note in ended.notes {
        printer.note(note).await;
    }
    printer.line(ended.line).await;
}

/// Says what became of all.
fn summary(tally: &Tally, options: &Options) -> Result<(), Failure> {
    // A signal leaves nothing to say of a failure; how far it came is said all the same.
    if !tally.is_well() && signal::status().is_none() {
        return Err(Failure::several(tally.text(), tally.object()));
    }
    match options.errors_as_json() {
        true => output::note(tally.object()),
        false => output::note(format_args!("redfish: {}.", tally.text())),
    }
    Ok(())
}

fn number(typed: &str) -> Result<usize, &'static str> {
    typed.parse().ok().filter(|number| *number > 0).ok_or("a whole number above zero is needed")
}
