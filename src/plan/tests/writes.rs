//! Graphs whose writes leave parts of their target alone: diagonals, steps, shifts, computed subscripts, indices
//! longer and shorter than their axis. The rest of the target is the identity, and nothing beside it is written.

use super::graphs::Lot;
use crate::ir::verify::verify;
use crate::ir::{Graph, text};

/// A loop with a write of some kind, and two that read what it wrote, at the same points and beside them.
pub fn some_writes(seed: u64) -> Graph {
    let mut lot = Lot(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    loop {
        let text = program(&mut lot);
        let graph = text::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        if verify(&graph).is_ok() {
            return graph;
        }
    }
}

/// The greatest value of a subscript decides the size of the axis, more or less.
struct Axis {
    sub: String,
    size: i64,
}

fn program(lot: &mut Lot) -> String {
    let domain: Vec<i64> = (0..1 + lot.below(3)).map(|_| [1, 2, 3, 5, 8, 17][lot.below(6)]).collect();
    let dropping = lot.below(2) == 0;
    let axes: Vec<Axis> = (0..1 + lot.below(3)).map(|_| axis(lot, &domain, dropping)).collect();
    let list = |items: Vec<String>| items.join(", ");
    let shape = list(axes.iter().map(|axis| axis.size.to_string()).collect());
    let subs = list(axes.iter().map(|axis| axis.sub.clone()).collect());
    let place = list((0..domain.len()).map(|index| format!("i{index}")).collect());
    // Only of small domains without computed subscripts the verifier sees whether an element is written twice.
    let is_plain = domain.iter().product::<i64>() <= 2048 && !subs.contains('%');
    let combine = ["+=", "+=", "+=", "max=", "*=", if is_plain { "=" } else { "+=" }][lot.below(6)];
    let drop = if dropping { " else drop" } else { "" };
    let mut text = format!(
        "%0 = input \"x\" : [{}]\n%1 = input \"v\" : int[{}]\n",
        list(domain.iter().map(i64::to_string).collect()),
        domain[0],
    );
    text.push_str(&format!(
        "%2 = loop {} : [{subs}{drop}] {combine} mul(%0[{place}], 2.0) : [{shape}]\n",
        list(domain.iter().enumerate().map(|(index, size)| format!("i{index} < {size}")).collect()),
    ));
    // What reads it may be grouped with it: where it reads decides whether that is allowed.
    for (number, reader) in [(3, lot.below(4)), (4, lot.below(4))] {
        let over: Vec<i64> = axes.iter().map(|axis| axis.size).collect();
        let subs: Vec<String> = (0..over.len()).map(|axis| read(lot, axis, reader)).collect();
        let indices: Vec<String> =
            over.iter().enumerate().map(|(index, size)| format!("i{index} < {size}")).collect();
        let place: Vec<String> = (0..over.len()).map(|index| format!("i{index}")).collect();
        let (indices, place, subs) = (list(indices), list(place), list(subs));
        text.push_str(&format!(
            "%{number} = loop {indices} : [{place}] = add(%2[{place}], mul(%2[{subs} else 0], 3.0)) : [{shape}]\n"
        ));
    }
    text.push_str("out \"written\" = %2\nout \"near\" = %3\nout \"far\" = %4\n");
    if lot.below(2) == 0 { text.replace("out \"written\" = %2\n", "") } else { text }
}

fn axis(lot: &mut Lot, domain: &[i64], dropping: bool) -> Axis {
    let index = lot.below(domain.len());
    let size = domain[index];
    let (sub, reach) = match lot.below(9) {
        0..=3 => (format!("i{index}"), size),
        4 => (format!("i{index} + 1"), size + 1),
        5 => (format!("2*i{index}"), 2 * size),
        6 => {
            let other = lot.below(domain.len());
            let sub = if other == index { format!("2*i{index}") } else { format!("i{index} + i{other}") };
            (sub, size + domain[other])
        }
        7 => ("1".to_owned(), 2),
        _ => ("%1[i0]".to_owned(), 3),
    };
    let size = match lot.below(4) {
        0 => reach + 2,
        1 if dropping => (reach - 1).max(1),
        2 if dropping => (reach / 2).max(1),
        _ => reach,
    };
    Axis { sub, size }
}

/// A subscript of a reader: at its own place, or beside it.
fn read(lot: &mut Lot, axis: usize, reader: usize) -> String {
    match reader {
        0 => format!("i{axis}"),
        1 => format!("i{axis} + 1"),
        2 => format!("i{axis} - 1"),
        _ => ["0", "1", "i0", "i0 + 1", "i0 - 2"][lot.below(5)].to_owned(),
    }
}
