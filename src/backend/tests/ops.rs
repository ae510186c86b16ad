//! Loops of every kind.

use super::*;

const SIZES: [usize; 6] = [1, 3, 5, 7, 17, 64];

fn binary_of(l: &mut LoopBuilder<'_>, op: BinaryOp, a: ScalarId, b: ScalarId) -> ScalarId {
    l.binary(op, a, b)
}

#[test]
fn elementwise_of_floats() {
    for size in SIZES {
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Float, &[size, 3]);
        let y = input(&mut graph, "y", Elem::Float, &[size, 3]);
        for op in [BinaryOp::Add, BinaryOp::Sub, BinaryOp::Mul, BinaryOp::Div, BinaryOp::Pow] {
            let node = graph.map(&[x, y], |l, reads| binary_of(l, op, reads[0], reads[1]));
            graph.output(op.name(), node);
        }
        for op in [BinaryOp::Lt, BinaryOp::Le, BinaryOp::Eq] {
            let node = graph.map(&[x, y], |l, reads| binary_of(l, op, reads[0], reads[1]));
            graph.output(op.name(), node);
            let chosen = graph.map(&[x, y], |l, reads| {
                let condition = binary_of(l, op, reads[0], reads[1]);
                l.select(condition, reads[0], reads[1])
            });
            graph.output(format!("select {}", op.name()), chosen);
        }
        check(&graph);
    }
}

#[test]
fn functions_of_floats() {
    for size in SIZES {
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Float, &[size]);
        for op in UnaryOp::ALL.iter().copied() {
            if op == UnaryOp::Stop || op.result(Elem::Float).is_none() {
                continue;
            }
            let node = graph.map(&[x], |l, reads| l.unary(op, reads[0]));
            graph.output(op.name(), node);
        }
        check(&graph);
    }
}

#[test]
fn ints_and_bools() {
    for size in SIZES {
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Int, &[size]);
        let y = input(&mut graph, "y", Elem::Int, &[size]);
        let p = input(&mut graph, "p", Elem::Bool, &[size]);
        let q = input(&mut graph, "q", Elem::Bool, &[size]);
        for op in BinaryOp::ALL.iter().copied() {
            if op.result(Elem::Int).is_some() {
                let node = graph.map(&[x, y], |l, reads| {
                    let one = l.int(-1);
                    let shifted = l.binary(BinaryOp::Add, reads[0], one);
                    l.binary(op, shifted, reads[1])
                });
                graph.output(format!("int {}", op.name()), node);
            }
            if op.result(Elem::Bool).is_some() {
                let node = graph.map(&[p, q], |l, reads| l.binary(op, reads[0], reads[1]));
                graph.output(format!("bool {}", op.name()), node);
            }
        }
        for (op, operand) in [
            (UnaryOp::Not, p),
            (UnaryOp::ToFloat, p),
            (UnaryOp::ToInt, p),
            (UnaryOp::ToFloat, x),
            (UnaryOp::Neg, x),
        ] {
            let node = graph.map(&[operand], |l, reads| l.unary(op, reads[0]));
            graph.output(format!("{} {}", op.name(), operand.0), node);
        }
        let chosen = graph.map(&[p, x, y], |l, reads| l.select(reads[0], reads[1], reads[2]));
        graph.output("chosen", chosen);
        let mut l = LoopBuilder::new(&graph, dims(&[size, 5]));
        let form = Affine::index(0).scale(&Dim::number(3)).add(&Affine::index(1)).offset(&Dim::number(-2));
        let value = l.affine(form);
        let node = l.map(value);
        let node = graph.add_loop(node);
        graph.output("affine", node);
        check(&graph);
    }
}

/// `out[i] combine= x[i, j]` or `out[j] combine= x[i, j]`.
fn reduction(graph: &mut Graph, x: NodeId, combine: Combine, kept: usize) -> NodeId {
    let shape = graph.shape(x).to_vec();
    let mut l = LoopBuilder::new(graph, shape.clone());
    let (i, j) = (l.index(0), l.index(1));
    let value = l.read(x, vec![i, j]);
    let write = vec![l.index(kept)];
    let node = l.reduce(vec![shape[kept].clone()], write, combine, value);
    graph.add_loop(node)
}

const COMBINES: [Combine; 6] =
    [Combine::Add, Combine::Mul, Combine::Max, Combine::Min, Combine::ArgMax, Combine::ArgMin];

#[test]
fn reductions() {
    for (rows, columns) in [(1, 1), (3, 5), (5, 3), (7, 17), (17, 7), (4, 64), (33, 9)] {
        for elem in [Elem::Float, Elem::Int] {
            let mut graph = Graph::new();
            let x = input(&mut graph, "x", elem, &[rows, columns]);
            for combine in COMBINES {
                for kept in [0, 1] {
                    let node = reduction(&mut graph, x, combine, kept);
                    graph.output(format!("{combine:?} {kept}"), node);
                }
            }
            check(&graph);
        }
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Bool, &[rows, columns]);
        for combine in [Combine::Max, Combine::Min] {
            for kept in [0, 1] {
                let node = reduction(&mut graph, x, combine, kept);
                graph.output(format!("{combine:?} {kept}"), node);
            }
        }
        check(&graph);
    }
}

/// Of the logarithms of some numbers below 0 the first is the extreme, wherever it stands: at the beginning, in any
/// lane, after the last whole vector.
#[test]
fn reductions_meet_nan() {
    for (rows, columns) in [(3, 5), (17, 7), (4, 64), (40, 40)] {
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Float, &[rows, columns]);
        let logs = graph.map(&[x], |l, reads| {
            let most = l.float(1.9);
            let sum = l.binary(BinaryOp::Add, reads[0], most);
            l.unary(UnaryOp::Log, sum)
        });
        for combine in [Combine::Max, Combine::Min, Combine::ArgMax, Combine::ArgMin] {
            for kept in [0, 1] {
                let node = reduction(&mut graph, logs, combine, kept);
                graph.output(format!("{combine:?} {kept}"), node);
            }
        }
        check(&graph);
    }
}

/// Large and small factors in turns: what is multiplied in another order overflows.
#[test]
fn factors_stay_in_their_order() {
    for (rows, columns) in [(1, 64), (3, 40), (64, 64)] {
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Float, &[rows, columns]);
        let mut l = LoopBuilder::new(&graph, dims(&[rows, columns]));
        let (row, column) = (l.index(0), l.index(1));
        let (at, two, zero) = (l.affine(Affine::index(1)), l.int(2), l.int(0));
        let rest = l.binary(BinaryOp::Mod, at, two);
        let is_even = l.binary(BinaryOp::Eq, rest, zero);
        let (large, small) = (l.float(1e30), l.float(1e-30));
        let scale = l.select(is_even, large, small);
        let value = l.read(x, vec![row.clone(), column]);
        let eighth = l.float(0.125);
        let value = l.binary(BinaryOp::Mul, value, eighth);
        let near_one = l.unary(UnaryOp::Exp, value);
        let factor = l.binary(BinaryOp::Mul, scale, near_one);
        let node = l.reduce(dims(&[rows]), vec![row], Combine::Mul, factor);
        let node = graph.add_loop(node);
        graph.output("product", node);
        check(&graph);
    }
}

#[test]
fn reductions_of_everything() {
    for size in SIZES {
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Float, &[size, 3, 5]);
        for combine in COMBINES {
            let mut l = LoopBuilder::new(&graph, dims(&[size, 3, 5]));
            let subs = vec![l.index(0), l.index(1), l.index(2)];
            let value = l.read(x, subs);
            let node = l.reduce(vec![], vec![], combine, value);
            let node = graph.add_loop(node);
            graph.output(format!("{combine:?}"), node);
        }
        check(&graph);
    }
}

/// `c[m, n] = Σ a[..] b[..]`, each operand as it is or transposed.
#[test]
fn products() {
    for (m, n, k) in [(1, 1, 1), (4, 8, 2), (3, 5, 7), (17, 5, 3), (5, 17, 64), (16, 16, 16), (7, 3, 33)] {
        let mut graph = Graph::new();
        for (transpose_a, transpose_b) in [(false, false), (false, true), (true, false), (true, true)] {
            let name = format!("{transpose_a} {transpose_b}");
            let a_sizes = if transpose_a { [k, m] } else { [m, k] };
            let b_sizes = if transpose_b { [n, k] } else { [k, n] };
            let a = input(&mut graph, &format!("a {name}"), Elem::Float, &a_sizes);
            let b = input(&mut graph, &format!("b {name}"), Elem::Float, &b_sizes);
            let mut l = LoopBuilder::new(&graph, dims(&[m, n, k]));
            let (i, j, r) = (l.index(0), l.index(1), l.index(2));
            let a =
                l.read(a, if transpose_a { vec![r.clone(), i.clone()] } else { vec![i.clone(), r.clone()] });
            let b = l.read(b, if transpose_b { vec![j.clone(), r] } else { vec![r, j.clone()] });
            let product = l.binary(BinaryOp::Mul, a, b);
            let node = l.reduce(dims(&[m, n]), vec![i, j], Combine::Add, product);
            let node = graph.add_loop(node);
            graph.output(name, node);
        }
        check(&graph);
    }
}

/// A convolution of stride 1 with padding, its max pool, and both scatters.
#[test]
fn windows() {
    for (height, width) in [(3, 5), (7, 7), (8, 17)] {
        let (channels, outputs) = (3, 4);
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Float, &[2, channels, height, width]);
        let w = input(&mut graph, "w", Elem::Float, &[outputs, channels, 3, 3]);
        let mut l = LoopBuilder::new(&graph, dims(&[2, outputs, height, width, channels, 3, 3]));
        let shifted = |index: usize, by: usize| {
            Sub::Affine(Affine::index(index).add(&Affine::index(by)).offset(&Dim::number(-1)))
        };
        let subs = vec![l.index(0), l.index(4), shifted(2, 5), shifted(3, 6)];
        let a = l.read_padded(x, subs);
        let subs = vec![l.index(1), l.index(4), l.index(5), l.index(6)];
        let b = l.read(w, subs);
        let product = l.binary(BinaryOp::Mul, a, b);
        let write = (0..4).map(|index| l.index(index)).collect();
        let node = l.reduce(dims(&[2, outputs, height, width]), write, Combine::Add, product);
        let y = graph.add_loop(node);
        graph.output("convolution", y);

        let strided = |index: usize, by: usize| {
            Sub::Affine(Affine::index(index).scale(&Dim::number(2)).add(&Affine::index(by)))
        };
        for combine in [Combine::Max, Combine::ArgMax] {
            let pooled = [2, outputs, height / 2, width / 2];
            let mut l = LoopBuilder::new(&graph, dims(&[2, outputs, height / 2, width / 2, 2, 2]));
            let subs = vec![l.index(0), l.index(1), strided(2, 4), strided(3, 5)];
            let value = l.read(y, subs);
            let write = (0..4).map(|index| l.index(index)).collect();
            let node = l.reduce(dims(&pooled), write, combine, value);
            let node = graph.add_loop(node);
            graph.output(format!("{combine:?}"), node);
        }
        // The adjoint of the padded read: a dropping scatter.
        let mut l = LoopBuilder::new(&graph, dims(&[2, outputs, height, width, channels, 3, 3]));
        let subs = (0..4).map(|index| l.index(index)).collect();
        let a = l.read(y, subs);
        let subs = vec![l.index(1), l.index(4), l.index(5), l.index(6)];
        let b = l.read(w, subs);
        let product = l.binary(BinaryOp::Mul, a, b);
        let write = vec![l.index(0), l.index(4), shifted(2, 5), shifted(3, 6)];
        let node = l.finish(dims(&[2, channels, height, width]), write, true, Combine::Add, product);
        let node = graph.add_loop(node);
        graph.output("scatter", node);
        check(&graph);
    }
}

#[test]
fn gather_and_scatter_by_values() {
    for (count, width) in [(1, 1), (5, 3), (7, 17), (17, 4)] {
        let mut graph = Graph::new();
        let ids = input(&mut graph, "ids", Elem::Int, &[count]);
        let table = input(&mut graph, "table", Elem::Float, &[3, width]);
        let mut l = LoopBuilder::new(&graph, dims(&[count, width]));
        let (b, d) = (l.index(0), l.index(1));
        let id = l.read(ids, vec![b.clone()]);
        let value = l.read(table, vec![Sub::Value(id), d.clone()]);
        let node = l.map(value);
        let rows = graph.add_loop(node);
        graph.output("rows", rows);
        // Beyond the table: 0.
        let mut l = LoopBuilder::new(&graph, dims(&[count, width]));
        let id = l.read(ids, vec![b.clone()]);
        let one = l.int(1);
        let next = l.binary(BinaryOp::Add, id, one);
        let value = l.read_padded(table, vec![Sub::Value(next), d.clone()]);
        let node = l.map(value);
        let node = graph.add_loop(node);
        graph.output("padded rows", node);
        // Each element of the index tensor in a lane.
        let mut l = LoopBuilder::new(&graph, dims(&[width, count]));
        let (d, b) = (l.index(0), l.index(1));
        let id = l.read(ids, vec![b.clone()]);
        let value = l.read(table, vec![Sub::Value(id), d.clone()]);
        let node = l.map(value);
        let node = graph.add_loop(node);
        graph.output("columns", node);
        let mut l = LoopBuilder::new(&graph, dims(&[count, width]));
        let (b, d) = (l.index(0), l.index(1));
        let id = l.read(ids, vec![b.clone()]);
        let value = l.read(rows, vec![b, d.clone()]);
        let node = l.reduce(dims(&[3, width]), vec![Sub::Value(id), d], Combine::Add, value);
        let node = graph.add_loop(node);
        graph.output("sums", node);
        check(&graph);
    }
}

#[test]
fn parts_and_transposes() {
    for size in SIZES {
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Float, &[size, 4]);
        let mut l = LoopBuilder::new(&graph, dims(&[4, size]));
        let (i, j) = (l.index(0), l.index(1));
        let value = l.read(x, vec![j, i]);
        let node = l.map(value);
        let node = graph.add_loop(node);
        graph.output("transposed", node);
        // Into the middle of a wider tensor of zeros.
        let mut l = LoopBuilder::new(&graph, dims(&[size, 4]));
        let (i, j) = (l.index(0), l.index(1));
        let value = l.read(x, vec![i.clone(), j]);
        let write = vec![i, Sub::Affine(Affine::index(1).offset(&Dim::number(2)))];
        let node = l.reduce(dims(&[size, 7]), write, Combine::Set, value);
        let node = graph.add_loop(node);
        graph.output("widened", node);
        let mut l = LoopBuilder::new(&graph, dims(&[4, size]));
        let reversed = Affine::index(1).scale(&Dim::number(-1)).offset(&Dim::number(size as i64 - 1));
        let value = l.read(x, vec![Sub::Affine(reversed), Sub::Affine(Affine::index(0))]);
        let node = l.map(value);
        let node = graph.add_loop(node);
        graph.output("reversed", node);
        check(&graph);
    }
}
