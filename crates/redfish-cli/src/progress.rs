//! Progress, as one line on the terminal of standard error that is overwritten. Nothing if it is not a terminal.

use std::io::{self, IsTerminal};

use redfish_proto::ops::Progress;

use crate::output;
use crate::terminal::clean;

/// Width of the bar, in characters.
const BAR_WIDTH: usize = 24;

/// The progress line, which is cleared when this is dropped.
pub(crate) struct ProgressLine {
    enabled: bool,
    /// Width of the current text, in characters.
    width: usize,
}

impl ProgressLine {
    /// A progress line, if it is enabled and standard error is a terminal.
    pub(crate) fn new(enabled: bool) -> ProgressLine {
        ProgressLine { enabled: enabled && io::stderr().is_terminal(), width: 0 }
    }

    /// Shows a text in place of the current one.
    pub(crate) fn show(&mut self, text: &str) {
        if self.enabled {
            // A line that wraps could not be overwritten.
            let text: String = clean(text).chars().take(terminal_width().saturating_sub(1)).collect();
            self.draw(&text);
        }
    }

    /// Clears the line.
    pub(crate) fn clear(&mut self) {
        if self.width > 0 {
            self.draw("");
        }
    }

    /// Overwrites the current text, with spaces up to its end.
    fn draw(&mut self, text: &str) {
        let (width, end) = (self.width, if text.is_empty() { "\r" } else { "" });
        output::draw(format_args!("\r{text:width$}{end}"));
        self.width = text.chars().count();
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The progress of an upload, in bytes.
pub(crate) fn upload(sent: u64, length: u64) -> String {
    let percent = sent.saturating_mul(100).checked_div(length).unwrap_or(100).min(100);
    format!("{}  {} of {} KiB sent", bar(percent as usize), sent / 1024, length / 1024)
}

/// The progress of a sweep.
pub(crate) fn sweep(done: usize, total: usize, failed: usize, in_flight: usize, per_second: f64) -> String {
    let percent = (done * 100).checked_div(total).unwrap_or(100);
    format!("{}  {done}/{total}  {failed} failed  {in_flight} in flight  {per_second:.0}/s", bar(percent))
}

fn bar(percent: usize) -> String {
    let full = BAR_WIDTH * percent / 100;
    format!("[{}{}] {percent:3} %", "=".repeat(full), " ".repeat(BAR_WIDTH - full))
}

/// The progress of a task: a bar if it has a percentage, its state, and its last message.
pub(crate) fn task(progress: &Progress) -> String {
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

fn terminal_width() -> usize {
    match rustix::termios::tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
        _ => 80,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_one_line_of_text() {
        let mut progress = Progress::default();
        assert_eq!(task(&progress), "waiting");
        progress.percent = Some(50);
        progress.state = "Running".into();
        assert_eq!(task(&progress), "[============            ]  50 %  Running");
        progress.percent = Some(255);
        assert!(task(&progress).starts_with("[========================] 100 %"));
        assert_eq!(upload(512, 2048), "[======                  ]  25 %  0 of 2 KiB sent");
        assert!(upload(0, 0).contains("100 %"));
        assert!(sweep(1, 2, 1, 64, 9.6).ends_with("]  50 %  1/2  1 failed  64 in flight  10/s"));
    }
}
