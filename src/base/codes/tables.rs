//! E0650 to E0657: how columns of tables are read, which rows are left out, how the others are divided. What goes
//! wrong with them while data is read is among the codes of [`super::run`].

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0650",
        title: "numbers of a table that could not be read",
        explain: "\
`decimal` and `thousands` say how a csv file writes numbers. They are two different characters, and
none that numbers consist of anyway.
    csv(\"sales.csv\", separator = \";\", decimal = \",\", thousands = \",\")   # wrong: 1,234 is what?
    csv(\"sales.csv\", separator = \";\", decimal = \",\", thousands = \".\")   # right: 1.234,5",
    },
    Code {
        code: "E0651",
        title: "a category without classes",
        explain: "\
`category(column(…))` numbers the names of a column: those that occur most often in the training part,
and one class, the last, for all others, also for names that only later files have. So it is the whole
value of a field that is declared as classes; `names` lists one less than that.
    x: [4] = category(column(\"city\"))                            # wrong
    city: class(9) = category(column(\"city\"))                    # right: eight names and the others
    city: class(3) = category(column(\"city\"), names = [\"Rome\", \"Oslo\"])",
    },
    Code {
        code: "E0652",
        title: "a date that is read in no way that there is",
        explain: "\
`date(column(…))` gives the days since 1 January 1970, with fractions where there is a time. `part` asks
for something else: year, month, day, weekday (0 is Monday), yearday, hour, minute, second. `order` says
how dates are written: ymd (2024-02-29), dmy (29.02.2024) or mdy (02/29/2024).
    day: [] = date(column(\"day\"), order = \"d.m.y\")      # wrong
    day: [] = date(column(\"day\"), order = \"dmy\")        # right",
    },
    Code {
        code: "E0653",
        title: "a condition that cannot leave rows out",
        explain: "\
`drop rows where` stands in data of a table or of arrays in files. Its condition is true or false for one
row. Rows are left out before they are divided and before anything is learnt of them, so it cannot
depend on a statistic; in it, a comparison with a missing number is false.
    drop rows where x > mean(d.x)                                     # wrong: of which rows?
    drop rows where is_missing(column(\"age\")) or column(\"age\") > 100   # right",
    },
    Code {
        code: "E0654",
        title: "a split that says two things",
        explain: "\
Rows are divided in one way: at random, `in_order`, by `stratify` (all parts have the same shares of each
class) or by `group` (rows of a group stay together); into named parts, or into `folds`, which are the
parts `train` and `test`.
    split train = 0.8, test = 0.2, folds = 5      # wrong
    split folds = 5, stratify = kind              # right; `nnc cv` goes through all folds",
    },
    Code {
        code: "E0656",
        title: "parts of a network that it does not have",
        explain: "\
`only` and `except` say which parameters of a file a training starts with, by the beginning of their
paths: a layer, or a parameter. `nnc summary FILE.nn` lists the layers. What is not read keeps the values
that the program gives it; `over Net.head` trains a part of the network only.
    init = safetensors(\"resnet.safetensors\", except = [\"haed\"])      # wrong: there is none
    init = safetensors(\"resnet.safetensors\", except = [\"head\"])      # right",
    },
];
