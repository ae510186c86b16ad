//! The text form of a plan: what `nnc ir --stage plan` prints.
//!
//! ```text
//! Net.fc1 matmul [forward]
//!   t2[64, 128] = input:image[64, 784] @ param:fc1.weight[784, 128]
//! softmax [forward]: for i0 < 64
//!   t3[i0] max= t2[i0, i1]                        i1 < 10
//! ```
//!
//! A buffer is called after the caller's tensor that it is, or `t3` in the arena, `r3` for a worker's row (of
//! which the shared indices see only their own) and `c3` for a constant.

use super::{BufferId, Gemm, Nest, Place, Plan, Rand, ScanSteps, Stage, Step, View};
use crate::ir::program::Precision;
use crate::ir::{BinaryOp, Combine, Phase, RandKind, Scalar, ScalarId, Sub, UnaryOp};
use std::fmt::{self, Write};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precision = match self.precision {
            Precision::F32 => "f32",
            Precision::F64 => "f64",
        };
        write!(f, "plan: {precision}, {} bytes of temporaries", self.arena_bytes)?;
        if self.scratch_bytes > 0 {
            write!(f, ", {} bytes for each worker", self.scratch_bytes)?;
        }
        writeln!(f)?;
        for external in &self.externals {
            let sizes: Vec<String> = external.shape.iter().map(usize::to_string).collect();
            let written = if external.written { ", written" } else { "" };
            let elem = elem_text(external.elem, external.wide);
            writeln!(f, "  {}: {elem}[{}]{written}", external.name, sizes.join(", "))?;
        }
        for (at, buffer) in self.buffers.iter().enumerate() {
            let id = BufferId(at as u32);
            match &buffer.place {
                Place::Arena(offset) | Place::Scratch(offset) if buffer.len > 0 => {
                    let elem = elem_text(buffer.elem, buffer.is_wide());
                    writeln!(f, "  {}: {elem}[{}] at {offset}", self.name(id), buffer.len)?;
                }
                Place::Arena(_) | Place::Scratch(_) | Place::External(_) | Place::Const(_) => {}
            }
        }
        self.steps.iter().try_for_each(|step| self.write_step(f, step, 0))
    }
}

fn elem_text(elem: crate::ir::Elem, wide: bool) -> String {
    if wide { format!("{elem}64") } else { elem.to_string() }
}

impl Plan {
    /// The name of a buffer in the text form.
    pub fn name(&self, id: BufferId) -> String {
        match &self.buffers[id.0 as usize].place {
            Place::Arena(_) => format!("t{}", id.0),
            Place::Scratch(_) => format!("r{}", id.0),
            Place::External(slot) => self.externals[*slot as usize].name.to_string(),
            Place::Const(_) => format!("c{}", id.0),
        }
    }

    fn write_step(&self, f: &mut fmt::Formatter<'_>, step: &Step, depth: usize) -> fmt::Result {
        let pad = "  ".repeat(depth);
        match step {
            Step::Nest(nest) => self.write_nest(f, nest, &pad),
            Step::Gemm(gemm) => self.write_gemm(f, gemm, &pad),
            Step::Rand(rand) => self.write_rand(f, rand, &pad),
            Step::Scan(ScanSteps { step, trip, reverse, local, steps }) => {
                let reverse = if *reverse { " reverse" } else { "" };
                let independent = if local.is_some() { " independent" } else { "" };
                writeln!(f, "{pad}scan{reverse}{independent}: t{} < {trip}", step.0)?;
                steps.iter().try_for_each(|step| self.write_step(f, step, depth + 1))
            }
        }
    }

    fn write_nest(&self, f: &mut fmt::Formatter<'_>, nest: &Nest, pad: &str) -> fmt::Result {
        write!(f, "{pad}{}{}", nest.name.text, phase(nest.name.phase))?;
        let first = &nest.stages[0].body.domain;
        for (at, size) in first.iter().take(nest.shared).enumerate() {
            write!(f, "{}i{at} < {size}", if at == 0 { ": for " } else { ", " })?;
        }
        if nest.pieces > 1 {
            write!(f, " in {} pieces", nest.pieces)?;
        }
        writeln!(f)?;
        nest.stages.iter().try_for_each(|stage| {
            let ranges: Vec<String> = (nest.shared..stage.body.domain.len())
                .map(|index| format!("i{index} < {}", stage.body.domain[index]))
                .collect();
            let domain = if ranges.is_empty() { String::new() } else { format!("    {}", ranges.join(", ")) };
            let text = StageText::new(self, stage);
            writeln!(f, "{pad}  {}{domain}", text.statement())?;
            text.shared
                .iter()
                .enumerate()
                .try_for_each(|(at, id)| writeln!(f, "{pad}    e{at} = {}", text.expression(*id)))
        })
    }

    fn write_gemm(&self, f: &mut fmt::Formatter<'_>, gemm: &Gemm, pad: &str) -> fmt::Result {
        write!(f, "{pad}{}{}", gemm.name.text, phase(gemm.name.phase))?;
        if gemm.pieces > 1 {
            write!(f, " in {} pieces", gemm.pieces)?;
        }
        let sign = if gemm.accumulate { "+=" } else { "=" };
        let (a, b, c) = (self.view_text(&gemm.a), self.view_text(&gemm.b), self.view_text(&gemm.c));
        writeln!(f, "\n{pad}  {c} {sign} {a} @ {b}")
    }

    fn write_rand(&self, f: &mut fmt::Formatter<'_>, rand: &Rand, pad: &str) -> fmt::Result {
        let kind = match rand.kind {
            RandKind::Uniform => "uniform",
            RandKind::Normal => "normal",
        };
        writeln!(f, "{pad}{}{}", rand.name.text, phase(rand.name.phase))?;
        let target = self.view_text(&rand.target);
        writeln!(f, "{pad}  {target} = {kind}(stream {:08x}, step {})", rand.stream, rand.step)
    }

    /// `t2[64, 10]`, followed by offset and strides unless it is contiguous from the beginning.
    fn view_text(&self, view: &View) -> String {
        let sizes: Vec<String> = view.shape.iter().map(i64::to_string).collect();
        let mut text = format!("{}[{}]", self.name(view.buffer), sizes.join(", "));
        let mut notes = Vec::new();
        if view.offset != 0 {
            notes.push(format!("from {}", view.offset));
        }
        if !view.is_contiguous() {
            let strides: Vec<String> = view.strides.iter().map(i64::to_string).collect();
            notes.push(format!("strides {}", strides.join(" ")));
        }
        notes.extend(view.step_strides.iter().map(|(step, stride)| format!("t{} * {stride}", step.0)));
        if !notes.is_empty() {
            let _ = write!(text, "{{{}}}", notes.join(", "));
        }
        text
    }
}

/// A stage as text. Common subexpressions are named `e0`, `e1`, ….
struct StageText<'p> {
    plan: &'p Plan,
    stage: &'p Stage,
    shared: Vec<ScalarId>,
}

impl<'p> StageText<'p> {
    fn new(plan: &'p Plan, stage: &'p Stage) -> StageText<'p> {
        let body = &stage.body.body;
        let mut uses = vec![0; body.nodes.len()];
        body.nodes.iter().for_each(|scalar| scalar.for_each_operand(|id| uses[id.0 as usize] += 1));
        let is_long = |scalar: &Scalar| match scalar {
            Scalar::Unary(op, _) => *op != UnaryOp::Neg,
            Scalar::Binary(..) | Scalar::Select(..) => true,
            Scalar::Float(_) | Scalar::Int(_) | Scalar::Bool(_) | Scalar::Affine(_) => false,
            Scalar::Read { .. } | Scalar::WithSlope { .. } => false,
        };
        let shared = (0..body.nodes.len()).filter(|at| uses[*at] > 1 && is_long(&body.nodes[*at]));
        StageText { plan, stage, shared: shared.map(|at| ScalarId(at as u32)).collect() }
    }

    /// `t3[i0] max= t2[i0, i1]`.
    fn statement(&self) -> String {
        let body = &self.stage.body;
        let sign = body.combine;
        let keep = if self.stage.accumulate && body.combine != Combine::Set { "old " } else { "" };
        let drop = if body.dropping { "?" } else { "" };
        let target = self.access(&self.stage.target, &body.write);
        format!("{keep}{target}{drop} {sign} {}", self.scalar(body.body.result))
    }

    fn access(&self, view: &View, subs: &[Sub]) -> String {
        let subs: Vec<String> = subs
            .iter()
            .map(|sub| match sub {
                Sub::Affine(affine) => affine.to_string(),
                Sub::Value(id) => self.scalar(*id),
            })
            .collect();
        let mut text = self.plan.name(view.buffer);
        for (step, _) in &view.step_strides {
            let _ = write!(text, "@t{}", step.0);
        }
        if view.offset != 0 {
            let _ = write!(text, "+{}", view.offset);
        }
        let is_row = matches!(self.plan.buffers[view.buffer.0 as usize].place, Place::Scratch(_));
        if !view.is_contiguous() && !is_row {
            let strides: Vec<String> = view.strides.iter().map(i64::to_string).collect();
            let _ = write!(text, "{{{}}}", strides.join(" "));
        }
        let _ = write!(text, "[{}]", subs.join(", "));
        text
    }

    /// A name if it has one.
    fn scalar(&self, id: ScalarId) -> String {
        match self.shared.iter().position(|other| *other == id) {
            Some(at) => format!("e{at}"),
            None => self.expression(id),
        }
    }

    fn expression(&self, id: ScalarId) -> String {
        match &self.stage.body.body[id] {
            Scalar::Float(value) => format!("{:?}", value.0),
            Scalar::Int(value) => value.to_string(),
            Scalar::Bool(value) => value.to_string(),
            Scalar::Affine(affine) if affine.terms.len() + usize::from(!affine.constant.is_number(0)) > 1 => {
                format!("({affine})")
            }
            Scalar::Affine(affine) => affine.to_string(),
            Scalar::Read { operand, subs, padded } => {
                let text = self.access(&self.stage.operands[*operand as usize], subs);
                if *padded { format!("{text}?") } else { text }
            }
            Scalar::Unary(UnaryOp::Neg, a) => format!("-{}", self.scalar(*a)),
            Scalar::Unary(op, a) => format!("{}({})", op.name(), self.scalar(*a)),
            Scalar::Binary(op, a, b) => {
                let sign = match op {
                    BinaryOp::Add => "+",
                    BinaryOp::Sub => "-",
                    BinaryOp::Mul => "*",
                    BinaryOp::Div => "/",
                    BinaryOp::Pow => "^",
                    BinaryOp::Lt => "<",
                    BinaryOp::Le => "<=",
                    BinaryOp::Eq => "==",
                    BinaryOp::And => "and",
                    BinaryOp::Or => "or",
                    BinaryOp::FloorDiv => "//",
                    BinaryOp::Mod => "%",
                };
                format!("({} {sign} {})", self.scalar(*a), self.scalar(*b))
            }
            Scalar::Select(c, a, b) => {
                format!("({} ? {} : {})", self.scalar(*c), self.scalar(*a), self.scalar(*b))
            }
            Scalar::WithSlope { value, .. } => self.scalar(*value),
        }
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Forward => "",
        Phase::Backward => " [backward]",
        Phase::Update => " [update]",
    }
}
