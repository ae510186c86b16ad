//! Exports models, compiles the C and runs it, and computes the same by the interpreter of loops.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use nnc::backend::interpreter::INTERPRETER;
use nnc::backend::{Alone, Backend, Binding, Call, Options, TensorMut, TensorRef, c as back_end};
use nnc::base::philox::Draw;
use nnc::export::c::api::{Api, Member};
use nnc::export::c::train::{batch_of, report_of};
use nnc::export::c::{self, Files};
use nnc::ir::program::Precision;
use nnc::ir::{ExternalKey, InputKey};
use nnc::loops::{Kind, VerifiedModule};
use nnc::runtime::answers::deployed::{Deployed, DeployedField};
use nnc::{Elements, Tensor};

use super::models::{deployed, scratch};

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
        let options = c::Options { name: called.to_owned(), lanes: 1, train, math: c::Math::Own };
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
        let options = c::Options { name: called.to_owned(), lanes, train: true, math: c::Math::Own };
        let files = c::write(deployed, &options).unwrap_or_else(|errors| panic!("{called}: {errors}"));
        let name = files.names[1].trim_end_matches(".c").to_owned();
        let target = back_end::target(lanes);
        let loops = deployed.training_loops(training, target).unwrap_or_else(|errors| panic!("{errors}"));
        let [starts, starts_of_states, step] = loops.map(|(_, module)| Interpreted::new(module));
        let (batch, report) = (batch_of(training, &step.module), report_of(&step.module));
        let binary = self.compile(&files, &training_around(&batch, &report, &name, training.seed), &name);
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

    /// The results of random rows as bytes: those of the C, and those of the interpreter.
    fn results(
        &self,
        deployed: &Deployed,
        called: &str,
        (lanes, math): (u8, c::Math),
        rows: usize,
    ) -> (Vec<u8>, Vec<u8>) {
        let options = c::Options { name: called.to_owned(), lanes, train: false, math };
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

/// A program that reads batches from standard input and writes the reports of the steps on them.
fn training_around(
    batch: &[(ExternalKey, Member)],
    report: &[(ExternalKey, Member)],
    name: &str,
    seed: u64,
) -> String {
    let all = |call: &str, of: &str, stream: &str, members: &[(ExternalKey, Member)]| -> String {
        let lines = members.iter().map(|(_, member)| {
            let (what, count) = (member.address(of), member.count());
            format!("        if ({call}({what}, sizeof *({what}), {count}, {stream}) != {count}) return 9;\n")
        });
        lines.collect()
    };
    let read = all("fread", "batch.", "stdin", batch);
    let write = all("fwrite", "report.", "stdout", report);
    format!(
        "#include <stdio.h>\n#include <stdlib.h>\n#include \"{name}.h\"\nstatic {name}_memory memory;\nstatic {name}_network network;\n\
         static {name}_batch batch;\nstatic {name}_report report;\nint main(int count, char **arguments)\n{{\n\
         \x20   int steps = count > 1 ? atoi(arguments[1]) : 0;\n    {name}_pretrained(&network);\n\
         \x20   if ({name}_init(&memory, &network, UINT64_C({seed}))) return 8;\n    for (; steps > 0; --steps) {{\n{read}\
         \x20       if ({name}_train_step(&memory, &network, &batch, &report)) return 7;\n{write}    }}\n    return 0;\n}}\n"
    )
}

fn random(members: &[Member], row: u32) -> Vec<Tensor> {
    let members = members.iter().enumerate();
    let tensors = members.map(|(at, member)| {
        let draw = Draw { seed: 7, stream: at as u32, step: row, scan_step: 0 };
        let count = member.count();
        let below =
            member.below.or(member.names.as_ref().map(|names| names.len() as i64)).unwrap_or(3).max(1);
        let int = |at: usize| (draw.uniform_f64(at as u64) * below as f64) as i64;
        let elements = match member.kind {
            Kind::F32 => Elements::F32((0..count).map(|at| draw.normal_f32(at as u64)).collect()),
            Kind::F64 => Elements::F64((0..count).map(|at| draw.normal_f64(at as u64)).collect()),
            Kind::I32 => Elements::I32((0..count).map(|at| int(at) as i32).collect()),
            Kind::I64 => Elements::I64((0..count).map(int).collect()),
            Kind::Bool => Elements::Bool((0..count).map(|at| draw.uniform_f64(at as u64) < 0.5).collect()),
        };
        Tensor::new(member.shape.clone(), elements).expect("as many elements")
    });
    tensors.collect()
}

fn bytes(elements: &Elements) -> Vec<u8> {
    match elements {
        Elements::F32(values) => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
        Elements::F64(values) => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
        Elements::I32(values) => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
        Elements::I64(values) => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
        Elements::U8(values) => values.clone(),
        Elements::Bool(values) => values.iter().map(|value| u8::from(*value)).collect(),
        other => panic!("elements that C does not have: {other:?}"),
    }
}

/// A module that the interpreter carries out.
struct Interpreted {
    module: VerifiedModule,
    code: Box<dyn nnc::backend::Code>,
}

impl Interpreted {
    fn new(module: VerifiedModule) -> Interpreted {
        let code = INTERPRETER.compile(&module, Options::default()).unwrap_or_else(|error| panic!("{error}"));
        Interpreted { module, code }
    }

    /// The tensors of the externals after a step, from those that are read.
    fn step(
        &self,
        call: Call,
        given: &dyn Fn(&ExternalKey) -> Option<Arc<Tensor>>,
    ) -> Vec<(ExternalKey, Tensor)> {
        let precision = self.module.precision;
        let mut tensors: Vec<(ExternalKey, Tensor)> = Vec::new();
        for external in &self.module.externals {
            let zeros = Tensor::for_external(external, precision);
            let tensor = match given(&external.name) {
                Some(tensor) => {
                    Tensor::new(zeros.shape().to_vec(), like(&zeros, &tensor)).expect("as many elements")
                }
                None => zeros,
            };
            tensors.push((external.name.clone(), tensor));
        }
        let mut all: Vec<(Vec<usize>, Elements)> =
            tensors.iter().map(|(_, it)| (it.shape().to_vec(), it.elements().clone())).collect();
        let bindings = all.iter_mut().zip(&self.module.externals).map(|((_, elements), external)| {
            if external.written {
                Binding::Write(tensor_mut(elements))
            } else {
                Binding::Read(tensor_ref(elements))
            }
        });
        let mut bindings: Vec<Binding<'_>> = bindings.collect();
        let mut workspace = self.code.workspace().unwrap_or_else(|error| panic!("{error}"));
        let fault = self.code.step(&mut workspace, &mut bindings, call, &Alone);
        assert!(fault.unwrap_or_else(|error| panic!("{error}")).is_none(), "an int has left 64 bits");
        drop(bindings);
        let made = tensors.into_iter().zip(all);
        made.map(|((key, _), (shape, it))| (key, Tensor::new(shape, it).expect("as many elements"))).collect()
    }
}

fn tensor_ref(elements: &Elements) -> TensorRef<'_> {
    match elements {
        Elements::F32(values) => TensorRef::F32(values),
        Elements::F64(values) => TensorRef::F64(values),
        Elements::I32(values) => TensorRef::I32(values),
        Elements::I64(values) => TensorRef::I64(values),
        Elements::Bool(values) => TensorRef::Bool(values),
        other => panic!("code does not take {other:?}"),
    }
}

fn tensor_mut(elements: &mut Elements) -> TensorMut<'_> {
    match elements {
        Elements::F32(values) => TensorMut::F32(values),
        Elements::F64(values) => TensorMut::F64(values),
        Elements::I32(values) => TensorMut::I32(values),
        Elements::I64(values) => TensorMut::I64(values),
        Elements::Bool(values) => TensorMut::Bool(values),
        other => panic!("code does not take {other:?}"),
    }
}

/// The elements of a tensor in the type of another one.
fn like(model: &Tensor, tensor: &Tensor) -> Elements {
    match model.elements() {
        Elements::F32(_) => Elements::F32(tensor.to_f32().into_owned()),
        Elements::F64(_) => Elements::F64(tensor.to_f64().into_owned()),
        Elements::I32(_) => {
            Elements::I32(tensor.to_i64().expect("ints").iter().map(|value| *value as i32).collect())
        }
        Elements::I64(_) => Elements::I64(tensor.to_i64().expect("ints").into_owned()),
        _ => Elements::Bool(tensor.to_i64().expect("ints").iter().map(|value| *value != 0).collect()),
    }
}

/// The bytes of the results of a row.
fn by_interpreter(
    deployed: &Deployed,
    row: &[Tensor],
    model: &Interpreted,
    preparation: Option<&Interpreted>,
) -> Vec<u8> {
    let precision = deployed.program.checked().precision;
    let fields: Vec<Arc<Tensor>> = match (preparation, &deployed.preparation) {
        (Some(code), Some(known)) => {
            let results = code.step(Call { step: 0, seed: 0 }, &|key| {
                let ExternalKey::Input(key) = key else { return None };
                let column = known.columns.iter().position(|column| column.name == *key);
                column.map(|at| Arc::new(row[at].clone())).or_else(|| known.known.get(key).cloned())
            });
            let field = |field: &DeployedField| {
                let is_it =
                    |key: &ExternalKey| matches!(key, ExternalKey::Output(key) if key.text() == field.name);
                let found = results.iter().find(|(key, _)| is_it(key)).expect("a field");
                let floats = Elements::F32(found.1.to_f32().into_owned());
                let is_narrow = precision == Precision::F32 && matches!(found.1.elements(), Elements::F64(_));
                let rounded = Tensor::new(found.1.shape().to_vec(), floats).expect("as many elements");
                Arc::new(if is_narrow { rounded } else { found.1.clone() })
            };
            deployed.fields.iter().map(field).collect()
        }
        _ => row.iter().cloned().map(Arc::new).collect(),
    };
    let results = model.step(Call { step: 0, seed: deployed.program.checked().seed }, &|key| match key {
        ExternalKey::Input(InputKey::Field(name)) => {
            let at = deployed.fields.iter().position(|field| field.name == *name)?;
            fields.get(at).cloned()
        }
        ExternalKey::Input(InputKey::Column(key)) => {
            deployed.columns.iter().find(|(known, _)| known == key).map(|(_, array)| Arc::clone(array))
        }
        ExternalKey::Param(path) | ExternalKey::State(path) => {
            deployed.variables.iter().find(|(known, _)| known == path).map(|(_, array)| Arc::clone(array))
        }
        _ => None,
    });
    let mut outputs: Vec<(usize, &Tensor)> = results
        .iter()
        .filter_map(|(key, tensor)| match key {
            ExternalKey::Output(key) => Some((key.text().parse().ok()?, tensor)),
            _ => None,
        })
        .collect();
    outputs.sort_by_key(|(number, _)| *number);
    outputs.into_iter().flat_map(|(_, tensor)| bytes(tensor.elements())).collect()
}
