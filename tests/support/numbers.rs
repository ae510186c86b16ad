//! Numbers that exported C is given and gives: random rows, bytes as C has them, numbers of these.

use nnc::base::philox::Draw;
use nnc::export::c::api::Member;
use nnc::loops::Kind;
use nnc::{Elements, Tensor};

use super::interpreted::bytes;

/// After which steps there are plateaus, by the first line of a program.
pub fn plateaus(text: &str) -> Vec<u32> {
    let line = text.lines().next().and_then(|line| line.strip_prefix("# plateaus after "));
    line.map(|steps| steps.split(' ').map(|step| step.parse().expect("a number")).collect())
        .unwrap_or_default()
}

/// The bytes of a step's rows, of those of all steps, as a member of the batch has them.
pub fn part_of(all: &Elements, member: &Member, step: usize) -> Vec<u8> {
    let part = member.count() * step..member.count() * (step + 1);
    let ints = |values: Vec<i64>| match member.kind {
        Kind::I32 => bytes(&Elements::I32(values.into_iter().map(|value| value as i32).collect())),
        Kind::I64 => bytes(&Elements::I64(values)),
        kind => panic!("ints as {kind:?}"),
    };
    match all {
        Elements::F32(values) => bytes(&Elements::F32(values[part].to_vec())),
        Elements::F64(values) => bytes(&Elements::F64(values[part].to_vec())),
        Elements::I32(values) => ints(values[part].iter().map(|value| i64::from(*value)).collect()),
        Elements::I64(values) => ints(values[part].to_vec()),
        Elements::Bool(values) => bytes(&Elements::Bool(values[part].to_vec())),
        other => panic!("elements that C does not have: {other:?}"),
    }
}

pub fn floats(elements: &Elements) -> Vec<f64> {
    match elements {
        Elements::F32(values) => values.iter().map(|value| f64::from(*value)).collect(),
        Elements::F64(values) => values.clone(),
        Elements::I32(values) => values.iter().map(|value| f64::from(*value)).collect(),
        Elements::I64(values) => values.iter().map(|value| *value as f64).collect(),
        Elements::Bool(values) => values.iter().map(|value| f64::from(u8::from(*value))).collect(),
        other => panic!("elements that C does not have: {other:?}"),
    }
}

pub fn float_of(number: &[u8], kind: Kind) -> f64 {
    match (kind, number) {
        (Kind::F32, &[a, b, c, d]) => f64::from(f32::from_ne_bytes([a, b, c, d])),
        (Kind::I32, &[a, b, c, d]) => f64::from(i32::from_ne_bytes([a, b, c, d])),
        (Kind::Bool, &[truth]) => f64::from(truth),
        (Kind::F64, word) => f64::from_ne_bytes(word.try_into().expect("eight bytes")),
        (_, word) => i64::from_ne_bytes(word.try_into().expect("eight bytes")) as f64,
    }
}

pub fn random(members: &[Member], row: u32) -> Vec<Tensor> {
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

pub fn array(tensor: &Tensor) -> serde_json::Value {
    let (ty, data): (&str, Vec<String>) = match tensor.elements() {
        Elements::F32(values) => ("float32", values.iter().map(ToString::to_string).collect()),
        Elements::F64(values) => ("float64", values.iter().map(ToString::to_string).collect()),
        Elements::I32(values) => ("int32", values.iter().map(ToString::to_string).collect()),
        Elements::I64(values) => ("int64", values.iter().map(ToString::to_string).collect()),
        Elements::U8(values) => ("uint8", values.iter().map(ToString::to_string).collect()),
        Elements::Bool(values) => ("bool", values.iter().map(|value| u8::from(*value).to_string()).collect()),
        other => panic!("elements that C does not have: {other:?}"),
    };
    serde_json::json!({ "type": ty, "shape": tensor.shape(), "data": data })
}

/// All results as numbers, as texts, since there is no NaN in JSON.
pub fn numbers(mut bytes: &[u8], results: &[Member]) -> Vec<String> {
    let mut all = Vec::new();
    for result in results {
        for _ in 0..result.count() {
            let (number, rest) = bytes.split_at(result.kind.bytes() as usize);
            bytes = rest;
            all.push(match (result.kind, number) {
                (Kind::F32, &[a, b, c, d]) => f32::from_ne_bytes([a, b, c, d]).to_string(),
                (Kind::I32, &[a, b, c, d]) => i32::from_ne_bytes([a, b, c, d]).to_string(),
                (Kind::Bool, &[truth]) => truth.to_string(),
                (Kind::F64, word) => f64::from_ne_bytes(word.try_into().expect("eight bytes")).to_string(),
                (_, word) => i64::from_ne_bytes(word.try_into().expect("eight bytes")).to_string(),
            });
        }
    }
    all
}
