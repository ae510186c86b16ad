//! What is said of the programs of `models/`.

use std::path::Path;

use nnc::runtime::program::Program;

fn parameters(path: &str) -> usize {
    let program = Program::from_file(Path::new(path)).unwrap_or_else(|errors| panic!("{errors}"));
    program.check_accesses(true);
    let sizes = program.checked().params.iter().map(|it| it.ty.static_shape().expect("a size"));
    sizes.map(|shape| shape.iter().product::<usize>()).sum()
}

#[test]
fn networks_have_as_many_parameters_as_their_papers_say() {
    assert_eq!(parameters("models/lenet5.nn"), 61_706);
    assert_eq!(parameters("models/large/alexnet.nn"), 61_100_840);
}

#[test]
fn the_front_page_lists_every_program() {
    let page = include_str!("../README.md");
    let mut missing = Vec::new();
    for folder in ["models", "models/large"] {
        for entry in std::fs::read_dir(folder).expect("the programs") {
            let path = entry.expect("a file").path();
            let name = path.strip_prefix("models").expect("below models").display().to_string();
            if name.ends_with(".nn") && !page.contains(&format!("`{name}`")) {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "README.md does not mention {missing:?}");
}
