//! Where the output of a command goes: to the terminal or a pipe as it comes, or into the line of a sweep.

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::document;
use crate::failure::Failure;
use crate::options::{Options, Output};
use crate::output;
use crate::progress::Line;
use crate::report::report;
use crate::runtime::blocking;
use crate::terminal;

/// How deep a document may be nested in the line of a sweep: as deep as the core reads one, less what the line itself nests,
/// so that whoever reads the core's documents can read the line.
const DEPTH: usize = 127 - 2;

/// The sink of one visit.
pub(crate) enum Sink {
    /// Prints, in the format that is asked for.
    Print {
        /// The format, if one is asked for.
        format: Option<Output>,
        trace: bool,
    },
    /// Collects JSON.
    Collect(Collected),
}

/// A result that has a table, in each format.
pub(crate) struct Table<const N: usize> {
    /// For programs.
    pub(crate) json: Value,
    pub(crate) headings: [&'static str; N],
    pub(crate) rows: Vec<[String; N]>,
    /// As plain text.
    pub(crate) lines: Vec<String>,
}

/// What a command has printed in a sweep.
#[derive(Default)]
pub(crate) struct Collected {
    /// What each note begins with.
    name: String,
    documents: Vec<Box<RawValue>>,
    /// Whether the output is a list even if it has one document, and how long it is at least.
    list: Option<usize>,
    notes: Vec<String>,
}

impl Sink {
    /// One that prints as the options say.
    pub(crate) fn print(options: &Options) -> Sink {
        Sink::Print { format: options.output, trace: options.trace }
    }

    /// One that collects what a command prints about this service.
    pub(crate) fn collect(name: &str) -> Sink {
        Sink::Collect(Collected { name: name.to_owned(), ..Collected::default() })
    }

    /// The output is a list, of at least this many documents, however many there are.
    pub(crate) fn expect_list(&mut self, at_least: usize) {
        if let Sink::Collect(collected) = self {
            collected.list = Some(at_least);
        }
    }

    /// There is no document in this place of the list.
    pub(crate) fn skip(&mut self) {
        if let Sink::Collect(Collected { documents, list: Some(_), .. }) = self {
            documents.push(RawValue::NULL.to_owned());
        }
    }

    /// Prints what the service sent: byte for byte, indented on a terminal.
    pub(crate) async fn document(&mut self, body: &[u8]) -> Result<(), Failure> {
        match self {
            Sink::Print { format: None, .. } if output::is_terminal() => {
                print(document::indented(body)).await
            }
            Sink::Print { .. } => print(body.to_vec()).await,
            Sink::Collect(collected) => collected.add(document::value(body, DEPTH)),
        }
    }

    /// Prints what the service sent on one line.
    pub(crate) async fn compact(&mut self, body: &[u8]) -> Result<(), Failure> {
        match self {
            Sink::Print { .. } => print(document::compact(body)).await,
            Sink::Collect(collected) => collected.add(document::value(body, DEPTH)),
        }
    }

    /// Prints a table: on a terminal as one, else as JSON.
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

    /// Prints a sentence on a terminal, else JSON.
    pub(crate) async fn sentence(&mut self, json: Value, text: String) -> Result<(), Failure> {
        match self.format_or(Output::Text) {
            Output::Json => self.json(json).await,
            Output::Table | Output::Text => self.line(terminal::clean(&text)).await,
        }
    }

    /// Prints a bare value, if there is one: JSON only where that is asked for.
    pub(crate) async fn value(&mut self, json: Value, text: Option<&str>) -> Result<(), Failure> {
        match (self, text) {
            (sink @ (Sink::Collect(_) | Sink::Print { format: Some(Output::Json), .. }), _) => {
                sink.json(json).await
            }
            (sink, Some(text)) => sink.line(text).await,
            (_, None) => Ok(()),
        }
    }

    fn format_or(&self, on_terminal: Output) -> Output {
        match self {
            Sink::Collect(_) => Output::Json,
            Sink::Print { format: Some(format), .. } => *format,
            Sink::Print { .. } if output::is_terminal() => on_terminal,
            Sink::Print { .. } => Output::Json,
        }
    }

    /// Prints JSON of our own.
    pub(crate) async fn json(&mut self, value: Value) -> Result<(), Failure> {
        match self {
            Sink::Print { .. } => print(value.to_string().into_bytes()).await,
            Sink::Collect(collected) => collected.add_value(&value),
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

    /// Prints something on standard error. It has no secret.
    pub(crate) fn note(&mut self, text: &str) {
        match self {
            Sink::Print { .. } => output::note(format_args!("redfish: {text}")),
            Sink::Collect(Collected { notes, name, .. }) => notes.push(format!("redfish: {name}: {text}")),
        }
    }

    /// Prints a warning on standard error. It has no secret.
    pub(crate) fn warn(&mut self, text: &str) {
        match self {
            Sink::Print { .. } => self.note(&format!("warning: {text}")),
            Sink::Collect(Collected { notes, name, .. }) => {
                notes.push(format!("redfish: warning: {name}: {text}"));
            }
        }
    }

    /// Of two failures of a command that goes on, reports one and returns the other, which is reported in the end: the
    /// first in a sweep, whose line has room for one, else the last.
    pub(crate) fn report_one(&self, first: Failure, second: Failure) -> Failure {
        match self {
            Sink::Collect(_) => first,
            Sink::Print { format, .. } => {
                report(&first, *format == Some(Output::Json));
                second
            }
        }
    }

    /// A line that shows progress, if a person looks.
    pub(crate) fn progress(&self) -> Line {
        match self {
            Sink::Print { trace, .. } => Line::new(!trace),
            Sink::Collect(_) => Line::new(false),
        }
    }

    /// What was collected: the output, and the notes beside it.
    pub(crate) fn end(self, failed: bool) -> (Option<Box<RawValue>>, Vec<String>) {
        match self {
            Sink::Print { .. } => (None, Vec::new()),
            Sink::Collect(collected) => collected.end(failed),
        }
    }
}

impl Collected {
    fn add(&mut self, document: Box<RawValue>) -> Result<(), Failure> {
        self.documents.push(document);
        Ok(())
    }

    fn add_value(&mut self, value: &Value) -> Result<(), Failure> {
        self.add(document::value(value.to_string().as_bytes(), DEPTH))
    }

    fn end(self, failed: bool) -> (Option<Box<RawValue>>, Vec<String>) {
        let Collected { mut documents, list, notes, .. } = self;
        let found = documents.iter().any(|document| document.get() != RawValue::NULL.get());
        documents.resize_with(documents.len().max(list.unwrap_or_default()), || RawValue::NULL.to_owned());
        let output = match (documents.len(), list) {
            _ if failed && !found => None,
            (0, None) => None,
            (1, None) => documents.pop(),
            _ => to_raw_value(&documents).ok(),
        };
        (output, notes)
    }
}

/// Prints on a thread that may wait for a slow reader.
async fn print(data: Vec<u8>) -> Result<(), Failure> {
    blocking(move || output::print(&data)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(documents: &[&str], list: Option<usize>, failed: bool) -> Option<String> {
        let documents = documents.iter().map(|text| RawValue::from_string((*text).to_owned()).unwrap());
        let collected = Collected { documents: documents.collect(), list, ..Collected::default() };
        collected.end(failed).0.map(|output| output.get().to_owned())
    }

    #[test]
    fn one_document_is_the_output_and_several_are_a_list() {
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
