//! What loops are, whether their sizes are numbers or not.

use super::*;
use crate::ir::text::parse;
use crate::ir::{Dim, Graph, Op, Sizes, specialise};

/// What the last loop of a graph is, in a word.
fn word(graph: &Graph) -> String {
    let mut loops = graph.nodes().filter_map(|(_, node)| match &node.op {
        Op::Loop(body) => Some(body),
        _ => None,
    });
    match recognise(loops.next_back().expect("a loop")) {
        Kind::Map => "map".into(),
        Kind::Reduction => "reduction".into(),
        Kind::Contraction(product) => {
            let side =
                |side| product.indices(side).map(|index| index.to_string()).collect::<Vec<_>>().join(" ");
            let sides = [Side::Batch, Side::M, Side::N, Side::K].map(side);
            format!("contraction [{}] [{}] [{}] [{}]", sides[0], sides[1], sides[2], sides[3])
        }
        Kind::Window(window) => {
            let what = match (&window.product, window.is_depthwise()) {
                (Some(_), true) => "depthwise convolution",
                (Some(_), false) => "convolution",
                (None, _) => "pool",
            };
            let way = if window.is_transposed { "transposed " } else { "" };
            let slides: Vec<String> = window.slides.iter().map(slide).collect();
            format!("{way}{what} {}", slides.join(" "))
        }
        Kind::Gather(gather) => {
            let read = |read: &ComputedRead| {
                format!("operand {}, axes {:?}", read.operand, read.axes.iter().map(|(axis, _)| *axis).collect::<Vec<_>>())
            };
            format!("gather {}", gather.reads.iter().map(read).collect::<Vec<_>>().join(" "))
        }
        Kind::Scatter(scatter) => {
            let what = if scatter.is_of_rows { "rows" } else { "elements" };
            let axes: Vec<usize> = scatter.axes.iter().map(|(axis, _)| *axis).collect();
            format!("scatter {what} {axes:?}")
        }
        Kind::General => "general".into(),
    }
}

/// `axis 1: 2*i2 + i4 - 1 padded`.
fn slide(slide: &Slide) -> String {
    let term = |coefficient: &Dim, index: usize| match coefficient.is_number(1) {
        true => format!("i{index}"),
        false => format!("{coefficient}*i{index}"),
    };
    let padded = if slide.is_padded { " padded" } else { "" };
    let (place, offset) = (term(&slide.stride, slide.place), term(&slide.dilation, slide.offset));
    format!("[axis {}: {place} + {offset} from {}{padded}]", slide.axis, slide.start)
}

/// The same for an open batch and for one of eight.
fn check(text: &str, wanted: &str) {
    let graph = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(word(&graph), wanted, "{text}");
    let sizes = Sizes::from([("batch".into(), Dim::number(8))]);
    assert_eq!(word(&specialise(&graph, &sizes).expect("sizes that fit")), wanted, "{text}");
}

#[test]
fn maps() {
    check(
        "%0 = input \"x\" : [5, batch]\n%1 = param \"b\" : [5]\n\
         %2 = loop i0 < batch, i1 < 5 : [i0, i1] = add(%0[i1, i0], %1[i1]) : [batch, 5]\nout \"y\" = %2\n",
        "map",
    );
}

#[test]
fn reductions() {
    check(
        "%0 = input \"x\" : [batch, 5]\n%1 = loop i0 < batch, i1 < 5 : [i0] max= %0[i0, i1] : [batch]\nout \"y\" = %1\n",
        "reduction",
    );
}

#[test]
fn contractions() {
    check(
        "%0 = input \"x\" : [batch, 8]\n%1 = param \"w\" : [4, 8]\n\
         %2 = loop i0 < batch, i1 < 4, i2 < 8 : [i0, i1] += mul(%0[i0, i2], %1[i1, i2]) : [batch, 4]\nout \"y\" = %2\n",
        "contraction [] [0] [1] [2]",
    );
    check(
        "%0 = input \"q\" : [batch, 6, 8]\n%1 = input \"k\" : [batch, 7, 8]\n\
         %2 = loop i0 < batch, i1 < 6, i2 < 7, i3 < 8 : [i0, i1, i2] += mul(%0[i0, i1, i3], %1[i0, i2, i3]) : [batch, 6, 7]\n\
         out \"y\" = %2\n",
        "contraction [0] [2] [1] [3]",
    );
}

#[test]
fn matrices_times_vectors() {
    check(
        "%0 = input \"x\" : [batch, 8]\n%1 = param \"w\" : [8]\n\
         %2 = loop i0 < batch, i1 < 8 : [i0] += mul(%0[i0, i1], %1[i1]) : [batch]\nout \"y\" = %2\n",
        "contraction [] [0] [] [1]",
    );
    // Factors whose indices are the same are no product of matrices.
    check(
        "%0 = input \"x\" : [batch, 8]\n\
         %1 = loop i0 < batch, i1 < 8 : [i0] += mul(%0[i0, i1], %0[i0, i1]) : [batch]\nout \"y\" = %1\n",
        "reduction",
    );
}

#[test]
fn windows_with_strides_and_padding() {
    check(
        "%0 = input \"x\" : [batch, 3, 10]\n%1 = param \"w\" : [6, 3, 3]\n\
         %2 = loop i0 < batch, i1 < 6, i2 < 5, i3 < 3, i4 < 3 : [i0, i1, i2] += mul(%0[i0, i3, 2*i2 + 3*i4 - 1 else 0], %1[i1, i3, i4]) : [batch, 6, 5]\n\
         out \"y\" = %2\n",
        "convolution [axis 2: 2*i2 + 3*i4 from -1 padded]",
    );
    check(
        "%0 = input \"x\" : [batch, 3, 10]\n%1 = param \"w\" : [3, 3]\n\
         %2 = loop i0 < batch, i1 < 3, i2 < 8, i3 < 3 : [i0, i1, i2] += mul(%0[i0, i1, i2 + i3], %1[i1, i3]) : [batch, 3, 8]\n\
         out \"y\" = %2\n",
        "depthwise convolution [axis 2: i2 + i3 from 0]",
    );
    check(
        "%0 = input \"x\" : [batch, 3, 5]\n%1 = param \"w\" : [3, 6, 3]\n\
         %2 = loop i0 < batch, i1 < 6, i2 < 5, i3 < 3, i4 < 3 : [i0, i1, 2*i2 + i4 - 1 else drop] += mul(%0[i0, i3, i2], %1[i3, i1, i4]) : [batch, 6, 10]\n\
         out \"y\" = %2\n",
        "transposed convolution [axis 2: 2*i2 + i4 from -1 padded]",
    );
}

#[test]
fn windows() {
    check(
        "%0 = input \"x\" : [batch, 3, 10]\n%1 = param \"w\" : [6, 3, 3]\n\
         %2 = loop i0 < batch, i1 < 6, i2 < 8, i3 < 3, i4 < 3 : [i0, i1, i2] += mul(%0[i0, i3, i2 + i4], %1[i1, i3, i4]) : [batch, 6, 8]\n\
         out \"y\" = %2\n",
        "convolution [axis 2: i2 + i4 from 0]",
    );
    check(
        "%0 = input \"x\" : [batch, 10]\n%1 = loop i0 < batch, i1 < 5, i2 < 2 : [i0, i1] max= %0[i0, 2*i1 + i2] : [batch, 5]\n\
         out \"y\" = %1\n",
        "pool [axis 1: 2*i1 + i2 from 0]",
    );
}

#[test]
fn computed_places() {
    check(
        "%0 = input \"x\" : [10, 4]\n%1 = input \"i\" : int[batch]\n\
         %2 = loop i0 < batch, i1 < 4 : [i0, i1] = %0[%1[i0], i1] : [batch, 4]\nout \"y\" = %2\n",
        "gather operand 1, axes [0]",
    );
    check(
        "%0 = input \"x\" : [batch, 4]\n%1 = input \"i\" : int[batch]\n\
         %2 = loop i0 < batch, i1 < 4 : [%1[i0], i1] += %0[i0, i1] : [10, 4]\nout \"y\" = %2\n",
        "scatter rows [0]",
    );
}
