//! Standard output, for data, and standard error, for everything else. Only this module writes to them. A pipe gets the
//! bytes, a terminal gets cleaned text.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::failure::Failure;
use crate::terminal::{self, clean};

/// Prints a line on standard error. Errors are ignored.
pub(crate) fn note(text: impl fmt::Display) {
    let text = text.to_string();
    let text =
        if io::stderr().is_terminal() { terminal::sanitize(text.as_bytes()) } else { text.as_str().into() };
    let _ = writeln!(io::stderr(), "{text}");
}

/// A time in seconds, rounded up to one decimal.
pub(crate) fn seconds(time: Duration) -> String {
    let tenths = time.as_millis().div_ceil(100);
    match tenths % 10 {
        0 => format!("{} s", tenths / 10),
        tenth => format!("{}.{tenth} s", tenths / 10),
    }
}

/// Writes text that moves the cursor to the terminal of standard error. The caller has cleaned it.
pub(crate) fn draw(text: impl fmt::Display) {
    let mut terminal = io::stderr().lock();
    let _ = write!(terminal, "{text}").and_then(|()| terminal.flush());
}

/// Prints data and a newline.
pub(crate) fn print(data: &[u8]) -> Result<(), Failure> {
    let cleaned = is_terminal().then(|| terminal::sanitize(data));
    let mut out = io::stdout().lock();
    out.write_all(cleaned.as_deref().map_or(data, str::as_bytes))
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
        .map_err(Failure::stdout)
}

/// Prints a line.
pub(crate) fn line(text: impl fmt::Display) -> Result<(), Failure> {
    print(text.to_string().as_bytes())
}

/// Prints a line with styles, which are removed if standard output is not a terminal.
pub(crate) fn styled(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::stdout)
}

/// Whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Renders a table with aligned columns.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let mut cells = vec![headings.map(str::to_owned)];
    cells.extend(rows.iter().map(|row| row.each_ref().map(|cell| clean(cell))));
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; N] = std::array::from_fn(width);
    let lines: Vec<String> = cells
        .iter()
        .map(|row| {
            let padded = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_aligned_columns() {
        let rows = [["a".to_owned(), "long\u{1b}[31m".to_owned()], ["ä…b".to_owned(), String::new()]];
        assert_eq!(table(["ONE", "TWO"], &rows), "ONE  TWO\na    long[31m\nä…b");
    }

    #[test]
    fn a_time_has_at_most_one_decimal() {
        for (nanos, shown) in [
            (60_000_000_000, "60 s"),
            (400_000_000, "0.4 s"),
            (59_999_999_999, "60 s"),
            (2_345_678_901, "2.4 s"),
            (1_000_000, "0.1 s"),
        ] {
            assert_eq!(seconds(Duration::from_nanos(nanos)), shown);
        }
    }
}
