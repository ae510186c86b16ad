//! What can be read of each kind of source, and what messages call it.

use crate::ir::program::{Select, Source};

/// What is known of the sources of one kind.
pub struct SourceKind {
    /// In messages, with its article.
    pub what: &'static str,
    /// How a field reads it.
    pub is_read_by: &'static str,
    /// Whether it has such columns.
    pub has: fn(&Select) -> bool,
}

/// The kind of a source.
pub fn kind_of(source: &Source) -> SourceKind {
    match source {
        Source::None => SourceKind {
            what: "data without a source",
            is_read_by: "name a source after `=`: `data x = csv(\"x.csv\") { … }`",
            has: |_| false,
        },
        Source::Given { .. } => SourceKind {
            what: "data that the program is given",
            is_read_by: "a field that the program is given has a type and no value: `x: [4]`",
            has: |_| false,
        },
        Source::Csv { .. } => SourceKind {
            what: "a csv file",
            is_read_by: "use `column(\"name\")` or `columns(0:4)`",
            has: |select| matches!(select, Select::Columns { .. } | Select::Named(_)),
        },
        Source::Npy { .. } => SourceKind {
            what: "an npy file",
            is_read_by: "use `tensor()`, or `tensor(\"file\")`",
            has: |select| matches!(select, Select::Tensor(_) | Select::Whole),
        },
        Source::Npz { .. } => SourceKind {
            what: "an npz file",
            is_read_by: "use `tensor(\"name\")`",
            has: |select| matches!(select, Select::Tensor(_)),
        },
        Source::Safetensors { .. } => SourceKind {
            what: "a safetensors file",
            is_read_by: "use `tensor(\"name\")`",
            has: |select| matches!(select, Select::Tensor(_)),
        },
        Source::Idx { .. } => SourceKind {
            what: "an idx file",
            is_read_by: "use `tensor()`, or `tensor(\"file\")`",
            has: |select| matches!(select, Select::Tensor(_) | Select::Whole),
        },
        Source::Images { .. } => SourceKind {
            what: "a folder of images",
            is_read_by: "use `pixels()` and `labels()`",
            has: |select| matches!(select, Select::Whole | Select::Scaled(_) | Select::Labels),
        },
        Source::Text { .. } => SourceKind {
            what: "a text",
            is_read_by: "use `window(64)` and `window(64, shift = 1)`",
            has: |select| matches!(select, Select::Window { .. }),
        },
    }
}
