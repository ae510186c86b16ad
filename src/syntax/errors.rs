//! Diagnoses an item that the grammar does not accept, with error recovery by lines.
//!
//! Pest stops at the first error. To find the next one the line of the error is overwritten with blanks and the
//! item is parsed again, until it parses or the error is outside of its block.

use std::ops::Range;
use std::sync::Mutex;

use pest::error::{Error, ErrorVariant, InputLocation};

use crate::base::foreign::{self, Foreign, METHODS, STATEMENTS};
use crate::base::{Diagnostic, FileId, Span, nearest};

use super::build;
use super::grammar::{Rule, parse_item};
use super::mistakes;
use super::report::{Found, LineError, MeantItem, ParseError, StrayError};
use super::scan::{ItemSlice, ends_open};
use super::tokens::{ITEM_WORDS, Token, TokenKind, tokens};

/// Errors looked for in one item; more would be noise.
const MAX_ERRORS: usize = 20;

/// The place where pest stopped, and the tokens that it would have accepted there.
pub(super) struct Failure<'t> {
    pub file: FileId,
    /// The item's text and where it begins in the file.
    pub slice: &'t str,
    pub base: usize,
    /// All tokens but comments.
    pub tokens: Vec<Token>,
    /// The token that does not fit; `None` at the end of the item. A line end that did not fit is
    /// a `Newline` token.
    pub found: Option<Token>,
    /// The token before it, line ends left out.
    pub previous: Option<Token>,
    pub expected: Vec<Rule>,
    /// Literals that would have been accepted: brackets, commas and the like.
    pub literals: Vec<String>,
    /// In an `{expr}` of a string.
    pub in_string: bool,
}

impl Failure<'_> {
    pub fn span(&self, token: Token) -> Span {
        Span::new(self.file, self.base + token.start, self.base + token.end)
    }

    pub fn text(&self, token: Token) -> &str {
        token.text(self.slice)
    }

    pub fn expects(&self, rule: Rule) -> bool {
        self.expected.contains(&rule)
    }

    /// Whether a value may begin here.
    pub fn expects_value(&self) -> bool {
        const VALUES: [Rule; 6] =
            [Rule::term, Rule::expr, Rule::argument, Rule::subscript, Rule::list_item, Rule::primary];
        VALUES.into_iter().any(|rule| self.expects(rule))
    }

    /// Whether a whole expression ends just before this place.
    pub fn after_value(&self) -> bool {
        self.expects(Rule::infix)
    }

    /// Whether a statement may begin here.
    pub fn expects_statement(&self) -> bool {
        self.expects(Rule::kw_param) || self.expects(Rule::kw_minimize)
    }

    /// The token after the one found.
    pub fn next(&self) -> Option<Token> {
        let found = self.found?;
        self.tokens.iter().copied().find(|token| token.start >= found.end)
    }

    /// The place of the error: the token found, or the end of the line that should have gone on.
    pub fn place(&self) -> Span {
        match (self.found, self.previous) {
            (Some(found), _) if found.kind != TokenKind::Newline => self.span(found),
            (_, Some(previous)) => {
                let end = self.base + previous.end;
                Span::new(self.file, end, end)
            }
            (_, None) => Span::new(self.file, self.base, self.base),
        }
    }

    /// The token that was found, for a message.
    pub fn found(&self) -> Found {
        match self.found {
            Some(found) if found.kind != TokenKind::Newline => Found::Token(self.text(found).to_owned()),
            Some(_) => Found::EndOfLine,
            None => Found::EndOfItem,
        }
    }

    /// The end of the token before, where something is to be put in.
    pub fn gap(&self) -> Span {
        let place = self.place();
        let end = self.previous.map_or(place.start, |previous| self.span(previous).end);
        Span { start: end, end, ..place }
    }
}

/// What is wrong with a slice that begins no item.
pub(super) fn not_an_item(file: FileId, text: &str, slice: &ItemSlice) -> ParseError {
    let inside = &text[slice.range.clone()];
    let Some(first) = tokens(inside).into_iter().find(|token| !is_blank(token.kind)) else {
        return StrayError::Nothing { at: Span::new(file, slice.start, slice.start) }.into();
    };
    let word = first.text(inside);
    let at = Span::new(file, slice.range.start + first.start, slice.range.start + first.end);
    let next = tokens(inside).into_iter().find(|token| token.start >= first.end);
    let second = next.map(|token| token.text(inside));
    let touches = next.is_some_and(|next| next.start == first.end);
    match (word, second) {
        ("/", Some("/" | "*")) | ("-", Some("-")) => {
            return StrayError::Comment { at: Span { end: at.end + 1, ..at } }.into();
        }
        ("\"\"", Some(second)) if touches && second.starts_with('"') => {
            return StrayError::Comment { at: Span { end: at.end + 1, ..at } }.into();
        }
        ("%" | ";", _) => return StrayError::Comment { at }.into(),
        _ => {}
    }
    let meant = match (word, second) {
        ("param" | "state" | "carry" | "collect" | "scan" | "require" | "advise", _) => {
            MeantItem::LineOfBody
        }
        ("minimize" | "measure" | "every", _) => MeantItem::LineOfTrain,
        (_, Some("=")) if first.kind == TokenKind::Word => MeantItem::Constant,
        ("def" | "function" | "func" | "fun", _) => MeantItem::Function,
        ("class" | "module" | "struct", _) => MeantItem::Class,
        ("from" | "using" | "include" | "use", _) => MeantItem::Import,
        ("assert", _) => MeantItem::Expectation,
        ("let" | "var" | "val", _) => MeantItem::Let,
        ("end" | "}", _) => MeantItem::End,
        ("(", _) => MeantItem::Pattern,
        (_, Some("(")) if foreign::find(STATEMENTS, word).is_some() => MeantItem::PrintInstead,
        ("if" | "while" | "return" | "with" | "try" | "raise" | "lambda" | "async", _) => MeantItem::CarriedOut,
        _ => match (nearest(word, ITEM_WORDS), called(inside)) {
            (_, Some(row)) => MeantItem::Foreign(row.advice),
            (Some(item), None) => MeantItem::Misspelt(item),
            (None, None) if matches!(second, Some("(" | "." | "|>")) => MeantItem::Print,
            (None, None) => MeantItem::NotKnown,
        },
    };
    StrayError::Word { word: word.to_owned(), meant, at }.into()
}

/// What users of other libraries mean by a call that stands alone: `net.fit(…)`, `torch.manual_seed(0)`, `save(…)`.
fn called(text: &str) -> Option<&'static Foreign> {
    let tokens: Vec<_> = tokens(text).into_iter().filter(|token| !is_blank(token.kind)).collect();
    let open = tokens.iter().position(|token| token.text(text) == "(")?;
    let name = tokens.get(open.checked_sub(1)?)?.text(text);
    foreign::find(METHODS, name).filter(|row| !row.advice.is_empty())
}

/// The errors of an item that does not parse; at least one.
pub(super) fn diagnose(file: FileId, text: &str, slice: &ItemSlice, first: Error<Rule>) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    let mut masked = text[slice.range.clone()].to_string();
    let mut error = first;
    let mut blanked: Vec<Range<usize>> = Vec::new();
    // An error below a blanked line may be a consequence of blanking it.
    let follows = |blanked: &[Range<usize>], masked: &str, at: usize| {
        blanked.iter().any(|blank| blank.end <= at && masked[blank.end..at].trim().is_empty())
    };
    loop {
        if let ErrorVariant::CustomError { .. } = error.variant {
            errors.push(too_deep(file, slice).diagnostic());
            break;
        }
        let failure = failure(file, &masked, slice.range.start, &error);
        let mistake = mistakes::recognise(&failure);
        // A misplaced brace makes two lines of one statement.
        let goes_on = !matches!(mistake, ParseError::Brace(_)) && errors.len() + 1 < MAX_ERRORS;
        // The `if` may stand in a line that is blank now.
        let follows_error =
            matches!(mistake, ParseError::Line(LineError::BranchWithoutIf { .. })) && !errors.is_empty();
        let told = mistake.diagnostic();
        if !follows_error && !errors.iter().any(|error| error.primary_span() == told.primary_span()) {
            errors.push(told);
        }
        let Some(blank) = line_to_blank(&failure).filter(|_| goes_on) else { break };
        let spaces: String = masked[blank.clone()].chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
        // A character of several bytes becomes as many spaces, so that offsets stay the same.
        let padding = " ".repeat(blank.len() - spaces.len());
        blanked.push(blank.clone());
        masked.replace_range(blank, &(spaces + &padding));
        match parse_item(&masked) {
            Ok(mut pairs) => {
                if let Some(whole) = pairs.next() {
                    let (_, of_tree) = build::build_item(file, text, slice.range.start, whole);
                    // A blanked line may have been the value.
                    let follows_blank = |lost: Span| {
                        follows(&blanked, &masked, lost.start as usize - slice.range.start)
                    };
                    let told = of_tree.iter().filter(|error| {
                        !error.is_missing_value() && !error.lost_value().is_some_and(follows_blank)
                    });
                    errors.extend(told.map(|error| error.diagnostic()));
                }
                break;
            }
            Err(next) => error = next,
        }
    }
    errors
}

fn too_deep(file: FileId, slice: &ItemSlice) -> ParseError {
    ParseError::TooDeep { keyword: Span::new(file, slice.start, slice.start + slice.keyword.len()) }
}

fn failure<'t>(file: FileId, slice: &'t str, base: usize, error: &Error<Rule>) -> Failure<'t> {
    let at = match error.location {
        InputLocation::Pos(at) => at,
        InputLocation::Span((start, _)) => start,
    };
    let expected = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives.clone(),
        ErrorVariant::CustomError { .. } => Vec::new(),
    };
    let mut tokens = tokens(slice);
    tokens.retain(|token| token.kind != TokenKind::Comment);
    let in_string = open_string(slice, &mut tokens, at);
    let mut found = tokens.iter().copied().find(|token| token.end > at);
    let previous = tokens.iter().copied().rfind(|token| token.end <= at && token.kind != TokenKind::Newline);
    let literals = expected_literals(slice, at);
    let mut failure = Failure { file, slice, base, tokens, found, previous, expected, literals, in_string };
    // The parser looked for more on the next line: it is the line before that should have gone on.
    if let (Some(next), Some(last)) = (found, previous)
        && next.kind != TokenKind::Newline
        && !failure.expects_statement()
    {
        let newline = failure.tokens.iter().find(|token| token.start >= last.end && token.end <= next.start);
        let in_lines =
            !matches!(innermost_open(&failure, next).map(|open| failure.text(open)), Some("(" | "["));
        if let Some(&newline) = newline.filter(|token| token.kind == TokenKind::Newline && in_lines) {
            found = Some(newline);
        }
    }
    failure.found = found;
    failure
}

/// Replaces the string around `at` by the tokens of the `{expr}` in it.
fn open_string(slice: &str, tokens: &mut Vec<Token>, at: usize) -> bool {
    let around = |token: &Token| token.kind == TokenKind::Str && token.start < at && at < token.end;
    let Some(position) = tokens.iter().position(around) else { return false };
    let string = tokens[position];
    let Some(start) = slice[string.start..at].rfind('{').map(|open| string.start + open + 1) else {
        return false;
    };
    let end = slice[at..string.end].find('}').map_or(string.end - 1, |close| at + close);
    let inner = super::tokens::tokens(&slice[start..end]).into_iter();
    let inner = inner.map(|token| Token { start: start + token.start, end: start + token.end, ..token });
    let end = Token { kind: TokenKind::Close, start: end, end: end + 1 };
    tokens.splice(position..=position, inner.chain([end]));
    true
}

/// The literals pest would have taken at `at`. It lists them only in a mode that is slower and is
/// switched for the whole process, hence the lock and the second parse.
fn expected_literals(slice: &str, at: usize) -> Vec<String> {
    static DETAIL: Mutex<()> = Mutex::new(());
    let _lock = DETAIL.lock();
    pest::set_error_detail(true);
    let result = parse_item(slice);
    pest::set_error_detail(false);
    let Some(attempts) = result.err().and_then(|error| error.parse_attempts()) else { return Vec::new() };
    if attempts.max_position != at {
        return Vec::new();
    }
    attempts.expected_tokens().iter().map(ToString::to_string).collect()
}

/// The innermost bracket that is open before `token`.
pub(super) fn innermost_open(failure: &Failure<'_>, token: Token) -> Option<Token> {
    let mut open = Vec::new();
    for &earlier in failure.tokens.iter().take_while(|earlier| earlier.start < token.start) {
        match earlier.kind {
            TokenKind::Open => open.push(earlier),
            TokenKind::Close => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

/// The statement around the error, if it is inside of a block and can be left out.
fn line_to_blank(failure: &Failure<'_>) -> Option<Range<usize>> {
    let anchor = match failure.found {
        Some(found) if found.kind != TokenKind::Newline && failure.text(found) != "}" => found,
        _ => failure.previous?,
    };
    let mut open: Vec<Token> = Vec::new();
    let mut start: Option<usize> = None;
    let mut end: Option<usize> = None;
    let mut depth_of_line = 0;
    for &token in &failure.tokens {
        let in_lines = open.last().is_none_or(|open| failure.text(*open) == "{");
        let passed = token.start > anchor.start;
        match token.kind {
            TokenKind::Newline if in_lines => {
                if passed && open.len() <= depth_of_line {
                    end = end.or(Some(token.start));
                } else if !passed {
                    (start, depth_of_line) = (Some(token.end), open.len());
                }
            }
            TokenKind::Open => {
                open.push(token);
                if failure.text(token) == "{" && !passed && token.start != anchor.start && in_lines {
                    (start, depth_of_line) = (Some(token.end), open.len());
                }
            }
            TokenKind::Close => {
                open.pop();
                if passed && open.len() < depth_of_line {
                    end = end.or(Some(token.start));
                }
            }
            _ => {}
        }
        if end.is_some() {
            break;
        }
    }
    let (start, end) = (start?, end?);
    let brackets = |kind: TokenKind| {
        failure
            .tokens
            .iter()
            .filter(|token| token.kind == kind && (start..end).contains(&token.start))
            .count()
    };
    let balanced = brackets(TokenKind::Open) == brackets(TokenKind::Close);
    let filled = start < end && !failure.slice[start..end].trim().is_empty();
    (depth_of_line > 0 && filled && balanced).then_some(start..end)
}

fn is_blank(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Newline | TokenKind::Comment)
}

/// Whether the line ends with a token that asks for more.
pub(super) fn previous_asks_for_more(failure: &Failure<'_>) -> bool {
    failure.previous.is_some_and(|previous| ends_open(failure.text(previous)))
}
