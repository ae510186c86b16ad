//! Models as programs of their own: for `predict` and for summaries.

use crate::base::order::PutInOrder;
use crate::base::Span;
use crate::ir::program::{BATCH, Bound, LayerSummary, Model};
use crate::ir::{BinaryOp, Combine, Dim, Elem, Graph, InputKey, NodeId, Op, OutputKey, Scalar, Type};
use crate::sema::value::Given;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::body::free::free_type;
use crate::sema::build::built::LayerCall;
use crate::sema::scope::module::ItemRef;
use crate::sema::scope::report::training::{FixingInput, TrainWarning};
use crate::sema::value::{IntSource, Interval, Tensor, Value};
use crate::syntax::ast;
use std::collections::HashMap;
use std::sync::Arc;

/// Elaborates a model in evaluation mode, with the input types of its first call in the file, or else those
/// of its signature with every unknown name a free dimension.
pub fn model(cx: &mut Elaborator<'_>, item: &ItemRef) -> Option<Model> {
    let definition = item.definition()?;
    let Value::Instance(instance) = cx.model(item, definition.name.span) else { return None };
    let called = cx.models.inputs.get(item.name()).cloned();
    let parameters = definition.inputs.as_ref().map_or(&[][..], |list| &list.parameters);
    let mut inputs: Vec<(Arc<str>, Type)> = Vec::new();
    let was_called = called.is_some();
    match called {
        Some(types) => {
            let names = parameters.iter().map(|parameter| parameter.name.text.clone());
            inputs.extend(names.zip(with_free_rows(types)));
        }
        None => {
            for parameter in parameters.iter().filter(|parameter| parameter.default.is_none()) {
                let Some(ty) = &parameter.ty else {
                    return Some(open_model(item));
                };
                inputs.push((parameter.name.text.clone(), free_type(cx, item, ty)?));
            }
        }
    }
    let known_variables = cx.variables.list.len();
    cx.open.shapes.clear();
    let errors = cx.reports.len();
    cx.begin_graph();
    let span = definition.name.span;
    let build = |cx: &mut Elaborator<'_>| {
        let given = inputs.iter().map(|(name, ty)| {
            let node = cx
                .graph_mut()
                .add(Op::Input { name: InputKey::field(name.clone()), ty: ty.clone() }, Vec::new());
            let place = parameters.iter().find(|parameter| parameter.name.text == *name).map_or(span, |parameter| parameter.span);
            let mut tensor = cx.tensor(node, place);
            tensor.interval = class_interval(parameters, name, ty);
            let source = IntSource::ModelInput { model: item.name().into(), input: name.clone() };
            tensor.field = (ty.elem == Elem::Int).then_some(source);
            Given { name: None, value: Value::Tensor(tensor), span }
        });
        let given: Vec<Given> = given.collect();
        let result = cx.call_instance(&instance, given, span);
        outputs(cx, &result, span)
    };
    let (mut graph, outputs) = cx.within(cx.context.looking(), |cx| cx.in_new_graph(build));
    let calls = std::mem::take(&mut cx.built.layer_calls);
    let mut open_shapes = std::mem::take(&mut cx.open.shapes);
    let open_starts = std::mem::take(&mut cx.open.starts);
    open_shapes.retain(|(_, ty, _)| ty.static_shape().is_none());
    let open = !open_shapes.is_empty();
    if !open && !was_called {
        cx.reports.extend(open_starts);
    }
    let failed = outputs.is_none();
    if open || (failed && was_called) {
        // Only what a caller knows would fix these sizes; the errors, if any, belong to the calls.
        if let (Some((path, ty, place)), false, false) = (open_shapes.first(), failed, was_called) {
            let (path, ty, fixing) = (path.clone(), ty.clone(), fixing_input(parameters, &inputs, ty));
            cx.report(TrainWarning::OpenSize { path, ty, model: item.name_span(), declared: *place, fixing });
        }
        cx.variables.truncate(known_variables);
        if was_called {
            cx.reports.truncate(errors);
        }
        return Some(Model { inputs, ..open_model(item) });
    }
    for (at, node) in outputs?.into_iter().enumerate() {
        graph.output(OutputKey::named(at.to_string()), node);
    }
    let layers = summaries(cx, &graph, &calls);
    let bounds = inputs.iter().filter_map(|(name, ty)| class_bound(parameters, name, ty)).collect();
    Some(Model { name: item.name().into(), inputs, bounds, forward: Some(graph), layers })
}

/// The types of a call, with a number of rows that is free where the call's is computed, such as `20 * batch` for all
/// steps of a batch of episodes: by itself the model takes any number of rows.
fn with_free_rows(mut types: Vec<Type>) -> Vec<Type> {
    let rows = types.iter().filter_map(|ty| ty.shape.first()).filter(|first| first.as_number().is_none());
    let rows: Vec<Dim> = rows.cloned().collect();
    if let Some(first) = rows.first().filter(|first| first.as_symbol().is_none() && rows.iter().all(|size| size == *first)) {
        for ty in types.iter_mut().filter(|ty| ty.shape.first() == Some(first)) {
            ty.shape[0] = Dim::symbol(BATCH);
        }
    }
    types
}

/// The input that would fix an open size of a parameter of a model that nothing calls.
fn fixing_input(
    parameters: &[ast::Parameter],
    inputs: &[(Arc<str>, Type)],
    parameter: &Type,
) -> Option<FixingInput> {
    let symbols = |ty: &Type| {
        let mut symbols = Vec::new();
        ty.shape.iter().for_each(|size| size.symbols(&mut symbols));
        symbols
    };
    let open = symbols(parameter);
    inputs.iter().find_map(|(name, ty)| {
        let size = symbols(ty).into_iter().find(|size| open.contains(size))?;
        let input = parameters.iter().find(|input| input.name.text == *name)?;
        Some(FixingInput { size: size.to_string(), input: input.name.clone(), at: input.span })
    })
}

fn open_model(item: &ItemRef) -> Model {
    Model {
        name: item.name().into(),
        inputs: Vec::new(),
        bounds: Vec::new(),
        forward: None,
        layers: Vec::new(),
    }
}

fn outputs(cx: &mut Elaborator<'_>, result: &Value, span: Span) -> Option<Vec<NodeId>> {
    let values = match result {
        Value::Error => return None,
        Value::Tuple(items) => items.to_vec(),
        other => vec![other.clone()],
    };
    let mut nodes = Vec::new();
    for value in values {
        let tensor: Tensor = cx.to_tensor(&value, span)?;
        nodes.push(cx.node(&tensor, span)?);
    }
    Some(nodes)
}

fn class_interval(parameters: &[ast::Parameter], name: &str, ty: &Type) -> Option<Interval> {
    let parameter = parameters.iter().find(|parameter| parameter.name.as_str() == name)?;
    let ast::TypeKind::Tensor { element: ast::Element::Class(size), .. } = &parameter.ty.as_ref()?.kind
    else {
        return None;
    };
    match (&size.kind, ty.elem) {
        (ast::ExprKind::Int(size), Elem::Int) => Some(Interval::below(&Dim::number(*size))),
        _ => None,
    }
}

/// The bound that `class(n)` declares for an input.
fn class_bound(parameters: &[ast::Parameter], name: &Arc<str>, ty: &Type) -> Option<(Arc<str>, Bound)> {
    let interval = class_interval(parameters, name, ty)?;
    let span = parameters.iter().find(|parameter| parameter.name.text == *name)?.span;
    Some((name.clone(), Bound { below: &interval.greatest + &Dim::ONE, span, is_declared: false }))
}

fn summaries(cx: &Elaborator<'_>, graph: &Graph, calls: &[LayerCall]) -> Vec<LayerSummary> {
    let mut products = HashMap::new();
    multiply_adds(graph, "", &mut products);
    let mut paths: Vec<&Arc<str>> = calls.iter().map(|call| &call.path).collect();
    paths.put_in_order();
    paths.dedup();
    let mut params: HashMap<&str, Vec<Arc<str>>> = HashMap::new();
    for variable in cx.variables.list.iter().filter(|variable| !variable.is_state) {
        if let Some(owner) = owner(&variable.path, &paths) {
            params.entry(owner).or_default().push(variable.path.clone());
        }
    }
    let rows = calls.iter().map(|call| LayerSummary {
        path: call.path.clone(),
        layer: call.layer.clone(),
        output: call.output.clone(),
        params: params.get(&*call.path).cloned().unwrap_or_default(),
        multiply_adds: products.get(&*call.path).cloned().unwrap_or(Dim::ZERO),
    });
    rows.collect()
}

/// The instance that a variable belongs to: the innermost of those around it. `paths` is in order.
fn owner<'p>(variable: &str, paths: &[&'p Arc<str>]) -> Option<&'p str> {
    let mut outer = Some(variable);
    while let Some(path) = outer.filter(|path| !path.is_empty()) {
        let above = path.rsplit_once('.').map_or("", |(above, _)| above);
        if let Ok(at) = paths.binary_search_by(|path| (***path).cmp(above)) {
            return Some(paths[at]);
        }
        outer = Some(above);
    }
    None
}

/// Products that are summed, by the instance in whose own body their loops are made; what says nothing of where it
/// comes from belongs to `outer`.
fn multiply_adds<'g>(graph: &'g Graph, outer: &'g str, into: &mut HashMap<&'g str, Dim>) {
    for (_, node) in graph.nodes() {
        let path = node.origin.path.as_deref().unwrap_or(outer);
        match &node.op {
            Op::Scan(scan) => {
                let mut step = HashMap::new();
                multiply_adds(&scan.body, path, &mut step);
                for (path, products) in step {
                    let total = into.entry(path).or_insert(Dim::ZERO);
                    *total = &*total + &Dim::product([&scan.trip, &products]);
                }
            }
            Op::Loop(body) if body.combine == Combine::Add => {
                let is_product = |scalar: &Scalar| matches!(scalar, Scalar::Binary(BinaryOp::Mul, ..));
                if body.body.nodes.iter().any(is_product) && body.shape.len() < body.domain.len() {
                    let total = into.entry(path).or_insert(Dim::ZERO);
                    *total = &*total + &Dim::product(&body.domain);
                }
            }
            _ => {}
        }
    }
}

/// All models of the user's files, by module and order.
pub fn models(cx: &mut Elaborator<'_>) -> Vec<Model> {
    let items = cx.model_items();
    items.iter().filter_map(|item| model(cx, item)).collect()
}
