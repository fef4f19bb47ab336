//! Regular expressions of queries: the regular subset of PCRE, without look-around and
//! back-references, bounded in size. `\d`, `\w`, `\s` and `\b` mean ASCII; case is folded as
//! Unicode does, one character to one. Nothing is matched here.

use regex_syntax::ast::{
    self, AssertionKind, Ast, ClassAscii, ClassAsciiKind, ClassBracketed, ClassPerl, ClassPerlKind,
    ClassSet, ClassSetItem, FlagsItemKind, GroupKind,
};
use regex_syntax::hir::Hir;
use regex_syntax::hir::translate::TranslatorBuilder;

use super::{Invalid, weight};

/// Longest regular expression, in bytes.
pub const SOURCE_BYTES_MAX: usize = 1_000;
/// Deepest nesting of groups of a regular expression.
pub const NESTING_MAX: u32 = 24;
/// An accepted expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Regular {
    source: String,
    options: Options,
    hir: Hir,
    arcs: usize,
}

/// The options in `$options` or after a literal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `i`: upper and lower case are equal.
    pub ignore_case: bool,
    /// `m`: `^` and `$` match at each line.
    pub multi_line: bool,
    /// `s`: a dot matches a line's end too.
    pub dot_all: bool,
    /// `x`: white space and comments in the expression are ignored.
    pub extended: bool,
}

impl Regular {
    /// The expression of this source and these options.
    ///
    /// # Errors
    /// [`Invalid::Pattern`] for one that is not readable, not regular, or too large.
    pub fn parse(source: &str, options: &str) -> Result<Regular, Invalid> {
        let options = Options::parse(options)?;
        if source.len() > SOURCE_BYTES_MAX {
            return Err(refused("is too long"));
        }
        let mut ast = ast::parse::ParserBuilder::new()
            .nest_limit(NESTING_MAX)
            .ignore_whitespace(options.extended)
            .build()
            .parse(source)
            .map_err(|error| Invalid::Pattern(format!("has an error: {}", error.kind())))?;
        restrict(&mut ast)?;
        let hir = TranslatorBuilder::new()
            .case_insensitive(options.ignore_case)
            .multi_line(options.multi_line)
            .dot_matches_new_line(options.dot_all)
            .build()
            .translate(source, &ast)
            .map_err(|error| Invalid::Pattern(format!("has an error: {}", error.kind())))?;
        let arcs = weight::check(&hir)?;
        Ok(Regular { source: source.to_owned(), options, hir, arcs })
    }

    /// The source as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The options it was given with.
    pub fn options(&self) -> Options {
        self.options
    }

    /// How much work matching it is: the arcs of its automaton.
    pub fn arcs(&self) -> usize {
        self.arcs
    }

    /// Its meaning, with options and classes resolved. Word boundaries are those of ASCII.
    pub fn hir(&self) -> &Hir {
        &self.hir
    }
}

impl Options {
    fn parse(letters: &str) -> Result<Options, Invalid> {
        let mut options = Options::default();
        for letter in letters.chars() {
            match letter {
                'i' => options.ignore_case = true,
                'm' => options.multi_line = true,
                's' => options.dot_all = true,
                'x' => options.extended = true,
                _ => return Err(refused("has options other than i, m, s and x")),
            }
        }
        Ok(options)
    }
}

/// Refuses what PCRE understands differently, and makes Perl's classes those of ASCII.
fn restrict(ast: &mut Ast) -> Result<(), Invalid> {
    match ast {
        Ast::Empty(_) | Ast::Literal(_) | Ast::Dot(_) => Ok(()),
        Ast::ClassUnicode(_) => Err(refused("names a class of Unicode")),
        Ast::ClassPerl(class) => {
            let item = ClassSetItem::Ascii(ascii(class));
            let bracketed =
                ClassBracketed { span: class.span, negated: false, kind: ClassSet::Item(item) };
            *ast = Ast::ClassBracketed(Box::new(bracketed));
            Ok(())
        }
        Ast::ClassBracketed(class) => match &mut class.kind {
            ClassSet::Item(item) => restrict_item(item),
            ClassSet::BinaryOp(_) => Err(refused("has an operator between classes")),
        },
        Ast::Assertion(assertion) => match assertion.kind {
            AssertionKind::StartLine
            | AssertionKind::EndLine
            | AssertionKind::StartText
            | AssertionKind::EndText
            | AssertionKind::WordBoundary
            | AssertionKind::NotWordBoundary => Ok(()),
            _ => Err(refused("has an assertion that is not ^ $ \\A \\z \\b or \\B")),
        },
        Ast::Flags(flags) => restrict_flags(&flags.flags),
        Ast::Repetition(repetition) => match *repetition.ast {
            // In PCRE `a++` does not backtrack, which is not regular.
            Ast::Repetition(_) => Err(refused("repeats a repetition without a group")),
            _ => restrict(&mut repetition.ast),
        },
        Ast::Group(group) => {
            if let GroupKind::NonCapturing(flags) = &group.kind {
                restrict_flags(flags)?;
            }
            restrict(&mut group.ast)
        }
        Ast::Alternation(parts) => parts.asts.iter_mut().try_for_each(restrict),
        Ast::Concat(parts) => parts.asts.iter_mut().try_for_each(restrict),
    }
}

fn restrict_item(item: &mut ClassSetItem) -> Result<(), Invalid> {
    match item {
        ClassSetItem::Perl(class) => {
            *item = ClassSetItem::Ascii(ascii(class));
            Ok(())
        }
        ClassSetItem::Unicode(_) => Err(refused("names a class of Unicode")),
        ClassSetItem::Bracketed(_) => Err(refused("has a bracket in brackets: write \\[")),
        ClassSetItem::Union(union) => union.items.iter_mut().try_for_each(restrict_item),
        _ => Ok(()),
    }
}

fn restrict_flags(flags: &ast::Flags) -> Result<(), Invalid> {
    let known = |kind: &FlagsItemKind| match kind {
        FlagsItemKind::Negation => true,
        FlagsItemKind::Flag(flag) => matches!(
            flag,
            ast::Flag::CaseInsensitive
                | ast::Flag::MultiLine
                | ast::Flag::DotMatchesNewLine
                | ast::Flag::IgnoreWhitespace
        ),
    };
    match flags.items.iter().all(|item| known(&item.kind)) {
        true => Ok(()),
        false => Err(refused("has options other than i, m, s and x")),
    }
}

fn ascii(class: &ClassPerl) -> ClassAscii {
    let kind = match class.kind {
        ClassPerlKind::Digit => ClassAsciiKind::Digit,
        ClassPerlKind::Space => ClassAsciiKind::Space,
        ClassPerlKind::Word => ClassAsciiKind::Word,
    };
    ClassAscii { span: class.span, kind, negated: class.negated }
}

fn refused(reason: &str) -> Invalid {
    Invalid::Pattern(reason.to_owned())
}
