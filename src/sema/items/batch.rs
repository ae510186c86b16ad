//! Graphs over the rows of a batch.

use super::companions::BatchData;
use crate::ir::program::BATCH;
use crate::ir::{Dim, Graph, InputKey};
use crate::sema::body::data_table::FieldInfo;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::module::ModuleId;
use crate::sema::scope::frames::{BindingKind, Frame, FrameKind};
use crate::sema::scope::report::training::TrainError;
use crate::sema::value::{DataValue, IntSource, Value};

/// Builds a graph of its own, in which the fields of the data are those of a batch. Parameters and states are leaves
/// until something updates them.
pub fn in_batch_graph<'a, R>(
    cx: &mut Elaborator<'a>,
    data: &BatchData,
    build: impl FnOnce(&mut Elaborator<'a>) -> R,
) -> (Graph, R) {
    cx.begin_next_graph();
    cx.in_new_graph(|cx| {
        let frame = batch_frame(cx, data);
        cx.in_frame(frame, build)
    })
}

/// A frame in which the fields of the data are the batch, and `u.x` is the field `x` of what is drawn as `u`.
fn batch_frame(cx: &mut Elaborator<'_>, data: &BatchData) -> Frame {
    let mut frame = Frame::uncalled(FrameKind::File, None, ModuleId::MAIN);
    // The turns of the loops around the training.
    frame.bindings.extend(cx.frame().bindings.iter().filter(|binding| binding.kind == BindingKind::For).cloned());
    for field in fields(cx, &data.main) {
        if let Some(hidden) = frame.find(&field.name).filter(|known| known.kind == BindingKind::For) {
            let (name, data, declared) = (field.name.clone(), data.main.item.clone(), field.span);
            cx.report(TrainError::LoopNamedLikeField { name, data, at: hidden.span, declared });
        }
        let key = InputKey::Field(field.name.clone());
        let value = batch_of(cx, key, Dim::symbol(BATCH), &data.main, &field);
        frame.bind(field.name.clone(), value, field.span, BindingKind::Input);
    }
    for drawn in &data.companions {
        frame.bind(drawn.name.clone(), Value::Data(drawn.data.clone()), drawn.span, BindingKind::Input);
        let rows = drawn.batch.map_or_else(|| Dim::symbol(BATCH), Dim::from);
        for field in fields(cx, &drawn.data) {
            let key = InputKey::Companion(drawn.name.clone(), field.name.clone());
            let value = batch_of(cx, key, rows.clone(), &drawn.data, &field);
            frame.bind(format!("{}.{}", drawn.name, field.name), value, field.span, BindingKind::Input);
        }
        frame.bind(format!("{}.rows", drawn.name), Value::Int(rows), drawn.span, BindingKind::Input);
    }
    frame
}

fn fields(cx: &Elaborator<'_>, data: &DataValue) -> Vec<FieldInfo> {
    cx.data.sets.get(&data.item).map(|info| info.fields.clone()).unwrap_or_default()
}

fn batch_of(cx: &mut Elaborator<'_>, key: InputKey, rows: Dim, data: &DataValue, field: &FieldInfo) -> Value {
    let source = IntSource::Field { set: data.item.clone(), field: field.name.clone() };
    cx.input_tensor(key, rows, field, source, field.span)
}
