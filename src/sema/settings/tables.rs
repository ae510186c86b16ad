//! The tables themselves.

mod sweeps;

use crate::base::foreign;

use super::{Call, Default, Group, Setting, Takes};
pub use sweeps::{SWEEP, TRIED};

const fn setting(name: &'static str, takes: Takes, default: Default, doc: &'static str) -> Setting {
    Setting { name, takes, default, doc }
}

pub const TRAIN: Group = Group {
    item: "train",
    word: "setting",
    code: "E0612",
    foreign: Some(foreign::SETTINGS),
    settings: &[
        setting("data", Takes::Data, Default::Needed, "what to learn from"),
        setting(
            "validate",
            Takes::Data,
            Default::Nothing,
            "losses and metrics on other data at the end of each epoch, and at the end of the training",
        ),
        setting("batch", Takes::Count, Default::Is("32"), "rows of a batch, all of them if there are fewer"),
        setting("epochs", Takes::Count, Default::Nothing, "passes over the data; either this or `steps`"),
        setting("steps", Takes::Count, Default::Nothing, "updates; either this or `epochs`"),
        setting(
            "seed",
            Takes::Whole,
            Default::Is("0"),
            "of starting values, the order of rows and random numbers",
        ),
        setting(
            "shuffle",
            Takes::Flag,
            Default::Is("true"),
            "`true`: a new permutation every epoch, the last batch may be smaller; `false`: rows in order, wrapping \
             around",
        ),
        setting(
            "stop",
            Takes::Patience,
            Default::Nothing,
            "after so many epochs without a better loss, that of `validate` if there is one, or metric",
        ),
        setting(
            "keep",
            Takes::Kept,
            Default::Is("last"),
            "`best`: the parameters of the best epoch, by the loss or metric that `stop` watches, are there at the end",
        ),
        setting(
            "validate_every",
            Takes::Count,
            Default::Is("an epoch"),
            "steps after which scores are told, validated and judged by `stop` and `keep`",
        ),
        setting(
            "accumulate",
            Takes::Count,
            Default::Is("1"),
            "steps whose gradients are averaged before parameters change; in optimizers `step` then counts the changes",
        ),
        setting(
            "plateau",
            Takes::Patience,
            Default::Nothing,
            "so many epochs without a better loss or metric are a plateau: schedules count them in `plateaus`",
        ),
        setting(
            "freeze",
            Takes::Texts,
            Default::Nothing,
            "layers and parameters, by the beginning of their paths, that are as in evaluation: neither parameters nor \
             states change, and dropout is off",
        ),
        setting("init", Takes::Parameters, Default::Nothing, "a file of starting parameters; `anew`: starting values that are drawn anew, by the seed of this training"),
        setting(
            "shards",
            Takes::Count,
            Default::Nothing,
            "the rows of a batch are so many parts, each summed by itself: up to so many processes (`mpirun`) train \
             with the same bits as one",
        ),
    ],
};

pub const COMPANION: Group = Group {
    item: "data NAME",
    word: "option",
    code: "E0880",
    foreign: None,
    settings: &[
        setting(
            "batch",
            Takes::Count,
            Default::Is("as many as `data` gives"),
            "rows that each step draws of it; without this the smaller last batch of an epoch is smaller here, too",
        ),
        setting(
            "shuffle",
            Takes::Flag,
            Default::Is("that of the `train`"),
            "`true`: a new permutation each time that all rows were drawn; `false`: rows in order, again and again",
        ),
    ],
};

pub const DATA: Group = Group {
    item: "data",
    word: "setting",
    code: "E0605",
    foreign: None,
    settings: &[
        setting("rows", Takes::Count, Default::Nothing, "the number of rows of made data"),
        setting(
            "seed",
            Takes::Whole,
            Default::Is("0"),
            "of made data's random numbers, and of the permutation of `split`",
        ),
    ],
};

pub const SPLIT: Group = Group {
    item: "split",
    word: "option",
    code: "E0606",
    foreign: None,
    settings: &[
        setting(
            "in_order",
            Takes::Flag,
            Default::Is("false"),
            "`true`: the parts are rows in order, not of a permutation",
        ),
        setting(
            "stratify",
            Takes::RowNumber,
            Default::Nothing,
            "classes that all parts have in the same shares: a field, or a column",
        ),
        setting(
            "group",
            Takes::RowNumber,
            Default::Nothing,
            "rows with the same number or name here come into the same part: a field, or a column",
        ),
        setting(
            "folds",
            Takes::Count,
            Default::Nothing,
            "the parts are `train` and `test`, one of so many folds; `nnc cv` goes through all",
        ),
        setting("fold", Takes::Count, Default::Is("1"), "which of the folds is `test`"),
    ],
};

pub const WINDOWS: Group = Group {
    item: "windows",
    word: "option",
    code: "E0833",
    foreign: None,
    settings: &[
        setting("stride", Takes::Count, Default::Is("1"), "how many rows lie between the beginnings of windows"),
        setting(
            "series",
            Takes::RowNumber,
            Default::Is("all rows"),
            "rows with the same number or name here are one series: a field, or a column",
        ),
        setting(
            "order",
            Takes::RowNumber,
            Default::Is("that of the file"),
            "rows of a series are put in this order: a number for each row, such as `date(column(\"day\"))`",
        ),
    ],
};

pub const MINIMIZE: Group = Group {
    item: "minimize",
    word: "option",
    code: "E0617",
    foreign: Some(foreign::CLAUSES),
    settings: &[
        setting(
            "clip_norm",
            Takes::Positive,
            Default::Nothing,
            "scales all gradients of the line by min(1, c / (norm + 1e-6)), before weight decay",
        ),
        setting(
            "clip_value",
            Takes::Positive,
            Default::Nothing,
            "limits each element of the gradients to -c..c",
        ),
    ],
};

pub const GENERATE: Group = Group {
    item: "generate",
    word: "option",
    code: "E0623",
    foreign: None,
    settings: &[
        setting("length", Takes::Count, Default::Needed, "how many characters are added"),
        setting("seed", Takes::Whole, Default::Is("that of the program"), "of the random choices"),
        setting(
            "data",
            Takes::Data,
            Default::Is("the only text of the program"),
            "whose text numbers the characters",
        ),
    ],
};

pub const PLOT: Group = Group {
    item: "plot",
    word: "option",
    code: "E0622",
    foreign: None,
    settings: &[
        setting("title", Takes::Text, Default::Nothing, "what stands above the picture"),
        setting(
            "kind",
            Takes::Text,
            Default::Is("\"curves\""),
            "`curves`, `points`, `bars`, `histogram`, `heat`, `images`, `regions` or `levels`",
        ),
        setting("x_label", Takes::Text, Default::Nothing, "what stands below the picture"),
        setting("y_label", Takes::Text, Default::Nothing, "what stands at its left side"),
        setting("names", Takes::Texts, Default::Is("their expressions"), "of the curves, in order"),
        setting("labels", Takes::Texts, Default::Is("numbers"), "of bars, images, classes, or rows and columns"),
        setting("bins", Takes::Count, Default::Is("by the number of rows"), "the bars of a histogram"),
    ],
};

pub const GROUPS: &[&Group] = &[&DATA, &SPLIT, &WINDOWS, &TRAIN, &COMPANION, &MINIMIZE, &GENERATE, &PLOT, &SWEEP, &TRIED];

const PATH: Setting = setting("path", Takes::Text, Default::Needed, "relative to the `.nn` file");

const fn source(name: &'static str, doc: &'static str) -> Call {
    Call { name, parameters: &[PATH], named_only: 1, repeats: false, code: "E0604", doc }
}

pub const SOURCES: &[Call] = &[
    Call {
        name: "csv",
        parameters: &[
            PATH,
            setting(
                "header",
                Takes::Flag,
                Default::Is("what the first lines say"),
                "whether the first line has the names of the columns",
            ),
            setting(
                "separator",
                Takes::Character,
                Default::Is("\",\""),
                "what stands between the fields of a line",
            ),
            setting("decimal", Takes::Character, Default::Is("\".\""), "the decimal point of numbers"),
            setting(
                "thousands",
                Takes::Character,
                Default::Nothing,
                "what stands between groups of three digits",
            ),
        ],
        named_only: 1,
        repeats: false,
        code: "E0604",
        doc: "a table as text, plain or gzipped",
    },
    source("npy", "an array of NumPy"),
    source("npz", "several arrays of NumPy, by name"),
    source("safetensors", "arrays by name"),
    source("idx", "an array as MNIST has it, or a folder of such files"),
    Call {
        name: "images",
        parameters: &[
            PATH,
            setting(
                "nested",
                Takes::Flag,
                Default::Is("false"),
                "whether images in folders within the folders of the classes are read, too",
            ),
        ],
        named_only: 1,
        repeats: false,
        code: "E0604",
        doc: "a folder of PNG and JPEG files, or of such folders, one for each class",
    },
    source("text", "a text in UTF-8, plain or gzipped"),
];

const NAMES: Setting = setting(
    "names",
    Takes::Texts,
    Default::Is("all names found, in sorted order"),
    "the names of the classes, in the order of their numbers",
);

const fn reader(
    name: &'static str,
    parameters: &'static [Setting],
    named_only: usize,
    doc: &'static str,
) -> Call {
    Call { name, parameters, named_only, repeats: false, code: "E0603", doc }
}

/// Windows over the rows of data that is no text.
pub const ROW_WINDOW: Call = reader(
    "window",
    &[
        setting("values", Takes::Expression, Default::Needed, "an expression for one row"),
        setting("length", Takes::Count, Default::Needed, "how many rows"),
        setting("shift", Takes::Whole, Default::Is("0"), "how many rows further on"),
    ],
    3,
    "the values of this row and those that follow it, in the order of the rows",
);

/// The calls that read columns of a source.
pub const COLUMNS: &[Call] = &[
    reader(
        "column",
        &[setting("column", Takes::Column, Default::Needed, "its number from 0, or its name"), NAMES],
        1,
        "a column of a csv file",
    ),
    Call {
        name: "columns",
        parameters: &[setting("columns", Takes::ColumnRange, Default::Needed, "`0:4`, or names"), NAMES],
        named_only: 1,
        repeats: true,
        code: "E0603",
        doc: "several columns of a csv file",
    },
    reader(
        "tensor",
        &[setting(
            "name",
            Takes::Text,
            Default::Is("the file's only array"),
            "an array of the file, or a file of the folder",
        )],
        1,
        "an array of an npy, npz, safetensors or idx file",
    ),
    reader(
        "pixels",
        &[setting(
            "fit",
            Takes::Text,
            Default::Is("all have the field's size"),
            "images are scaled to the field's size: `cover` (and cut at the sides), `contain` (with black sides), \
             `stretch`",
        )],
        0,
        "images as numbers from 0 to 255",
    ),
    reader("labels", &[NAMES], 0, "the number of the folder that an image is in"),
    reader(
        "window",
        &[
            setting("length", Takes::Count, Default::Needed, "how many characters"),
            setting("shift", Takes::Whole, Default::Is("0"), "how many characters further on"),
        ],
        2,
        "of a text: the numbers of the characters from each character on",
    ),
    ROW_WINDOW,
    reader(
        "fill",
        &[
            setting("values", Takes::Expression, Default::Needed, "`column(…)` or `columns(…)`"),
            setting(
                "with",
                Takes::Filling,
                Default::Needed,
                "`mean`, `median` or `mode`, that of the training part, or a number",
            ),
        ],
        2,
        "columns in which values may be missing, and what stands in for these",
    ),
    reader(
        "date",
        &[
            setting("column", Takes::Expression, Default::Needed, "`column(…)`"),
            setting(
                "part",
                Takes::Text,
                Default::Is("\"days\""),
                "days since 1970, or year, month, day, weekday (Monday is 0), yearday, hour, minute, second",
            ),
            setting("order", Takes::Text, Default::Is("\"ymd\""), "how dates are written: ymd, dmy or mdy"),
        ],
        1,
        "points in time as numbers",
    ),
    reader(
        "category",
        &[
            setting("column", Takes::Expression, Default::Needed, "`column(…)`"),
            setting(
                "names",
                Takes::Texts,
                Default::Is("the most frequent of the training part"),
                "the names that have a class, in the order of their numbers",
            ),
        ],
        1,
        "names as a field `class(n)`: n - 1 of them have a class, all others have the last one",
    ),
    reader(
        "words",
        &[setting("column", Takes::Expression, Default::Needed, "`column(…)`")],
        1,
        "a text as a field `class(n)[length]`: 0 behind its end, 1 for unknown words, n - 2 words have a number",
    ),
    reader(
        "characters",
        &[setting("column", Takes::Expression, Default::Needed, "`column(…)`")],
        1,
        "the same of its characters",
    ),
    reader(
        "pairs",
        &[setting("column", Takes::Expression, Default::Needed, "`column(…)`")],
        1,
        "the same of frequent parts of words, by byte-pair encoding",
    ),
    reader(
        "is_missing",
        &[setting("columns", Takes::Expression, Default::Needed, "`column(…)` or `columns(…)`")],
        1,
        "whether values are missing",
    ),
    reader(
        "standardize",
        &[setting("values", Takes::Expression, Default::Needed, "an expression for one row")],
        1,
        "(e - mean) / standard deviation of the training part",
    ),
];

const BY: Setting = setting("by", Takes::Text, Default::Is("the loss"), "the name of a metric of the `train`");
const GREATEST: Setting = setting("greatest", Takes::Flag, Default::Is("false"), "whether more of it is better");

/// The calls that are values of settings.
pub const VALUES: &[Call] = &[
    Call {
        name: "patience",
        parameters: &[
            setting("epochs", Takes::Count, Default::Needed, "how many without a better loss"),
            BY,
            GREATEST,
        ],
        named_only: 1,
        repeats: false,
        code: "E0614",
        doc: "the value of `stop` and `plateau`",
    },
    Call {
        name: "best",
        parameters: &[BY, GREATEST],
        named_only: 0,
        repeats: false,
        code: "E0834",
        doc: "the value of `keep`; `best` alone is by the loss, or by what `stop` watches",
    },
    Call {
        name: "safetensors",
        parameters: &[
            PATH,
            setting("prefix", Takes::Text, Default::Is("\"\""), "of the names in the file"),
            setting(
                "only",
                Takes::Texts,
                Default::Is("all"),
                "layers or parameters that are read, by the beginning of their paths",
            ),
            setting("except", Takes::Texts, Default::Nothing, "those that keep their starting values"),
        ],
        named_only: 1,
        repeats: false,
        code: "E0614",
        doc: "the value of `init`",
    },
];
