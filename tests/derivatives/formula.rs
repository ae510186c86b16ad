//! The expression of a loop as people write it.

use nnc::ir::{BinaryOp, Combine, Graph, Loop, NodeId, Op, Scalar, ScalarId, Sub, UnaryOp};

/// `combine[domain](expression)` of a loop, or the name of a leaf. Loops that are read are named by their number.
pub fn formula(graph: &Graph, id: NodeId) -> String {
    match &graph[id].op {
        Op::Loop(body) => {
            let text = scalar(graph, body, &graph[id].operands, body.body.result, 0);
            match body.as_function() {
                Some(_) => text,
                None => format!("{:?}[{}]({text})", body.combine, body.domain.len()),
            }
        }
        Op::Input { name, .. } => name.to_string(),
        _ => format!("n{}", id.0),
    }
}

fn scalar(g: &Graph, body: &Loop, operands: &[NodeId], id: ScalarId, strength: u8) -> String {
    let deep = |id: ScalarId, strength: u8| scalar(g, body, operands, id, strength);
    let (text, it) = match &body.body[id] {
        Scalar::Float(value) => (format!("{}", value.0), 9),
        Scalar::Int(value) => (format!("{value}"), 9),
        Scalar::Bool(value) => (format!("{value}"), 9),
        Scalar::Affine(affine) => (format!("{affine}"), if affine.terms.len() == 1 { 9 } else { 3 }),
        Scalar::Read { operand, subs, .. } => {
            let node = operands[*operand as usize];
            // Elementwise nodes are shown as what they compute, but for the powers of a softmax.
            if let Op::Loop(producer) = &g[node].op
                && producer.as_function().is_some()
                && !matches!(producer.body[producer.body.result], Scalar::Unary(UnaryOp::Exp, _))
            {
                let text = scalar(g, producer, &g[node].operands, producer.body.result, strength);
                return if strength > 4 { format!("({text})") } else { text };
            }
            let name = match &g[node].op {
                Op::Input { name, .. } => name.to_string(),
                Op::Loop(body) if body.combine == Combine::Add => "sums".to_string(),
                Op::Loop(body) if body.as_function().is_some() => "powers".to_string(),
                _ => format!("n{}", node.0),
            };
            let subs = subs.iter().map(|sub| match sub {
                Sub::Affine(affine) => affine.to_string(),
                Sub::Value(id) => deep(*id, 0),
            });
            (format!("{name}[{}]", subs.collect::<Vec<_>>().join(", ")), 9)
        }
        Scalar::Unary(UnaryOp::Neg, a) => (format!("-{}", deep(*a, 5)), 4),
        Scalar::Unary(op, a) => (format!("{}({})", op.name(), deep(*a, 0)), 9),
        Scalar::Binary(op, a, b) => {
            let (sign, it) = match op {
                BinaryOp::Add => ("+", 3),
                BinaryOp::Sub => ("-", 3),
                BinaryOp::Mul => ("*", 4),
                BinaryOp::Div => ("/", 4),
                BinaryOp::Lt => ("<", 2),
                BinaryOp::Le => ("<=", 2),
                BinaryOp::Eq => ("==", 2),
                BinaryOp::And => ("and", 1),
                BinaryOp::Or => ("or", 1),
                BinaryOp::Pow => ("^", 5),
                BinaryOp::FloorDiv => ("//", 4),
                BinaryOp::Mod => ("%", 4),
            };
            (format!("{} {sign} {}", deep(*a, it), deep(*b, it + 1)), it)
        }
        Scalar::Select(c, a, b) => {
            (format!("if {} then {} else {}", deep(*c, 0), deep(*a, 0), deep(*b, 0)), 0)
        }
        Scalar::WithSlope { value, .. } => (format!("slope({})", deep(*value, 0)), 9),
    };
    if it < strength { format!("({text})") } else { text }
}
