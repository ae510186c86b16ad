//! Pictures of `plot` lines: a sketch for the terminal, an SVG file for `--plots`.

mod axis;
mod sketch;
mod svg;

use axis::Axis;

use crate::runtime::array::Array;
use crate::runtime::events::Chart;

pub use sketch::sketch;
pub use svg::svg;

/// A chart with everything that a picture needs.
pub struct Curves {
    title: String,
    curves: Vec<Curve>,
    x: Axis,
    y: Axis,
}

/// One curve.
struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
    /// Whether its points are joined: their x never goes back. What jumps about is a cloud of points.
    joined: bool,
}

impl Curves {
    /// The curves of a chart: each column of `y0`, `y1`, … over `x`, or over 0, 1, 2 … without one. Points that
    /// are not finite are gaps.
    pub fn of(chart: &Chart) -> Curves {
        let column =
            |name: &str| chart.columns.iter().find(|(column, _)| &**column == name).map(|(_, array)| array);
        let x = column("x").map(Array::to_f64);
        let mut curves = Vec::new();
        for (number, name) in chart.series.iter().enumerate() {
            let Some(array) = column(&format!("y{number}")) else { continue };
            let (values, width) = (array.to_f64(), array.row_len().max(1));
            for at in 0..width {
                let name = if width > 1 { format!("{name}[{at}]") } else { name.clone() };
                let y = values.iter().skip(at).step_by(width).copied();
                let points: Vec<(f64, f64)> = match &x {
                    Some(x) => x.iter().copied().zip(y).collect(),
                    None => y.enumerate().map(|(at, y)| (at as f64, y)).collect(),
                };
                let joined = points.windows(2).all(|pair| pair[0].0 <= pair[1].0);
                curves.push(Curve { name, points, joined });
            }
        }
        let finite = |pick: fn(&(f64, f64)) -> f64| {
            curves.iter().flat_map(|curve| &curve.points).map(pick).filter(|value| value.is_finite())
        };
        let (x, y) = (Axis::around(finite(|point| point.0)), Axis::around(finite(|point| point.1)));
        Curves { title: chart.title.clone(), curves, x, y }
    }
}

impl Curve {
    /// The runs of finite points.
    fn runs(&self) -> impl Iterator<Item = &[(f64, f64)]> {
        self.points.split(|(x, y)| !x.is_finite() || !y.is_finite()).filter(|run| !run.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(x: Option<&[f32]>, ys: &[(&str, &[f32])]) -> Chart {
        let floats = |values: &[f32]| Array::floats(&[values.len()], values).unwrap();
        let mut columns: Vec<_> = x.into_iter().map(|x| ("x".into(), floats(x))).collect();
        columns.extend(ys.iter().enumerate().map(|(at, (_, y))| (format!("y{at}").into(), floats(y))));
        let series = ys.iter().map(|(name, _)| (*name).to_owned()).collect();
        Chart { title: "a < b".into(), columns, series }
    }

    #[test]
    fn a_line_and_a_cloud() {
        let line = Curves::of(&chart(None, &[("loss", &[4.0, 2.0, 1.0, 0.5])]));
        assert!(line.curves[0].joined);
        assert_eq!(line.curves[0].points[3], (3.0, 0.5));
        let cloud = Curves::of(&chart(Some(&[1.0, 0.0, 2.0]), &[("y", &[1.0, 2.0, f32::NAN])]));
        assert!(!cloud.curves[0].joined);
        assert_eq!(cloud.curves[0].runs().map(<[_]>::len).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_sketch() {
        let rising: Vec<f32> = (0..64).map(|at| at as f32 / 63.0).collect();
        let text = sketch(&Curves::of(&chart(Some(&rising), &[("y", &rising)])));
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[0], "a < b");
        assert!(rows[1].trim_start().starts_with("1 ┤") && rows[1].ends_with('•'), "{text}");
        assert!(text.contains("0 ┤•"), "{text}");
        assert_eq!(rows.iter().filter(|row| row.contains('•')).count(), 17, "{text}");
    }

    #[test]
    fn a_picture() {
        let text =
            svg(&Curves::of(&chart(None, &[("p", &[1.0, 3.0, 2.0]), ("q", &[1.0, f32::INFINITY, 0.0])])));
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        assert!(text.contains("a &lt; b") && text.contains(">p<") && text.contains(">q<"));
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }

    #[test]
    fn nothing_to_see() {
        let empty = Curves::of(&chart(None, &[("y", &[f32::NAN, f32::NAN])]));
        assert!(sketch(&empty).contains("no finite"));
        assert!(svg(&empty).contains("<svg"));
    }
}
