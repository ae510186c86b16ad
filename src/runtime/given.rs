//! Data that a program is given by whoever runs it: fields with a type and no value, `x: [4]`.
#![warn(missing_docs, rustdoc::broken_intra_doc_links)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::array::Tensor;
use super::array::Elements;
use super::program::{Diagnostics, Program};
use super::report::given::GivenProblem;
use super::session::Session;
use super::tables::names_of;
use super::sources::file::FileBytes;
use super::sources::stored::{AxisOrder, Layout, StoredArray, StoredType};
use super::sources::{npz, safetensors};
use crate::base::Diagnostic;
use crate::ir::program::{DataSet, Source};

/// Tensors by the names of fields.
type Fields = BTreeMap<Arc<str>, Tensor>;

/// The rows of data sets that a program is given: for each a tensor by field, whose first axis is the rows.
///
/// ```
/// use nnc::{Given, Silent, Tensor};
///
/// let program = nnc::compile("
///     model Line(x: [B, 1]) -> [B, 1] = x |> Linear(1)
///     data points {
///         x: [1]
///         y: [1]
///     }
///     train {
///         data     = points
///         minimize mse(Line(x), y) with SGD(lr = 0.1)
///         batch    = 4
///         epochs   = 100
///     }
/// ")?;
/// let x = Tensor::from(vec![0.0f32, 1.0, 2.0, 3.0]);
/// let y = Tensor::from(vec![1.0f32, 3.0, 5.0, 7.0]);
/// let mut session = program.session_with(Given::new().data("points", [("x", x), ("y", y)]))?;
/// let trained = session.train(&mut Silent)?.expect("the program has a `train`");
/// assert!(trained.last.loss() < 0.01);
/// # Ok::<(), nnc::Diagnostics>(())
/// ```
#[derive(Clone, Default, Debug)]
pub struct Given {
    sets: BTreeMap<Arc<str>, Arc<Fields>>,
}

impl Given {
    /// Nothing.
    pub fn new() -> Given {
        Given::default()
    }

    /// Adds the rows of a data set, or replaces them.
    #[must_use]
    pub fn data<N: AsRef<str>>(mut self, data: &str, fields: impl IntoIterator<Item = (N, Tensor)>) -> Given {
        let fields = fields.into_iter().map(|(name, array)| (Arc::from(name.as_ref()), array)).collect();
        self.sets.insert(data.into(), Arc::new(fields));
        self
    }

    /// What was given for a data set.
    ///
    /// # Errors
    /// E0756 if nothing was.
    pub(super) fn of(&self, set: &DataSet) -> Result<&Arc<Fields>, Diagnostic> {
        self.sets.get(&set.name).ok_or_else(|| nothing(set).into())
    }

    /// Whether what was given can be meant: whose data it is, and that its fields are those that have no value.
    fn check(&self, program: &Program) -> Result<(), Diagnostic> {
        let sets = &program.checked().data;
        for (name, fields) in &self.sets {
            let Some(set) = sets.iter().find(|set| set.name == *name) else {
                return Err(GivenProblem::NoSet { name: name.clone(), sets: names_of(sets) }.into());
            };
            let (set_name, at) = (name.clone(), set.span);
            if !is_given(set) {
                return Err(GivenProblem::NotGiven { set: set_name, at }.into());
            }
            let declared: Vec<Arc<str>> = set.columns.iter().map(|column| column.field.clone()).collect();
            if let Some(field) = fields.keys().find(|field| !declared.contains(field)) {
                let field = field.clone();
                return Err(GivenProblem::NoField { set: set_name, field, declared, at }.into());
            }
            let missing = set.columns.iter().find(|column| !fields.contains_key(&column.field));
            if let Some(missing) = missing {
                let (field, at) = (missing.field.clone(), Some(missing.span));
                return Err(GivenProblem::Missing { set: set_name, field, at }.into());
            }
        }
        Ok(())
    }
}

/// Whether the rows of a data set are given.
pub(super) fn is_given(set: &DataSet) -> bool {
    matches!(set.source, Source::Given { .. })
}

/// Whether those of any data set of a program are.
pub(super) fn any_is_given(program: &Program) -> bool {
    program.checked().data.iter().any(is_given)
}

/// That nothing was given for a data set.
fn nothing(set: &DataSet) -> GivenProblem {
    let fields = set.columns.iter().map(|column| column.field.clone()).collect();
    let declared = match &set.source {
        Source::Given { span } => Some(*span),
        _ => None,
    };
    GivenProblem::Nothing { set: set.name.clone(), fields, declared, at: set.span }
}

/// A tensor that was given, as a file would have it.
///
/// # Errors
/// E0757 if there is none of this name.
pub(super) fn stored(set: &DataSet, fields: &Fields, field: &str) -> Result<StoredArray, Diagnostic> {
    let Some(array) = fields.get(field) else {
        let (set, field) = (set.name.clone(), field.into());
        return Err(GivenProblem::Missing { set, field, at: None }.into());
    };
    let (element, bytes) = match array.elements() {
        Elements::F32(values) => (StoredType::F32, encoded(values, |value| value.to_le_bytes())),
        Elements::F64(values) => (StoredType::F64, encoded(values, |value| value.to_le_bytes())),
        Elements::I32(values) => (StoredType::I32, encoded(values, |value| value.to_le_bytes())),
        Elements::I64(values) => (StoredType::I64, encoded(values, |value| value.to_le_bytes())),
        Elements::U8(values) => (StoredType::U8, values.clone()),
        Elements::Bool(values) => (StoredType::Bool, encoded(values, |value| [u8::from(value)])),
    };
    let layout = Layout { element, big_endian: false, order: AxisOrder::RowMajor };
    let name = format!("what is given for `{field}` of `{}`", set.name);
    StoredArray::new(name, FileBytes::owned(bytes), array.shape().to_vec(), layout)
}

fn encoded<T: Copy, const N: usize>(values: &[T], encode: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|value| encode(*value)).collect()
}

impl Session {
    /// Gives the rows of a data set whose fields have no values in the program, also in the place of others: a tensor
    /// for each field, whose first axis is the rows. What was computed of the old rows is computed anew.
    ///
    /// # Errors
    /// E0757 if the program has no such data, or the fields are others.
    pub fn give<N: AsRef<str>>(
        &mut self,
        data: &str,
        fields: impl IntoIterator<Item = (N, Tensor)>,
    ) -> Result<(), Diagnostics> {
        let given = self.rows_given.clone().data(data, fields);
        self.take_given(given).map_err(|error| self.program.failed([error]))
    }

    /// Gives the rows of a data set from an `npz` or `safetensors` file that has an array for each field.
    ///
    /// # Errors
    /// Those of reading the file, and of [`Session::give`].
    pub fn give_file(&mut self, data: &str, path: impl AsRef<Path>) -> Result<(), Diagnostics> {
        let program = self.program.clone();
        let given = self.rows_given.clone().file(&program, data, path.as_ref());
        given.and_then(|given| self.take_given(given)).map_err(|error| program.failed([error]))
    }

    pub(super) fn take_given(&mut self, given: Given) -> Result<(), Diagnostic> {
        given.check(&self.program)?;
        self.rows_given = given;
        self.tables.clear();
        self.predictions.clear();
        self.fingerprint = None;
        Ok(())
    }
}

impl Program {
    /// The same program with files in which the rows of data sets are that it is given otherwise: an `npz` or
    /// `safetensors` file with an array for each field.
    ///
    /// # Errors
    /// E0757 if the program has no such data that is given.
    pub fn with_data_files(&self, files: &[(String, PathBuf)]) -> Result<Program, Diagnostics> {
        if files.is_empty() {
            return Ok(self.clone());
        }
        let mut checked = self.checked().clone();
        for (name, path) in files {
            let set = checked.data.iter_mut().find(|set| **name == *set.name);
            match set {
                Some(set) if is_given(set) => set.source = source_of(set, path),
                // Says what is wrong with the name.
                _ => {
                    let rows = Given::new().data(name, std::iter::empty::<(&str, Tensor)>());
                    rows.check(self).map_err(|error| self.failed([error]))?;
                }
            }
        }
        Ok(self.replaced(checked))
    }
}

/// A file as the source of a data set that is given.
pub(super) fn source_of(set: &DataSet, path: &Path) -> Source {
    let span = match set.source {
        Source::Given { span } => span,
        _ => set.span,
    };
    let is_safetensors = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"));
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).display().to_string();
    if is_safetensors { Source::Safetensors { path, span } } else { Source::Npz { path, span } }
}

impl Given {
    /// Adds the rows of a data set from an `npz` or `safetensors` file that has an array for each field.
    ///
    /// # Errors
    /// Those of reading the file; E0757 if the program has no such data that is given.
    pub(crate) fn file(self, program: &Program, data: &str, path: &Path) -> Result<Given, Diagnostic> {
        let set = program.checked().data.iter().find(|set| &*set.name == data && is_given(set));
        let Some(set) = set else {
            let empty = self.data(data, std::iter::empty::<(&str, Tensor)>());
            empty.check(program)?;
            return Ok(empty);
        };
        let world = &**program.world();
        let mut names: Vec<&Arc<str>> = set.columns.iter().map(|column| &column.field).collect();
        names.dedup();
        let mut fields = Vec::with_capacity(names.len());
        if path.extension().is_some_and(|ending| ending == "safetensors") {
            let file = safetensors::open(world, path)?;
            for name in names {
                fields.push((name, file.tensor(name)?.load()?));
            }
        } else {
            let file = npz::open(world, path)?;
            for name in names {
                fields.push((name, file.tensor(name)?.load()?));
            }
        }
        Ok(self.data(data, fields))
    }
}
