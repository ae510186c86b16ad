//! Tests of the parser over whole programs.

use super::*;

fn programs() -> Vec<(String, String)> {
    let mut programs = Vec::new();
    for folder in ["tests/cases/parse", "models", "src/prelude"] {
        let path = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
        let Ok(entries) = std::fs::read_dir(path) else { continue };
        for entry in entries.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "nn") {
                let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
                programs.push((entry.path().display().to_string(), text));
            }
        }
    }
    programs.sort();
    programs
}

#[test]
fn programs_parse() {
    for (name, text) in programs() {
        let (tree, errors) = parse(FileId(0), &text);
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        assert!(!tree.items.is_empty() && tree.broken.is_empty(), "{name}");
    }
}

fn printed(text: &str) -> String {
    let (tree, errors) = parse(FileId(0), text);
    assert!(errors.is_empty(), "{text}: {errors:#?}");
    print::print(&tree)
}

fn value_of(expr: &str) -> String {
    let tree = printed(&format!("const a = {expr}\n"));
    tree.trim_end().trim_start_matches("const a ").to_string()
}

#[test]
fn operators_group_by_precedence() {
    let cases = [
        ("-x^2", "(- (^ x 2))"),
        ("-2 * i / D", "(/ (* (- 2) i) D)"),
        ("2^-x^2", "(^ 2 (- (^ x 2)))"),
        ("a - b - c", "(- (- a b) c)"),
        ("a + b @ c * d", "(+ a (* (@ b c) d))"),
        ("not p and q or r == s", "(or (and (not p) q) (== r s))"),
        ("not not p", "(not (not p))"),
        ("x < -1", "(< x (- 1))"),
        ("if p then 1 else 2 |> f", "(if p 1 (|> 2 f))"),
        ("1 + if p then 1 else 2 + 3", "(+ 1 (if p 1 (+ 2 3)))"),
        ("x |> f |> g(1)(2) |> h.k", "(|> x f (call (call g 1) 2) h.k)"),
        ("(a, b)", "(tuple a b)"),
        ("x.T @ w.T", "(@ x.T w.T)"),
        ("sum[i < N, j](x[i, j])", "(sum[(< i N) j] x[i j])"),
        ("max[0]", "max[0]"),
        ("x[:, -1, new, ..., ::2, 1:n - 1]", "x[(: _ _ _) (- 1) new ... (: _ _ 2) (: 1 (- n 1) _)]"),
        ("x[i - 1 else skip] + x[i else 0]", "(+ x[(- i 1) else skip] x[i else 0])"),
        ("\"a{x + 1}{{b}}\\n\"", "\"a{(+ x 1)}{b}\\n\""),
        ("fc{l + 1}x.{3}.weight_{k}", "fc{(+ l 1)}x.{3}.weight_{k}"),
        ("[1, ...s, 2.0, 1e3, 1_000]", "(list 1 ...s 2.0 1000.0 1000)"),
        ("columns(0:64, header = true)", "(call columns (: 0 64 _) header=true)"),
        ("blocks.0.1.weight", "blocks.0.1.weight"),
        ("f(if a { 1\n } else { y = 2\n y })", "(call f (if a;   value 1; else;   let y 2;   value y))"),
    ];
    for (text, expected) in cases {
        assert_eq!(value_of(text), expected, "{text}");
    }
}

#[test]
fn lines_go_on_only_where_they_may() {
    assert_eq!(value_of("a +\n\n  # why\n  b"), "(+ a b)");
    assert_eq!(value_of("x # comment\n   # another\n\n  |> f\n|> g"), "(|> x f g)");
    assert_eq!(value_of("if p\n  then 1\n  else if q then 2\n  else 3"), "(if p 1 (if q 2 3))");
    assert_eq!(value_of("f(a\n  , b,\n)"), "(call f a b)");
    assert_eq!(value_of("x"), value_of("x\r\n"));
    assert_eq!(printed("\u{feff}const a = x"), "const a x\n");
    let tree = printed("fn f(x) {\r\n  a = x\r\n  -a\r\n}\r\n");
    assert!(tree.contains("let a x\n  value (- a)"), "{tree}");
}

#[test]
fn words_are_keywords_only_where_they_may_stand() {
    let tree = printed(
        "fn f(in, new, skip, scan) {\n param = in + new[skip]\n state = scan\n data = 1\n init = 2\n with = 3\n \
         over = param\n loss(with, over)\n}\n",
    );
    assert!(tree.contains("let param (+ in new[skip])"), "{tree}");
    assert!(tree.contains("value (call loss with over)"), "{tree}");
}

#[test]
fn documentation_is_attached() {
    let text = "# no\n## One.\n##   Two.\nlayer L(n)(x) {\n  ## Weight.\n  param w: [n] = 0\n  x + w\n}\n## lost\n\nfn f(x) = x\n";
    let (tree, errors) = parse(FileId(0), text);
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(tree.items[0].doc.as_ref().map(|doc| &*doc.text), Some("One.\n  Two."));
    assert!(tree.items[1].doc.is_none());
    let ast::ItemKind::Definition(layer) = &tree.items[0].kind else { panic!("a layer") };
    assert_eq!(layer.body.statements[0].doc.as_ref().map(|doc| &*doc.text), Some("Weight."));
}

#[test]
fn one_error_never_hides_another() {
    let text = "fn f(x) {\n  a = (x 1)\n  b = x +* 2\n  let c = 3\n  x\n}\nmodle M(x) { x }\nfn g(x) = x[\nfn h(x) = x\n";
    let (tree, errors) = parse(FileId(0), text);
    let codes: Vec<&str> = errors.iter().map(|error| error.code).collect();
    assert_eq!(codes, ["E0001", "E0001", "E0018", "E0004", "E0002"]);
    assert_eq!(tree.items.len(), 1);
    let broken: Vec<_> =
        tree.broken.iter().map(|item| item.name.as_ref().map(|name| name.as_str())).collect();
    assert_eq!(broken, [Some("f"), Some("M"), Some("g")]);
}

#[test]
fn depth_is_limited() {
    let deep = |open: &str, close: &str, n: usize| {
        format!("const a = {}1{}\nconst b = 2\n", open.repeat(n), close.repeat(n))
    };
    let texts = [
        deep("(", ")", 100_000),
        deep("f(1 + ", ")", 150),
        deep("-", "", 50_000),
        deep("not ", "", 5_000),
        deep("2^", "", 50_000),
        deep("1 + ", "", 50_000),
        deep("if x then 1 else ", "", 20_000),
        deep("if ", " then 1 else 1", 5_000),
        deep("x[", "]", 1_000),
        deep("", ".a", 20_000).replace("= 1", "= x"),
        deep("", "(1)", 20_000).replace("= 1", "= x"),
        deep("\"{", "}\"", 3_000),
        format!("fn f(x) {{\n{}x{}\n}}\nconst b = 2\n", "if x {\n".repeat(300), "\n}\n".repeat(300)),
    ];
    for text in texts {
        let (tree, errors) = parse(FileId(0), &text);
        let start: String = text.chars().take(40).collect();
        assert!(errors.iter().any(|error| error.code == "E0003"), "{start}: {errors:?}");
        assert!(
            tree.items.iter().any(|item| item.kind.name().is_some_and(|name| &*name.text == "b")),
            "{start}"
        );
    }
    let sum = value_of(&format!("{}x", "1 + ".repeat(150)));
    assert!(sum.ends_with("x)"));
}

#[test]
fn items_are_found_without_parsing() {
    let text = "# file\n\n## Doc.\nlayer A(n)(x) {\n  data = x\ndata = 3\n  x\n}\nfn b(x) = x\n    |> f\nprint b(3)\n";
    let items = index_items(text);
    let found: Vec<(&str, Option<&str>, &str)> =
        items.iter().map(|item| (&*item.keyword, item.name.as_deref(), &text[item.range.clone()])).collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!((found[0].0, found[0].1), ("layer", Some("A")));
    assert!(found[0].2.starts_with("## Doc."));
    assert_eq!(found[1].2, "fn b(x) = x\n    |> f");
    for item in &items {
        let (parsed, errors) = parse_item_at(FileId(0), text, item.range.clone());
        assert!(errors.is_empty() && parsed.is_some_and(|parsed| parsed.span.start as usize == item.start));
    }
}

/// A small generator with a fixed seed; its numbers need not be good.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// The text with one to three random injuries.
fn mutated(text: &str, random: &mut Random) -> String {
    let mut text = text.to_string();
    for _ in 0..1 + random.below(3) {
        let tokens = tokens::tokens(&text);
        let Some(token) = tokens.get(random.below(tokens.len())).copied() else { return text };
        let other = tokens[random.below(tokens.len())];
        match random.below(6) {
            0 => text.replace_range(token.start..token.end, ""),
            1 => {
                let doubled = other.text(&text).to_string();
                text.insert_str(token.start, &doubled);
            }
            2 => {
                let swapped = other.text(&text).to_string();
                text.replace_range(token.start..token.end, &swapped);
            }
            3 => text.truncate(token.start),
            4 => {
                let odd = [
                    "(", ")", "[", "]", "{", "}", "\"", "σ", "'", "\n", "\u{0}", "=", "else", ";", "#", "\\",
                ];
                text.insert_str(token.start, odd[random.below(odd.len())]);
            }
            _ => {
                let mut at = random.below(text.len().max(1));
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                if at < text.len() {
                    text.remove(at);
                }
            }
        }
    }
    text
}

#[test]
fn broken_programs_give_diagnostics_and_never_panic() {
    let mut random = Random(1);
    let programs = programs();
    for round in 0..500 {
        let (name, text) = &programs[round % programs.len()];
        // A few items at a time: what is wrong is wrong in one of them.
        let items = index_items(text);
        let first = random.below(items.len());
        let last = (first + 2).min(items.len() - 1);
        let text = mutated(&text[items[first].range.start..items[last].range.end], &mut random);
        let mut sources = crate::base::SourceMap::default();
        let file = sources.add(name.as_str(), text.as_str());
        let (tree, errors) = parse(file, &text);
        assert!(tree.broken.is_empty() || !errors.is_empty(), "{text}");
        let whole = parse_whole_with_pest(&text);
        assert!(whole || !errors.is_empty(), "accepted what the grammar refuses:\n{text}");
        for error in &errors {
            assert!(crate::base::codes::find(error.code).is_some(), "{}", error.code);
            assert!(error.primary_span().is_some_and(|span| span.end as usize <= text.len()), "{error:?}");
        }
        let shown = crate::base::render::render_all(
            &errors[..errors.len().min(2)],
            &sources,
            crate::base::render::Style::Plain,
        );
        assert_eq!(shown.is_empty(), errors.is_empty());
        print::print(&tree);
    }
}

/// Whether every item found parses by the grammar alone.
fn parse_whole_with_pest(text: &str) -> bool {
    index_items(text).iter().all(|item| parse_item(&text[item.range.clone()]).is_ok())
}

/// The text with other spacing, chosen by a seed: blanks before and behind tokens, empty lines, comments.
fn respaced(text: &str, seed: u32) -> String {
    let mut result = String::new();
    let mut end = 0;
    for (at, token) in tokens::tokens(text).into_iter().enumerate() {
        let draw = crate::base::philox::philox4x32([at as u32, seed, 0, 0], [1, 2]);
        result.push_str(&text[end..token.start]);
        let blank = text[..token.start].ends_with(' ');
        match token.kind {
            tokens::TokenKind::Newline if draw[0].is_multiple_of(8) => result.push_str("  # remark"),
            tokens::TokenKind::Newline if draw[0] % 8 == 1 => result.push('\n'),
            _ if blank => result.push_str(&" ".repeat(draw[0] as usize % 5)),
            _ => {}
        }
        result.push_str(token.text(text));
        end = token.end;
    }
    result + &text[end..]
}

#[test]
fn formatting_is_idempotent_whatever_the_spacing() {
    let accident = "data d = csv(\"d.csv\") {\n    x: [none] = column(0)\n    y: [1] = column(1)\n}\n";
    for (name, text) in programs().into_iter().chain([("in one column".into(), accident.into())]) {
        for seed in 0..4 {
            let spaced = if seed == 0 { text.clone() } else { respaced(&text, seed) };
            let Ok(formatted) = format(&spaced) else { panic!("{name}: {spaced}") };
            let again = format(&formatted).unwrap_or_default();
            assert!(again == formatted, "{name}, {seed}:\n{formatted}\nthen\n{again}");
        }
    }
}

#[test]
fn formatting_keeps_meaning_and_comments_and_is_idempotent() {
    for (name, text) in programs() {
        let formatted = format(&text).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        assert_eq!(format(&formatted).ok().as_ref(), Some(&formatted), "{name}");
        assert_eq!(format::laid_out(&text), formatted, "{name}: the meaning changed");
        let tree = |text: &str| print::print(&parse(FileId(0), text).0);
        assert_eq!(tree(&formatted), tree(&text), "{name}");
        assert_eq!(comments(&formatted), comments(&text), "{name}");
    }
}

fn comments(text: &str) -> Vec<String> {
    let comments = tokens::tokens(text).into_iter().filter(|token| token.kind == tokens::TokenKind::Comment);
    comments.map(|comment| comment.text(text).trim_end().to_string()).collect()
}

/// `cargo test --release --lib syntax::tests::speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn speed() {
    let programs = programs();
    let mut text = String::new();
    while text.len() < 60_000 {
        for (_, program) in &programs {
            text.push_str(program);
        }
    }
    text.truncate(text[..60_000].rfind("\n\n").unwrap_or(0));
    let mut best = [f64::INFINITY; 4];
    for _ in 0..20 {
        let mut time = |at: usize, work: &dyn Fn() -> usize| {
            let start = std::time::Instant::now();
            std::hint::black_box(work());
            best[at] = best[at].min(start.elapsed().as_secs_f64() * 1e3);
        };
        time(0, &|| tokens::tokens(&text).len());
        time(1, &|| index_items(&text).len());
        time(2, &|| parse(FileId(0), &text).0.items.len());
        time(3, &|| format(&text).map_or(0, |text| text.len()));
    }
    let [cut, index, parse, format] = best;
    println!(
        "{} bytes: tokens {cut:.2} ms, index {index:.2} ms, parse {parse:.2} ms, format {format:.2} ms",
        text.len()
    );
}
