//! Text to tokens, with the rule which token may follow which (steps.md 6.1).
//! It does not know names, precedence or the tree: only what the last token was and what is open.

use std::ops::Range;

use smallvec::SmallVec;

use crate::compare::Comparison;
use crate::error::{Fault, ParseError, ParseErrorKind};
use crate::number;
use crate::value::Value;

/// An operator between or before operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Not,
    And,
    Or,
    Compare(Comparison),
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    StartGroup,
    StartIndex,
    StartParameters,
    EndGroup,
    EndIndex,
    EndParameters,
    Separator,
    Dereference,
    Wildcard,
    Operator(Operator),
    Literal(Value),
    PropertyName,
    Function,
    NamedValue,
}

impl TokenKind {
    /// Whether the token is pushed on the operator stack.
    pub(crate) fn is_operator(&self) -> bool {
        !self.is_operand()
    }

    fn is_operand(&self) -> bool {
        use TokenKind::{Function, Literal, NamedValue, PropertyName, Wildcard};
        matches!(self, Wildcard | Literal(_) | PropertyName | Function | NamedValue)
    }

    /// Whether an operand is complete after this token.
    fn ends_operand(&self) -> bool {
        matches!(self, TokenKind::Literal(_)) || self.ends_indexable()
    }

    /// Whether an operand that may be indexed is complete after this token.
    fn ends_indexable(&self) -> bool {
        use TokenKind::{EndGroup, EndIndex, EndParameters, NamedValue, PropertyName, Wildcard};
        matches!(self, EndGroup | EndParameters | EndIndex | Wildcard | PropertyName | NamedValue)
    }
}

/// A token and where it stands, in bytes.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Range<usize>,
}

/// Reads tokens one after the other.
pub(crate) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    last: Option<TokenKind>,
    open: SmallVec<[TokenKind; 4]>,
}

/// A character that ends numbers and keywords.
fn is_boundary(c: char) -> bool {
    matches!(c, '(' | '[' | ')' | ']' | ',' | '.' | '!' | '>' | '<' | '=' | '&' | '|') || c.is_whitespace()
}

/// Whether the text is a name: a letter or `_`, then letters, digits, `_` and `-`.
pub(crate) fn is_keyword(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str) -> Lexer<'t> {
        Lexer { text, at: 0, last: None, open: SmallVec::new() }
    }

    /// Whether a bracket is still open.
    pub(crate) fn has_open_bracket(&self) -> bool {
        !self.open.is_empty()
    }

    /// The next token, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Token>, ParseError> {
        self.at = self.after_blanks(self.at);
        let Some(first) = self.rest().chars().next() else { return Ok(None) };
        let token = match first {
            '(' if self.last == Some(TokenKind::Function) => self.single(TokenKind::StartParameters),
            '(' => self.single(TokenKind::StartGroup),
            '[' => self.single(TokenKind::StartIndex),
            ')' if self.open.last() == Some(&TokenKind::StartParameters) => {
                self.single(TokenKind::EndParameters)
            }
            ')' => self.single(TokenKind::EndGroup),
            ']' => self.single(TokenKind::EndIndex),
            ',' => self.single(TokenKind::Separator),
            '*' => self.single(TokenKind::Wildcard),
            '\'' => self.string(),
            '!' | '>' | '<' | '=' | '&' | '|' => self.operator(),
            '.' if !self.operand_may_start() => self.single(TokenKind::Dereference),
            '.' | '-' | '+' | '0'..='9' => self.number(),
            _ => self.keyword(),
        }?;
        self.track(&token)?;
        self.last = Some(token.kind.clone());
        Ok(Some(token))
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn slice(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or_default()
    }

    fn after_blanks(&self, from: usize) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        from + (rest.len() - rest.trim_start().len())
    }

    /// Moves past the first character and all that follow until `stop`; gives what was passed.
    fn take_until(&mut self, stop: impl Fn(char) -> bool) -> Range<usize> {
        let start = self.at;
        let rest = self.rest();
        let length = rest.char_indices().skip(1).find(|&(_, c)| stop(c)).map_or(rest.len(), |(at, _)| at);
        self.at += length;
        start..self.at
    }

    fn operand_may_start(&self) -> bool {
        use TokenKind::{Operator, Separator, StartGroup, StartIndex, StartParameters};
        matches!(self.last, None | Some(Separator | StartGroup | StartIndex | StartParameters | Operator(_)))
    }

    fn error(&self, kind: ParseErrorKind, span: Range<usize>) -> ParseError {
        ParseError::at(kind, Fault::UnexpectedSymbol, self.slice(span.clone()), span.start, self.text)
    }

    fn no_token(&self, span: Range<usize>) -> ParseError {
        self.error(ParseErrorKind::Lexing, span)
    }

    fn single(&mut self, kind: TokenKind) -> Result<Token, ParseError> {
        self.at += 1;
        self.token(kind, self.at - 1..self.at)
    }

    fn string(&mut self) -> Result<Token, ParseError> {
        let start = self.at;
        let inside = start + 1;
        let mut at = inside;
        let mut has_quotes = false;
        while let Some(length) = self.slice(at..self.text.len()).find('\'') {
            let quote = at + length;
            if !self.slice(quote + 1..self.text.len()).starts_with('\'') {
                self.at = quote + 1;
                let text = self.slice(inside..quote);
                let value =
                    if has_quotes { Value::string(text.replace("''", "'")) } else { Value::string(text) };
                return self.token(TokenKind::Literal(value), start..self.at);
            }
            has_quotes = true;
            at = quote + 2;
        }
        Err(self.no_token(start..self.text.len()))
    }

    fn number(&mut self) -> Result<Token, ParseError> {
        let span = self.take_until(|c| is_boundary(c) && c != '.');
        let value = number::parse(self.slice(span.clone()));
        if value.is_nan() {
            return Err(self.no_token(span));
        }
        self.token(TokenKind::Literal(Value::Number(value)), span)
    }

    fn operator(&mut self) -> Result<Token, ParseError> {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let start = self.at;
        let found = match self.rest().as_bytes() {
            [b'!', b'=', ..] => Some((Operator::Compare(NotEqual), 2)),
            [b'>', b'=', ..] => Some((Operator::Compare(GreaterOrEqual), 2)),
            [b'<', b'=', ..] => Some((Operator::Compare(LessOrEqual), 2)),
            [b'=', b'=', ..] => Some((Operator::Compare(Equal), 2)),
            [b'&', b'&', ..] => Some((Operator::And, 2)),
            [b'|', b'|', ..] => Some((Operator::Or, 2)),
            [b'!', ..] => Some((Operator::Not, 1)),
            [b'>', ..] => Some((Operator::Compare(Greater), 1)),
            [b'<', ..] => Some((Operator::Compare(Less), 1)),
            _ => None,
        };
        let Some((operator, length)) = found else {
            let span = self.take_until(is_boundary);
            return Err(self.no_token(span));
        };
        self.at += length;
        self.token(TokenKind::Operator(operator), start..self.at)
    }

    fn keyword(&mut self) -> Result<Token, ParseError> {
        let span = self.take_until(is_boundary);
        let text = self.slice(span.clone());
        if !is_keyword(text) {
            return Err(self.no_token(span));
        }
        let kind = match text {
            _ if self.last == Some(TokenKind::Dereference) => TokenKind::PropertyName,
            "null" => TokenKind::Literal(Value::Null),
            "true" => TokenKind::Literal(Value::Bool(true)),
            "false" => TokenKind::Literal(Value::Bool(false)),
            "NaN" => TokenKind::Literal(Value::Number(f64::NAN)),
            "Infinity" => TokenKind::Literal(Value::Number(f64::INFINITY)),
            _ if self.slice(self.after_blanks(self.at)..self.text.len()).starts_with('(') => {
                TokenKind::Function
            }
            _ => TokenKind::NamedValue,
        };
        self.token(kind, span)
    }

    /// The token, if its kind may follow the last one.
    fn token(&self, kind: TokenKind, span: Range<usize>) -> Result<Token, ParseError> {
        use TokenKind::{
            Dereference, EndGroup, EndIndex, EndParameters, Function, Literal, NamedValue, Operator,
            PropertyName, Separator, StartGroup, StartIndex, StartParameters, Wildcard,
        };
        let last = self.last.as_ref();
        let after_operand = last.is_some_and(TokenKind::ends_operand);
        let legal = match &kind {
            Operator(self::Operator::Not) | StartGroup | Literal(_) | Function | NamedValue => {
                self.operand_may_start()
            }
            StartIndex | Dereference => last.is_some_and(TokenKind::ends_indexable),
            StartParameters => last == Some(&Function),
            EndParameters => after_operand || last == Some(&StartParameters),
            EndGroup | EndIndex | Separator | Operator(_) => after_operand,
            Wildcard => matches!(last, Some(StartIndex | Dereference)),
            PropertyName => last == Some(&Dereference),
        };
        if legal { Ok(Token { kind, span }) } else { Err(self.error(ParseErrorKind::Parsing, span)) }
    }

    /// Keeps the open brackets and refuses a closing one, or a comma, that belongs to no open one.
    fn track(&mut self, token: &Token) -> Result<(), ParseError> {
        use TokenKind::{
            EndGroup, EndIndex, EndParameters, Separator, StartGroup, StartIndex, StartParameters,
        };
        let wanted = match token.kind {
            StartGroup | StartIndex | StartParameters => {
                self.open.push(token.kind.clone());
                return Ok(());
            }
            EndGroup => StartGroup,
            EndIndex => StartIndex,
            EndParameters | Separator => StartParameters,
            _ => return Ok(()),
        };
        if self.open.last() != Some(&wanted) {
            return Err(self.error(ParseErrorKind::Parsing, token.span.clone()));
        }
        if token.kind != Separator {
            self.open.pop();
        }
        Ok(())
    }
}
