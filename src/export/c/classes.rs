//! Classes: how many, what they are called, how probable each is.

use super::api::Api;
use super::file::File;
use super::values::string;
use crate::backend::c::text::Text;
use crate::runtime::answers::meaning::{Probabilities, Reading};

impl File<'_> {
    /// How many classes there are, and how probabilities follow from the results.
    fn classes(&self) -> Option<(usize, usize, Probabilities)> {
        let meaning = self.deployed.meaning.as_ref()?;
        if !self.deployed.graph.outputs.iter().all(|output| self.deployed.has_rows(output.node)) {
            return None;
        }
        match meaning.reading {
            Reading::Classes(classes, of) => Some((classes, meaning.row.iter().product(), of)),
            Reading::Truth(_) | Reading::Numbers => None,
        }
    }

    /// Whether a result says a class.
    pub fn has_classes(&self) -> bool {
        self.classes().is_some()
    }

    /// How many classes have a probability, if it is known.
    pub fn count_of_probabilities(&self) -> Option<usize> {
        self.classes().filter(|(_, _, of)| *of != Probabilities::Unknown).map(|(classes, _, _)| classes)
    }

    pub fn declare_classes(&self, text: &mut Text) {
        let (prefix, linkage) = (&self.prefix, self.linkage());
        let Some((classes, _, of)) = self.classes() else { return };
        text.line("/* The number of the class that a result says. */");
        text.line(format!("{linkage}int {prefix}class({prefix}result const *result);\n"));
        if of != Probabilities::Unknown {
            text.line("/* The probability of each class. */");
            text.line(format!("{linkage}void {prefix}probabilities({prefix}result const *result, double probabilities[{classes}]);\n"));
        }
        if let (Some(names), None) = (&self.deployed.names, &self.machine) {
            text.line("/* What the classes are called. */");
            text.line(format!("extern const char *const {prefix}class_names[{}];\n", names.len().max(1)));
        }
    }

    pub fn names(&self, api: &Api) -> String {
        let mut text = String::new();
        let members = api.row.iter().filter_map(|field| Some((format!("names_of_{}", field.name), field.names.clone()?)));
        let classes = self.classes().and(self.deployed.names.clone()).map(|names| ("class_names".to_owned(), names));
        for (name, names) in members.chain(classes) {
            let all: Vec<String> = names.iter().map(|name| format!("    {},\n", string(name))).collect();
            let all = if all.is_empty() { "    \"\"\n".to_owned() } else { all.concat() };
            let linkage = if self.machine.is_some() { "static " } else { "" };
            text.push_str(&format!("\n{linkage}const char *const {}{name}[{}] = {{\n{all}}};\n", self.prefix, names.len().max(1)));
        }
        text
    }

    /// The functions that find the number of a name.
    pub fn numbers(&self, api: &Api) -> String {
        let (prefix, linkage) = (&self.prefix, self.linkage());
        let mut text = Text::default();
        for member in &api.row {
            let Some(names) = &member.names else { continue };
            let count = names.len();
            let none = if member.has_other { count.saturating_sub(1).to_string() } else { "-1".to_owned() };
            text.line(format!("\n{linkage}int32_t {prefix}number_of_{}(const char *name)\n{{", member.name));
            text.depth = 1;
            text.open(format!("for (int32_t number = 0; number < {count}; ++number)"));
            text.line(format!("const char *a = {prefix}names_of_{}[number], *b = name;", member.name));
            text.line("while (*a && *a == *b) ++a, ++b;");
            text.line("if (*a == *b) return number;");
            text.close();
            text.line(format!("return {none};"));
            text.close();
        }
        text.text
    }

    pub fn define_classes(&self, api: &Api) -> String {
        let (prefix, linkage) = (&self.prefix, self.linkage());
        let (Some((classes, count, of)), Some(result)) = (self.classes(), api.results.first()) else {
            return String::new();
        };
        let of_result = |at: &str| match result.is_array() {
            true => format!("result->{}[{at}]", result.name),
            false => format!("result->{}", result.name),
        };
        let first = of_result("0");
        let mut text = Text::default();
        text.line(format!("\n{linkage}int {prefix}class({prefix}result const *result)\n{{"));
        text.depth = 1;
        if count == 1 {
            let bound = if of == Probabilities::Themselves { "0.5" } else { "0" };
            text.line(format!("return {first} > {bound};"));
        } else {
            text.line("int best = 0;");
            text.line(format!("for (int at = 1; at < {count}; ++at) if ({} > {}) best = at;", of_result("at"), of_result("best")));
            text.line("return best;");
        }
        text.close();
        if of == Probabilities::Unknown {
            return text.text;
        }
        text.line(format!("\n{linkage}void {prefix}probabilities({prefix}result const *result, double probabilities[{classes}])\n{{"));
        text.depth = 1;
        match (count, of) {
            (1, Probabilities::Themselves) => {
                text.line(format!("probabilities[0] = 1.0 - (double){first};"));
                text.line(format!("probabilities[1] = (double){first};"));
            }
            (1, _) => {
                text.line(format!("const double score = (double){first};"));
                text.line("const double power = exp(-fabs(score)), least = power / (1.0 + power), most = 1.0 / (1.0 + power);");
                text.line("probabilities[0] = score >= 0 ? least : most;");
                text.line("probabilities[1] = score >= 0 ? most : least;");
            }
            (_, Probabilities::Themselves) => {
                text.line(format!("for (int at = 0; at < {count}; ++at) probabilities[at] = (double){};", of_result("at")));
            }
            (..) => {
                text.line(format!("const double greatest = (double){};", of_result(&format!("{prefix}class(result)"))));
                text.line("double sum = 0;");
                text.open(format!("for (int at = 0; at < {count}; ++at)"));
                text.line(format!("probabilities[at] = exp((double){} - greatest);", of_result("at")));
                text.line("sum += probabilities[at];");
                text.close();
                text.line(format!("for (int at = 0; at < {count}; ++at) probabilities[at] /= sum;"));
            }
        }
        text.close();
        text.text
    }
}
