//! The relaxed syntax: JSON with unquoted keys, single quotes, regular expressions between slashes,
//! and the constructors of the Mongo shell. Operators are not known here.

use serde_json::Number;

use super::{DEPTH_MAX, Invalid, literal};

/// A parsed value.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    /// Milliseconds since 1970.
    Date(i64),
    Pattern {
        source: String,
        options: String,
    },
    List(Vec<Node>),
    Document(Vec<(String, Node)>),
}

/// The document in the text, which holds nothing else.
///
/// # Errors
/// What was expected at which place.
pub fn parse(text: &str) -> Result<Node, Invalid> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.skip_space();
    if reader.peek() != Some('{') {
        return Err(reader.expected("{"));
    }
    let node = reader.value()?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.expected("the end")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Node, Invalid> {
        self.skip_space();
        match self.peek() {
            Some('{') => self.nested(Reader::document),
            Some('[') => self.nested(Reader::list),
            Some('"' | '\'') => self.quoted().map(Node::Text),
            Some('/') => self.pattern(),
            Some('-' | '0'..='9') => self.number().map(Node::Number),
            Some(first) if first.is_alphabetic() => self.word(),
            _ => Err(self.expected("a value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Node, Invalid>) -> Result<Node, Invalid> {
        if self.depth == DEPTH_MAX {
            return Err(Invalid::TooDeep);
        }
        self.depth += 1;
        self.bump();
        let node = read(self)?;
        self.depth -= 1;
        Ok(node)
    }

    fn document(&mut self) -> Result<Node, Invalid> {
        let mut fields: Vec<(String, Node)> = Vec::new();
        if self.taken('}') {
            return Ok(Node::Document(fields));
        }
        loop {
            let key = self.key()?;
            if fields.iter().any(|(other, _)| *other == key) {
                return Err(Invalid::Twice(key));
            }
            self.expect(':', "a colon")?;
            fields.push((key, self.value()?));
            if self.taken('}') {
                return Ok(Node::Document(fields));
            }
            self.expect(',', "a comma or }")?;
        }
    }

    fn list(&mut self) -> Result<Node, Invalid> {
        let mut items = Vec::new();
        if self.taken(']') {
            return Ok(Node::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.taken(']') {
                return Ok(Node::List(items));
            }
            self.expect(',', "a comma or ]")?;
        }
    }

    fn key(&mut self) -> Result<String, Invalid> {
        self.skip_space();
        if matches!(self.peek(), Some('"' | '\'')) {
            return self.quoted();
        }
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.' | '-');
        match self.run(plain) {
            "" => Err(self.expected("a key")),
            key => Ok(key.to_owned()),
        }
    }

    fn quoted(&mut self) -> Result<String, Invalid> {
        let quote = self.bump();
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return Err(self.expected("the end of a quoted text")),
                Some('\\') => text.push(self.escaped()?),
                // PostgreSQL stores no text with this character, so a query cannot contain it.
                Some('\0') => return Err(self.expected("a printable character")),
                end if end == quote => return Ok(text),
                Some(character) => text.push(character),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Invalid> {
        match self.bump() {
            Some(same @ ('"' | '\'' | '\\' | '/')) => Ok(same),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('v') => Ok('\u{b}'),
            Some('u') => self.unicode(),
            _ => Err(self.expected("an escape sequence")),
        }
    }

    fn unicode(&mut self) -> Result<char, Invalid> {
        let first = self.hexadecimal()?;
        let mut code = first;
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            self.at += 2;
            let second = self.hexadecimal()?;
            code = match second {
                0xdc00..0xe000 => 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                _ => first,
            };
        }
        match char::from_u32(code) {
            Some(character) if character != '\0' => Ok(character),
            _ => Err(self.expected("a character's number")),
        }
    }

    fn hexadecimal(&mut self) -> Result<u32, Invalid> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(hexadecimal));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => Err(self.expected("four hexadecimal digits")),
        }
    }

    fn pattern(&mut self) -> Result<Node, Invalid> {
        self.bump();
        let mut source = String::new();
        loop {
            match self.bump() {
                None | Some('\0') => return Err(self.expected("the end of an expression")),
                Some('/') => break,
                Some('\\') => {
                    source.push('\\');
                    source.extend(self.bump());
                }
                Some(character) => source.push(character),
            }
        }
        let options = self.run(|c| c.is_alphabetic()).to_owned();
        Ok(Node::Pattern { source, options })
    }

    fn number(&mut self) -> Result<Number, Invalid> {
        let start = self.at;
        let digits = self.run(|c| matches!(c, '-' | '+' | '.' | '0'..='9' | 'e' | 'E'));
        serde_json::from_str(digits)
            .map_err(|_| Invalid::Syntax { at: start, expected: "a number" })
    }

    fn word(&mut self) -> Result<Node, Invalid> {
        let start = self.at;
        let mut word = self.run(|c| c.is_alphanumeric()).to_owned();
        match word.as_str() {
            "null" => return Ok(Node::Null),
            "true" => return Ok(Node::Boolean(true)),
            "false" => return Ok(Node::Boolean(false)),
            "new" => {
                self.skip_space();
                word.push(' ');
                word.push_str(self.run(|c| c.is_alphanumeric()));
            }
            _ => {}
        }
        if !literal::CONSTRUCTORS.contains(&word.as_str()) {
            return Err(Invalid::Syntax { at: start, expected: "a value" });
        }
        self.expect('(', "a bracket")?;
        let Node::List(arguments) = self.nested_arguments()? else {
            return Err(self.expected("a value"));
        };
        literal::constructed(&word, &arguments)
    }

    /// The arguments of a constructor: values without nesting.
    fn nested_arguments(&mut self) -> Result<Node, Invalid> {
        let mut arguments = Vec::new();
        if self.taken(')') {
            return Ok(Node::List(arguments));
        }
        loop {
            self.skip_space();
            arguments.push(match self.peek() {
                Some('"' | '\'') => Node::Text(self.quoted()?),
                _ => Node::Number(self.number()?),
            });
            if self.taken(')') {
                return Ok(Node::List(arguments));
            }
            self.expect(',', "a comma or a bracket")?;
        }
    }

    fn taken(&mut self, wanted: char) -> bool {
        self.skip_space();
        let found = self.peek() == Some(wanted);
        if found {
            self.bump();
        }
        found
    }

    fn expect(&mut self, wanted: char, expected: &'static str) -> Result<(), Invalid> {
        if self.taken(wanted) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn skip_space(&mut self) {
        self.run(char::is_whitespace);
    }

    fn run(&mut self, belongs: impl Fn(char) -> bool) -> &str {
        let start = self.at;
        let rest = self.rest();
        self.at += rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        &self.text[start..self.at]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += next.map_or(0, char::len_utf8);
        next
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn expected(&self, expected: &'static str) -> Invalid {
        Invalid::Syntax { at: self.at, expected }
    }
}

fn hexadecimal(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}
