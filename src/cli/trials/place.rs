//! Where in the text of a program a name has its value: a constant, a setting of `train`, an argument of an optimizer.

use crate::base::order::PutInOrder;
use crate::base::{SourceMap, Span};
use crate::cli::settings::Settings;
use crate::sema::items::sweep::{Place, place};
use crate::sema::settings::TRAIN;
use crate::syntax::{self, ast};

/// The text of a program with other values of some names.
///
/// # Errors
/// If the program has nothing of a name.
pub fn written(text: &str, names: &[&str], values: &[String]) -> Result<String, String> {
    let mut sources = SourceMap::default();
    let id = sources.add("program", text);
    let (file, _) = syntax::parse(id, text);
    let mut settings = Settings::default();
    let mut edits: Vec<(usize, usize, String)> = Vec::new();
    let items: Vec<&ast::Item> = file.items.iter().collect();
    for (name, value) in names.iter().zip(values) {
        let mut put = |span: Span| edits.push((span.start as usize, span.end as usize, value.clone()));
        match place(&items, name) {
            Some(Place::Constant(span)) => put(span),
            Some(Place::Arguments(spans)) => spans.into_iter().for_each(put),
            Some(Place::Setting) => settings.add(name, value.clone())?,
            None => {
                return Err(format!(
                    "the program has no constant `{name}`, and no optimizer with the argument `{name} = …`; settings \
                     of `train` are {}",
                    TRAIN.names().join(", ")
                ));
            }
        }
    }
    edits.put_in_order();
    let mut new = text.to_owned();
    for (start, end, value) in edits.into_iter().rev() {
        new.replace_range(start..end, &value);
    }
    Ok(settings.written_into(&new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_their_places() {
        let text = "const WIDTH = 8\ntrain {\n    data = d\n    minimize l(x) with Adam(lr = 0.1)\n    epochs = 3\n}\n";
        let values = ["16", "0.01", "5"].map(str::to_owned);
        let new = written(text, &["WIDTH", "lr", "epochs"], &values).unwrap();
        assert_eq!(
            new,
            "const WIDTH = 16\ntrain {\n    data = d\n    minimize l(x) with Adam(lr = 0.01)\n    epochs = 5\n}\n"
        );
        assert!(written(text, &["momentum"], &["0.9".to_owned()]).is_err());
    }
}
