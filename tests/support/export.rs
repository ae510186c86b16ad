//! Exports models, compiles the C and runs it, and computes the same by the interpreter of loops.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use nnc::Tensor;
use nnc::backend::{Backend, Call, c as back_end};
use nnc::export::c::api::{Api, Member};
use nnc::export::c::train::{Network, batch_of, report_of};
use nnc::export::c::{self, Files, object};
use nnc::ir::program::Precision;
use nnc::ir::{ExternalKey, InputKey};
use nnc::loops::Kind;
use nnc::runtime::answers::deployed::Deployed;
use nnc::runtime::train::portable::Portable;

use super::interpreted::{Interpreted, by_interpreter, bytes, fields_of};
use super::models::{deployed, scratch};
use super::numbers::{array, float_of, floats, numbers, part_of, plateaus, random};

/// The models of a program that can be exported as C, with parameters as they are before training.
pub fn exported(text: &str, path: &Path) -> Vec<(String, Deployed)> {
    let mut all = deployed(text, path);
    // A size may be open, or too small for one row; that is an error of the program.
    all.retain(|(_, deployed)| deployed.model_loops(1, back_end::target(1)).is_ok());
    all
}

/// A C compiler of this computer.
pub struct Compiler {
    folder: PathBuf,
    /// Its command, `cc` unless `NNC_CC` says another one.
    command: String,
    /// What it is told beside warnings: `-O1` unless `NNC_CFLAGS` says otherwise.
    flags: String,
}

impl Compiler {
    /// None, and a message, if there is none: then nothing is compared.
    pub fn find(name: &str) -> Option<Compiler> {
        let given = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
        let (command, flags) = (given("NNC_CC", "cc"), given("NNC_CFLAGS", "-std=c99 -O1"));
        let found =
            Command::new(&command).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !found.is_ok_and(|status| status.success()) {
            assert!(std::env::var_os("NNC_CC").is_none(), "there is no `{command}`");
            eprintln!("there is no C compiler `{command}`: exported C is not tested");
            return None;
        }
        Some(Compiler { folder: scratch(name), command, flags })
    }

    /// Compiles files with every warning an error.
    fn warn(&self, name: &str) -> Command {
        let mut command = Command::new(&self.command);
        command.args(self.flags.split_whitespace());
        command.args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-ffp-contract=off"]);
        command.arg(format!("-D{}_FMA=1", name.to_uppercase()));
        command
    }

    /// Compiles a model and a program around it.
    fn compile(&self, files: &Files, around: &str, name: &str) -> PathBuf {
        let folder = &self.folder;
        self.write(files);
        let main = folder.join("main.c");
        std::fs::write(&main, around).expect("room on the disk");
        let binary = folder.join("it");
        let mut command = self.warn(name);
        command.arg(&main).arg(folder.join(&files.names[1])).arg("-lm").arg("-o").arg(&binary);
        let output = command.output().expect("a C compiler");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        binary
    }

    fn write(&self, files: &Files) {
        for (file, text) in files.names.iter().zip([&files.header, &files.code]) {
            std::fs::write(self.folder.join(file), text).expect("room on the disk");
        }
    }

    /// Compiles a model for a processor that cannot run it here, and gives the bytes of code and constants, and of
    /// memory.
    pub fn sizes(&self, deployed: &Deployed, called: &str, train: bool) -> (i64, i64) {
        let options = c::Options::new(called).lanes(1).train(train);
        let files = c::write(deployed, &options).unwrap_or_else(|errors| panic!("{called}: {errors}"));
        self.write(&files);
        let name = files.names[1].trim_end_matches(".c");
        let object = self.folder.join("it.o");
        let output =
            self.warn(name).arg("-c").arg(self.folder.join(&files.names[1])).arg("-o").arg(&object).output();
        let output = output.expect("a C compiler");
        assert!(output.status.success(), "{called}: {}", String::from_utf8_lossy(&output.stderr));
        let size = Command::new(self.command.replace("gcc", "size")).arg(&object).output().expect("`size`");
        let text = String::from_utf8_lossy(&size.stdout).into_owned();
        let bytes = text.lines().nth(1).and_then(|line| line.split_whitespace().next()?.parse().ok());
        (bytes.expect("a number of bytes"), files.sizes.memory)
    }

    /// The program, within what `NNC_RUN` says: `valgrind -q`.
    fn run(&self, binary: PathBuf, arguments: &str, input: Vec<u8>) -> std::process::Output {
        let file = self.folder.join("rows");
        std::fs::write(&file, input).expect("room on the disk");
        let around = std::env::var("NNC_RUN").unwrap_or_default();
        let mut words = around.split_whitespace();
        let mut command = match words.next() {
            Some(first) => {
                let mut command = Command::new(first);
                command.args(words).arg(binary);
                command
            }
            None => Command::new(binary),
        };
        command.arg(arguments).stdin(std::fs::File::open(file).expect("a file")).output().expect("it runs")
    }

    /// Compares a few steps of a training on random batches, bit by bit: everything that a step changes.
    pub fn compare_training(&self, deployed: &Deployed, called: &str, lanes: u8, steps: usize) {
        let training = deployed.training.as_ref().expect("a training");
        let options = c::Options::new(called).lanes(lanes).train(true);
        let files = c::write(deployed, &options).unwrap_or_else(|errors| panic!("{called}: {errors}"));
        let name = files.names[1].trim_end_matches(".c").to_owned();
        let target = back_end::target(lanes);
        let loops = deployed.training_loops(training, target).unwrap_or_else(|errors| panic!("{errors}"));
        let [starts, starts_of_states, step] = loops.map(|(_, module)| Interpreted::new(module));
        let (batch, report) = (batch_of(training, &step.module), report_of(&step.module));
        let around = training_around(&batch, &report, &name, (training.seed, training.seed), &[], &[]);
        let binary = self.compile(&files, &around, &name);
        let mut network: Vec<(ExternalKey, Arc<Tensor>)> = Vec::new();
        let start = Call { step: 0, seed: training.seed };
        for code in [&starts, &starts_of_states] {
            for (key, tensor) in code.step(start, &|_| None) {
                let ExternalKey::Output(key) = key else { continue };
                network.push((ExternalKey::Param(key.text()), Arc::new(tensor)));
            }
        }
        let (mut input, mut expected) = (Vec::new(), Vec::new());
        for number in 1..=steps as u32 {
            let members: Vec<Member> = batch.iter().map(|(_, member)| member.clone()).collect();
            let values = random(&members, number);
            values.iter().for_each(|value| input.extend(bytes(value.elements())));
            let results = step.step(Call { step: number, seed: training.seed }, &|key| match key {
                ExternalKey::Input(InputKey::Step) => Some(Arc::new(vec![number as i32].into())),
                ExternalKey::Input(InputKey::Column(key)) => training
                    .columns
                    .iter()
                    .find(|(known, _)| known == key)
                    .map(|(_, array)| Arc::clone(array)),
                ExternalKey::Input(_) => {
                    batch.iter().position(|(known, _)| known == key).map(|at| Arc::new(values[at].clone()))
                }
                ExternalKey::Param(path) | ExternalKey::State(path) => {
                    let known = ExternalKey::Param(path.clone());
                    network.iter().find(|(key, _)| *key == known).map(|(_, tensor)| Arc::clone(tensor))
                }
                ExternalKey::Output(_) => None,
            });
            for (key, tensor) in results {
                let variable = match &key {
                    ExternalKey::Output(output) => output.variable(),
                    ExternalKey::Param(_) | ExternalKey::State(_) => Some(key.clone()),
                    ExternalKey::Input(_) => None,
                };
                match variable {
                    Some(ExternalKey::Param(path) | ExternalKey::State(path)) => {
                        let known = ExternalKey::Param(path);
                        let place = network.iter_mut().find(|(key, _)| *key == known).expect("a variable");
                        place.1 = Arc::new(tensor);
                    }
                    _ if report.iter().any(|(known, _)| *known == key) => {
                        expected.extend(bytes(tensor.elements()))
                    }
                    _ => {}
                }
            }
        }
        let output = self.run(binary, &steps.to_string(), input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{called}: {}\n{said}", output.status);
        assert!(!expected.is_empty(), "{called}: a step reports nothing");
        assert_eq!(output.stdout, expected, "{called}, {lanes} lanes: losses and metrics of {steps} steps");
    }

    /// Compares everything that a training has learnt after all of its steps with what a session has learnt, given
    /// the same batches. The program may say after which steps there are plateaus: `# plateaus after 4 6`.
    pub fn compare_with_session(&self, deployed: &Deployed, called: &str, text: &str) {
        let training = deployed.training.as_ref().expect("a training");
        let mut session = deployed.program.session().expect("a session");
        let trained = session.train(&mut nnc::Silent).unwrap_or_else(|errors| panic!("{called}: {errors}"));
        let steps = trained.expect("a training").steps;
        let mut fresh = deployed.program.session().expect("a session");
        let portable = Portable::of(&mut fresh, steps).unwrap_or_else(|errors| panic!("{called}: {errors}"));
        let portable = portable.expect("a training");
        let options = c::Options::new(called).lanes(4).train(true);
        let files = c::write(deployed, &options).unwrap_or_else(|errors| panic!("{called}: {errors}"));
        let name = files.names[1].trim_end_matches(".c").to_owned();
        let loops = deployed
            .training_loops(training, back_end::target(4))
            .unwrap_or_else(|errors| panic!("{errors}"));
        let (batch, report) = (batch_of(training, &loops[2].1), report_of(&loops[2].1));
        let seeds = (deployed.program.checked().seed, training.seed);
        let network = Network::of(deployed).expect("a training");
        let learnt: Vec<&(Arc<str>, Member)> =
            network.members.iter().filter(|(path, _)| session.parameter(path).is_some()).collect();
        let around = training_around(&batch, &report, &name, seeds, &plateaus(text), &learnt);
        let binary = self.compile(&files, &around, &name);
        let mut input = Vec::new();
        for step in 0..steps as usize {
            for (key, member) in &batch {
                let rows =
                    portable.batches.iter().find(|(known, _)| ExternalKey::Input(known.clone()) == *key);
                let all = &rows.unwrap_or_else(|| panic!("{called}: no rows of {key:?}")).1;
                input.extend(part_of(all.elements(), member, step));
            }
        }
        let output = self.run(binary, &steps.to_string(), input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{called}: {}\n{said}", output.status);
        let reported: i64 =
            report.iter().map(|(_, member)| member.count() as i64 * member.kind.bytes()).sum();
        let mut left = &output.stdout[(reported * steps as i64) as usize..];
        assert!(!learnt.is_empty(), "{called}: nothing is learnt");
        for (path, member) in learnt {
            let values = session.parameter(path).expect("a parameter");
            for (at, meant) in floats(values.elements()).into_iter().enumerate() {
                let (number, rest) = left.split_at(member.kind.bytes() as usize);
                left = rest;
                let found = float_of(number, member.kind);
                let is_near = (found - meant).abs() <= 1e-9 * meant.abs().max(1.0);
                assert!(is_near, "{called}: `{path}`, element {at}: {found} instead of {meant}");
            }
        }
    }

    /// Compares results of random rows, bit by bit.
    pub fn compare(&self, deployed: &Deployed, called: &str, lanes: u8, rows: usize) {
        let (found, expected) = self.results(deployed, called, (lanes, c::Math::Own), rows);
        assert_eq!(found.len(), expected.len(), "{called}: bytes of results");
        let wrong = found.iter().zip(&expected).filter(|(found, meant)| found != meant).count();
        assert_eq!(wrong, 0, "{called}, {lanes} lanes: bytes of {} that differ", expected.len());
    }

    /// Compares results of random rows where the functions of `math.h` compute: floats to `tolerance`, relative to
    /// the larger of 1 and the number.
    pub fn compare_with_library(&self, deployed: &Deployed, called: &str, tolerance: f32) {
        let (found, expected) = self.results(deployed, called, (4, c::Math::Library), 2);
        assert!(
            Api::of(deployed).results.iter().all(|result| result.kind == Kind::F32),
            "{called}: not floats"
        );
        let floats = |bytes: Vec<u8>| -> Vec<f32> {
            bytes
                .chunks_exact(4)
                .map(|word| f32::from_ne_bytes([word[0], word[1], word[2], word[3]]))
                .collect()
        };
        let (found, expected) = (floats(found), floats(expected));
        assert_eq!(found.len(), expected.len(), "{called}: results");
        for (found, meant) in found.iter().zip(&expected) {
            let is_near = (found - meant).abs() <= tolerance * meant.abs().max(1.0);
            assert!(is_near || found.to_bits() == meant.to_bits(), "{called}: {found} instead of {meant}");
        }
    }

    /// Compares results of random rows by machine code in an object file, bit by bit, with the interpreter of the
    /// same loops. Says false if it draws random numbers.
    pub fn compare_object(&self, deployed: &Deployed, called: &str, backend: &'static dyn Backend) -> bool {
        let files = match object::write(deployed, called, backend) {
            Ok(files) => files,
            Err(error) if error.to_string().contains("random numbers") => return false,
            Err(error) => panic!("{called}: {error}"),
        };
        let (name, api) = (files.names[1].trim_end_matches(".o").to_owned(), Api::of(deployed));
        let [header, object, main, binary] =
            [&files.names[0], &files.names[1], "main.c", "it"].map(|name| self.folder.join(name));
        std::fs::write(header, &files.header).expect("room on the disk");
        std::fs::write(&object, &files.object).expect("room on the disk");
        std::fs::write(&main, program_around(&api, &name)).expect("room on the disk");
        let output = self.warn(&name).arg(&main).arg(&object).arg("-lm").arg("-o").arg(&binary).output();
        let output = output.expect("a C compiler");
        assert!(output.status.success(), "{called}: {}", String::from_utf8_lossy(&output.stderr));
        let target =
            |precision| nnc::loops::Target { products: false, ..backend.target(precision).as_kernels() };
        let precision = deployed.program.checked().precision;
        let model = Interpreted::new(deployed.model_loops(1, target(precision)).expect("loops").1);
        let preparation = deployed.preparation.as_ref().map(|it| {
            Interpreted::new(deployed.preparation_loops(it, target(Precision::F64)).expect("loops").1)
        });
        let (mut input, mut expected) = (Vec::new(), Vec::new());
        for row in 0..3 {
            let values = random(&api.row, row);
            values.iter().for_each(|value| input.extend(bytes(value.elements())));
            expected.extend(by_interpreter(deployed, &values, &model, preparation.as_ref()));
        }
        let output = self.run(binary, "3", input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{called}: {}\n{said}", output.status);
        assert!(output.stdout == expected, "{called}, {}: results differ", backend.name());
        true
    }

    /// Random rows, and what the interpreter, native code and the C say of them; what other forms say is compared with
    /// it by `tests/forms/compare.py`.
    pub fn forms(&self, deployed: &Deployed, called: &str) -> serde_json::Value {
        const ROWS: usize = 3;
        let api = Api::of(deployed);
        let (c, interpreted) = self.results(deployed, called, (8, c::Math::Own), ROWS);
        let best = nnc::backend::best();
        let precision = deployed.program.checked().precision;
        let native = Interpreted::by(best, deployed.model_loops(1, best.target(precision)).expect("loops").1);
        let preparation = deployed.preparation.as_ref().map(|it| {
            Interpreted::new(deployed.preparation_loops(it, back_end::target(4)).expect("loops").1)
        });
        let each = interpreted.len() / ROWS;
        let rows = (0..ROWS).map(|number| {
            let row = random(&api.row, number as u32);
            let fields = fields_of(deployed, &row, preparation.as_ref());
            let place = number * each..(number + 1) * each;
            serde_json::json!({
                "row": row.iter().map(array).collect::<Vec<_>>(),
                "fields": fields.iter().map(|field| array(field)).collect::<Vec<_>>(),
                "interpreter": numbers(&interpreted[place.clone()], &api.results),
                "c": numbers(&c[place], &api.results),
                "native": numbers(&by_interpreter(deployed, &row, &native, preparation.as_ref()), &api.results),
            })
        });
        serde_json::json!({ "rows": rows.collect::<Vec<_>>(), "prepared": preparation.is_some() })
    }

    /// The results of random rows as bytes: those of the C, and those of the interpreter.
    fn results(
        &self,
        deployed: &Deployed,
        called: &str,
        (lanes, math): (u8, c::Math),
        rows: usize,
    ) -> (Vec<u8>, Vec<u8>) {
        let options = c::Options::new(called).lanes(lanes).math(math);
        let files = c::write(deployed, &options).unwrap_or_else(|errors| panic!("{called}: {errors}"));
        let (name, api) = (files.names[1].trim_end_matches(".c").to_owned(), Api::of(deployed));
        let binary = self.compile(&files, &program_around(&api, &name), &name);
        let model = Interpreted::new(deployed.model_loops(1, back_end::target(lanes)).expect("loops").1);
        let preparation = deployed.preparation.as_ref().map(|it| {
            Interpreted::new(deployed.preparation_loops(it, back_end::target(lanes.min(4))).expect("loops").1)
        });
        let (mut input, mut expected) = (Vec::new(), Vec::new());
        for row in 0..rows {
            let values = random(&api.row, row as u32);
            values.iter().for_each(|value| input.extend(bytes(value.elements())));
            expected.extend(by_interpreter(deployed, &values, &model, preparation.as_ref()));
        }
        let output = self.run(binary, &rows.to_string(), input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{called}: {}\n{said}", output.status);
        (output.stdout, expected)
    }
}

/// A program that reads rows from standard input and writes results to standard output.
fn program_around(api: &Api, name: &str) -> String {
    let all = |call: &str, of: &str, stream: &str, members: &[Member]| -> String {
        let lines = members.iter().map(|member| {
            let what = format!("{}{of}{}", if member.is_array() { "" } else { "&" }, member.name);
            let count = member.count();
            format!("        if ({call}({what}, 1, {count} * sizeof({of}{n}{at}), {stream}) != {count} * sizeof({of}{n}{at})) return 9;\n",
                n = member.name, at = if member.is_array() { "[0]" } else { "" })
        });
        lines.collect()
    };
    let read = all("fread", "row.", "stdin", &api.row);
    let write = all("fwrite", "result.", "stdout", &api.results);
    format!(
        "#include <stdio.h>\n#include <stdlib.h>\n#include \"{name}.h\"\nstatic {name}_memory memory;\nstatic {name}_row row;\n\
         static {name}_result result;\nint main(int count, char **arguments)\n{{\n    int rows = count > 1 ? atoi(arguments[1]) : 0;\n\
         \x20   for (; rows > 0; --rows) {{\n        int failed;\n{read}\
         \x20       failed = {name}_predict(&memory, &row, &result);\n        if (failed) return failed;\n{write}    }}\n    return 0;\n}}\n"
    )
}

/// A program that reads batches from standard input, and writes the reports of the steps on them and what was learnt.
/// The seeds are those of the program and of the training.
fn training_around(
    batch: &[(ExternalKey, Member)],
    report: &[(ExternalKey, Member)],
    name: &str,
    (first, seed): (u64, u64),
    plateaus: &[u32],
    learnt: &[&(Arc<str>, Member)],
) -> String {
    let all = |call: &str, of: &str, stream: &str, members: &mut dyn Iterator<Item = &Member>| -> String {
        let lines = members.map(|member| {
            let (what, count) = (member.address(of), member.count());
            format!("        if ({call}({what}, sizeof *({what}), {count}, {stream}) != {count}) return 9;\n")
        });
        lines.collect()
    };
    let read = all("fread", "batch.", "stdin", &mut batch.iter().map(|(_, member)| member));
    let write = all("fwrite", "report.", "stdout", &mut report.iter().map(|(_, member)| member));
    let end = all("fwrite", "network.", "stdout", &mut learnt.iter().map(|(_, member)| member));
    let count = |step: &u32| format!("        if (network.steps == {step}) network.plateaus += 1;\n");
    let count: String = plateaus.iter().map(count).collect();
    format!(
        "#include <stdio.h>\n#include <stdlib.h>\n#include \"{name}.h\"\nstatic {name}_memory memory;\nstatic {name}_network network;\n\
         static {name}_batch batch;\nstatic {name}_report report;\nint main(int count, char **arguments)\n{{\n\
         \x20   int steps = count > 1 ? atoi(arguments[1]) : 0;\n    {name}_pretrained(&network);\n\
         \x20   if ({name}_init(&memory, &network, UINT64_C({first}))) return 8;\n    network.seed = UINT64_C({seed});\n\
         \x20   for (; steps > 0; --steps) {{\n{read}\
         \x20       if ({name}_train_step(&memory, &network, &batch, &report)) return 7;\n{count}{write}    }}\n{end}\
         \x20   network.steps = 1 << 30;\n    return {name}_train_step(&memory, &network, &batch, &report) == 3 ? 0 : 6;\n}}\n"
    )
}
