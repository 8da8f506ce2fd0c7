//! A plot with two logarithmic axes, as SVG.

use std::fmt::Write;

/// Points that belong together.
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) colour: &'a str,
    pub(crate) points: &'a [(f64, f64)],
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 70.0;
/// Room for the names of the lines, which stand at their ends.
const RIGHT: f64 = 110.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 60.0;

/// One axis: whole powers of ten that hold every value, and where on the picture they are.
struct Axis {
    first: i32,
    last: i32,
    from: f64,
    to: f64,
}

impl Axis {
    fn around(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min).log10();
        let most = values.fold(f64::NEG_INFINITY, f64::max).log10();
        #[expect(clippy::cast_possible_truncation, reason = "powers of ten")]
        let (low, high) = (least.floor() as i32, most.ceil() as i32);
        Self { first: low, last: high.max(low + 1), from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.first)) / f64::from(self.last - self.first);
        self.from + share * (self.to - self.from)
    }

    /// Powers of ten, with their names.
    fn marks(&self) -> impl Iterator<Item = (f64, String)> {
        (self.first..=self.last).map(|power| {
            let value = 10_f64.powi(power);
            (self.place(value), if power < 0 { format!("{value}") } else { thousands(&format!("{value:.0}")) })
        })
    }
}

/// Draws lines. Values must be above zero.
pub(crate) fn plot(title: &str, (x_name, y_name): (&str, &str), lines: &[Line<'_>]) -> String {
    let points = || lines.iter().flat_map(|line| line.points.iter());
    let x = Axis::around(points().map(|point| point.0), LEFT, WIDTH - RIGHT);
    let y = Axis::around(points().map(|point| point.1), HEIGHT - BOTTOM, TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"16\">{title}</text>\n"
    );
    for (at, name) in x.marks() {
        let (bottom, label) = (HEIGHT - BOTTOM, HEIGHT - BOTTOM + 20.0);
        let _ = writeln!(svg, "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/>");
        let _ = writeln!(svg, "<text x=\"{at:.1}\" y=\"{label}\" text-anchor=\"middle\">{name}</text>");
    }
    for (at, name) in y.marks() {
        let (right, label) = (WIDTH - RIGHT, LEFT - 8.0);
        let _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#ddd\"/>");
        let _ = writeln!(svg, "<text x=\"{label}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>", at + 4.0);
    }
    let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
    let _ = writeln!(svg, "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{x_name}</text>", HEIGHT - 14.0);
    let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{y_name}</text>", LEFT - 8.0, TOP - 12.0);
    for Line { name, colour, points } in lines {
        let places: Vec<_> = points.iter().map(|point| (x.place(point.0), y.place(point.1))).collect();
        let path: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>",
            path.join(" ")
        );
        for (x, y) in &places {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>");
        }
        if let Some((x, y)) = places.last() {
            let (x, y) = (x + 9.0, y + 4.0);
            let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{colour}\">{name}</text>");
        }
    }
    svg + "</svg>\n"
}

/// Digits in groups of three.
fn thousands(digits: &str) -> String {
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_of_ten_further_is_one_mark_further() {
        let axis = Axis::around([20.0, 3_000.0].into_iter(), 0.0, 300.0);
        assert_eq!((axis.first, axis.last), (1, 4));
        assert!((axis.place(100.0) - 100.0).abs() < 1e-9 && (axis.place(10_000.0) - 300.0).abs() < 1e-9);
        let names: Vec<_> = axis.marks().map(|(_, name)| name).collect();
        assert_eq!(names, ["10", "100", "1,000", "10,000"]);
    }

    #[test]
    fn every_point_is_within_the_picture() {
        let points = [(1e3, 0.02), (1e7, 61.0)];
        let svg = plot("t", ("x", "y"), &[Line { name: "n", colour: "#000", points: &points }]);
        // 0.02 is between 0.01 and 0.1, 61 between 10 and 100; the first and the last power of ten of x are the edges.
        assert!(svg.contains(&format!("cx=\"{LEFT:.1}\"")) && svg.contains(&format!("cx=\"{:.1}\"", WIDTH - RIGHT)));
        assert!(svg.contains(">0.01<") && svg.contains(">100<") && svg.contains(">10,000,000<"), "{svg}");
    }
}
