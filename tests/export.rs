//! Exported models: what a C compiler makes of the C gives the same bits as the interpreter.

#[path = "support/interpreted.rs"]
mod interpreted;
#[path = "support/models.rs"]
mod models;
#[path = "support/numbers.rs"]
mod numbers;
#[path = "support/export.rs"]
mod support;

use support::{Compiler, exported};

/// The programs of a folder and their texts.
fn programs(folder: &str) -> impl Iterator<Item = (std::path::PathBuf, String)> {
    let paths = std::fs::read_dir(folder).expect("the programs").map(|entry| entry.expect("a file").path());
    let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == "nn"));
    paths.map(|path| (path.clone(), std::fs::read_to_string(path).expect("a program")))
}

/// Every program of `models/` of which a model can be predicted with, and all models of those that have several.
#[test]
fn models_as_c_give_the_bits_of_the_interpreter() {
    let Some(compiler) = Compiler::find("of_models") else { return };
    let mut count = 0;
    for (path, text) in programs("models") {
        for (called, deployed) in exported(&text, &path) {
            for lanes in [1, 4] {
                compiler.compare(&deployed, &called, lanes, 2);
            }
            count += 1;
        }
    }
    assert!(count >= 25, "{count} models were exported");
}

/// Starting values and steps, of trainings of all kinds: optimisers, dropout, batch normalisation, recurrences.
#[test]
fn trainings_as_c_give_the_bits_of_the_interpreter() {
    let Some(compiler) = Compiler::find("of_trainings") else { return };
    let mut count = 0;
    for name in ["iris", "xor", "digits", "char_rnn", "spiking", "logistic_regression", "triplet"] {
        let path = format!("models/{name}.nn");
        let text = std::fs::read_to_string(&path).expect("a program");
        for (called, deployed) in exported(&text, std::path::Path::new(&path)) {
            if deployed.training.is_some() {
                compiler.compare_training(&deployed, &called, 4, 2);
                count += 1;
            }
        }
    }
    assert!(count >= 6, "{count} trainings were exported");
}

/// Trainings with settings of all kinds, and those of the literature: what is learnt is what a session learns that is
/// given the same batches.
#[test]
fn trainings_as_c_learn_what_a_session_learns() {
    let Some(compiler) = Compiler::find("of_learnt") else { return };
    let mut count = 0;
    for (path, text) in programs("tests/exported/trainings").chain(programs("models/literature")) {
        // Rounding is all that may differ, so it should not be seen.
        let text = if text.contains("precision = f64") { text } else { text + "\nprecision = f64\n" };
        let mut all = exported(&text, &path);
        // What comes before the last training is no part of the C.
        all.retain(|(_, deployed)| {
            let is_training =
                |action: &&nnc::ir::program::Action| matches!(action, nnc::ir::program::Action::Train(_));
            deployed.training.is_some()
                && deployed.program.checked().actions.iter().filter(is_training).count() == 1
        });
        if let Some((called, deployed)) = all.first() {
            compiler.compare_with_session(deployed, called, &text);
            count += 1;
        }
    }
    assert!(count >= 30, "{count} trainings were exported");
}

/// Names, types, sizes and operations that no program of `models/` has.
#[test]
fn other_programs_as_c_give_the_bits_of_the_interpreter() {
    let Some(compiler) = Compiler::find("of_others") else { return };
    let mut count = 0;
    for (path, text) in programs("tests/exported") {
        let all = exported(&text, &path);
        assert!(!all.is_empty(), "{} has no model to export", path.display());
        for (called, deployed) in all {
            for lanes in [1, 4] {
                compiler.compare(&deployed, &called, lanes, 2);
            }
            count += 1;
        }
    }
    assert!(count >= 8, "{count} models were exported");
}

/// `--math libm`: functions of `math.h` instead of own ones.
#[test]
fn functions_of_the_library_give_nearly_the_same() {
    let Some(compiler) = Compiler::find("of_the_library") else { return };
    for (path, tolerance) in
        [("tests/exported/functions.nn", 2e-5), ("models/digits.nn", 1e-5), ("models/char_rnn.nn", 1e-5)]
    {
        let text = std::fs::read_to_string(path).expect("a program");
        let all = exported(&text, std::path::Path::new(path));
        assert!(!all.is_empty(), "{path} has no model to export");
        for (called, deployed) in all {
            compiler.compare_with_library(&deployed, &called, tolerance);
        }
    }
}

/// Machine code by every back end of this computer, linked into programs of C.
#[test]
fn models_as_object_files_give_the_bits_of_the_interpreter() {
    let Some(compiler) = Compiler::find("of_objects") else { return };
    let mut count = 0;
    let machines: Vec<_> = nnc::backend::available().filter(|backend| backend.is_machine_code()).collect();
    for (at, (path, text)) in programs("models").chain(programs("tests/exported")).enumerate() {
        for (called, deployed) in exported(&text, &path) {
            let Some(backend) = machines.get(at % machines.len().max(1)) else { return };
            count += usize::from(compiler.compare_object(&deployed, &called, *backend));
        }
    }
    assert!(count >= 35, "{count} models were exported");
}

/// What an interpreter does is no machine code.
#[test]
fn an_interpreter_writes_no_object_file() {
    let program = nnc::compile("model Net(x: [B, 2]) -> [B, 1] { x * 2 |> sum(axis = 1, keep = true) }");
    let program = program.expect("a program");
    let deployed = nnc::runtime::answers::deployed::Deployed::new(&program, None, None, &mut nnc::Silent);
    let interpreter = nnc::backend::find("interpreter").expect("it is in every build");
    let error =
        nnc::export::c::object::write(&deployed.expect("a model"), "net", interpreter).expect_err("an error");
    assert_eq!(error.list[0].code, "E0937", "{error}");
}

/// The programs of `examples/` with what they include, by every compiler that is here; each warning is an error.
#[test]
fn examples_in_c_compile_without_warnings() {
    let folder = models::scratch("of_examples");
    let deployed = |path: &str| {
        let text = std::fs::read_to_string(path).expect("a program");
        exported(&text, std::path::Path::new(path)).pop().expect("a model").1
    };
    let options = nnc::COptions::new("xor").lanes(4).train(true);
    let xor = nnc::export::c::write(&deployed("models/xor.nn"), &options).expect("C");
    let write = |name: &str, text: &[u8]| std::fs::write(folder.join(name), text).expect("room on the disk");
    write("xor.h", xor.header.as_bytes());
    write("xor.c", xor.code.as_bytes());
    if nnc::backend::best().is_machine_code() {
        let iris = nnc::export::c::object::write(&deployed("models/iris.nn"), "iris", nnc::backend::best());
        write("iris.h", iris.expect("an object").header.as_bytes());
    }
    let arm = "-std=c99 -Os -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16";
    for (command, flags) in [
        ("gcc", "-std=c99 -O2"),
        ("clang", "-std=c99 -O2"),
        ("g++", "-x c++ -std=c++11"),
        ("clang++", "-x c++ -std=c++17"),
        ("arm-none-eabi-gcc", arm),
    ] {
        for file in ["examples/train_on_device.c", "examples/predict_by_object.c"] {
            let header = if file.contains("train") { "xor.h" } else { "iris.h" };
            if !folder.join(header).exists() {
                continue;
            }
            let mut compiler = std::process::Command::new(command);
            compiler.args(flags.split_whitespace()).args([
                "-Wall",
                "-Wextra",
                "-pedantic",
                "-Werror",
                "-c",
                "-I",
            ]);
            let Ok(output) = compiler.arg(&folder).arg(file).arg("-o").arg(folder.join("it.o")).output()
            else {
                eprintln!("there is no `{command}`");
                continue;
            };
            assert!(output.status.success(), "{command} {file}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// Every model of `models/` with rows and what several forms say of them, for `tests/forms/compare.py`: `.ci/forms`.
#[test]
#[ignore = "`.ci/forms` runs it, and compares"]
fn forms_are_written() {
    let compiler = Compiler::find("of_forms").expect("a C compiler");
    let folder = std::path::PathBuf::from(std::env::var("NNC_FORMS").expect("NNC_FORMS is a folder"));
    for (path, text) in programs("models") {
        for (called, deployed) in exported(&text, &path) {
            let mut forms = compiler.forms(&deployed, &called);
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let weights = models::scratch(&stem).join("w.safetensors");
            std::fs::copy(weights, folder.join(format!("{called}.safetensors"))).expect("room on the disk");
            forms["program"] = path.display().to_string().into();
            forms["model"] = deployed.model.to_string().into();
            std::fs::write(folder.join(format!("{called}.json")), forms.to_string())
                .expect("room on the disk");
            if let Ok(file) = nnc::export::onnx::write(&deployed) {
                std::fs::write(folder.join(format!("{called}.onnx")), file.bytes).expect("room on the disk");
            }
        }
    }
}

/// All models for a processor without vectors, with their sizes: `.ci/c arm`.
#[test]
#[ignore = "it needs a compiler for another processor"]
fn models_as_c_fit_a_microcontroller() {
    let compiler = Compiler::find("of_a_microcontroller").expect("a C compiler");
    println!("{:<28} {:>12} {:>12}", "model", "flash, bytes", "RAM, bytes");
    for (path, text) in programs("models") {
        for (called, deployed) in exported(&text, &path) {
            for train in [false, true] {
                if train
                    && (deployed.training.is_none()
                        || !["xor", "iris"].iter().any(|name| path.ends_with(format!("{name}.nn"))))
                {
                    continue;
                }
                let (flash, memory) = compiler.sizes(&deployed, &called, train);
                let called = format!(
                    "{}{}",
                    path.file_stem().unwrap_or_default().display(),
                    if train { " --train" } else { "" }
                );
                println!("{called:<28} {flash:>12} {memory:>12}");
            }
        }
    }
}

/// A size that nothing says is an error that tells what to write.
#[test]
fn open_sizes_are_refused() {
    let text = "model Net(x: [B, T, 2]) -> [B, T, 1] { x |> Linear(1) }";
    let program = nnc::compile(text).expect("a program");
    let mut session = program.session().expect("parameters");
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("open.safetensors");
    session.save(&path).expect("room on the disk");
    let deployed =
        nnc::runtime::answers::deployed::Deployed::new(&program, Some(&path), None, &mut nnc::Silent);
    let options = nnc::COptions::new("net");
    let error = nnc::export::c::write(&deployed.expect("a model"), &options).expect_err("an error");
    assert_eq!(error.list[0].code, "E0850", "{error}");
}

#[test]
fn a_model_that_nothing_trains_has_no_training() {
    let text = "model Net(x: [B, 2]) -> [B, 1] { x * 2 |> sum(axis = 1, keep = true) }";
    let program = nnc::compile(text).expect("a program");
    let deployed = nnc::runtime::answers::deployed::Deployed::new(&program, None, None, &mut nnc::Silent);
    let options = nnc::COptions::new("net").train(true);
    let error = nnc::export::c::write(&deployed.expect("a model"), &options).expect_err("an error");
    assert_eq!(error.list[0].code, "E0851", "{error}");
}

/// What the loss gives the model goes by the step of the training: there is none where it is exported.
#[test]
fn a_model_that_goes_by_the_step_is_refused() {
    let text = "model Net(x: [B, 2], t) -> [B, 1] {
            y = x |> Linear(1)
            y * t
        }
        data d {
            rows = 4
            x: [2] = normal(0, 1)
        }
        train {
            data = d
            validate = d
            minimize mean(Net(x, 1 / step)^2) with SGD(lr = 0.1)
            batch = 2
            epochs = 1
        }";
    let program = nnc::compile(text).expect("a program");
    let deployed = nnc::runtime::answers::deployed::Deployed::new(&program, None, None, &mut nnc::Silent);
    let error = deployed.err().expect("an error");
    assert_eq!(error.list[0].code, "E0768", "{error}");
}
