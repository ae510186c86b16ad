//! The page as text: everything that it needs stands in it.

use crate::cli::plot::escaped;

const STYLE: &str = "\
body{font:16px/1.5 Helvetica,Arial,sans-serif;color:#222;max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.2rem;margin:2.2rem 0 .6rem;border-bottom:1px solid #ddd}\
.headline{font-size:1.35rem;font-weight:bold;margin:.6rem 0}.note{color:#666}\
table{border-collapse:collapse;margin:.6rem 0;font-size:.95rem}td,th{padding:.25rem .7rem;text-align:right}\
th{font-weight:600;background:#f4f4f4}td:first-child,th:first-child{text-align:left}\
.wide{overflow-x:auto}.pairs td{text-align:left;vertical-align:top;word-break:break-all}\
.confusion td,.confusion th{border:1px solid #fff;min-width:3.2rem;text-align:center}\
pre{background:#f6f6f6;padding:.8rem 1rem;overflow-x:auto;font-size:.85rem;line-height:1.35}\
svg{max-width:100%;height:auto}@media print{pre{white-space:pre-wrap}}";

/// A page that is being written.
pub struct Page {
    text: String,
}

impl Page {
    pub fn new(title: &str) -> Page {
        let title = escaped(title);
        let text = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
             content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <h1>{title}</h1>\n"
        );
        Page { text }
    }

    pub fn finish(mut self) -> String {
        self.text.push_str("</body>\n</html>\n");
        self.text
    }

    fn element(&mut self, name: &str, class: &str, text: &str) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        self.text.push_str(&format!("<{name}{class}>{}</{name}>\n", escaped(text)));
    }

    pub fn heading(&mut self, text: &str) {
        self.element("h2", "", text);
    }

    pub fn headline(&mut self, text: &str) {
        self.element("p", "headline", text);
    }

    pub fn paragraph(&mut self, text: &str) {
        self.element("p", "", text);
    }

    pub fn note(&mut self, text: &str) {
        self.element("p", "note", text);
    }

    pub fn preformatted(&mut self, text: &str) {
        self.element("pre", "", text);
    }

    /// An SVG picture.
    pub fn picture(&mut self, svg: &str) {
        self.text.push_str(&format!("<figure>{svg}</figure>\n"));
    }

    /// Names and what belongs to them.
    pub fn pairs(&mut self, pairs: &[(String, String)]) {
        self.text.push_str("<table class=\"pairs\">\n");
        for (name, value) in pairs {
            self.text.push_str(&format!("<tr><td>{}</td><td>{}</td></tr>\n", escaped(name), escaped(value)));
        }
        self.text.push_str("</table>\n");
    }

    pub fn table(&mut self, header: &[String], rows: &[Vec<String>]) {
        let line = |cells: &[String], name: &str| {
            let cells: String = cells.iter().map(|cell| format!("<{name}>{}</{name}>", escaped(cell))).collect();
            format!("<tr>{cells}</tr>\n")
        };
        self.text.push_str("<div class=\"wide\"><table>\n");
        self.text.push_str(&line(header, "th"));
        rows.iter().for_each(|row| self.text.push_str(&line(row, "td")));
        self.text.push_str("</table></div>\n");
    }

    /// How many rows of each class are predicted as which, the shares of a row as shades.
    pub fn confusion(&mut self, names: &[String], counts: &[Vec<u64>]) {
        self.text.push_str("<div class=\"wide\"><table class=\"confusion\">\n<tr><th>is \\ predicted</th>");
        names.iter().for_each(|name| self.text.push_str(&format!("<th>{}</th>", escaped(name))));
        self.text.push_str("<th>found</th></tr>\n");
        for (class, (name, row)) in names.iter().zip(counts).enumerate() {
            let all: u64 = row.iter().sum();
            self.text.push_str(&format!("<tr><th>{}</th>", escaped(name)));
            for (predicted, count) in row.iter().enumerate() {
                let part = *count as f64 / all.max(1) as f64;
                // Blue for what is right, orange for what is wrong.
                let colour = if class == predicted { "0,114,178" } else { "213,94,0" };
                let ink = if part > 0.55 { "#fff" } else { "#222" };
                self.text.push_str(&format!(
                    "<td style=\"background:rgba({colour},{:.3});color:{ink}\">{count}</td>",
                    part.sqrt()
                ));
            }
            let found = row.get(class).map_or(0.0, |right| *right as f64 / all.max(1) as f64);
            let found = if all == 0 { "-".to_owned() } else { share(found) };
            self.text.push_str(&format!("<td>{found}</td></tr>\n"));
        }
        self.text.push_str("</table></div>\n");
    }
}

/// `98.7 %`
pub fn share(value: f64) -> String {
    let percent = value * 100.0;
    // What is not all is not rounded to all.
    if value < 1.0 && percent > 99.95 { ">99.9 %".to_owned() } else { format!("{percent:.1} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_text() {
        let mut page = Page::new("a <b>");
        page.table(&["<x>".into()], &[vec!["\"&\"".into()]]);
        let text = page.finish();
        assert!(text.contains("<h1>a &lt;b&gt;</h1>"));
        assert!(text.contains("<th>&lt;x&gt;</th>") && text.contains("<td>&quot;&amp;&quot;</td>"));
    }

    #[test]
    fn shares() {
        assert_eq!(share(1.0), "100.0 %");
        assert_eq!(share(0.9999), ">99.9 %");
        assert_eq!(share(0.125), "12.5 %");
    }
}
