//! Graphs over the rows of a batch, and the numbers that losses and metrics are.

use crate::base::Span;
use crate::ir::program::BATCH;
use crate::ir::{Dim, Elem, Graph, InputKey};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::module::ModuleId;
use crate::sema::scope::frames::{BindingKind, Frame, FrameKind};
use crate::sema::scope::report::losses::{BatchNumber, BatchNumberError};
use crate::sema::value::{DataValue, IntSource, Tensor, Value};

/// Builds a graph of its own, in which the fields of the data are those of a batch. Parameters and states are leaves
/// until something updates them.
pub fn in_batch_graph<'a, R>(
    cx: &mut Elaborator<'a>,
    data: &DataValue,
    build: impl FnOnce(&mut Elaborator<'a>) -> R,
) -> (Graph, R) {
    cx.begin_next_graph();
    cx.in_new_graph(|cx| {
        let frame = batch_frame(cx, data);
        cx.in_frame(frame, build)
    })
}

/// A frame in which the fields of the data are the batch.
fn batch_frame(cx: &mut Elaborator<'_>, data: &DataValue) -> Frame {
    let mut frame = Frame::new(FrameKind::File, None, ModuleId::MAIN, Span::default());
    let fields = cx.data.sets.get(&data.item).map(|info| info.fields.clone()).unwrap_or_default();
    for field in fields {
        let key = InputKey::Field(field.name.clone());
        let source = IntSource::Field { set: data.item.clone(), field: field.name.clone() };
        let value = cx.input_tensor(key, Dim::symbol(BATCH), &field, source, field.span);
        frame.bind(field.name.clone(), value, field.span, BindingKind::Input);
    }
    frame
}

/// A loss or a metric as the node of a float scalar. `None` is reported.
pub fn scalar_node(
    cx: &mut Elaborator<'_>,
    value: &Value,
    at: Span,
    of: BatchNumber,
) -> Option<Tensor> {
    if value.is_error() {
        return None;
    }
    if !value.is_number() && !matches!(value, Value::Tensor(_)) {
        cx.report(BatchNumberError::NotNumber { of, found: value.clone(), at });
        return None;
    }
    let tensor = cx.to_tensor(value, at)?;
    if tensor.rank() > 0 {
        cx.report(BatchNumberError::NotScalar { of, found: value.clone(), at });
        return None;
    }
    let mut tensor = cx.with_elem(tensor, Elem::Float, at)?;
    tensor.node = cx.node(&tensor, at)?;
    Some(tensor)
}
