//! Pictures.

use super::Graph;
use crate::base::Span;

#[derive(Clone, Debug)]
pub struct Plot {
    pub span: Span,
    /// Outputs `x` and `y0`, `y1`, …, or whatever `kind` asks for.
    pub graph: Graph,
    pub kind: PlotKind,
    pub title: String,
    pub x_label: String,
    pub y_label: String,
    /// The names of the curves, in order; none if they are called after their expressions.
    pub names: Vec<String>,
    /// The names of bars, images, classes, or rows and columns.
    pub labels: Vec<String>,
    /// Into how many parts a histogram divides its numbers.
    pub bins: Option<usize>,
    /// The texts of the expressions of `y0`, `y1`, ….
    pub series: Vec<String>,
}

/// What a picture is made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum PlotKind {
    /// `y0`, `y1`, … over `x`, joined where `x` never goes back.
    #[default]
    Curves,
    /// The same, never joined.
    Points,
    /// A bar for each number.
    Bars,
    /// How often numbers lie in each part of their range.
    Histogram,
    /// A matrix as colours.
    Heat,
    /// Pictures, side by side.
    Images,
    /// Of points `x` (two columns) the class `y0`, or the greatest of its columns; with points `y1`, of classes `y2`.
    Regions,
    /// Of points `x` the height `y0`; with points as those of regions.
    Levels,
}

impl PlotKind {
    pub const ALL: [PlotKind; 8] = [
        PlotKind::Curves,
        PlotKind::Points,
        PlotKind::Bars,
        PlotKind::Histogram,
        PlotKind::Heat,
        PlotKind::Images,
        PlotKind::Regions,
        PlotKind::Levels,
    ];

    /// The word for it in a program.
    pub fn name(self) -> &'static str {
        match self {
            PlotKind::Curves => "curves",
            PlotKind::Points => "points",
            PlotKind::Bars => "bars",
            PlotKind::Histogram => "histogram",
            PlotKind::Heat => "heat",
            PlotKind::Images => "images",
            PlotKind::Regions => "regions",
            PlotKind::Levels => "levels",
        }
    }

    /// Whether the tensors are columns with the same number of rows.
    pub fn has_rows(self) -> bool {
        matches!(self, PlotKind::Curves | PlotKind::Points | PlotKind::Bars)
    }

    /// Whether it shows what a function of two numbers gives.
    pub fn is_plane(self) -> bool {
        matches!(self, PlotKind::Regions | PlotKind::Levels)
    }
}
