//! Text to facts.

use std::collections::BTreeMap;
use std::fmt;
use std::iter::Peekable;

use super::display::SIMPLE;
use super::{
    Access, Action, Enumeration, EnumerationValue, Excerpt, Facts, Kind, Member, Object, Resource, Schema,
    Uri, Version,
};

/// A line that is not a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Its number; the first line is 1.
    pub line: usize,
    /// What is wrong with it.
    pub text: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

impl std::error::Error for ParseError {}

type Result<T> = std::result::Result<T, ParseError>;

pub(super) fn parse(text: &str) -> Result<Facts> {
    let mut facts = Facts::default();
    let mut lines = text.lines().enumerate().filter_map(Line::new).peekable();
    while let Some(line) = lines.next() {
        if line.indent > 0 {
            return line.error("this line belongs to no schema");
        }
        if let Some(schema) = line.text.strip_prefix("outside ") {
            facts.outside.insert(schema.to_owned());
            continue;
        }
        let (name, schema) = schema(&line, &mut lines)?;
        insert(&line, &mut facts.schemas, name, schema)?;
    }
    Ok(facts)
}

struct Line<'a> {
    number: usize,
    indent: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    /// Returns `None` for empty lines and comments.
    fn new((index, line): (usize, &'a str)) -> Option<Self> {
        let text = line.trim_start_matches(' ');
        let is_fact = !text.is_empty() && !line.starts_with('#');
        is_fact.then(|| Self { number: index + 1, indent: line.len() - text.len(), text })
    }

    fn error<T>(&self, text: impl Into<String>) -> Result<T> {
        Err(ParseError { line: self.number, text: text.into() })
    }

    fn unknown<T>(&self, word: &str) -> Result<T> {
        self.error(format!("`{word}` is not known here"))
    }

    fn require(&self, word: Option<&'a str>, what: &str) -> Result<&'a str> {
        word.map_or_else(|| self.error(format!("{what} is missing")), Ok)
    }

    /// Returns the name of a type with its schema.
    fn full_name(&self, schema: &str, name: &str) -> Result<String> {
        match name.split('.').collect::<Vec<_>>()[..] {
            [local] if !local.is_empty() => Ok(format!("{schema}.{local}")),
            [schema, local] if !schema.is_empty() && !local.is_empty() => Ok(name.to_owned()),
            _ => self.error(format!("`{name}` is not the name of a type")),
        }
    }

    fn kind(&self, schema: &str, word: &str) -> Result<Kind> {
        match SIMPLE.iter().find(|(simple, _)| *simple == word) {
            Some((_, kind)) => Ok(kind.clone()),
            None => self.full_name(schema, word).map(Kind::Named),
        }
    }
}

fn insert<T>(line: &Line<'_>, map: &mut BTreeMap<String, T>, name: &str, value: T) -> Result<()> {
    match map.insert(name.to_owned(), value) {
        None => Ok(()),
        Some(_) => line.error(format!("`{name}` is there twice")),
    }
}

/// Returns the next line if it has this indentation.
fn next_at<'a>(indent: usize, lines: &mut Peekable<impl Iterator<Item = Line<'a>>>) -> Option<Line<'a>> {
    lines.next_if(|line| line.indent == indent)
}

fn schema<'a>(
    line: &Line<'a>,
    lines: &mut Peekable<impl Iterator<Item = Line<'a>>>,
) -> Result<(&'a str, Schema)> {
    let mut schema = Schema::default();
    let mut words = line.text.split(' ');
    let name = line.require(words.next(), "the name of the schema")?;
    for word in words {
        match word.split_once('=') {
            Some(("owner", owner)) => schema.owner = Some(owner.to_owned()),
            _ => schema.version = Some(version(line, word)?),
        }
    }
    while let Some(line) = next_at(1, lines) {
        let mut body = Vec::new();
        while let Some(line) = next_at(2, lines) {
            body.push(line);
        }
        item(&line, body, name, &mut schema)?;
    }
    match lines.peek() {
        Some(line) if line.indent > 0 => line.error("this line has the wrong indentation"),
        _ => Ok((name, schema)),
    }
}

fn version(line: &Line<'_>, word: &str) -> Result<Version> {
    let numbers: Vec<u32> = word.split('.').map_while(|number| number.parse().ok()).collect();
    match numbers[..] {
        [major, minor, errata] if word == format!("{major}.{minor}.{errata}") => {
            Ok(Version(major, minor, errata))
        }
        _ => line.error(format!("`{word}` is not a version")),
    }
}

/// Reads a line that declares something, and the lines that follow it.
fn item(line: &Line<'_>, body: Vec<Line<'_>>, name: &str, schema: &mut Schema) -> Result<()> {
    let mut words = line.text.split(' ');
    let what = words.next().unwrap_or_default();
    let declared = line.require(words.next(), "the name")?;
    let mut words = words.peekable();
    match what {
        "resource" => {
            let mut resource = Resource::default();
            while let Some(word) = words.next_if(|word| ["insert", "update", "delete"].contains(word)) {
                match word {
                    "insert" => resource.insert = true,
                    "update" => resource.update = true,
                    _ => resource.delete = true,
                }
            }
            resource.object = object(line, words, name)?;
            for line in &body {
                match uri(line)? {
                    Some(uri) => resource.uris.push(uri),
                    None => resource.object.members.push(member(line, name)?),
                }
            }
            insert(line, &mut schema.resources, declared, resource)
        }
        "object" => {
            let mut object = object(line, words, name)?;
            object.members = members(&body, name)?;
            insert(line, &mut schema.objects, declared, object)
        }
        "enum" => {
            let mut enumeration = Enumeration::default();
            for word in words {
                match word {
                    "deprecated" => enumeration.deprecated = true,
                    _ => return line.unknown(word),
                }
            }
            enumeration.values = body.iter().map(value).collect::<Result<_>>()?;
            insert(line, &mut schema.enumerations, declared, enumeration)
        }
        "type" => {
            let kind = line.kind(name, line.require(words.next(), "the type")?)?;
            if let Some(word) = words.next() {
                return line.unknown(word);
            }
            if let Some(line) = body.first() {
                return line.error("another name of a type has no members");
            }
            insert(line, &mut schema.aliases, declared, kind)
        }
        "action" => {
            let mut action = Action::default();
            while let Some(word) = words.next() {
                match word {
                    "deprecated" => action.deprecated = true,
                    "returns" => {
                        let returns = line.require(words.next(), "the type of the response")?;
                        action.returns = Some(line.full_name(name, returns)?);
                    }
                    _ => return line.unknown(word),
                }
            }
            action.parameters = members(&body, name)?;
            insert(line, &mut schema.actions, declared, action)
        }
        _ => line.unknown(what),
    }
}

/// Reads what follows the name of a resource or an object.
fn object<'a>(line: &Line<'a>, mut words: impl Iterator<Item = &'a str>, schema: &str) -> Result<Object> {
    let mut object = Object::default();
    while let Some(word) = words.next() {
        match word.split_once('=').unwrap_or((word, "any")) {
            ("<", _) => {
                let base = line.require(words.next(), "the base")?;
                object.base = Some(line.full_name(schema, base)?);
            }
            ("open", kind) => object.open = Some(line.kind(schema, kind)?),
            ("deprecated", _) => object.deprecated = true,
            _ => return line.unknown(word),
        }
    }
    Ok(object)
}

fn uri(line: &Line<'_>) -> Result<Option<Uri>> {
    let Some(rest) = line.text.strip_prefix("uri /") else { return Ok(None) };
    let (pattern, deprecated) = match rest.split_once(' ') {
        None => (rest, false),
        Some((pattern, "deprecated")) => (pattern, true),
        Some((_, word)) => return line.unknown(word),
    };
    Ok(Some(Uri { pattern: format!("/{pattern}"), deprecated }))
}

fn value(line: &Line<'_>) -> Result<EnumerationValue> {
    let (text, rest) = match line.text.strip_prefix('"') {
        None => line.text.split_once(' ').unwrap_or((line.text, "")),
        Some(quoted) => match quoted.split_once('"') {
            Some((text, rest)) => (text, rest.trim_start_matches(' ')),
            None => return line.error("the closing quote is missing"),
        },
    };
    match rest {
        "" | "deprecated" => Ok(EnumerationValue { text: text.to_owned(), deprecated: !rest.is_empty() }),
        _ => line.unknown(rest),
    }
}

fn members(lines: &[Line<'_>], schema: &str) -> Result<Vec<Member>> {
    lines.iter().map(|line| member(line, schema)).collect()
}

fn member(line: &Line<'_>, schema: &str) -> Result<Member> {
    let mut words = line.text.split(' ');
    let name = line.require(words.next(), "the name")?;
    let kind = line.require(words.next(), "the type")?;
    let (list, kind) = kind.strip_prefix('*').map_or((false, kind), |kind| (true, kind));
    let (link, kind) = kind.strip_prefix('>').map_or((false, kind), |kind| (true, kind));
    let mut member = Member { list, link, ..Member::new(name, line.kind(schema, kind)?) };
    for word in words {
        let (attribute, value) =
            word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let value = value.map(str::to_owned);
        match (attribute, value) {
            ("rw", None) => member.access = Access::ReadWrite,
            ("wo", None) => member.access = Access::Write,
            ("hidden", None) => member.access = Access::Hidden,
            ("required", None) => member.required = true,
            ("create", None) => member.required_on_create = true,
            ("null", None) => member.nullable = true,
            ("deprecated", None) => member.deprecated = true,
            ("unit", Some(unit)) => member.unit = Some(unit),
            ("excerpt", names) => member.excerpt = Excerpt::Part(names),
            ("copy-only", None) => member.excerpt = Excerpt::CopyOnly,
            ("copy", name) => member.excerpt = Excerpt::Copy(name),
            _ => return line.unknown(word),
        }
    }
    Ok(member)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "\
outside Pump
Thermometer 1.2.0 owner=Example
 resource Thermometer insert update delete < Resource.Resource deprecated
  uri /redfish/v1/Thermometers/{ThermometerId}
  uri /redfish/v1/Old/{ThermometerId} deprecated
  Reading number required null unit=Cel excerpt=A,B
  Since date-time copy-only
  Mode Mode rw
  Secret text wo create null
  Token text hidden
  Links Links
  Copy Sensor.Sensor copy=Power
  Parts *>Part.Part deprecated
 object Attributes open=text
 object Links < Resource.Links open
 enum Mode deprecated
  Fast
  \"Very slow\" deprecated
 type Label text
 action Reset returns ResetResponse deprecated
  Mode Mode required
";

    #[test]
    fn what_is_written_is_what_was_read() {
        let facts = Facts::parse(SMALL).expect("the text has no errors");
        let written = facts.to_string();
        assert_eq!(written.split_once('\n').map(|(_, facts)| facts), Some(SMALL));
        assert_eq!(Facts::parse(&written), Ok(facts));
    }

    #[test]
    fn a_local_name_is_one_of_the_schema() {
        let facts = Facts::parse(SMALL).expect("the text has no errors");
        let resource = facts.resource("Thermometer.Thermometer").expect("the resource is declared");
        let mode = resource.object.members.iter().find(|member| member.name == "Mode").expect("the member");
        assert_eq!(mode.kind, Kind::Named("Thermometer.Mode".to_owned()));
    }

    #[test]
    fn an_undeclared_type_is_reported_with_its_user() {
        let facts = Facts::parse("A 1.0.0\n object O < O2\n  X B.C\n object O2\n").expect("no errors");
        let texts: Vec<_> = facts.unresolved().iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["A.O.X uses the type B.C, which is not declared"]);
    }

    #[test]
    fn an_error_names_its_line() {
        for (text, line, part) in [
            (" object O\n", 1, "belongs to no schema"),
            ("A 1.0\n", 1, "`1.0` is not a version"),
            ("A 1.0.x\n", 1, "`1.0.x` is not a version"),
            ("A 1.0.0\n   X text\n", 2, "wrong indentation"),
            ("A 1.0.0\n  X text\n", 2, "wrong indentation"),
            ("# comment\n\nA 1.0.0\n thing O\n", 4, "`thing` is not known here"),
            ("A 1.0.0\n object\n", 2, "the name is missing"),
            ("A 1.0.0\n object O <\n", 2, "the base is missing"),
            ("A 1.0.0\n object O closed\n", 2, "`closed` is not known here"),
            ("A 1.0.0\n object O\n  X\n", 3, "the type is missing"),
            ("A 1.0.0\n object O\n  X a.b.c\n", 3, "`a.b.c` is not the name of a type"),
            ("A 1.0.0\n object O\n  X \n", 3, "`` is not the name of a type"),
            ("A 1.0.0\n object O\n  X text writable\n", 3, "`writable` is not known here"),
            ("A 1.0.0\n object O\n  X text unit\n", 3, "`unit` is not known here"),
            ("A 1.0.0\n object O\n object O\n", 3, "`O` is there twice"),
            ("A 1.0.0\nA 1.0.0\n", 2, "`A` is there twice"),
            ("A 1.0.0\n resource R\n  uri /a b\n", 3, "`b` is not known here"),
            ("A 1.0.0\n enum E\n  \"V\n", 3, "the closing quote is missing"),
            ("A 1.0.0\n enum E\n  V old\n", 3, "`old` is not known here"),
            ("A 1.0.0\n type T\n", 2, "the type is missing"),
            ("A 1.0.0\n type T text\n  X text\n", 3, "has no members"),
            ("A 1.0.0\n action D returns\n", 2, "the type of the response is missing"),
        ] {
            let error = Facts::parse(text).expect_err(text);
            assert_eq!(error.line, line, "{text:?}: {error}");
            assert!(error.text.contains(part), "{text:?}: {error}");
        }
    }

    #[test]
    fn no_prefix_of_the_facts_causes_a_panic() {
        for end in 0..SMALL.len() {
            let _ = Facts::parse(&SMALL[..end]);
        }
    }
}
