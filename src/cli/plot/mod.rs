//! Pictures of `plot` lines: a sketch for the terminal, SVG and PNG files for `--plots`.
//!
//! A chart becomes a [`Drawing`], shapes on an area of 720 by 440; [`svg`] and [`png`] write the shapes. A sketch is
//! made of the chart itself.

mod axis;
mod bars;
mod cells;
mod curves;
pub mod drawing;
mod font;
mod frame;
mod plane;
mod raster;
mod shades;
mod sketch;
mod svg;

use crate::ir::program::PlotKind;
use crate::runtime::events::Chart;
use drawing::Drawing;

pub use raster::png;
pub use svg::{escaped, svg};

/// The picture of a chart.
pub fn draw(chart: &Chart) -> Drawing {
    match chart.kind {
        PlotKind::Curves | PlotKind::Points => curves::draw(chart),
        PlotKind::Bars => bars::draw(chart),
        PlotKind::Histogram => bars::histogram(chart),
        PlotKind::Heat => cells::heat(chart),
        PlotKind::Images => cells::images(chart),
        // Points that are no lattice have no regions; where they are can be seen.
        PlotKind::Regions | PlotKind::Levels => {
            plane::draw(chart).unwrap_or_else(|| curves::draw(&places(chart)))
        }
    }
}

/// The chart as lines of text, without a line end.
pub fn sketch(chart: &Chart) -> String {
    match chart.kind {
        PlotKind::Curves | PlotKind::Points => sketch::curves(chart),
        PlotKind::Bars => shades::bars(chart),
        PlotKind::Histogram => shades::histogram(chart),
        PlotKind::Heat => shades::heat(chart),
        PlotKind::Images => shades::images(chart),
        PlotKind::Regions | PlotKind::Levels => {
            shades::plane(chart).unwrap_or_else(|| sketch::curves(&places(chart)))
        }
    }
}

/// The points of a plane as a cloud.
fn places(chart: &Chart) -> Chart {
    let both = chart.column("x").map(|array| array.to_f64().into_owned()).unwrap_or_default();
    let part = |from: usize| both.iter().skip(from).step_by(2).copied().collect::<Vec<f64>>();
    let mut cloud = Chart::curves(&chart.title, &part(0), &[("points".to_owned(), part(1))]);
    cloud.kind = PlotKind::Points;
    cloud
}

#[cfg(test)]
mod tests {
    use super::curves::Curves;
    use super::*;

    fn chart(x: Option<&[f64]>, ys: &[(&str, &[f64])]) -> Chart {
        let series: Vec<_> = ys.iter().map(|(name, y)| ((*name).to_owned(), y.to_vec())).collect();
        let count: Vec<f64> = (0..ys[0].1.len()).map(|at| at as f64).collect();
        Chart::curves("a < b", x.unwrap_or(&count), &series)
    }

    fn picture(chart: &Chart) -> String {
        svg(&draw(chart))
    }

    #[test]
    fn a_line_and_a_cloud() {
        let falling = chart(None, &[("loss", &[4.0, 2.0, 1.0, 0.5])]);
        let line = Curves::of(&falling);
        assert!(line.curves[0].joined);
        assert_eq!(line.curves[0].points[3], (3.0, 0.5));
        let jumping = chart(Some(&[1.0, 0.0, 2.0]), &[("y", &[1.0, 2.0, f64::NAN])]);
        let cloud = Curves::of(&jumping);
        assert!(!cloud.curves[0].joined);
        assert_eq!(cloud.curves[0].runs().map(<[_]>::len).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_sketch() {
        let rising: Vec<f64> = (0..64).map(|at| f64::from(at) / 63.0).collect();
        let text = sketch(&chart(Some(&rising), &[("y", &rising)]));
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[0], "a < b");
        assert!(rows[1].trim_start().starts_with("1 ┤") && rows[1].ends_with('•'), "{text}");
        assert!(text.contains("0 ┤•"), "{text}");
        assert_eq!(rows.iter().filter(|row| row.contains('•')).count(), 17, "{text}");
    }

    #[test]
    fn a_picture() {
        let text = picture(&chart(None, &[("p", &[1.0, 3.0, 2.0]), ("q", &[1.0, f64::INFINITY, 0.0])]));
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        assert!(text.contains("a &lt; b") && text.contains(">p<") && text.contains(">q<"));
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }

    #[test]
    fn nothing_to_see() {
        let empty = chart(None, &[("y", &[f64::NAN, f64::NAN])]);
        assert!(sketch(&empty).contains("no finite"));
        assert!(picture(&empty).contains("<svg"));
        for kind in PlotKind::ALL {
            let nothing = Chart { kind, ..chart(None, &[("y", &[])]) };
            assert!(picture(&nothing).contains("<svg"), "{kind:?}");
            sketch(&nothing);
        }
    }

    #[test]
    fn levels_of_a_sum() {
        let at = |n: usize| ((n % 5) as f64, (n / 5) as f64);
        let sums: Vec<f64> = (0..20).map(|n| at(n).0 + at(n).1).collect();
        let mut plane = Chart::curves("", &[], &[("sum".to_owned(), sums)]);
        plane.kind = PlotKind::Levels;
        plane.columns[0].1 = crate::runtime::array::Array::floats(
            &[20, 2],
            &(0..20).flat_map(|n| [at(n).0 as f32, at(n).1 as f32]).collect::<Vec<f32>>(),
        )
        .unwrap();
        let found = plane::Plane::of(&plane).unwrap();
        assert_eq!((found.x.len(), found.y.len(), found.values[6]), (5, 4, 2.0));
        assert!(picture(&plane).contains("<image"));
    }
}
