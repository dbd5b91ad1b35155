//! The output of a command: printed as it comes, or collected for the line of a sweep.

use redfish_proto::json;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::document;
use crate::failure::Failure;
use crate::options::{Options, Output};
use crate::output;
use crate::progress::ProgressLine;
use crate::report::report;
use crate::runtime::blocking;
use crate::terminal;

/// Maximum nesting of a document in the line of a sweep: the limit of common JSON parsers, less the nesting of the line
/// itself.
const MAX_DEPTH: usize = 127 - 2;

/// The output of one visit.
pub(crate) enum Sink {
    /// Prints.
    Print {
        /// The format of `--output`.
        format: Option<Output>,
        trace: bool,
    },
    /// Collects JSON documents.
    Collect(Collected),
}

/// A result in each format: a table, JSON and text.
pub(crate) struct Table<const N: usize> {
    pub(crate) json: Value,
    pub(crate) headings: [&'static str; N],
    pub(crate) rows: Vec<[String; N]>,
    /// The lines of plain text.
    pub(crate) lines: Vec<String>,
}

/// The output of a command in a sweep.
#[derive(Default)]
pub(crate) struct Collected {
    /// The service, which prefixes each note.
    name: String,
    documents: Vec<Box<RawValue>>,
    /// The minimum length, if the output is always a list.
    list: Option<usize>,
    notes: Vec<String>,
}

impl Sink {
    /// A sink that prints in the format of the options.
    pub(crate) fn print(options: &Options) -> Sink {
        Sink::Print { format: options.output, trace: options.trace }
    }

    /// A sink that collects the output for this service.
    pub(crate) fn collect(name: &str) -> Sink {
        Sink::Collect(Collected { name: name.to_owned(), ..Collected::default() })
    }

    /// Makes the output a list of at least this many documents.
    pub(crate) fn expect_list(&mut self, min_length: usize) {
        if let Sink::Collect(collected) = self {
            collected.list = Some(min_length);
        }
    }

    /// Leaves a place of the list empty.
    pub(crate) fn skip(&mut self) {
        if let Sink::Collect(Collected { documents, list: Some(_), .. }) = self {
            documents.push(RawValue::NULL.to_owned());
        }
    }

    /// Prints a body byte for byte; indented on a terminal.
    pub(crate) async fn document(&mut self, body: &[u8]) -> Result<(), Failure> {
        match self {
            Sink::Print { format: None, .. } if output::is_terminal() => {
                print(document::indented(body)).await
            }
            Sink::Print { .. } => print(body.to_vec()).await,
            Sink::Collect(collected) => collected.add(document::value(body, MAX_DEPTH)),
        }
    }

    /// Prints a body on one line.
    pub(crate) async fn compact(&mut self, body: &[u8]) -> Result<(), Failure> {
        match self {
            Sink::Print { .. } => print(document::compact(&json::readable(body))).await,
            Sink::Collect(collected) => collected.add(document::value(body, MAX_DEPTH)),
        }
    }

    /// Prints a table on a terminal, else JSON.
    pub(crate) async fn table<const N: usize>(&mut self, table: Table<N>) -> Result<(), Failure> {
        match self.format_or(Output::Table) {
            Output::Json => self.json(table.json).await,
            Output::Table => self.line(output::table(table.headings, &table.rows)).await,
            Output::Text => {
                for line in table.lines {
                    self.line(terminal::clean(&line)).await?;
                }
                Ok(())
            }
        }
    }

    /// Prints text on a terminal, else JSON.
    pub(crate) async fn sentence(&mut self, json: Value, text: String) -> Result<(), Failure> {
        match self.format_or(Output::Text) {
            Output::Json => self.json(json).await,
            Output::Table | Output::Text => self.line(terminal::clean(&text)).await,
        }
    }

    /// Prints the text, if there is one; JSON in a sweep and with `--output json`.
    pub(crate) async fn value(&mut self, json: Value, text: Option<&str>) -> Result<(), Failure> {
        match (self, text) {
            (sink @ (Sink::Collect(_) | Sink::Print { format: Some(Output::Json), .. }), _) => {
                sink.json(json).await
            }
            (sink, Some(text)) => sink.line(text).await,
            (_, None) => Ok(()),
        }
    }

    /// The format of a result: that of `--output`, else this one on a terminal.
    pub(crate) fn format_or(&self, on_terminal: Output) -> Output {
        match self {
            Sink::Collect(_) => Output::Json,
            Sink::Print { format: Some(format), .. } => *format,
            Sink::Print { .. } if output::is_terminal() => on_terminal,
            Sink::Print { .. } => Output::Json,
        }
    }

    /// Prints JSON.
    pub(crate) async fn json(&mut self, value: Value) -> Result<(), Failure> {
        self.json_text(value.to_string()).await
    }

    /// Prints the text of JSON.
    pub(crate) async fn json_text(&mut self, text: String) -> Result<(), Failure> {
        match self {
            Sink::Print { .. } => print(text.into_bytes()).await,
            Sink::Collect(collected) => collected.add(document::value(text.as_bytes(), MAX_DEPTH)),
        }
    }

    /// Prints a line.
    pub(crate) async fn line(&mut self, text: impl ToString) -> Result<(), Failure> {
        let text = text.to_string();
        match self {
            Sink::Print { .. } => print(text.into_bytes()).await,
            Sink::Collect(collected) => collected.add_value(&text.into()),
        }
    }

    /// Prints a note on standard error. The caller has removed secrets.
    pub(crate) fn note(&mut self, text: &str) {
        match self {
            Sink::Print { .. } => output::note(format_args!("redfish: {text}")),
            Sink::Collect(Collected { notes, name, .. }) => notes.push(format!("redfish: {name}: {text}")),
        }
    }

    /// Prints a warning on standard error. The caller has removed secrets.
    pub(crate) fn warn(&mut self, text: &str) {
        match self {
            Sink::Print { .. } => self.note(&format!("warning: {text}")),
            Sink::Collect(Collected { notes, name, .. }) => {
                // The text of a failure names the service itself.
                let named = text.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix(": "));
                let text = named.unwrap_or(text);
                notes.push(format!("redfish: warning: {name}: {text}"));
            }
        }
    }

    /// Of two failures of a command that continues after a failure, reports one and returns the other, which the caller
    /// reports at the end. In a sweep, whose line contains only one failure, the second is a note.
    pub(crate) fn report_one_of(&mut self, first: Failure, second: Failure) -> Failure {
        match self {
            Sink::Collect(Collected { notes, .. }) => {
                notes.push(format!("redfish: {second}"));
                first
            }
            Sink::Print { format, .. } => {
                report(&first, *format == Some(Output::Json));
                second
            }
        }
    }

    /// A progress line. Disabled with `--trace` and in a sweep.
    pub(crate) fn progress(&self) -> ProgressLine {
        match self {
            Sink::Print { trace, .. } => ProgressLine::new(!trace),
            Sink::Collect(_) => ProgressLine::new(false),
        }
    }

    /// The collected output and notes.
    pub(crate) fn finish(self, failed: bool) -> (Option<Box<RawValue>>, Vec<String>) {
        match self {
            Sink::Print { .. } => (None, Vec::new()),
            Sink::Collect(collected) => collected.finish(failed),
        }
    }
}

impl Collected {
    fn add(&mut self, document: Box<RawValue>) -> Result<(), Failure> {
        self.documents.push(document);
        Ok(())
    }

    fn add_value(&mut self, value: &Value) -> Result<(), Failure> {
        self.add(document::value(value.to_string().as_bytes(), MAX_DEPTH))
    }

    fn finish(self, failed: bool) -> (Option<Box<RawValue>>, Vec<String>) {
        let Collected { mut documents, list, notes, .. } = self;
        let has_document = documents.iter().any(|document| document.get() != RawValue::NULL.get());
        documents.resize_with(documents.len().max(list.unwrap_or_default()), || RawValue::NULL.to_owned());
        let output = match (documents.len(), list) {
            _ if failed && !has_document => None,
            (0, None) => None,
            (1, None) => documents.pop(),
            _ => to_raw_value(&documents).ok(),
        };
        (output, notes)
    }
}

/// Prints on another thread, since the reader may be slow.
async fn print(data: Vec<u8>) -> Result<(), Failure> {
    blocking(move || output::print(&data)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(documents: &[&str], list: Option<usize>, failed: bool) -> Option<String> {
        let documents = documents.iter().map(|text| RawValue::from_string((*text).to_owned()).unwrap());
        let collected = Collected { documents: documents.collect(), list, ..Collected::default() };
        collected.finish(failed).0.map(|output| output.get().to_owned())
    }

    #[test]
    fn several_documents_are_a_list() {
        for (documents, list, failed, output) in [
            (&[][..], None, false, None),
            (&["1"], None, true, Some("1")),
            (&["null"], None, false, Some("null")),
            (&["1", "2"], None, false, Some("[1,2]")),
            (&[], Some(0), false, Some("[]")),
            (&[], Some(0), true, None),
            (&["1"], Some(0), false, Some("[1]")),
            (&["1"], Some(3), true, Some("[1,null,null]")),
            (&["null", "null"], Some(2), true, None),
        ] {
            assert_eq!(collected(documents, list, failed).as_deref(), output, "{documents:?} {list:?}");
        }
    }
}
