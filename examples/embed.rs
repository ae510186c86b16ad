//! Trains a network within a Rust program, on data of that program, and asks it for predictions:
//! `cargo run --example embed`.

use nnc::{Event, Given, Observer, Tensor};

const SPIRALS: &str = r#"
model Net(x: [B, 2]) -> [B, 2] { x |> Linear(16) |> tanh |> Linear(16) |> tanh |> Linear(2) }

data points {
    x: [2]
    arm: class(2)
    split train = 0.8, test = 0.2
}

train {
    data     = points.train
    minimize cross_entropy(Net(x), arm) with Adam(lr = 0.01)
    measure  accuracy(Net(x), arm)
    validate = points.test
    batch    = 32
    epochs   = 200
}
"#;

struct EveryFiftieth;
impl Observer for EveryFiftieth {
    fn event(&mut self, event: &Event<'_>) {
        if let Event::Epoch(report) = event
            && report.epoch.is_multiple_of(50)
        {
            println!("epoch {}: loss {:.4}", report.epoch, report.train.loss());
        }
    }
}

/// Two arms of a spiral.
fn points(count: usize) -> (Vec<f32>, Vec<i32>) {
    let point = |number: usize| {
        let (arm, at) = (number % 2, number as f32 / count as f32);
        let angle = 6.0 * at + std::f32::consts::PI * arm as f32;
        [at * angle.cos(), at * angle.sin()]
    };
    ((0..count).flat_map(point).collect(), (0..count).map(|number| (number % 2) as i32).collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (x, arm) = points(400);
    let x = Tensor::floats(&[400, 2], &x)?;
    let rows = Given::new().data("points", [("x", x), ("arm", Tensor::from(arm))]);
    let mut session = nnc::compile(SPIRALS)?.session_with(rows)?;
    session.train(&mut EveryFiftieth)?;
    println!("accuracy on the rest: {:.2}", session.evaluate("points.test")?.metrics[0].1);
    let place = Tensor::floats(&[1, 2], &[0.3, 0.1])?;
    let scores = session.predict("Net", &[&place])?;
    println!("scores of the arms at (0.3, 0.1): {:?}", scores[0].to_f32());
    Ok(())
}
