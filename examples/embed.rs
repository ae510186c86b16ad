//! Trains a network within a Rust program and asks it for predictions: `cargo run --example embed`.

use nnc::{Event, Observer, Tensor};
const XOR: &str = r#"
model Xor(x: [B, 2]) -> [B, 1] { x |> Linear(8) |> tanh |> Linear(1) }

data xor {
    x = [[0, 0], [0, 1], [1, 0], [1, 1]]
    y = [[0], [1], [1], [0]]
}

train {
    data     = xor
    minimize binary_cross_entropy(Xor(x), y) with SGD(lr = 1.0)
    batch    = 4
    epochs   = 500
}
"#;

struct EveryHundredth;
impl Observer for EveryHundredth {
    fn event(&mut self, event: &Event<'_>) {
        if let Event::Epoch(report) = event
            && report.epoch.is_multiple_of(100)
        {
            println!("epoch {}: loss {:.4}", report.epoch, report.train.loss());
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut session = nnc::compile(XOR)?.session()?;
    session.train(&mut EveryHundredth)?;
    let x = Tensor::floats(&[2, 2], &[0.0, 1.0, 1.0, 1.0]).ok_or("2 times 2 numbers")?;
    let logits = session.predict("Xor", &[&x])?;
    println!("0 xor 1: {}, 1 xor 1: {}", logits[0].to_f32()[0] > 0.0, logits[0].to_f32()[1] > 0.0);
    Ok(())
}
