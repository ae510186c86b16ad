//! A file that a model or a training takes parameters from when it begins.

use crate::base::Span;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StartFile {
    pub path: String,
    pub prefix: String,
    /// Parts of paths at their beginning: parameters and states below one of these are read; all, if there are none.
    pub only: Vec<String>,
    /// What is below one of these is not read.
    pub except: Vec<String>,
    pub span: Span,
}

impl StartFile {
    /// Whether a parameter or state is read of the file.
    pub fn has(&self, path: &str) -> bool {
        let is_below = |part: &String| is_below(path, part);
        (self.only.is_empty() || self.only.iter().any(is_below)) && !self.except.iter().any(is_below)
    }

    /// Whether some are left out.
    pub fn is_partial(&self) -> bool {
        !(self.only.is_empty() && self.except.is_empty())
    }
}

/// Whether a path is that of a layer or parameter, or of something in it.
pub fn is_below(path: &str, part: &str) -> bool {
    path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
