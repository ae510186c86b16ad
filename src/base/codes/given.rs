//! E091x: rows that a host program gives out of its tables.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0910",
        title: "missing values in rows that are given",
        explain: "\
A host program gives the rows of this field, and some of its values are missing. Nothing is guessed for them: they are
filled, or their rows left out, before they are given. In Python, with a data frame:
    program.session(rows=frame)                                  # wrong, if a value is missing
    program.session(rows=frame.fillna(frame.mean()))             # right
    program.session(rows=frame.dropna())                         # right",
    },
    Code {
        code: "E0911",
        title: "names that are no classes",
        explain: "\
A column of names is given for a field that is no class, or for one with fewer classes than there are names. Names get
their numbers in the order of the column's categories, or of the alphabet.
    data rows { kind: [] }                                       # wrong: `setosa`, `versicolor`, `virginica`
    data rows { kind: class(2) }                                 # wrong: there are three
    data rows { kind: class(3) }                                 # right",
    },
    Code {
        code: "E0912",
        title: "rows that are no numbers",
        explain: "\
What is given for a field are numbers, truth values, or names for a class: no dates, texts or objects.
    program.session(rows={\"day\": frame[\"date\"]})                       # wrong
    program.session(rows={\"day\": frame[\"date\"].dt.dayofyear})          # right",
    },
];
