//! Standard output for data, verbatim; standard error for all else. The only place that writes to them. A terminal gets
//! cleaned text, whatever it is.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::failure::Failure;
use crate::terminal::{self, clean};

/// Says something beside the data, a line of it. Where standard error is gone there is nobody to tell.
pub(crate) fn note(text: impl fmt::Display) {
    let text = text.to_string();
    let text = match io::stderr().is_terminal() {
        true => terminal::shown(text.as_bytes()),
        false => text.as_str().into(),
    };
    let _ = writeln!(io::stderr(), "{text}");
}

/// A time as people write it: in seconds, with a decimal where it is not whole. It is never shown as none.
pub(crate) fn seconds(time: Duration) -> String {
    let tenths = time.as_millis().div_ceil(100);
    match tenths % 10 {
        0 => format!("{} s", tenths / 10),
        tenth => format!("{}.{tenth} s", tenths / 10),
    }
}

/// Writes to the terminal of standard error, over what stands there. The text is cleaned: this moves the cursor itself.
pub(crate) fn draw(text: impl fmt::Display) {
    let mut terminal = io::stderr().lock();
    let _ = write!(terminal, "{text}").and_then(|()| terminal.flush());
}

/// Prints data and a line end.
pub(crate) fn print(data: &[u8]) -> Result<(), Failure> {
    let shown = is_terminal().then(|| terminal::shown(data));
    let mut out = io::stdout().lock();
    out.write_all(shown.as_deref().map_or(data, str::as_bytes))
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
        .map_err(Failure::stdout)
}

/// Prints a line.
pub(crate) fn line(text: impl fmt::Display) -> Result<(), Failure> {
    print(text.to_string().as_bytes())
}

/// Prints a line with styles, which are left out where they are not shown.
pub(crate) fn styled(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::stdout)
}

/// Whether a person looks at standard output.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Rows in columns under their headings, as wide as the widest cell.
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
    fn a_table_lines_its_columns_up() {
        let rows = [["a".to_owned(), "long\u{1b}[31m".to_owned()], ["ä…b".to_owned(), String::new()]];
        assert_eq!(table(["ONE", "TWO"], &rows), "ONE  TWO\na    long[31m\nä…b");
    }

    #[test]
    fn a_time_has_one_decimal_at_most() {
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
