//! A back end from outside of the crate: it counts the operations of kernels and leaves their execution to the
//! interpreter of loops. So the traits of `nnc::backend` suffice to write one, and nothing in the compiler knows which
//! back ends there are.

use std::sync::atomic::{AtomicU64, Ordering};

use nnc::backend::interpreter::INTERPRETER;
use nnc::backend::{
    Backend, Binding, Code, CodeError, Facts, Options, Outcome, RunContext, Series, Workspace,
};
use nnc::ir::program::Precision;
use nnc::loops::{Bound, Expr, Stmt, Target, VerifiedModule};

const PROGRAM: &str = "
    model Net(x: [B, 2]) -> [B, 1] { x |> Linear(8) |> tanh |> Linear(1) }
    data xor {
        x = [[0, 0], [0, 1], [1, 0], [1, 1]]
        y = [[0], [1], [1], [0]]
    }
    train {
        data     = xor
        minimize binary_cross_entropy(Net(x), y) with SGD(lr = 1.0)
        batch    = 4
        epochs   = 20
    }
";

/// Counts what kernels do.
struct Counting {
    compiled: AtomicU64,
    operations: &'static AtomicU64,
}

static OPERATIONS: AtomicU64 = AtomicU64::new(0);
static COUNTING: Counting = Counting { compiled: AtomicU64::new(0), operations: &OPERATIONS };

impl Backend for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn target(&self, precision: Precision) -> Target {
        INTERPRETER.target(precision)
    }

    fn compile(&self, module: &VerifiedModule, options: Options) -> Result<Box<dyn Code>, CodeError> {
        self.compiled.fetch_add(1, Ordering::Relaxed);
        let per_step = module.kernels.iter().map(|kernel| operations(&kernel.body)).sum();
        let code = INTERPRETER.compile(module, options)?;
        Ok(Box::new(Counted { code, per_step, operations: self.operations }))
    }
}

/// The arithmetic operations of statements, as often as their loops go round where the text says how often.
fn operations(body: &[Stmt]) -> u64 {
    let of = |stmt: &Stmt| match stmt {
        Stmt::Let(_, Expr::Unary(..) | Expr::Binary(..) | Expr::Fma(..)) => 1,
        Stmt::Let(..) | Stmt::Store { .. } | Stmt::Check { .. } => 0,
        Stmt::If { then, .. } => operations(then),
        Stmt::For(inner) => {
            let rounds = match (inner.from, inner.to) {
                (Bound::Number(from), Bound::Number(to)) => (to - from).max(0) / inner.step.max(1),
                _ => 1,
            };
            rounds as u64 * operations(&inner.body)
        }
    };
    body.iter().map(of).sum()
}

/// The interpreter's code with its number of operations.
struct Counted {
    code: Box<dyn Code>,
    per_step: u64,
    operations: &'static AtomicU64,
}

impl Code for Counted {
    fn facts(&self) -> &Facts {
        self.code.facts()
    }

    fn workspace(&self) -> Result<Workspace, CodeError> {
        self.code.workspace()
    }

    fn run(
        &self,
        workspace: &mut Workspace,
        bindings: &mut [Binding<'_>],
        series: Series<'_>,
        cx: RunContext<'_>,
    ) -> Result<Outcome, CodeError> {
        self.operations.fetch_add(self.per_step * series.steps as u64, Ordering::Relaxed);
        self.code.run(workspace, bindings, series, cx)
    }
}

/// A back end that makes no code, for a reason.
struct Refusing(fn() -> CodeError);

static LACKING: Refusing = Refusing(|| CodeError::unsupported("this machine has no kernels"));
static BROKEN: Refusing = Refusing(|| CodeError::internal("a rule of the contract"));

impl Backend for Refusing {
    fn name(&self) -> &'static str {
        "refusing"
    }

    fn target(&self, precision: Precision) -> Target {
        INTERPRETER.target(precision)
    }

    fn compile(&self, _: &VerifiedModule, _: Options) -> Result<Box<dyn Code>, CodeError> {
        Err((self.0)())
    }
}

/// The weights after a training by a back end.
fn trained(backend: &'static dyn Backend) -> Result<Vec<nnc::Tensor>, nnc::Diagnostics> {
    let program = nnc::compile(PROGRAM)?;
    program.use_backend(backend);
    let mut session = program.session()?;
    session.train(&mut nnc::Silent)?;
    let paths: Vec<String> = session.parameters().map(str::to_owned).collect();
    Ok(paths.iter().filter_map(|path| session.parameter(path).cloned()).collect())
}

#[test]
fn a_back_end_from_outside_trains() {
    let counted = trained(&COUNTING).expect("the counting back end");
    assert_eq!(counted, trained(&INTERPRETER).expect("the interpreter"));
    assert!(COUNTING.compiled.load(Ordering::Relaxed) > 0);
    // 20 steps of two layers, forward and backward, are more than a thousand operations.
    let operations = OPERATIONS.load(Ordering::Relaxed);
    assert!(operations > 1000 && operations.is_multiple_of(20), "{operations} operations");
}

/// What a back end cannot do, and what it finds broken, is said as such.
#[test]
fn refusals_are_told() {
    let lacking = trained(&LACKING).expect_err("no code");
    assert_eq!(lacking[0].code, "E0793", "{lacking}");
    let broken = trained(&BROKEN).expect_err("no code");
    assert_eq!(broken[0].code, "E0792", "{broken}");
    assert!(broken.to_string().contains("please report"), "{broken}");
}
