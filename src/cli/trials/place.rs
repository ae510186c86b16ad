//! Where in the text of a program a name has its value: a constant, a setting of `train`, an argument of an optimizer.

use crate::base::order::PutInOrder;
use crate::base::SourceMap;
use crate::cli::settings::Settings;
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
    for (name, value) in names.iter().zip(values) {
        let is_const = |item: &&ast::Item| matches!(&item.kind, ast::ItemKind::Const(constant) if constant.name.as_str() == *name);
        if let Some(ast::Item { kind: ast::ItemKind::Const(constant), .. }) = file.items.iter().find(is_const) {
            let span = constant.value.span;
            edits.push((span.start as usize, span.end as usize, value.clone()));
            continue;
        }
        if TRAIN.names().contains(name) {
            settings.add(name, value.clone())?;
            continue;
        }
        let found = arguments(&file, name);
        if found.is_empty() {
            return Err(format!(
                "the program has no constant `{name}`, and no optimizer with the argument `{name} = …`; settings of \
                 `train` are {}",
                TRAIN.names().join(", ")
            ));
        }
        edits.extend(found.into_iter().map(|(start, end)| (start, end, value.clone())));
    }
    edits.put_in_order();
    let mut new = text.to_owned();
    for (start, end, value) in edits.into_iter().rev() {
        new.replace_range(start..end, &value);
    }
    Ok(settings.written_into(&new))
}

/// Where arguments of a name stand in the optimizers of a file.
fn arguments(file: &ast::File, name: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for train in file.trainings() {
        for minimize in &train.minimize {
            for optimizer in minimize.optimizers() {
                crate::sema::walk::expr(optimizer, &mut |expr| {
                    let ast::ExprKind::Call { args, .. } = &expr.kind else { return };
                    let is_named = |arg: &&ast::Arg| arg.name.as_ref().is_some_and(|word| word.as_str() == name);
                    let named = args.args.iter().filter(is_named);
                    found.extend(named.map(|arg| (arg.value.span.start as usize, arg.value.span.end as usize)));
                });
            }
        }
    }
    found
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
