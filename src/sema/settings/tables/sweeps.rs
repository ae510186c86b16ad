//! The settings of a `sweep`, and the options of its lines.

use super::{Default, GREATEST, Group, Takes, setting};

pub const SWEEP: Group = Group {
    item: "sweep",
    word: "setting",
    code: "E0786",
    foreign: None,
    settings: &[
        setting("trials", Takes::Count, Default::Is("all combinations"), "so many combinations at random"),
        setting("seed", Takes::Whole, Default::Is("0"), "of `trials`: another seed tries other values"),
        setting("points", Takes::Count, Default::Is("5"), "how many values of a range are tried without `trials`"),
        setting(
            "by",
            Takes::Text,
            Default::Is("the loss of the validation, or the loss"),
            "the score by which trials are ordered: `\"loss\"` or the name of a metric, or one of these with \
             `validation ` in front",
        ),
        GREATEST,
        setting(
            "keep",
            Takes::Count,
            Default::Is("all"),
            "so many best trials stay; predictions of the sweep are the mean of theirs",
        ),
    ],
};

pub const TRIED: Group = Group {
    item: "sweep … in",
    word: "option",
    code: "E0786",
    foreign: None,
    settings: &[
        setting("log", Takes::Flag, Default::Is("false"), "`true`: values lie evenly on a logarithmic scale"),
        setting("whole", Takes::Flag, Default::Is("false"), "`true`: whole numbers only"),
    ],
};
