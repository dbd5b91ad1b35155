//! `$filter`: a condition that members of a collection must meet (DSP0266, "The $filter query parameter").
//!
//! ```text
//! any    = all ("or" all)*
//! all    = one ("and" one)*
//! one    = "not" one | "(" any ")" | value ("eq" | "ne" | "gt" | "ge" | "lt" | "le") value
//! value  = 'text' | number | true | false | null | Property/Within
//! ```

use std::cmp::Ordering;

use serde_json::Value;

/// The maximum depth of nested conditions.
const MAX_DEPTH: usize = 32;

/// A condition on a resource.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Compare(Operand, Comparison, Operand),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Literal(Value),
    /// The path of a property, as a JSON pointer.
    Property(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Filter {
    /// Parses a condition. Returns `None` if the text is not valid.
    pub(crate) fn parse(text: &str) -> Option<Filter> {
        let tokens = tokenize(text)?;
        let mut parser = Parser { rest: &tokens, depth: 0 };
        let filter = parser.any()?;
        parser.rest.is_empty().then_some(filter)
    }

    /// Calls `visit` for each comparison, which it may change, until it returns an error.
    pub(crate) fn each_comparison<E>(
        &mut self,
        visit: &mut impl FnMut(&mut Operand, Comparison, &mut Operand) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Filter::Any(filters) | Filter::All(filters) => {
                filters.iter_mut().try_for_each(|filter| filter.each_comparison(visit))
            }
            Filter::Not(filter) => filter.each_comparison(visit),
            Filter::Compare(left, comparison, right) => visit(left, *comparison, right),
        }
    }

    /// Whether a resource meets the condition. A missing property is `null`. Values that cannot be compared do not match.
    pub(crate) fn matches(&self, resource: &Value) -> bool {
        match self {
            Filter::Any(filters) => filters.iter().any(|filter| filter.matches(resource)),
            Filter::All(filters) => filters.iter().all(|filter| filter.matches(resource)),
            Filter::Not(filter) => !filter.matches(resource),
            Filter::Compare(left, comparison, right) => {
                comparison.matches(left.value(resource), right.value(resource))
            }
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, resource: &'a Value) -> &'a Value {
        match self {
            Operand::Literal(value) => value,
            Operand::Property(pointer) => resource.pointer(pointer).unwrap_or(&Value::Null),
        }
    }
}

impl Comparison {
    fn from_name(name: &str) -> Option<Comparison> {
        Some(match name {
            "eq" => Comparison::Equal,
            "ne" => Comparison::NotEqual,
            "gt" => Comparison::Greater,
            "ge" => Comparison::GreaterOrEqual,
            "lt" => Comparison::Less,
            "le" => Comparison::LessOrEqual,
            _ => return None,
        })
    }

    fn matches(self, left: &Value, right: &Value) -> bool {
        let order = match (left, right) {
            (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                _ => left.as_f64().zip(right.as_f64()).and_then(|(left, right)| left.partial_cmp(&right)),
            },
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            _ => None,
        };
        let equal = order.map_or(left == right, Ordering::is_eq);
        match self {
            Comparison::Equal => equal,
            Comparison::NotEqual => !equal,
            Comparison::Greater => order.is_some_and(Ordering::is_gt),
            Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
            Comparison::Less => order.is_some_and(Ordering::is_lt),
            Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Text(String),
    Word(String),
}

fn tokenize(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '(' => {
                tokens.push(Token::Open);
                &rest[1..]
            }
            ')' => {
                tokens.push(Token::Close);
                &rest[1..]
            }
            '\'' => {
                let (literal, after) = quoted(&rest[1..])?;
                tokens.push(Token::Text(literal));
                after
            }
            _ => {
                let end = rest.find([' ', '(', ')', '\'']).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].to_owned()));
                &rest[end..]
            }
        };
        rest = rest.trim_start();
    }
    Some(tokens)
}

/// Splits a text at its closing quote. A quote inside the text is doubled.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut literal = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('\'')?;
        literal.push_str(before);
        match after.strip_prefix('\'') {
            Some(after) => {
                literal.push('\'');
                rest = after;
            }
            None => return Some((literal, after)),
        }
    }
}

struct Parser<'a> {
    rest: &'a [Token],
    depth: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<&Token> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// Skips a word if it is next. Returns whether it was.
    fn skip_word(&mut self, word: &str) -> bool {
        let is_next = matches!(self.rest.first(), Some(Token::Word(next)) if next == word);
        if is_next {
            self.rest = &self.rest[1..];
        }
        is_next
    }

    fn any(&mut self) -> Option<Filter> {
        let mut filters = vec![self.all()?];
        while self.skip_word("or") {
            filters.push(self.all()?);
        }
        if filters.len() == 1 { filters.pop() } else { Some(Filter::Any(filters)) }
    }

    fn all(&mut self) -> Option<Filter> {
        let mut filters = vec![self.one()?];
        while self.skip_word("and") {
            filters.push(self.one()?);
        }
        if filters.len() == 1 { filters.pop() } else { Some(Filter::All(filters)) }
    }

    fn one(&mut self) -> Option<Filter> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let filter = if self.skip_word("not") {
            Filter::Not(Box::new(self.one()?))
        } else if self.rest.first() == Some(&Token::Open) {
            self.next();
            let inner = self.any()?;
            (self.next() == Some(&Token::Close)).then_some(inner)?
        } else {
            let left = self.operand()?;
            let Some(Token::Word(name)) = self.next() else { return None };
            let comparison = Comparison::from_name(name)?;
            Filter::Compare(left, comparison, self.operand()?)
        };
        self.depth -= 1;
        Some(filter)
    }

    fn operand(&mut self) -> Option<Operand> {
        match self.next()? {
            Token::Text(text) => Some(Operand::Literal(Value::String(text.clone()))),
            Token::Word(word) => match serde_json::from_str(word) {
                Ok(literal @ (Value::Null | Value::Bool(_) | Value::Number(_))) => {
                    Some(Operand::Literal(literal))
                }
                _ => word.split('/').all(is_property_name).then(|| Operand::Property(format!("/{word}"))),
            },
            Token::Open | Token::Close => None,
        }
    }
}

/// Whether a text is a valid name of a property or an annotation.
pub(crate) fn is_property_name(text: &str) -> bool {
    let is_valid = |c: char| c.is_ascii_alphanumeric() || "_@.#-".contains(c);
    !text.is_empty()
        && text.chars().all(is_valid)
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_matches_or_does_not() {
        let resource = json!({"Id": "DIMM3", "Size": 32, "Load": 0.5, "On": true, "Note": null, "Big": u64::MAX,
            "Status": {"Health": "Warning"}, "Quote": "it's"});
        for (text, matches) in [
            ("Id eq 'DIMM3'", true),
            ("Id ne 'DIMM3'", false),
            ("Id gt 'DIMM2'", true),
            ("Id lt 'DIMM2'", false),
            ("Size ge 32", true),
            ("Size le 31", false),
            ("32 eq Size", true),
            ("Size gt 31.5", true),
            ("Load lt 1", true),
            ("Big eq 18446744073709551615", true),
            ("On eq true", true),
            ("On eq 'true'", false),
            ("On gt false", false),
            ("Note eq null", true),
            ("Missing eq null", true),
            ("Missing ne 'x'", true),
            ("Missing gt 1", false),
            ("Status/Health eq 'Warning'", true),
            ("Quote eq 'it''s'", true),
            ("not (Id eq 'DIMM3')", false),
            ("not Id eq 'DIMM4' and Size eq 32", true),
            ("Id eq 'DIMM3' or Id eq 'x'", true),
            ("Id eq 'x' and On eq true", false),
            ("Id eq 'x' or Size eq 32 and On eq true", true),
            ("(Id eq 'x' or Size eq 32) and On eq false", false),
            ("Id eq 'a (b) or c'", false),
            ("  ( ( On eq true ) )  ", true),
        ] {
            let filter = Filter::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(filter.matches(&resource), matches, "{text}");
        }
    }

    #[test]
    fn an_invalid_condition_is_not_parsed() {
        let deep = format!("{}On eq true{}", "(".repeat(MAX_DEPTH), ")".repeat(MAX_DEPTH));
        for text in [
            "",
            "Id",
            "Id eq",
            "eq 'x'",
            "Id is 'x'",
            "Id eq 'x",
            "Id eq 'x' and",
            "(Id eq 'x'",
            "Id eq 'x')",
            "Id eq 'x' Id eq 'y'",
            "not",
            "Id eq (1)",
            "Id eq [1]",
            "I%d eq 1",
            "/Id eq 1",
            "AND eq or or or",
            &deep,
        ] {
            assert_eq!(Filter::parse(text), None, "{text}");
        }
        assert!(Filter::parse(&deep[1..deep.len() - 1]).is_some());
    }
}
