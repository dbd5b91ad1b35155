//! How far something is that takes its time: a line on the terminal, drawn anew each time. Nothing where nobody looks.

use std::io::{self, IsTerminal};

use redfish_proto::ops::Progress;

use crate::output;
use crate::terminal::clean;

/// Cells of the bar.
const CELLS: usize = 24;

/// The line. It is gone when this is dropped.
pub(crate) struct Line {
    shown: bool,
    /// How many characters stand there now.
    drawn: usize,
}

impl Line {
    /// A line on standard error, if it is wanted there and that is a terminal.
    pub(crate) fn new(wanted: bool) -> Line {
        Line { shown: wanted && io::stderr().is_terminal(), drawn: 0 }
    }

    /// Draws it.
    pub(crate) fn show(&mut self, text: &str) {
        if self.shown {
            // One that is longer than the terminal is wide could not be drawn over.
            let text: String = clean(text).chars().take(width().saturating_sub(1)).collect();
            self.draw(&text);
        }
    }

    /// Takes it away until the next.
    pub(crate) fn clear(&mut self) {
        if self.drawn > 0 {
            self.draw("");
        }
    }

    /// Writes over what stands there, with blanks to its end: every terminal knows those.
    fn draw(&mut self, text: &str) {
        let (blank, back) = (self.drawn, if text.is_empty() { "\r" } else { "" });
        output::draw(format_args!("\r{text:blank$}{back}"));
        self.drawn = text.chars().count();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}

/// What has been sent of so many bytes, as a line.
pub(crate) fn of_sending(sent: u64, length: u64) -> String {
    let percent = sent.saturating_mul(100).checked_div(length).unwrap_or(100).min(100);
    format!("{}  {} of {} KiB sent", bar(percent as usize), sent / 1024, length / 1024)
}

/// How far a sweep is, as a line.
pub(crate) fn of_sweep(done: usize, of: usize, failed: usize, at_once: usize, per_second: f64) -> String {
    let percent = (done * 100).checked_div(of).unwrap_or(100);
    format!("{}  {done}/{of}  {failed} failed  {at_once} in flight  {per_second:.0}/s", bar(percent))
}

fn bar(percent: usize) -> String {
    let full = CELLS * percent / 100;
    format!("[{}{}] {percent:3} %", "=".repeat(full), " ".repeat(CELLS - full))
}

/// A task as a line: a bar where it says how far it is, its state, and what it said last.
pub(crate) fn of_task(progress: &Progress) -> String {
    let mut parts = Vec::new();
    if let Some(percent) = progress.percent {
        parts.push(bar(usize::from(percent.min(100))));
    }
    let state = if progress.state.is_empty() { "waiting" } else { &progress.state };
    parts.push(state.to_owned());
    parts.extend(
        progress
            .messages
            .last()
            .map(|message| String::from(message.text.clone()))
            .filter(|text| !text.is_empty()),
    );
    parts.join("  ")
}

fn width() -> usize {
    match rustix::termios::tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
        _ => 80,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_a_bar_a_state_and_its_last_message() {
        let mut progress = Progress::default();
        assert_eq!(of_task(&progress), "waiting");
        progress.percent = Some(50);
        progress.state = "Running".into();
        assert_eq!(of_task(&progress), "[============            ]  50 %  Running");
        progress.percent = Some(255);
        assert!(of_task(&progress).starts_with("[========================] 100 %"));
        assert_eq!(of_sending(512, 2048), "[======                  ]  25 %  0 of 2 KiB sent");
        assert!(of_sending(0, 0).contains("100 %"));
        assert!(of_sweep(1, 2, 1, 64, 9.6).ends_with("]  50 %  1/2  1 failed  64 in flight  10/s"));
    }
}
